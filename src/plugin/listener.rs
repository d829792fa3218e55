//! The socket that the host connects to.
//!
//! A Unix socket with a short name in a fresh folder that only this user may enter; where there are
//! no Unix sockets, a TCP port on the loopback address.

#[cfg(any(not(unix), test))]
mod tcp;
#[cfg(unix)]
mod unix;

use std::io;
use std::path::PathBuf;

use super::handshake::HandshakeEnvironment;

/// One accepted connection, before TLS.
#[cfg(unix)]
pub(super) type Socket = tokio::net::UnixStream;
/// One accepted connection, before TLS.
#[cfg(not(unix))]
pub(super) type Socket = tokio::net::TcpStream;

/// Where the host is to connect, in the words of the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// `unix` or `tcp`.
    pub(super) network: &'static str,
    /// Absolute path of the socket, or address and port.
    pub(super) text: String,
}

/// A bound and listening socket.
pub(super) struct Listener {
    #[cfg(unix)]
    socket: tokio::net::UnixListener,
    #[cfg(not(unix))]
    socket: tokio::net::TcpListener,
}

impl Listener {
    /// Waits for the next connection.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        self.socket.accept().await.map(|(socket, _)| socket)
    }
}

/// Removes what the listener left in the file system, when dropped.
pub(super) struct Cleanup {
    #[cfg(unix)]
    _folder: tempfile::TempDir,
}

/// Why no socket could be opened for the host.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The folder for the socket cannot be made.
    #[error("cannot create a folder for the plugin's socket in `{}`", .parent.display())]
    Folder {
        /// Folder that was to hold it.
        parent: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path of the socket is longer than systems allow.
    #[error("the path `{}` is too long for a socket: {} bytes at most", .path.display(), .limit)]
    TooLong {
        /// Path that was tried.
        path: PathBuf,
        /// Longest path in bytes.
        limit: usize,
    },
    /// The path of the socket has a character that the handshake line cannot carry.
    #[error("the path `{}` has characters that cannot be told to the host", .path.display())]
    Unspeakable {
        /// Path that was tried.
        path: PathBuf,
    },
    /// The socket cannot be opened.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// Path or address that was tried.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The group that is to reach the socket is not known here.
    #[error("the group `{group}` in PLUGIN_UNIX_SOCKET_GROUP does not exist")]
    UnknownGroup {
        /// Name as it was given.
        group: String,
    },
    /// The socket cannot be given to the group.
    #[error("cannot give the plugin's socket to the group `{group}`")]
    Group {
        /// Name or number as it was given.
        group: String,
        /// What the system said.
        source: io::Error,
    },
    /// The port range is not one.
    #[error("PLUGIN_MIN_PORT and PLUGIN_MAX_PORT are not a range of ports")]
    PortRange,
}

/// Opens the socket for the host; must run inside the runtime.
pub(super) fn bind(
    environment: &HandshakeEnvironment,
) -> Result<(Listener, Address, Cleanup), ListenError> {
    #[cfg(unix)]
    {
        unix::bind(environment)
    }
    #[cfg(not(unix))]
    {
        tcp::bind(environment)
    }
}

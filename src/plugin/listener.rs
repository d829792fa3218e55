//! The socket that the host connects to: a Unix socket with a short name, in a new folder that only
//! this user can enter.

use std::fs::Permissions;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

/// Folder that exists everywhere and has a short name.
const FALLBACK_FOLDER: &str = "/tmp";

/// Maximum length of a socket path in bytes. macOS allows 104 including the closing NUL, Linux 108.
const MAX_PATH_BYTES: usize = 103;

/// A bound, listening socket. Dropping it removes the socket and its folder.
pub(super) struct Listener {
    socket: UnixListener,
    path: String,
    _folder: TempDir,
}

impl Listener {
    /// Returns the absolute path of the socket.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Waits for the next connection.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.socket.accept().await.map(|(socket, _)| socket)
    }
}

/// Why no socket could be opened for the host.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The folder for the socket cannot be created.
    #[error("cannot create a folder for the plugin's socket in `{}`", .parent.display())]
    Folder {
        /// Folder that was meant to contain it.
        parent: PathBuf,
        /// Error from the system.
        source: io::Error,
    },
    /// The socket's path is longer than systems allow.
    #[error("the path `{}` is too long for a socket: {} bytes at most", .path.display(), .limit)]
    TooLong {
        /// Path that was tried.
        path: PathBuf,
        /// Maximum length in bytes.
        limit: usize,
    },
    /// The socket's path has a character that the handshake line cannot carry.
    #[error("the path `{}` has characters that the handshake cannot carry", .path.display())]
    Unprintable {
        /// Path that was tried.
        path: PathBuf,
    },
    /// The socket cannot be opened.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// Path that was tried.
        address: String,
        /// Error from the system.
        source: io::Error,
    },
}

/// Opens a socket in the given folder, or else in [`FALLBACK_FOLDER`]. Must be called inside the
/// runtime.
///
/// A folder that is missing, not writable, or too deep is skipped. If the fallback also fails, the
/// error is the one from the first folder.
pub(super) fn bind(chosen: Option<&Path>) -> Result<Listener, ListenError> {
    bind_in(chosen.unwrap_or(Path::new(FALLBACK_FOLDER))).or_else(|first| {
        tracing::warn!(
            error = %first,
            folder = FALLBACK_FOLDER,
            "the socket goes to another folder",
        );
        bind_in(Path::new(FALLBACK_FOLDER)).map_err(|_| first)
    })
}

/// Opens a socket in a new folder inside `parent`, with no access for other users.
fn bind_in(parent: &Path) -> Result<Listener, ListenError> {
    let folder_error = |source| ListenError::Folder {
        parent: parent.to_owned(),
        source,
    };
    let folder = tempfile::Builder::new()
        .prefix("plugin-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(std::path::absolute(parent).map_err(folder_error)?)
        .map_err(folder_error)?;
    let path = address(folder.path().join("s"))?;
    let socket = UnixListener::bind(&path).map_err(|source| ListenError::Bind {
        address: path.clone(),
        source,
    })?;
    Ok(Listener {
        socket,
        path,
        _folder: folder,
    })
}

/// Returns a path as text that both the system and the handshake line can carry.
fn address(path: PathBuf) -> Result<String, ListenError> {
    if path.as_os_str().as_bytes().len() > MAX_PATH_BYTES {
        return Err(ListenError::TooLong {
            path,
            limit: MAX_PATH_BYTES,
        });
    }
    let is_printable = |text: &String| !text.contains(|c: char| c == '|' || c.is_control());
    match path.into_os_string().into_string() {
        Ok(text) if is_printable(&text) => Ok(text),
        Ok(text) => Err(ListenError::Unprintable { path: text.into() }),
        Err(path) => Err(ListenError::Unprintable { path: path.into() }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn folder_is_private_and_vanishes() {
        let parent = tempfile::tempdir().unwrap();
        let listener = bind(Some(parent.path())).unwrap();
        let path = PathBuf::from(listener.path());
        assert!(path.starts_with(parent.path()));
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        drop(listener);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn too_long_missing_or_unspeakable_folder_falls_back() {
        let parent = tempfile::tempdir().unwrap();
        let long = parent.path().join("d".repeat(100));
        let piped = parent.path().join("a|b");
        for folder in [&long, &piped] {
            fs::create_dir(folder).unwrap();
        }
        let missing = parent.path().join("missing");
        for folder in [&long, &piped, &missing] {
            let listener = bind(Some(folder)).unwrap();
            let path = listener.path();
            assert!(path.starts_with("/tmp/plugin-"), "{path}");
        }
        assert_eq!(fs::read_dir(&long).unwrap().count(), 0);
    }
}

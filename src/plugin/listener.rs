//! The socket that the host connects to: a Unix socket with a short name, in a new folder that only
//! this user may enter.

use std::fs::Permissions;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

/// Folder that exists everywhere and has a short name.
const FALLBACK_FOLDER: &str = "/tmp";

/// Longest path of a socket in bytes: macOS allows 104 with the closing NUL, Linux 108.
const MAX_PATH_BYTES: usize = 103;

/// A bound and listening socket, removed with its folder when dropped.
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
        /// What the system said.
        source: io::Error,
    },
}

/// Opens a socket in the folder that was chosen, else in [`FALLBACK_FOLDER`]; must run inside the
/// runtime.
///
/// A folder that is too deep, missing or not writable is passed over; if the fallback fails as
/// well, the error is that of the first.
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

/// Opens a socket in a fresh folder, closed to all other users, inside `parent`.
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

/// Returns a path as text that the system and the handshake line can both carry.
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

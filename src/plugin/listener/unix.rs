//! Unix sockets: where the file goes and who may reach it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::UnixListener;

use super::super::handshake::HandshakeEnvironment;
use super::{Address, Cleanup, ListenError, Listener};

/// Folder that exists everywhere and has a short name.
const FALLBACK_FOLDER: &str = "/tmp";

/// Longest path of a socket in bytes: macOS allows 104 with the closing NUL, Linux 108.
const MAX_PATH_BYTES: usize = 103;

/// Where groups are listed by name.
const GROUP_FILE: &str = "/etc/group";

/// Opens a socket in the folder that the host or the user chose, else in [`FALLBACK_FOLDER`].
///
/// A folder that is too deep, missing or not writable is passed over; if the fallback fails as
/// well, the error is that of the first.
pub(super) fn bind(
    environment: &HandshakeEnvironment,
) -> Result<(Listener, Address, Cleanup), ListenError> {
    let chosen = environment
        .socket_folder
        .as_deref()
        .or(environment.temporary_folder.as_deref())
        .unwrap_or(Path::new(FALLBACK_FOLDER));
    let (socket, path, folder) = bind_in(chosen).or_else(|first| {
        tracing::warn!(
            error = %first,
            folder = FALLBACK_FOLDER,
            "the socket goes to another folder",
        );
        bind_in(Path::new(FALLBACK_FOLDER)).map_err(|_| first)
    })?;
    if let Some(group) = &environment.socket_group {
        open_to_group(&path, folder.path(), group)?;
    }
    let address = Address {
        network: "unix",
        text: path.to_string_lossy().into_owned(),
    };
    Ok((Listener { socket }, address, Cleanup { _folder: folder }))
}

/// Opens a socket in a fresh folder, closed to all other users, inside `parent`.
fn bind_in(parent: &Path) -> Result<(UnixListener, PathBuf, TempDir), ListenError> {
    let folder_error = |source| ListenError::Folder {
        parent: parent.to_owned(),
        source,
    };
    let folder = tempfile::Builder::new()
        .prefix("plugin-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(std::path::absolute(parent).map_err(folder_error)?)
        .map_err(folder_error)?;
    let path = folder.path().join("s");
    check(&path)?;
    let socket = UnixListener::bind(&path).map_err(|source| ListenError::Bind {
        address: path.display().to_string(),
        source,
    })?;
    Ok((socket, path, folder))
}

/// Checks that the system and the handshake line can both carry the path.
fn check(path: &Path) -> Result<(), ListenError> {
    if path.as_os_str().as_bytes().len() > MAX_PATH_BYTES {
        return Err(ListenError::TooLong {
            path: path.to_owned(),
            limit: MAX_PATH_BYTES,
        });
    }
    let speakable = path
        .to_str()
        .is_some_and(|text| !text.contains(|c: char| c == '|' || c.is_control()));
    if speakable {
        Ok(())
    } else {
        Err(ListenError::Unspeakable {
            path: path.to_owned(),
        })
    }
}

/// Lets the members of a group reach the socket.
///
/// The folder is opened last, so that nobody reaches a socket whose owner is not yet right.
fn open_to_group(path: &Path, folder: &Path, group: &str) -> Result<(), ListenError> {
    let number = match group.parse() {
        Ok(number) => number,
        Err(_) => fs::read_to_string(GROUP_FILE)
            .ok()
            .and_then(|file| group_number(&file, group))
            .ok_or_else(|| ListenError::UnknownGroup {
                group: group.to_owned(),
            })?,
    };
    let open = || -> io::Result<()> {
        chown(path, None, Some(number))?;
        fs::set_permissions(path, Permissions::from_mode(0o660))?;
        chown(folder, None, Some(number))?;
        fs::set_permissions(folder, Permissions::from_mode(0o750))
    };
    open().map_err(|source| ListenError::Group {
        group: group.to_owned(),
        source,
    })
}

/// Finds a group's number in the text of the group file.
fn group_number(file: &str, name: &str) -> Option<u32> {
    file.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let number = fields.nth(1)?;
        found.then(|| number.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_folder(folder: &Path) -> HandshakeEnvironment {
        HandshakeEnvironment {
            temporary_folder: Some(folder.to_owned()),
            ..HandshakeEnvironment::default()
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn folder_is_private_and_vanishes() {
        let parent = tempfile::tempdir().unwrap();
        let (listener, address, cleanup) = bind(&in_folder(parent.path())).unwrap();
        let path = PathBuf::from(&address.text);
        assert_eq!(address.network, "unix");
        assert!(path.starts_with(parent.path()));
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        drop((listener, cleanup));
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
            let (_listener, address, _cleanup) = bind(&in_folder(folder)).unwrap();
            assert!(address.text.starts_with("/tmp/plugin-"), "{address:?}");
        }
        assert_eq!(fs::read_dir(&long).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn group_may_reach_the_socket() {
        let parent = tempfile::tempdir().unwrap();
        let group = rustix::process::getgid().as_raw().to_string();
        let environment = HandshakeEnvironment {
            socket_group: Some(group),
            socket_folder: Some(parent.path().to_owned()),
            ..HandshakeEnvironment::default()
        };
        let (_listener, address, _cleanup) = bind(&environment).unwrap();
        let path = PathBuf::from(&address.text);
        assert_eq!(mode(&path), 0o660);
        assert_eq!(mode(path.parent().unwrap()), 0o750);
    }

    #[test]
    fn groups_are_found_by_whole_name() {
        let file = "root:x:0:\nstaff:x:50:ann,bob\nstaffing:x:51:\nbroken\n";
        assert_eq!(group_number(file, "staff"), Some(50));
        assert_eq!(group_number(file, "staf"), None);
        assert_eq!(group_number(file, "broken"), None);
    }
}

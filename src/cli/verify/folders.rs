//! The two empty folders for a run.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

/// A working directory and a configuration directory, removed when this is dropped.
pub(super) struct Folders {
    work: TempDir,
    config: TempDir,
}

impl Folders {
    /// Creates both, for this user only.
    ///
    /// # Errors
    ///
    /// Fails if the temporary folder is not writable.
    pub(super) fn create() -> io::Result<Self> {
        Ok(Self {
            work: private("claude-work-")?,
            config: private("claude-config-")?,
        })
    }

    /// Returns the working directory, which has no `CLAUDE.md` and no project settings.
    pub(super) fn work(&self) -> &Path {
        self.work.path()
    }

    /// Returns the configuration directory, which has no login and no user settings.
    pub(super) fn config(&self) -> &Path {
        self.config.path()
    }
}

fn private(prefix: &str) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(prefix)
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_private_and_do_not_stay() {
        let folders = Folders::create().unwrap();
        let paths = [folders.work().to_owned(), folders.config().to_owned()];
        for path in &paths {
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
            std::fs::write(path.join("left"), "behind").unwrap();
        }
        drop(folders);
        assert!(paths.iter().all(|path| !path.exists()));
    }
}

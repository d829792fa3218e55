//! A place that contains secrets: a mount and a folder in it.

use std::fmt;

use super::secret_path::{InMount, SecretPath, SecretPathError};

/// Names one folder of a KV v2 engine, without the `metadata/` of the API; the root of the mount
/// is the empty folder.
///
/// `Display` is `<mount>/<folder>/`, the root `<mount>/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderPath {
    mount: String,
    folder: String,
}

impl FolderPath {
    /// Joins a mount and a folder in it, which has no slash at either end.
    ///
    /// # Errors
    ///
    /// Fails if the mount, or a folder that is not the root, breaks a rule of
    /// [`SecretPath::check`].
    pub fn new(
        mount: impl Into<String>,
        folder: impl Into<String>,
    ) -> Result<Self, SecretPathError> {
        let (mount, folder) = (mount.into(), folder.into());
        SecretPath::check(&mount)?;
        if !folder.is_empty() {
            SecretPath::check(&folder)?;
        }
        Ok(Self { mount, folder })
    }

    /// Returns the path in the mount of the entry `name` in this folder.
    pub fn path_of(&self, name: &str) -> String {
        if self.folder.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.folder)
        }
    }

    /// Returns the secret with a name in this folder.
    ///
    /// # Errors
    ///
    /// Fails if the name breaks a rule of [`SecretPath::check`]: Vault allows more than we do.
    pub fn secret(&self, name: &str) -> Result<SecretPath, SecretPathError> {
        SecretPath::new(self.mount.clone(), self.path_of(name))
    }

    /// Returns the folder with a name in this folder.
    ///
    /// # Errors
    ///
    /// Fails as [`FolderPath::secret`] does.
    pub fn subfolder(&self, name: &str) -> Result<Self, SecretPathError> {
        SecretPath::check(name)?;
        Self::new(self.mount.clone(), self.path_of(name))
    }
}

impl InMount for FolderPath {
    fn mount(&self) -> &str {
        &self.mount
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.mount, self.path_of(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_to_the_folder() {
        let root = FolderPath::new("team/kv", "").unwrap();
        assert_eq!(root.to_string(), "team/kv/");
        assert_eq!(root.secret("a").unwrap().to_string(), "team/kv/a");
        let inner = root.subfolder("a").unwrap().subfolder("b").unwrap();
        assert_eq!(inner.to_string(), "team/kv/a/b/");
        assert_eq!(inner.secret("c").unwrap().path(), "a/b/c");
    }

    #[test]
    fn what_is_no_path_is_no_folder() {
        let root = FolderPath::new("secret", "").unwrap();
        assert_eq!(root.subfolder(""), Err(SecretPathError::Empty));
        assert_eq!(root.subfolder(".."), Err(SecretPathError::DotSegment("..")));
        assert_eq!(root.secret("a#b"), Err(SecretPathError::Reserved('#')));
        assert_eq!(
            FolderPath::new("secret", "a/"),
            Err(SecretPathError::OuterSlash)
        );
        assert_eq!(FolderPath::new("", "a"), Err(SecretPathError::Empty));
    }
}

//! The location of a secret: a mount and a path in it.

use std::fmt;

use thiserror::Error;

/// Characters that never occur in a path: they have a meaning in ids and policies.
const RESERVED: [char; 4] = ['#', '{', '}', '*'];

/// The most bytes of a mount or a path: three times as many, escaped, still fit into a URL, and no
/// engine stores names of such a length on purpose.
const LONGEST: usize = 4096;

/// The location of one secret in a KV v2 engine, without the `data/` of the API.
///
/// `Display` is `<mount>/<path>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPath {
    mount: String,
    path: String,
}

/// A place in a mount, as errors about the mount need it; `Display` begins with the mount.
pub(super) trait InMount: fmt::Display {
    /// Returns the mount of the engine.
    fn mount(&self) -> &str;
}

/// The reason why a text is not a mount or path.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SecretPathError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It begins or ends with a slash.
    #[error("it starts or ends with a slash")]
    OuterSlash,
    /// It has two slashes in a row.
    #[error("it has an empty segment, that is, two slashes in a row")]
    EmptySegment,
    /// A segment is `.` or `..`.
    #[error("it has the segment `{0}`")]
    DotSegment(&'static str),
    /// It holds a line break, a tab or another control character.
    #[error("it has a control character")]
    ControlCharacter,
    /// It holds one of `#`, `{`, `}` and `*`.
    #[error("it has the character `{0}`")]
    Reserved(char),
    /// Requests for it could not be sent.
    #[error("it has more than {LONGEST} bytes")]
    TooLong,
}

impl SecretPath {
    /// Joins a mount, which may have slashes, and a path in it.
    ///
    /// # Errors
    ///
    /// Fails if the mount or the path breaks a rule of [`SecretPath::check`]; the mount is checked
    /// first.
    pub fn new(mount: impl Into<String>, path: impl Into<String>) -> Result<Self, SecretPathError> {
        let (mount, path) = (mount.into(), path.into());
        Self::check(&mount)?;
        Self::check(&path)?;
        Ok(Self { mount, path })
    }

    /// Checks a single mount or path.
    ///
    /// # Errors
    ///
    /// Fails with the first rule that the text breaks.
    pub fn check(text: &str) -> Result<(), SecretPathError> {
        if text.is_empty() {
            return Err(SecretPathError::Empty);
        }
        if text.len() > LONGEST {
            return Err(SecretPathError::TooLong);
        }
        if text.starts_with('/') || text.ends_with('/') {
            return Err(SecretPathError::OuterSlash);
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err(SecretPathError::EmptySegment),
                "." => return Err(SecretPathError::DotSegment(".")),
                ".." => return Err(SecretPathError::DotSegment("..")),
                _ => {}
            }
        }
        for character in text.chars() {
            if character.is_control() {
                return Err(SecretPathError::ControlCharacter);
            }
            if RESERVED.contains(&character) {
                return Err(SecretPathError::Reserved(character));
            }
        }
        Ok(())
    }

    /// Returns the mount of the engine.
    pub fn mount(&self) -> &str {
        &self.mount
    }

    /// Returns the path in the mount.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl InMount for SecretPath {
    fn mount(&self) -> &str {
        &self.mount
    }
}

impl fmt::Display for SecretPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.mount, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_and_path_are_joined_by_a_slash() {
        let path = SecretPath::new("team/kv", "ci/agent 1%").unwrap();
        assert_eq!(path.to_string(), "team/kv/ci/agent 1%");
        assert_eq!((path.mount(), path.path()), ("team/kv", "ci/agent 1%"));
    }

    #[test]
    fn each_rule_has_its_own_error() {
        let cases = [
            ("", SecretPathError::Empty),
            ("/", SecretPathError::OuterSlash),
            ("/a", SecretPathError::OuterSlash),
            ("a/", SecretPathError::OuterSlash),
            ("a//b", SecretPathError::EmptySegment),
            ("a/./b", SecretPathError::DotSegment(".")),
            ("..", SecretPathError::DotSegment("..")),
            ("a\nb", SecretPathError::ControlCharacter),
            ("a\u{85}b", SecretPathError::ControlCharacter),
            ("a#b", SecretPathError::Reserved('#')),
            ("a{1,2}", SecretPathError::Reserved('{')),
            ("a}", SecretPathError::Reserved('}')),
            ("a*", SecretPathError::Reserved('*')),
            (&"a".repeat(LONGEST + 1), SecretPathError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(SecretPath::check(text), Err(error.clone()), "{text:?}");
            assert_eq!(SecretPath::new("secret", text), Err(error.clone()));
            assert_eq!(SecretPath::new(text, "a"), Err(error));
        }
    }
}

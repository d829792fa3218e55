//! The beginning of paths: a folder with its slash, the beginning of a name in it, or nothing.

use super::paths::{PathError, validate_path};

/// The common beginning of some secrets' paths.
///
/// `team/` matches everything in the folder `team`; `team/agent` matches `team/agent`,
/// `team/agent-spare-1` and everything in `team/agents/`; the empty prefix matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    folder: String,
    name: String,
}

impl Prefix {
    /// Reads a prefix by the rules for paths; one slash at its end makes it a folder.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        validate_path(match text.strip_suffix('/') {
            Some("") => text,
            Some(folder) => folder,
            None => text,
        })?;
        let (folder, name) = text.rsplit_once('/').unwrap_or(("", text));
        Ok(Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Returns the folder that contains everything with this prefix, empty for the root of the
    /// mount.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Reports whether a secret or folder directly in [`Prefix::folder`] has this prefix.
    pub fn takes(&self, name: &str) -> bool {
        name.starts_with(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_slash_ends_the_folder() {
        for (text, folder, name) in [
            ("", "", ""),
            ("team/", "team", ""),
            ("team/a/", "team/a", ""),
            ("agent", "", "agent"),
            ("team/a/agent", "team/a", "agent"),
        ] {
            let prefix = Prefix::parse(text).unwrap();
            assert_eq!((prefix.folder(), &*prefix.name), (folder, name), "{text}");
            assert!(prefix.takes(&format!("{name}-1")));
        }
        assert!(!Prefix::parse("agent").unwrap().takes("age"));
    }

    #[test]
    fn what_no_path_begins_with_is_refused() {
        for (text, error) in [
            ("/", PathError::LeadingSlash),
            ("/a", PathError::LeadingSlash),
            ("a//", PathError::TrailingSlash),
            ("a//b", PathError::EmptySegment { segment: 2 }),
            ("a/..", PathError::DotSegment { segment: 2 }),
            (
                "a*",
                PathError::Forbidden {
                    character: '*',
                    position: 2,
                },
            ),
        ] {
            assert_eq!(Prefix::parse(text), Err(error), "{text}");
        }
    }
}

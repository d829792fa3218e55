//! Rules for the names that a user writes: paths, fields, mounts, and ids made of them.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The most paths that one pool watches.
pub const MAXIMUM_PATHS: usize = 100;
/// The most bytes of a field: metadata keys have 128, and stamps and marks add to the field.
pub const MAXIMUM_FIELD_BYTES: usize = 100;

/// A path in a mount and a field of the secret there, written `<path>#<field>`.
///
/// A path has no `#`, so the first one separates the two and a field may have more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    /// Path in the mount, without `data/`.
    pub path: String,
    /// Name of the field.
    pub field: String,
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", self.path, self.field)
    }
}

impl FromStr for FieldPath {
    type Err = IdError;

    /// Reads `<path>#<field>`, both by their rules.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let (path, field) = split_field(text)?;
        validate_path(path)?;
        Ok(Self {
            path: path.to_owned(),
            field: field.ok_or(FieldError::Empty)?.to_owned(),
        })
    }
}

/// The id of one token as a user gives it: `<mount>/<path>[#field]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenId {
    /// Mount and path; where one ends and the other begins, only Vault knows.
    pub location: String,
    /// The field, where one is named.
    pub field: Option<String>,
}

/// Reads the id of one token.
pub fn parse_token_id(text: &str) -> Result<TokenId, IdError> {
    let (location, field) = split_field(text)?;
    validate_path(location)?;
    if !location.contains('/') {
        return Err(IdError::NoMount);
    }
    Ok(TokenId {
        location: location.to_owned(),
        field: field.map(str::to_owned),
    })
}

/// Splits the field off at the first `#`, which no path has, and checks it.
pub(super) fn split_field(text: &str) -> Result<(&str, Option<&str>), FieldError> {
    match text.split_once('#') {
        Some((location, field)) => {
            validate_field(field)?;
            Ok((location, Some(field)))
        }
        None => Ok((text, None)),
    }
}

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// There is a path but no mount before it.
    #[error("the id has no mount: it is written `<mount>/<path>[#field]`")]
    NoMount,
    /// The part before `#` breaks the rules for paths.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The part after `#` breaks the rules for fields.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Why a path is refused; positions count characters, and segments, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// There is no text.
    #[error("the path is empty")]
    Empty,
    /// The first character is a slash.
    #[error("the path starts with `/`")]
    LeadingSlash,
    /// The last character is a slash.
    #[error("the path ends with `/`")]
    TrailingSlash,
    /// Two slashes follow each other.
    #[error("segment {segment} of the path is empty: two `/` follow each other")]
    EmptySegment {
        /// Which segment.
        segment: usize,
    },
    /// A segment is `.` or `..`.
    #[error("segment {segment} of the path is `.` or `..`")]
    DotSegment {
        /// Which segment.
        segment: usize,
    },
    /// A control character, such as a line break.
    #[error("character {position} of the path is a control character")]
    Control {
        /// Which character.
        position: usize,
    },
    /// A character that has a meaning in ids and path lists.
    #[error("character {position} of the path is `{character}`")]
    Forbidden {
        /// The character itself.
        character: char,
        /// Which character.
        position: usize,
    },
}

/// Checks a path in a mount.
///
/// It is neither empty nor starts or ends with `/`; no segment is empty, `.` or `..`; and it has
/// no control character and none of `# { } *`.
pub fn validate_path(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.starts_with('/') {
        return Err(PathError::LeadingSlash);
    }
    if path.ends_with('/') {
        return Err(PathError::TrailingSlash);
    }
    for (segment, text) in (1..).zip(path.split('/')) {
        match text {
            "" => return Err(PathError::EmptySegment { segment }),
            "." | ".." => return Err(PathError::DotSegment { segment }),
            _ => {}
        }
    }
    for (position, character) in (1..).zip(path.chars()) {
        if character.is_control() {
            return Err(PathError::Control { position });
        }
        if matches!(character, '#' | '{' | '}' | '*') {
            return Err(PathError::Forbidden {
                character,
                position,
            });
        }
    }
    Ok(())
}

/// Why the name of a field is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// There is no text.
    #[error("the field is empty")]
    Empty,
    /// Metadata keys that begin with the field would not fit.
    #[error("the field has {bytes} bytes, more than {MAXIMUM_FIELD_BYTES}")]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
}

/// Checks the name of a field: from 1 to [`MAXIMUM_FIELD_BYTES`] bytes.
pub fn validate_field(field: &str) -> Result<(), FieldError> {
    match field.len() {
        0 => Err(FieldError::Empty),
        1..=MAXIMUM_FIELD_BYTES => Ok(()),
        bytes => Err(FieldError::TooLong { bytes }),
    }
}

/// Why the paths of a pool are refused; `index` counts from 0, as list attributes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PoolPathsError {
    /// There is no path.
    #[error("the list needs at least one path")]
    Empty,
    /// There are more than [`MAXIMUM_PATHS`].
    #[error("the list has {MAXIMUM_PATHS} paths at most, not {count}")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A path has a comma, which separates paths in an id.
    #[error("a path of a pool has no comma")]
    Comma {
        /// Which path.
        index: usize,
    },
    /// A path stands in the list twice.
    #[error("the path is the same as number {first} of the list", first = .first + 1)]
    Repeated {
        /// The later one.
        index: usize,
        /// The earlier one.
        first: usize,
    },
    /// A spare is the primary itself.
    #[error("the path is that of the primary")]
    Primary {
        /// Which path.
        index: usize,
    },
    /// A path breaks the rules for paths.
    #[error("number {} of the list cannot be a path", .index + 1)]
    Path {
        /// Which path.
        index: usize,
        /// What is wrong with it.
        source: PathError,
    },
}

impl PoolPathsError {
    /// Returns the index of the path at fault, where it is a single one.
    pub fn index(&self) -> Option<usize> {
        match *self {
            Self::Empty | Self::TooMany { .. } => None,
            Self::Comma { index }
            | Self::Repeated { index, .. }
            | Self::Primary { index }
            | Self::Path { index, .. } => Some(index),
        }
    }
}

/// Checks the paths of a pool, each and together; unknown ones are passed as `None`.
pub fn validate_pool_paths(
    paths: &[Option<&str>],
    primary: Option<&str>,
) -> Result<(), PoolPathsError> {
    match paths.len() {
        0 => return Err(PoolPathsError::Empty),
        1..=MAXIMUM_PATHS => {}
        count => return Err(PoolPathsError::TooMany { count }),
    }
    let mut seen = HashMap::new();
    for (index, path) in paths.iter().enumerate() {
        let Some(path) = *path else { continue };
        validate_path(path).map_err(|source| PoolPathsError::Path { index, source })?;
        if path.contains(',') {
            return Err(PoolPathsError::Comma { index });
        }
        if let Some(first) = seen.insert(path, index) {
            return Err(PoolPathsError::Repeated { index, first });
        }
        if primary == Some(path) {
            return Err(PoolPathsError::Primary { index });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn good_paths_pass() {
        for path in [
            "a",
            "team/agent-1",
            "a.b/..c/d..",
            "a b",
            "é",
            "a,b",
            "data/x",
            "a?b%2f",
        ] {
            assert_eq!(validate_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn bad_paths_are_refused_at_a_place() {
        use PathError::*;
        for (path, error) in [
            ("", Empty),
            ("/", LeadingSlash),
            ("/a", LeadingSlash),
            ("a/", TrailingSlash),
            ("a//b", EmptySegment { segment: 2 }),
            (".", DotSegment { segment: 1 }),
            ("a/../b", DotSegment { segment: 2 }),
            ("é\nb", Control { position: 2 }),
            ("a\u{7f}", Control { position: 2 }),
            ("a\u{85}", Control { position: 2 }),
        ] {
            assert_eq!(validate_path(path), Err(error), "{path:?}");
        }
        for character in ['#', '{', '}', '*'] {
            let error = Forbidden {
                character,
                position: 3,
            };
            assert_eq!(validate_path(&format!("a/{character}")), Err(error));
            assert_eq!(
                error.to_string(),
                format!("character 3 of the path is `{character}`")
            );
        }
    }

    #[test]
    fn fields_have_a_length() {
        assert_eq!(validate_field("claude_oauth_token"), Ok(()));
        assert_eq!(validate_field(""), Err(FieldError::Empty));
        assert_eq!(validate_field(&"x".repeat(100)), Ok(()));
        let long = FieldError::TooLong { bytes: 102 };
        assert_eq!(validate_field(&"é".repeat(51)), Err(long));
    }

    #[test]
    fn ids_split_off_the_field() {
        let id = parse_token_id("kv/team/agent#a#b").unwrap();
        assert_eq!(id.location, "kv/team/agent");
        assert_eq!(id.field.as_deref(), Some("a#b"));
        assert_eq!(parse_token_id("secret/agent").unwrap().field, None);
        assert_eq!(parse_token_id("agent"), Err(IdError::NoMount));
        assert_eq!(
            parse_token_id("secret/agent#"),
            Err(IdError::Field(FieldError::Empty))
        );
        assert_eq!(
            parse_token_id("#field"),
            Err(IdError::Path(PathError::Empty))
        );
        assert_eq!(
            parse_token_id("secret/a-{1,2}").unwrap_err().to_string(),
            "character 10 of the path is `{`"
        );
    }

    #[test]
    fn pools_have_distinct_paths() {
        use PoolPathsError::*;
        let check = |paths: &[&str], primary| {
            let paths: Vec<_> = paths.iter().copied().map(Some).collect();
            validate_pool_paths(&paths, primary)
        };
        assert_eq!(check(&["a", "b"], Some("c")), Ok(()));
        assert_eq!(check(&[], None), Err(Empty));
        assert_eq!(check(&["a", "b,c"], None), Err(Comma { index: 1 }));
        assert_eq!(check(&["a", "b"], Some("b")), Err(Primary { index: 1 }));
        let repeated = Repeated { index: 2, first: 0 };
        assert_eq!(check(&["a", "b", "a"], None), Err(repeated));
        assert_eq!(repeated.index(), Some(2));
        assert_eq!(
            repeated.to_string(),
            "the path is the same as number 1 of the list"
        );
        let source = PathError::TrailingSlash;
        assert_eq!(check(&["a", "b/"], None), Err(Path { index: 1, source }));
        assert_eq!(
            validate_pool_paths(&[None, None, Some("a")], Some("b")),
            Ok(())
        );
        assert_eq!(validate_pool_paths(&[None; 100], None), Ok(()));
        let many = TooMany { count: 101 };
        assert_eq!(validate_pool_paths(&[None; 101], None), Err(many));
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text: String) {
            let _ = validate_path(&text);
            let _ = validate_field(&text);
            let _ = text.parse::<FieldPath>();
            let _ = parse_token_id(&text);
        }

        #[test]
        fn ids_are_read_back(path in "[a-z0-9._ é-]{1,9}(/[a-z0-9_-]{1,9}){0,3}", field in "[a-z#/.]{1,20}") {
            prop_assume!(validate_path(&path).is_ok());
            let id = parse_token_id(&format!("secret/{path}#{field}")).unwrap();
            prop_assert_eq!(id.location, format!("secret/{path}"));
            prop_assert_eq!(id.field.as_ref(), Some(&field));
            let reference = FieldPath { path, field };
            prop_assert_eq!(reference.to_string().parse(), Ok(reference));
        }
    }
}

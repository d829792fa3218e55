//! Rules for the names that a user writes: paths, fields, mounts, and ids composed of them.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::name::has_token;

/// The most paths that one pool can have.
pub const MAXIMUM_PATHS: usize = 100;
/// The most bytes of a path or a mount: anything longer does not fit into a URL once it is escaped.
pub const MAXIMUM_PATH_BYTES: usize = 4096;
/// The most bytes of a field: metadata keys have 128, and stamps and marks add to the field.
pub const MAXIMUM_FIELD_BYTES: usize = 100;

/// A path in a mount and a field of the secret there, written `<path>#<field>`.
///
/// A path has no `#`, so the first one separates the two and a field may have more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// Mount and path; only Vault knows where the first ends and the second begins.
    pub location: String,
    /// The field, if one is given.
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

/// Splits off the field at the first `#`, which no path has, and checks it.
pub(super) fn split_field(text: &str) -> Result<(&str, Option<&str>), FieldError> {
    match text.split_once('#') {
        Some((location, field)) => {
            validate_field(field)?;
            Ok((location, Some(field)))
        }
        None => Ok((text, None)),
    }
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    /// There is a path but no mount before it.
    #[error("the id has no mount")]
    NoMount,
    /// The part before `#` breaks the rules for paths.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The part after `#` breaks the rules for fields.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Why a path is refused; positions count characters, and segments, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// The text is empty.
    Empty,
    /// The first character is a slash.
    LeadingSlash,
    /// The last character is a slash.
    TrailingSlash,
    /// Two slashes follow each other.
    EmptySegment {
        /// Which segment.
        segment: usize,
    },
    /// A segment is `.` or `..`.
    DotSegment {
        /// Which segment.
        segment: usize,
    },
    /// A control character, such as a line break.
    Control {
        /// Which character.
        position: usize,
    },
    /// A character that has a meaning in ids and path lists.
    Forbidden {
        /// The character itself.
        character: char,
        /// Which character.
        position: usize,
    },
    /// Requests for it could not be sent.
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It contains a token, which every text about the path would show.
    Token,
}

impl std::error::Error for PathError {}

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.about("path"))
    }
}

impl PathError {
    /// Says what is wrong with a path that has another name, such as a mount.
    pub fn about(self, noun: &str) -> String {
        match self {
            Self::Empty => format!("the {noun} is empty"),
            Self::LeadingSlash => format!("the {noun} starts with `/`"),
            Self::TrailingSlash => format!("the {noun} ends with `/`"),
            Self::EmptySegment { segment } => format!(
                "segment {segment} of the {noun} is empty, because there are two `/` in a row"
            ),
            Self::DotSegment { segment } => {
                format!("segment {segment} of the {noun} is `.` or `..`")
            }
            Self::Control { position } => {
                format!("character {position} of the {noun} is a control character")
            }
            Self::Forbidden {
                character,
                position,
            } => format!("character {position} of the {noun} is `{character}`"),
            Self::TooLong { bytes } => {
                format!("the {noun} has {bytes} bytes, more than {MAXIMUM_PATH_BYTES}")
            }
            Self::Token => format!("the {noun} has a token in it"),
        }
    }

    /// Reports whether the text itself must not be shown.
    pub fn is_secret(self) -> bool {
        self == Self::Token
    }
}

/// Checks a path in a mount.
///
/// It is not empty and neither starts nor ends with `/`; no segment is empty, `.` or `..`; it has
/// no control character and none of `# { } *`; it has at most [`MAXIMUM_PATH_BYTES`], and contains
/// no token.
pub fn validate_path(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if has_token(path) {
        return Err(PathError::Token);
    }
    if path.len() > MAXIMUM_PATH_BYTES {
        return Err(PathError::TooLong { bytes: path.len() });
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
    /// The text is empty.
    #[error("the field is empty")]
    Empty,
    /// Metadata keys that begin with the field would not fit.
    #[error("the field has {bytes} bytes, more than {MAXIMUM_FIELD_BYTES}")]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It contains a token, perhaps instead of the name.
    #[error("the field has a token in its name")]
    Token,
}

impl FieldError {
    /// Reports whether the text itself must not be shown.
    pub fn is_secret(self) -> bool {
        self == Self::Token
    }
}

/// Checks the name of a field: from 1 to [`MAXIMUM_FIELD_BYTES`] bytes, without a token in it.
pub fn validate_field(field: &str) -> Result<(), FieldError> {
    if has_token(field) {
        return Err(FieldError::Token);
    }
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
    #[error("the list has {count} paths, more than {MAXIMUM_PATHS}")]
    TooMany {
        /// How many there are.
        count: usize,
    },
    /// A path has a comma, which separates paths in an id.
    #[error("the path has a comma, which a pool does not support")]
    Comma {
        /// Which path.
        index: usize,
    },
    /// A path is in the list twice.
    #[error("the path is the same as path {first} of the list", first = .first + 1)]
    Repeated {
        /// The later one.
        index: usize,
        /// The earlier one.
        first: usize,
    },
    /// A spare is the primary itself.
    #[error("the path is the primary's own path")]
    Primary {
        /// Which path.
        index: usize,
    },
    /// A path breaks the rules for paths.
    #[error("path {} of the list is not valid", .index + 1)]
    Path {
        /// Which path.
        index: usize,
        /// What is wrong with it.
        source: PathError,
    },
}

impl PoolPathsError {
    /// Reports whether the path at fault must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Path { source, .. } if source.is_secret())
    }

    /// Returns the index of the path at fault, if there is a single one.
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

/// Checks the paths of a pool, each by itself and all together; unknown ones are passed as `None`.
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
mod tests;

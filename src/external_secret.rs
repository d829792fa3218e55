//! The rules of an `ExternalSecret` of the External Secrets Operator.
//!
//! Owns the operator's rules for keys, names, and intervals. It does not depend on tokens or Vault,
//! and receives names as text.

mod interval;
mod name;

use thiserror::Error;

pub use interval::{IntervalError, refresh_interval};
pub use name::{
    NameError, validate_annotation_key, validate_label_value, validate_name, validate_namespace,
};

/// Maximum length of a key in a Kubernetes Secret.
pub const MAXIMUM_KEY_LENGTH: usize = 253;

/// Why a key of a Kubernetes Secret is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretKeyError {
    /// The key is empty.
    #[error("the key is empty")]
    Empty,
    /// The key is longer than [`MAXIMUM_KEY_LENGTH`].
    #[error("the key has {length} characters, more than {MAXIMUM_KEY_LENGTH}")]
    TooLong {
        /// How many characters it has.
        length: usize,
    },
    /// A character is not a letter, a digit, `-`, `.`, or `_`.
    #[error(
        "character {position} of the key is {character:?}, but a key has only letters, digits, \
         `-`, `.`, and `_`"
    )]
    Character {
        /// The character itself.
        character: char,
        /// Which character, counted from 1.
        position: usize,
    },
}

/// Checks a key as the operator does: `^[-._a-zA-Z0-9]{1,253}$`.
pub fn validate_secret_key(secret_key: &str) -> Result<(), SecretKeyError> {
    if secret_key.is_empty() {
        return Err(SecretKeyError::Empty);
    }
    let foreign = (1..)
        .zip(secret_key.chars())
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')));
    if let Some((position, character)) = foreign {
        return Err(SecretKeyError::Character {
            character,
            position,
        });
    }
    match secret_key.len() {
        length if length > MAXIMUM_KEY_LENGTH => Err(SecretKeyError::TooLong { length }),
        _ => Ok(()),
    }
}

/// Returns the key of the entry at `position`, counted from 1.
pub fn numbered_key(prefix: &str, position: usize) -> Result<String, SecretKeyError> {
    let secret_key = format!("{prefix}{position}");
    validate_secret_key(&secret_key)?;
    Ok(secret_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_operator() {
        assert_eq!(validate_secret_key("a-B._9"), Ok(()));
        assert_eq!(validate_secret_key(&"k".repeat(253)), Ok(()));
        assert_eq!(validate_secret_key(""), Err(SecretKeyError::Empty));
        assert_eq!(
            validate_secret_key(&"k".repeat(254)),
            Err(SecretKeyError::TooLong { length: 254 })
        );
        for (key, character, position) in [("a b", ' ', 2), ("é", 'é', 1), ("a/b", '/', 2)] {
            let error = SecretKeyError::Character {
                character,
                position,
            };
            assert_eq!(validate_secret_key(key), Err(error));
        }
        assert_eq!(
            validate_secret_key("a\n").unwrap_err().to_string(),
            r"character 2 of the key is '\n', but a key has only letters, digits, `-`, `.`, and `_`"
        );
    }

    #[test]
    fn a_prefix_leaves_room_for_the_number() {
        assert_eq!(numbered_key("SPARE_", 2).unwrap(), "SPARE_2");
        assert_eq!(numbered_key("", 1).unwrap(), "1");
        let prefix = "k".repeat(252);
        assert!(numbered_key(&prefix, 9).is_ok());
        assert_eq!(
            numbered_key(&prefix, 10),
            Err(SecretKeyError::TooLong { length: 254 })
        );
    }
}

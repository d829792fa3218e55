//! What an `ExternalSecret` of the External Secrets Operator takes.
//!
//! Owns the shape of one entry of `spec.data` and the operator's rules for keys, names and
//! intervals. Knows nothing of tokens or Vault: names come in as text.

mod interval;
mod name;

use thiserror::Error;

pub use interval::{IntervalError, refresh_interval};
pub use name::{NameError, validate_annotation_key, validate_name, validate_namespace};

/// The most characters of a key in a Kubernetes Secret.
pub const MAXIMUM_KEY_LENGTH: usize = 253;

/// One entry of `spec.data`: `{ secretKey, remoteRef = { key, property } }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataEntry {
    /// Key in the Kubernetes Secret (`secretKey`).
    pub secret_key: String,
    /// Path of the secret as the store sees it (`remoteRef.key`).
    pub key: String,
    /// Field of the secret (`remoteRef.property`).
    pub property: String,
}

/// Why a key of a Kubernetes Secret is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretKeyError {
    /// There is no text.
    #[error("the key is empty")]
    Empty,
    /// The key is longer than [`MAXIMUM_KEY_LENGTH`].
    #[error("the key has {length} characters, more than {MAXIMUM_KEY_LENGTH}")]
    TooLong {
        /// How many characters it has.
        length: usize,
    },
    /// A character is none of letters, digits, `-`, `.` and `_`.
    #[error(
        "character {position} of the key is {character:?}: it has only letters, digits, `-`, `.` and `_`"
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

/// Makes the entry that delivers one field of one secret.
pub fn entry(secret_key: &str, key: &str, property: &str) -> Result<DataEntry, SecretKeyError> {
    validate_secret_key(secret_key)?;
    Ok(DataEntry {
        secret_key: secret_key.to_owned(),
        key: key.to_owned(),
        property: property.to_owned(),
    })
}

/// Returns the key of the entry at `position`, counted from 1.
pub fn numbered_key(prefix: &str, position: usize) -> Result<String, SecretKeyError> {
    let secret_key = format!("{prefix}{position}");
    validate_secret_key(&secret_key)?;
    Ok(secret_key)
}

/// Makes one entry for each of `keys`, in their order: `prefix` and the position from 1.
pub fn numbered_entries(
    prefix: &str,
    keys: &[impl AsRef<str>],
    property: &str,
) -> Result<Vec<DataEntry>, SecretKeyError> {
    (1..)
        .zip(keys)
        .map(|(position, key)| entry(&numbered_key(prefix, position)?, key.as_ref(), property))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_makes_the_entry_that_people_write_by_hand() {
        assert_eq!(
            entry("CLAUDE_CODE_OAUTH_TOKEN", "agent", "claude_oauth_token"),
            Ok(DataEntry {
                secret_key: "CLAUDE_CODE_OAUTH_TOKEN".to_owned(),
                key: "agent".to_owned(),
                property: "claude_oauth_token".to_owned(),
            })
        );
    }

    #[test]
    fn a_pool_numbers_its_entries_from_one() {
        let entries = numbered_entries("SPARE_", &["a-2", "a-1"], "field").unwrap();
        let pairs: Vec<_> = entries
            .iter()
            .map(|entry| (entry.secret_key.as_str(), entry.key.as_str()))
            .collect();
        assert_eq!(pairs, [("SPARE_1", "a-2"), ("SPARE_2", "a-1")]);
        assert!(entries.iter().all(|entry| entry.property == "field"));
        assert_eq!(
            numbered_entries("", &["a"], "f").unwrap()[0].secret_key,
            "1"
        );
    }

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
            r"character 2 of the key is '\n': it has only letters, digits, `-`, `.` and `_`"
        );
    }

    #[test]
    fn a_prefix_leaves_room_for_the_number() {
        let prefix = "k".repeat(252);
        assert!(numbered_entries(&prefix, &["a"; 9], "f").is_ok());
        assert_eq!(
            numbered_entries(&prefix, &["a"; 10], "f"),
            Err(SecretKeyError::TooLong { length: 254 })
        );
    }
}

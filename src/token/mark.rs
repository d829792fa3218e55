//! Marks: entries on a spare, which record that its token is to become a version of a primary.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::fingerprint::{Fingerprint, ShortFingerprint, read_digits};
use super::metadata::{MAXIMUM_VALUE_BYTES, read_number, read_seconds};
use super::paths::FieldPath;

/// How long an open mark of another primary reserves a spare.
pub const OPEN_FOR: SignedDuration = SignedDuration::from_hours(3);

/// How long after its mark a primary may be written. If the version before the one that a mark
/// names is younger than that, it belongs to a secret that was created again.
pub const WRITTEN_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Bytes before the primary in the longest value: 16 digits of the fingerprint, 20 of the version,
/// 12 of the time, and a space after each.
const MAX_HEAD_BYTES: usize = 16 + 20 + 12 + 3;

/// Maximum number of bytes in the path and the field of a primary together, including the `#`
/// between them, so that marks can name it.
pub const MAX_PRIMARY_BYTES: usize = MAXIMUM_VALUE_BYTES - MAX_HEAD_BYTES;

/// Records that a token is to become version `version` of a primary.
///
/// Its key is `<field>.promoted_to.<8 hexadecimal digits>`, its value
/// `<fingerprint16> <version> <seconds since the epoch> <path of the primary>#<field>`. It applies
/// to its token, no matter what the marked slot holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The whole metadata key, which is used to remove the mark.
    pub key: String,
    /// The token that the mark is about.
    pub fingerprint: ShortFingerprint,
    /// The version that the primary is to get with this token; 0 means that the primary holds or
    /// held it.
    pub version: u64,
    /// When the mark was made, by Vault's clock.
    pub marked_at: Timestamp,
    /// The primary, in the same mount.
    pub primary: FieldPath,
}

/// An entry of the metadata under the prefix of marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkEntry {
    /// A mark.
    Mark(Mark),
    /// Anything else, by its key. Its meaning is unknown, so it blocks the spare.
    Unknown(String),
}

impl Mark {
    /// Returns a key for a mark of `field` that includes 32 random bits.
    pub fn key(field: &str, random: u64) -> String {
        format!("{field}.promoted_to.{:08x}", random >> 32)
    }

    /// Reads one metadata entry; `None` for anything that is not a mark of `field`.
    pub fn parse(field: &str, key: &str, value: &str) -> Option<Self> {
        read_digits::<4>(under_prefix(field, key)?).ok()?;
        let mut parts = value.trim().splitn(4, ' ');
        Some(Self {
            key: key.to_owned(),
            fingerprint: parts.next()?.parse().ok()?,
            version: read_number(parts.next()?)?,
            marked_at: read_seconds(parts.next()?)?,
            primary: parts.next()?.parse().ok()?,
        })
    }

    /// Reads everything under the prefix of a field's marks, in order of the keys.
    pub fn read_entries<'a>(
        field: &'a str,
        custom_metadata: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = MarkEntry> + 'a {
        custom_metadata
            .iter()
            .filter(move |(key, _)| under_prefix(field, key).is_some())
            .map(move |(key, value)| match Self::parse(field, key, value) {
                Some(mark) => MarkEntry::Mark(mark),
                None => MarkEntry::Unknown(key.clone()),
            })
    }

    /// Reads every mark of a field, in order of the keys.
    pub fn read_all(field: &str, custom_metadata: &BTreeMap<String, String>) -> Vec<Self> {
        Self::read_entries(field, custom_metadata)
            .filter_map(|entry| match entry {
                MarkEntry::Mark(mark) => Some(mark),
                MarkEntry::Unknown(_) => None,
            })
            .collect()
    }

    /// Returns whether the mark is about this token.
    pub fn is_about(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint == fingerprint.short()
    }

    /// Decides what the mark means, from what its primary shows.
    ///
    /// `vault_now` is the time of Vault's clock, never a rehearsed one. It is `None` while the
    /// clocks differ, so that no mark becomes void by age then.
    pub fn state(&self, primary: PrimaryFacts, vault_now: Option<Timestamp>) -> MarkState {
        if self.version == 0 {
            return MarkState::Spent;
        }
        let PrimaryFacts::Read {
            holds_token,
            current_version,
            named_version,
            created_before,
        } = primary
        else {
            return MarkState::Unknown;
        };
        let is_recreated = current_version < self.version - 1
            || created_before
                .is_some_and(|created| created.duration_since(self.marked_at) > WRITTEN_WITHIN);
        if holds_token || is_recreated {
            return MarkState::Spent;
        }
        match named_version {
            NamedVersion::HeldToken | NamedVersion::Unreadable => MarkState::Spent,
            NamedVersion::OtherValue => MarkState::Void,
            NamedVersion::NotYet => {
                let is_old =
                    vault_now.is_some_and(|now| now.duration_since(self.marked_at) > OPEN_FOR);
                if is_old {
                    MarkState::Void
                } else {
                    MarkState::Open
                }
            }
        }
    }
}

/// Writes the value of the mark, not its key.
impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} {} {}",
            self.fingerprint,
            self.version,
            self.marked_at.as_second(),
            self.primary
        )
    }
}

/// What a read of the primary that a mark names showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrimaryFacts {
    /// The primary cannot be read.
    Unreadable,
    /// The primary was read.
    Read {
        /// Whether its current version holds the marked token.
        holds_token: bool,
        /// Number of its current version; 0 if the secret is gone.
        current_version: u64,
        /// What is known about the version that the mark names.
        named_version: NamedVersion,
        /// When the version before the named one was created, if that can be read.
        created_before: Option<Timestamp>,
    },
}

/// What is known about the version of the primary that a mark names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedVersion {
    /// It does not exist yet.
    NotYet,
    /// It holds, or held, the marked token.
    HeldToken,
    /// It holds, or held, something else.
    OtherValue,
    /// It can no longer be read.
    Unreadable,
}

/// What a mark means for its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkState {
    /// The promotion happened, or nothing can show anymore that it did not.
    Spent,
    /// The promotion may still happen.
    Open,
    /// The promotion did not happen and can no longer happen.
    Void,
    /// The primary cannot be read, so the answer is unknown.
    Unknown,
}

/// Returns the part of a key after the prefix of a field's marks.
fn under_prefix<'a>(field: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(field)?.strip_prefix(".promoted_to.")
}

#[cfg(test)]
mod tests;

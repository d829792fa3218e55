//! Marks: the entry on a spare that its token is to become a version of some primary.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::fingerprint::{Fingerprint, ShortFingerprint, read_digits};
use super::paths::FieldPath;
use super::stamp::MAXIMUM_VALUE_BYTES;
use super::verdict::{read_number, read_seconds};

/// How long an open mark of another primary keeps a spare.
pub const OPEN_FOR: SignedDuration = SignedDuration::from_hours(3);

/// How long after its mark a primary may be written. A version before the one that a mark names
/// that is younger than that belongs to a secret that was created again.
pub const WRITTEN_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Bytes before the primary in the longest value: 16 digits of the fingerprint, 20 of the version,
/// 12 of the time, and a space behind each.
const MAX_HEAD_BYTES: usize = 16 + 20 + 12 + 3;

/// Bytes that the path and the field of a primary may have together, `#` between them included, so
/// that marks can name it.
pub const MAX_PRIMARY_BYTES: usize = MAXIMUM_VALUE_BYTES - MAX_HEAD_BYTES;

/// Says that a token is to become version `version` of a primary.
///
/// Its key is `<field>.promoted_to.<8 hexadecimal digits>`, its value
/// `<fingerprint16> <version> <seconds since the epoch> <path of the primary>#<field>`. It is about
/// its token, no matter what the slot that bears it holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The whole metadata key, by which the mark is removed.
    pub key: String,
    /// The token that the mark is about.
    pub fingerprint: ShortFingerprint,
    /// The version that the primary is to get with this token; 0 says that the primary holds or
    /// held it.
    pub version: u64,
    /// When the mark was made, by the clock of Vault.
    pub marked_at: Timestamp,
    /// The primary, in the same mount.
    pub primary: FieldPath,
}

/// An entry of the metadata under the prefix of marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkEntry {
    /// A mark.
    Mark(Mark),
    /// Anything else, by its key. Nobody knows what it says, so it bars the spare.
    Unknown(String),
}

impl Mark {
    /// Returns the key of a mark of `field` that has 32 bits of a random number.
    pub fn key(field: &str, random: u64) -> String {
        format!("{field}.promoted_to.{:08x}", random >> 32)
    }

    /// Reads one entry of the metadata; `None` for anything that is not a mark of `field`.
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

    /// Reads everything under the prefix of a field's marks, in the order of the keys.
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

    /// Reads every mark of a field, in the order of the keys.
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

    /// Decides what the mark means, by what its primary shows.
    ///
    /// `vault_now` is the time of Vault's clock, never a rehearsed one, and `None` while the
    /// clocks differ: no mark becomes void by age then.
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
        /// Number of its current version; 0 where the secret is gone.
        current_version: u64,
        /// What is known of the version that the mark names.
        named_version: NamedVersion,
        /// When the version before the named one was created, where that can be read.
        created_before: Option<Timestamp>,
    },
}

/// What is known of the version of the primary that a mark names.
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
    /// The promotion happened, or nothing can show any more that it did not.
    Spent,
    /// The promotion may still happen.
    Open,
    /// The promotion did not happen and cannot happen any more.
    Void,
    /// The primary cannot be read, so nobody knows.
    Unknown,
}

/// Returns what follows the prefix of a field's marks in a key.
fn under_prefix<'a>(field: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(field)?.strip_prefix(".promoted_to.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{at, fingerprint};
    use super::*;

    const FIELD: &str = "claude_oauth_token";
    const KEY: &str = "claude_oauth_token.promoted_to.00c0ffee";

    fn path(text: &str) -> FieldPath {
        text.parse().unwrap()
    }

    fn mark() -> Mark {
        Mark {
            key: KEY.to_owned(),
            fingerprint: fingerprint("a").short(),
            version: 7,
            marked_at: at("2026-03-01T12:00:00Z"),
            primary: path("team/agent#claude_oauth_token"),
        }
    }

    /// The primary at version 6, before the named version 7 exists.
    fn before() -> PrimaryFacts {
        read(false, 6, NamedVersion::NotYet, Some("2026-02-01"))
    }

    fn read(
        holds_token: bool,
        current_version: u64,
        named_version: NamedVersion,
        created_before: Option<&str>,
    ) -> PrimaryFacts {
        PrimaryFacts::Read {
            holds_token,
            current_version,
            named_version,
            created_before: created_before.map(at),
        }
    }

    fn state(facts: PrimaryFacts) -> MarkState {
        mark().state(facts, Some(at("2026-03-01T12:10:00Z")))
    }

    #[test]
    fn reads_its_own_form() {
        let short = fingerprint("a").short();
        let value = format!("{short} 7 1772366400 team/agent#claude_oauth_token");
        assert_eq!(mark().to_string(), value);
        assert_eq!(Mark::parse(FIELD, KEY, &value), Some(mark()));
    }

    #[test]
    fn longest_primary_fits_into_a_value() {
        let mark = Mark {
            version: u64::MAX,
            marked_at: Timestamp::MAX,
            primary: path(&format!("{}#claude", "a".repeat(MAX_PRIMARY_BYTES - 7))),
            ..mark()
        };
        assert_eq!(mark.to_string().len(), MAXIMUM_VALUE_BYTES);
    }

    #[test]
    fn anything_else_is_no_mark() {
        let good = mark().to_string();
        let short = fingerprint("a").short();
        for key in [
            "claude_oauth_token.promoted_to",
            "claude_oauth_token.promoted_to.",
            "claude_oauth_token.promoted_to.00c0ffe",
            "claude_oauth_token.promoted_to.00C0FFEE",
            "claude_oauth_token.promoted_to.00c0ffee0",
            "other.promoted_to.00c0ffee",
            "claude_oauth_token.x.promoted_to.00c0ffee",
        ] {
            assert_eq!(Mark::parse(FIELD, key, &good), None, "{key}");
        }
        for value in [
            String::new(),
            "promoted".to_owned(),
            format!("{short} 7 1772366400"),
            format!("{short} 7 1772366400 "),
            format!("{short} 7 1772366400 team/agent"),
            format!("{short} 7 1772366400 #claude_oauth_token"),
            format!("{short} 7 1772366400 team/agent#"),
            format!("{short} +7 1772366400 team/agent#f"),
            format!("{short} 7 -1 team/agent#f"),
            format!("{short} 7 99999999999999 team/agent#f"),
            format!("{short} 99999999999999999999 1772366400 team/agent#f"),
            format!("{short}  7 1772366400 team/agent#f"),
        ] {
            assert_eq!(Mark::parse(FIELD, KEY, &value), None, "{value}");
        }
    }

    #[test]
    fn finds_all_marks_among_foreign_entries() {
        let other_key = "claude_oauth_token.promoted_to.00000001";
        let entries = BTreeMap::from([
            (KEY.to_owned(), mark().to_string()),
            (other_key.to_owned(), mark().to_string()),
            ("claude_oauth_token.fingerprint".to_owned(), "x".to_owned()),
            ("managed-by".to_owned(), "external-secrets".to_owned()),
        ]);
        let keys: Vec<_> = Mark::read_all(FIELD, &entries)
            .into_iter()
            .map(|mark| mark.key)
            .collect();
        assert_eq!(keys, [other_key, KEY]);
    }

    #[test]
    fn an_entry_that_nobody_understands_is_reported_by_its_key() {
        let keys = [
            "claude_oauth_token.promoted_to.",
            "claude_oauth_token.promoted_to.00C0FFEE",
            "claude_oauth_token.promoted_to.v2.00c0ffee",
        ];
        let mut entries: BTreeMap<_, _> = keys
            .iter()
            .map(|key| ((*key).to_owned(), mark().to_string()))
            .collect();
        entries.insert(KEY.to_owned(), "7".to_owned());
        entries.insert("claude_oauth_token.promoted".to_owned(), "x".to_owned());
        let unknown: Vec<_> = Mark::read_entries(FIELD, &entries).collect();
        assert_eq!(unknown.len(), 4);
        for entry in unknown {
            assert!(matches!(entry, MarkEntry::Unknown(_)), "{entry:?}");
        }
    }

    #[test]
    fn the_primary_decides() {
        use NamedVersion::{HeldToken, NotYet, OtherValue, Unreadable};
        let past = Some("2026-02-01");
        for version in [HeldToken, NotYet, OtherValue, Unreadable] {
            assert_eq!(state(read(true, 7, version, past)), MarkState::Spent);
        }
        for (version, expected) in [
            (HeldToken, MarkState::Spent),
            (Unreadable, MarkState::Spent),
            (OtherValue, MarkState::Void),
        ] {
            assert_eq!(state(read(false, 7, version, past)), expected);
            assert_eq!(state(read(false, 9, version, None)), expected);
        }
        assert_eq!(state(before()), MarkState::Open);
        assert_eq!(state(PrimaryFacts::Unreadable), MarkState::Unknown);
    }

    #[test]
    fn a_token_that_a_primary_ever_held_is_spent_without_a_read() {
        let held = Mark {
            version: 0,
            ..mark()
        };
        for facts in [PrimaryFacts::Unreadable, before()] {
            assert_eq!(held.state(facts, None), MarkState::Spent);
        }
    }

    #[test]
    fn a_primary_that_was_created_again_has_spent_the_token() {
        use NamedVersion::{NotYet, OtherValue};
        // Its versions have begun again, or it is gone.
        for version in [0, 1, 5] {
            let facts = read(false, version, NotYet, None);
            assert_eq!(state(facts), MarkState::Spent, "{version}");
        }
        // It has come as far again, but the version before the named one is too young.
        let young = Some("2026-03-01T12:05:01Z");
        assert_eq!(state(read(false, 6, NotYet, young)), MarkState::Spent);
        assert_eq!(state(read(false, 9, OtherValue, young)), MarkState::Spent);
        let in_time = Some("2026-03-01T12:05:00Z");
        assert_eq!(state(read(false, 6, NotYet, in_time)), MarkState::Open);
        // A first version has none before it.
        let first = Mark {
            version: 1,
            ..mark()
        };
        let facts = read(false, 0, NotYet, None);
        assert_eq!(first.state(facts, None), MarkState::Open);
    }

    #[test]
    fn an_open_mark_is_void_after_three_hours_of_vaults_clock() {
        let state = |now: Option<&str>| mark().state(before(), now.map(at));
        assert_eq!(state(Some("2026-03-01T11:00:00Z")), MarkState::Open);
        assert_eq!(state(Some("2026-03-01T15:00:00Z")), MarkState::Open);
        assert_eq!(state(Some("2026-03-01T15:00:01Z")), MarkState::Void);
        // While the clocks differ, nobody knows how old it is.
        assert_eq!(state(None), MarkState::Open);
    }

    proptest! {
        #[test]
        fn any_entry_is_read_or_passed_over(digits in "[0-9a-f]{8}|\\PC{0,9}", value in "[0-9a-f]{16} [0-9]{1,21} [0-9]{1,13} \\PC{0,20}|\\PC{0,60}") {
            let key = format!("{FIELD}.promoted_to.{digits}");
            if let Some(mark) = Mark::parse(FIELD, &key, &value) {
                let again = Mark::parse(FIELD, &key, &mark.to_string());
                prop_assert_eq!(again, Some(mark));
            }
        }
    }
}

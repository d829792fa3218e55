//! Marks: the note on a spare that its token is to become a version of some primary.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::fingerprint::{Fingerprint, ShortFingerprint, read_digits};
use super::paths::FieldPath;

/// How long an open mark of another primary keeps a spare.
pub const OPEN_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Bytes that Vault allows in a value of `custom_metadata`.
const MAX_VALUE_BYTES: usize = 512;

/// Bytes before the primary in the longest value: 16 digits of the fingerprint, 20 of the version,
/// 12 of the time, and a space behind each.
const MAX_HEAD_BYTES: usize = 16 + 20 + 12 + 3;

/// Bytes that the path and the field of a primary may have together, `#` between them included, so
/// that marks can name it.
pub const MAX_PRIMARY_BYTES: usize = MAX_VALUE_BYTES - MAX_HEAD_BYTES;

/// Says that a token is to become version `version` of a primary.
///
/// Its key is `<field>.promoted_to.<8 hexadecimal digits>`, its value
/// `<fingerprint16> <version> <seconds since the epoch> <path of the primary>#<field>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The whole metadata key, by which the mark is removed.
    pub key: String,
    /// The token that the mark is about.
    pub fingerprint: ShortFingerprint,
    /// The version that the primary is to get with this token.
    pub version: u64,
    /// When the mark was made, by the clock of Vault.
    pub marked_at: Timestamp,
    /// The primary, in the same mount.
    pub primary: FieldPath,
}

impl Mark {
    /// Reads one entry of the metadata; `None` for whatever is no mark of `field`.
    pub fn parse(field: &str, key: &str, value: &str) -> Option<Self> {
        let digits = key.strip_prefix(field)?.strip_prefix(".promoted_to.")?;
        read_digits::<4>(digits).ok()?;
        let mut parts = value.trim().splitn(4, ' ');
        let fingerprint = parts.next()?.parse().ok()?;
        let version = digits_only(parts.next()?)?.parse().ok()?;
        let second = digits_only(parts.next()?)?.parse().ok()?;
        Some(Self {
            key: key.to_owned(),
            fingerprint,
            version,
            marked_at: Timestamp::from_second(second).ok()?,
            primary: parts.next()?.parse().ok()?,
        })
    }

    /// Reads every mark of a field, in the order of their keys; other entries are passed over.
    pub fn read_all(field: &str, custom_metadata: &BTreeMap<String, String>) -> Vec<Self> {
        custom_metadata
            .iter()
            .filter_map(|(key, value)| Self::parse(field, key, value))
            .collect()
    }

    /// Tells whether the mark is about this token; about any other it says nothing.
    pub fn counts_for(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint == fingerprint.short()
    }

    /// Decides what the mark means for the spare that has it and holds `token`.
    ///
    /// `for_primary` is the primary on whose behalf the spare is looked at, if any: an open mark
    /// of its own does not grow old. `now` is the time of Vault's clock, never a rehearsed one.
    pub fn state(
        &self,
        token: &Fingerprint,
        primary: PrimaryFacts,
        for_primary: Option<&FieldPath>,
        now: Timestamp,
    ) -> MarkState {
        if !self.counts_for(token) {
            return MarkState::Foreign;
        }
        let PrimaryFacts::Read {
            holds_token,
            named_version,
        } = primary
        else {
            return MarkState::Unknown;
        };
        if holds_token {
            return MarkState::Spent;
        }
        match named_version {
            NamedVersion::HeldToken | NamedVersion::Gone => MarkState::Spent,
            NamedVersion::OtherValue => MarkState::Void,
            NamedVersion::NotThere => {
                let own = for_primary == Some(&self.primary);
                if !own && now.duration_since(self.marked_at) > OPEN_FOR {
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
    /// The primary may not be read, or there is no such secret.
    Unreadable,
    /// The primary was read.
    Read {
        /// Whether its current version holds the marked token.
        holds_token: bool,
        /// What is known of the version that the mark names.
        named_version: NamedVersion,
    },
}

/// What is known of the version of the primary that a mark names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedVersion {
    /// The primary has not come so far.
    NotThere,
    /// It holds, or held, the marked token.
    HeldToken,
    /// It holds, or held, something else.
    OtherValue,
    /// It can no longer be read.
    Gone,
}

/// What a mark means for the spare that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkState {
    /// About another token than the spare holds now, so it says nothing.
    Foreign,
    /// The promotion happened, or nothing can show any more that it did not.
    Spent,
    /// The promotion may still happen.
    Open,
    /// The promotion did not happen and cannot any more.
    Void,
    /// The primary cannot be read, so nobody knows.
    Unknown,
}

fn digits_only(text: &str) -> Option<&str> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(text)
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

    fn read(holds_token: bool, named_version: NamedVersion) -> PrimaryFacts {
        PrimaryFacts::Read {
            holds_token,
            named_version,
        }
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
        assert_eq!(mark.to_string().len(), MAX_VALUE_BYTES);
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
    fn the_primary_decides() {
        use NamedVersion::{Gone, HeldToken, NotThere, OtherValue};
        let now = at("2026-03-01T12:10:00Z");
        let state = |facts| mark().state(&fingerprint("a"), facts, None, now);
        for version in [Gone, HeldToken, NotThere, OtherValue] {
            assert_eq!(state(read(true, version)), MarkState::Spent);
        }
        assert_eq!(state(read(false, HeldToken)), MarkState::Spent);
        assert_eq!(state(read(false, Gone)), MarkState::Spent);
        assert_eq!(state(read(false, OtherValue)), MarkState::Void);
        assert_eq!(state(read(false, NotThere)), MarkState::Open);
        assert_eq!(state(PrimaryFacts::Unreadable), MarkState::Unknown);
    }

    #[test]
    fn a_refilled_slot_is_free() {
        let now = at("2026-03-01T12:10:00Z");
        for facts in [
            PrimaryFacts::Unreadable,
            read(true, NamedVersion::HeldToken),
        ] {
            let state = mark().state(&fingerprint("b"), facts, None, now);
            assert_eq!(state, MarkState::Foreign);
        }
    }

    #[test]
    fn an_open_mark_grows_old_for_others_only() {
        let open = read(false, NamedVersion::NotThere);
        let state = |for_primary: Option<&str>, now| {
            let for_primary = for_primary.map(path);
            mark().state(&fingerprint("a"), open, for_primary.as_ref(), at(now))
        };
        let own = Some("team/agent#claude_oauth_token");
        let another = Some("team/another#claude_oauth_token");
        for primary in [None, another, own] {
            assert_eq!(state(primary, "2026-03-01T13:00:00Z"), MarkState::Open);
            assert_eq!(state(primary, "2026-03-01T11:00:00Z"), MarkState::Open);
        }
        assert_eq!(state(None, "2026-03-01T13:00:01Z"), MarkState::Void);
        assert_eq!(state(another, "2026-03-01T13:00:01Z"), MarkState::Void);
        assert_eq!(state(own, "2026-03-02T00:00:00Z"), MarkState::Open);
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

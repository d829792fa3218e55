//! Retired tokens: those that a field held before its current one.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::fingerprint::{Fingerprint, FingerprintError, ShortFingerprint};
use super::metadata::{MAXIMUM_VALUE_BYTES, key, read_seconds, stamp_key};

/// A token that a field held before, written `<fingerprint16>:<unix mint time>`, with a `!` if it
/// was rotated away on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    /// The token.
    pub fingerprint: ShortFingerprint,
    /// When it was minted, as far as is known.
    pub minted_at: Option<Timestamp>,
    /// Whether somebody requested its replacement, as after a leak.
    pub on_request: bool,
}

impl Retired {
    /// A token that was replaced without a request.
    pub fn new(fingerprint: &Fingerprint, minted_at: Option<Timestamp>) -> Self {
        Self {
            fingerprint: fingerprint.short(),
            minted_at,
            on_request: false,
        }
    }
}

impl fmt::Display for Retired {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.fingerprint)?;
        if let Some(minted_at) = self.minted_at {
            write!(formatter, "{}", minted_at.as_second())?;
        }
        formatter.write_str(if self.on_request { "!" } else { "" })
    }
}

impl FromStr for Retired {
    type Err = FingerprintError;

    /// Reads an entry; a mint time that cannot be read is treated as absent, because the token
    /// stays retired.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (text, on_request) = match text.strip_suffix('!') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (fingerprint, minted_at) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self {
            fingerprint: fingerprint.parse()?,
            minted_at: read_seconds(minted_at),
            on_request,
        })
    }
}

/// The tokens that a field held before, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetiredTokens(BTreeMap<ShortFingerprint, Retired>);

impl RetiredTokens {
    /// Reads the list in the metadata of a field; entries that cannot be read are skipped.
    pub fn read(field: &str, custom_metadata: &BTreeMap<String, String>) -> Self {
        let list = custom_metadata.get(&stamp_key(field, key::RETIRED));
        list.map_or("", String::as_str)
            .split_whitespace()
            .filter_map(|entry| entry.parse().ok())
            .collect()
    }

    /// Returns what is known about a retired token.
    pub fn get(&self, fingerprint: ShortFingerprint) -> Option<&Retired> {
        self.0.get(&fingerprint)
    }

    /// Returns when a retired token was minted, if its entry says so.
    pub fn minted_at(&self, fingerprint: ShortFingerprint) -> Option<Timestamp> {
        self.get(fingerprint)?.minted_at
    }

    /// Returns every retired token.
    pub fn iter(&self) -> impl Iterator<Item = &Retired> {
        self.0.values()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a token. If there are two entries for one token, the earlier mint time applies, and a
    /// request remains a request.
    pub fn add(&mut self, retired: Retired) {
        let entry = self.0.entry(retired.fingerprint).or_insert(retired);
        entry.on_request |= retired.on_request;
        entry.minted_at = match (entry.minted_at, retired.minted_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// Returns the value for the metadata, with as many tokens as fit. Tokens that have not expired
    /// (minted after `born_after`) come first, and of these the ones that were rotated away on
    /// request and the latest.
    pub fn to_value(&self, born_after: Timestamp) -> Option<String> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_by_key(|retired| {
            // A token without a date may be as recent as any other.
            let unexpired = retired.minted_at.is_none_or(|at| at > born_after);
            std::cmp::Reverse((unexpired, retired.on_request, retired.minted_at))
        });
        let mut value = String::new();
        for entry in entries.into_iter().map(ToString::to_string) {
            let space = usize::from(!value.is_empty());
            if value.len() + space + entry.len() > MAXIMUM_VALUE_BYTES {
                break;
            }
            value.push_str(if space > 0 { " " } else { "" });
            value.push_str(&entry);
        }
        (!value.is_empty()).then_some(value)
    }
}

impl FromIterator<Retired> for RetiredTokens {
    fn from_iter<I: IntoIterator<Item = Retired>>(entries: I) -> Self {
        let mut tokens = Self::default();
        tokens.extend(entries);
        tokens
    }
}

impl Extend<Retired> for RetiredTokens {
    fn extend<I: IntoIterator<Item = Retired>>(&mut self, entries: I) {
        entries.into_iter().for_each(|retired| self.add(retired));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::tests::samples::{at, fingerprint};

    const FIELD: &str = "claude_oauth_token";

    fn written(tokens: &RetiredTokens) -> Option<String> {
        tokens.to_value(at("2025-06-01"))
    }

    fn entry(name: &str, minted_at: &str, on_request: bool) -> Retired {
        Retired {
            on_request,
            ..Retired::new(&fingerprint(name), Some(at(minted_at)))
        }
    }

    fn read(value: &str) -> RetiredTokens {
        let metadata = BTreeMap::from([(format!("{FIELD}.retired"), value.to_owned())]);
        RetiredTokens::read(FIELD, &metadata)
    }

    #[test]
    fn reads_its_own_form_and_passes_over_the_rest() {
        let (a, b) = (fingerprint("a").short(), fingerprint("b").short());
        let tokens = read(&format!("  {a}:1772366400! nonsense {b}:soon  {b}x:1 "));
        assert_eq!(
            tokens.get(a),
            Some(&entry("a", "2026-03-01T12:00:00Z", true))
        );
        assert_eq!(tokens.get(b), Some(&Retired::new(&fingerprint("b"), None)));
        assert_eq!(tokens.iter().count(), 2);
        let value = written(&tokens).unwrap();
        assert_eq!(value, format!("{a}:1772366400! {b}:"));
        assert_eq!(read(&value), tokens);
        assert_eq!(written(&RetiredTokens::default()), None);
    }

    #[test]
    fn the_earlier_date_counts_and_a_request_stays() {
        let tokens: RetiredTokens = [
            entry("a", "2026-03-01", true),
            entry("a", "2026-02-01", false),
            Retired::new(&fingerprint("a"), None),
        ]
        .into_iter()
        .collect();
        let short = fingerprint("a").short();
        assert_eq!(tokens.get(short), Some(&entry("a", "2026-02-01", true)));
    }

    #[test]
    fn unexpired_tokens_keep_their_place_in_a_full_value() {
        let mut tokens = RetiredTokens::default();
        for number in 0..30 {
            tokens.add(entry(&format!("old{number}"), "2024-01-01", true));
        }
        for number in 0..10 {
            tokens.add(entry(&format!("new{number}"), "2026-01-01", false));
        }
        let value = written(&tokens).unwrap();
        assert!(value.len() <= MAXIMUM_VALUE_BYTES, "{}", value.len());
        let kept = read(&value);
        for number in 0..10 {
            assert!(
                kept.get(fingerprint(&format!("new{number}")).short())
                    .is_some()
            );
        }
        assert!(kept.iter().count() >= 17, "{value}");
    }

    proptest! {
        #[test]
        fn any_list_is_read_and_fits(value in "([0-9a-f]{16}:[0-9]{0,12}!? ?){0,40}|\\PC{0,80}") {
            if let Some(value) = written(&read(&value)) {
                prop_assert!(value.len() <= MAXIMUM_VALUE_BYTES);
                prop_assert_eq!(written(&read(&value)), Some(value));
            }
        }
    }
}

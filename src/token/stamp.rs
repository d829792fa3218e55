//! Stamps: what the secret's `custom_metadata` says of the token in one field.
//!
//! People and other programs write there too, so nothing is taken on trust: white space around a
//! value is dropped, instants may have offsets and fractions, and what still cannot be read is as
//! if it were not there. A stamp without a readable fingerprint is none.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::fingerprint::{Fingerprint, ShortFingerprint};
use super::instant::parse_instant;
use super::name;

/// Names what a key of a stamp says, after the field and a dot.
pub mod key {
    /// The first 16 digits of the fingerprint of the token that the stamp is about.
    pub const FINGERPRINT: &str = "fingerprint";
    /// When the token was minted, RFC 3339.
    pub const MINTED_AT: &str = "minted_at";
    /// When the token expires, RFC 3339; written for monitors, never read back.
    pub const EXPIRES_AT: &str = "expires_at";
    /// Path of the spare that the token was promoted from.
    pub const ROTATED_FROM: &str = "rotated_from";
    /// The first 16 digits of the digest of the request that the token answers.
    pub const REQUESTED: &str = "requested";
}

/// What the metadata says of the token with one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The token that the stamp is about.
    pub fingerprint: ShortFingerprint,
    /// When it was minted; `None` where that is absent or cannot be read.
    pub minted_at: Option<Timestamp>,
    /// When it expires, as a monitor would read it.
    pub expires_at: Option<Timestamp>,
    /// Path of the spare that it was promoted from, fit to be shown.
    pub rotated_from: Option<String>,
    /// The request that it answers.
    pub requested: Option<ShortFingerprint>,
}

impl Stamp {
    /// Reads the stamp of a field, whichever token it is about; `None` if there is none.
    pub fn read(field: &str, custom_metadata: &BTreeMap<String, String>) -> Option<Self> {
        let value = |key: &str| {
            custom_metadata
                .get(&stamp_key(field, key))
                .map(|value| value.trim())
                .filter(|value| !value.is_empty())
        };
        let instant = |key| value(key).and_then(|text| parse_instant(text).ok());
        Some(Self {
            fingerprint: value(key::FINGERPRINT)?.parse().ok()?,
            minted_at: instant(key::MINTED_AT),
            expires_at: instant(key::EXPIRES_AT),
            rotated_from: value(key::ROTATED_FROM).map(|path| name::shown(path).into_owned()),
            requested: value(key::REQUESTED).and_then(|text| text.parse().ok()),
        })
    }

    /// Reads the stamp of a field and returns it only if it counts for this token.
    pub fn live(
        field: &str,
        custom_metadata: &BTreeMap<String, String>,
        fingerprint: &Fingerprint,
    ) -> Option<Self> {
        Self::read(field, custom_metadata).filter(|stamp| stamp.counts_for(fingerprint))
    }

    /// Tells whether the stamp is about this token; about any other it says nothing.
    pub fn counts_for(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint == fingerprint.short()
    }
}

/// Returns the digest by which a stamp names the request that a token answers: the values of
/// `rotate_when_changed`.
pub fn request_digest(values: &BTreeMap<String, String>) -> ShortFingerprint {
    // Lengths keep two maps apart whose texts run together alike.
    let text: String = values
        .iter()
        .map(|(key, value)| format!("{}:{key}{}:{value}", key.len(), value.len()))
        .collect();
    Fingerprint::of(&text).short()
}

/// Returns the metadata key under which a stamp of `field` keeps `key`.
pub fn stamp_key(field: &str, key: &str) -> String {
    format!("{field}.{key}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{at, fingerprint};
    use super::*;

    const FIELD: &str = "claude_oauth_token";

    fn metadata(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries
            .iter()
            .map(|(key, value)| (format!("{FIELD}.{key}"), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn reads_every_part() {
        let short = fingerprint("a").short().to_string();
        let stamp = Stamp::live(
            FIELD,
            &metadata(&[
                ("fingerprint", &short),
                ("minted_at", "2026-03-01T02:00:00+02:00"),
                ("expires_at", " 2027-03-01T00:00:00Z "),
                ("rotated_from", "agent-spare-1"),
                ("requested", "0123456789abcdef"),
            ]),
            &fingerprint("a"),
        )
        .unwrap();
        assert_eq!(stamp.minted_at, Some(at("2026-03-01")));
        assert_eq!(stamp.expires_at, Some(at("2027-03-01")));
        assert_eq!(stamp.rotated_from.as_deref(), Some("agent-spare-1"));
        assert_eq!(stamp.requested.unwrap().to_string(), "0123456789abcdef");
    }

    #[test]
    fn counts_for_its_own_token_and_field_alone() {
        let short = fingerprint("a").short().to_string();
        let entries = metadata(&[("fingerprint", &short)]);
        assert!(Stamp::live(FIELD, &entries, &fingerprint("a")).is_some());
        assert_eq!(Stamp::live(FIELD, &entries, &fingerprint("b")), None);
        assert_eq!(Stamp::read("claude", &entries), None);
        assert_eq!(Stamp::read(FIELD, &BTreeMap::new()), None);
    }

    #[test]
    fn what_cannot_be_read_is_not_there() {
        let short = fingerprint("a").short().to_string();
        let stamp = Stamp::read(
            FIELD,
            &metadata(&[
                ("fingerprint", &short),
                ("minted_at", "yesterday"),
                ("expires_at", "1785579072"),
                ("rotated_from", "  "),
                ("requested", "0123456789ABCDEF"),
            ]),
        )
        .unwrap();
        assert_eq!(stamp.minted_at, None);
        assert_eq!(stamp.expires_at, None);
        assert_eq!(stamp.rotated_from, None);
        assert_eq!(stamp.requested, None);

        let whole = fingerprint("a").to_string();
        for text in ["", "0", &whole, &short.to_uppercase(), &short[1..]] {
            let entries = metadata(&[("fingerprint", text), ("minted_at", "2026-03-01T00:00:00Z")]);
            assert_eq!(
                Stamp::read(FIELD, &entries).filter(|stamp| stamp.counts_for(&fingerprint("a"))),
                None,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_metadata_is_read(values in proptest::collection::vec("\\PC{0,30}|[0-9a-f]{16}", 5)) {
            let keys = ["fingerprint", "minted_at", "expires_at", "rotated_from", "requested"];
            let entries: Vec<_> = keys.into_iter().zip(values.iter().map(String::as_str)).collect();
            if let Some(stamp) = Stamp::read(FIELD, &metadata(&entries)) {
                prop_assert_eq!(stamp.fingerprint.to_string(), values[0].trim());
            }
        }
    }
}

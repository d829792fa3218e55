//! Stamps: what the secret's `custom_metadata` records about the token in one field.
//!
//! People and other programs write there too, so nothing is trusted: white space around a value is
//! dropped, timestamps may have offsets and fractions, and what still cannot be read is treated as
//! absent. A stamp without a readable fingerprint is ignored.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::fingerprint::{Fingerprint, ShortFingerprint};
use super::instant::parse_instant;
use super::metadata::{MAXIMUM_VALUE_BYTES, key, read_seconds, stamp_key};
use super::name;
use super::retired::Retired;

/// What the metadata records about the token with one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The token that the stamp is about.
    pub fingerprint: ShortFingerprint,
    /// When it was minted; `None` if that is absent or cannot be read.
    pub minted_at: Option<Timestamp>,
    /// When it expires, as a monitor would read it.
    pub expires_at: Option<Timestamp>,
    /// Path of the spare that it was promoted from, safe to show.
    pub rotated_from: Option<String>,
    /// The request that it answers.
    pub requested: Option<ShortFingerprint>,
    /// The label that the user gave it, safe to show.
    pub account: Option<String>,
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
            account: value(key::ACCOUNT).map(|label| name::shown(label).into_owned()),
        })
    }

    /// Reads the stamp of this token. The stamp of an upcoming token becomes its stamp once the
    /// field holds that token.
    pub fn live(
        field: &str,
        custom_metadata: &BTreeMap<String, String>,
        fingerprint: &Fingerprint,
    ) -> Option<Self> {
        let stamp =
            Self::read(field, custom_metadata).filter(|stamp| stamp.counts_for(fingerprint));
        let Some(next) = Next::live(field, custom_metadata, fingerprint) else {
            return stamp;
        };
        let stamp = stamp.as_ref();
        Some(Self {
            fingerprint: next.fingerprint,
            minted_at: next.minted_at.or(stamp.and_then(|stamp| stamp.minted_at)),
            expires_at: None,
            rotated_from: next
                .rotated_from
                .or_else(|| stamp.and_then(|stamp| stamp.rotated_from.clone())),
            requested: next.requested,
            account: stamp.and_then(|stamp| stamp.account.clone()),
        })
    }

    /// Reports whether the stamp is about this token; it means nothing for any other token.
    pub fn counts_for(&self, fingerprint: &Fingerprint) -> bool {
        self.fingerprint == fingerprint.short()
    }
}

/// The stamp of a token that is about to be written, in one value.
///
/// It is written before the token, so that a token has a stamp even if its write got no answer.
/// While the field holds another token, it means nothing for the current one.
///
/// Its form is `<fingerprint16> <unix mint time> <request> <replaced token> <path of the spare>`; a
/// part that does not apply is `-`, and the path is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The upcoming token.
    pub fingerprint: ShortFingerprint,
    /// When it was minted.
    pub minted_at: Option<Timestamp>,
    /// The request that it answers.
    pub requested: Option<ShortFingerprint>,
    /// The token that it replaces, which is retired once the upcoming token is current.
    pub replaces: Option<Retired>,
    /// Path of the spare that it comes from, safe to show.
    pub rotated_from: Option<String>,
}

impl Next {
    /// Reads the entry of a field; `None` for anything that is not one.
    pub fn read(field: &str, custom_metadata: &BTreeMap<String, String>) -> Option<Self> {
        let value = custom_metadata.get(&stamp_key(field, key::NEXT))?;
        let mut parts = value.trim().splitn(5, ' ');
        let mut part = || {
            parts
                .next()
                .map(|text| Some(text).filter(|text| *text != ABSENT))
        };
        let fingerprint = part()??.parse().ok()?;
        let minted_at = part()?.and_then(read_seconds);
        let requested = part()?.and_then(|text| text.parse().ok());
        let replaces = part()?.and_then(|text| text.parse().ok());
        Some(Self {
            fingerprint,
            minted_at,
            requested,
            replaces,
            rotated_from: parts
                .next()
                .filter(|path| !path.is_empty())
                .map(|path| name::shown(path).into_owned()),
        })
    }

    /// Reads the entry of a field if the field holds the upcoming token.
    pub fn live(
        field: &str,
        custom_metadata: &BTreeMap<String, String>,
        current: &Fingerprint,
    ) -> Option<Self> {
        Self::read(field, custom_metadata).filter(|next| next.fingerprint == current.short())
    }

    /// Returns the value for the metadata. A path that does not fit is left out.
    pub fn to_value(&self) -> String {
        fn or_absent(part: Option<impl ToString>) -> String {
            part.map_or_else(|| ABSENT.to_owned(), |part| part.to_string())
        }
        let head = [
            self.fingerprint.to_string(),
            or_absent(self.minted_at.map(Timestamp::as_second)),
            or_absent(self.requested),
            or_absent(self.replaces),
        ]
        .join(" ");
        match &self.rotated_from {
            Some(path) if head.len() + 1 + path.len() <= MAXIMUM_VALUE_BYTES => {
                format!("{head} {path}")
            }
            _ => head,
        }
    }
}

/// The text for a part of [`Next`] that does not apply.
const ABSENT: &str = "-";

/// Returns the digest that identifies, in a stamp, the request that a token answers: the values of
/// `rotate_when_changed`.
pub fn request_digest(values: &BTreeMap<String, String>) -> ShortFingerprint {
    // Lengths distinguish two maps whose concatenated texts are equal.
    let text: String = values
        .iter()
        .map(|(key, value)| format!("{}:{key}{}:{value}", key.len(), value.len()))
        .collect();
    Fingerprint::of(&text).short()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::tests::samples::{at, fingerprint};

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
                ("account", "ci@example.com"),
            ]),
            &fingerprint("a"),
        )
        .unwrap();
        assert_eq!(stamp.minted_at, Some(at("2026-03-01")));
        assert_eq!(stamp.expires_at, Some(at("2027-03-01")));
        assert_eq!(stamp.rotated_from.as_deref(), Some("agent-spare-1"));
        assert_eq!(stamp.requested.unwrap().to_string(), "0123456789abcdef");
        assert_eq!(stamp.account.as_deref(), Some("ci@example.com"));
    }

    #[test]
    fn the_stamp_to_come_counts_once_its_token_is_current() {
        let next = Next {
            fingerprint: fingerprint("b").short(),
            minted_at: Some(at("2026-05-01")),
            requested: Some(fingerprint("request").short()),
            replaces: Some(Retired {
                on_request: true,
                ..Retired::new(&fingerprint("a"), Some(at("2026-03-01")))
            }),
            rotated_from: Some("team/spare 1".to_owned()),
        };
        let short = fingerprint("a").short().to_string();
        let value = next.to_value();
        let entries = metadata(&[("fingerprint", &short), ("next", &value)]);
        assert_eq!(Next::read(FIELD, &entries), Some(next.clone()));
        assert_eq!(Next::live(FIELD, &entries, &fingerprint("a")), None);
        let stamp = Stamp::live(FIELD, &entries, &fingerprint("a")).unwrap();
        assert_eq!(stamp.rotated_from, None);
        let stamp = Stamp::live(FIELD, &entries, &fingerprint("b")).unwrap();
        assert_eq!(stamp.rotated_from, next.rotated_from);
        assert_eq!(stamp.requested, next.requested);
        assert_eq!(stamp.minted_at, next.minted_at);
    }

    #[test]
    fn a_stamp_to_come_fits_into_a_value() {
        let bare = Next {
            fingerprint: fingerprint("b").short(),
            minted_at: None,
            requested: None,
            replaces: None,
            rotated_from: None,
        };
        let read = |next: &Next| Next::read(FIELD, &metadata(&[("next", &next.to_value())]));
        assert_eq!(read(&bare), Some(bare.clone()));
        let long = Next {
            rotated_from: Some("a".repeat(MAXIMUM_VALUE_BYTES)),
            ..bare.clone()
        };
        assert_eq!(read(&long), Some(bare));
        for value in ["", "-", "- - - -", "0123456789abcdef - -"] {
            assert_eq!(
                Next::read(FIELD, &metadata(&[("next", value)])),
                None,
                "{value}"
            );
        }
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

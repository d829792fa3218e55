//! Verdicts: what the user's own `claude` found when it tried a token.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use thiserror::Error;

use super::expiry::{Dates, Status, status_at};
use super::fingerprint::{Fingerprint, ShortFingerprint};
use super::metadata::{key, read_seconds, stamp_key};
use crate::words::words;

/// Maximum number of characters in a cause; every cause is one short word.
const MAXIMUM_CAUSE: usize = 40;

words! {
    /// What was found.
    pub enum Finding {
        /// The token was seen to work.
        Works = "works",
        /// The token was refused.
        Refused = "refused",
    }
}

/// A finding about one token, written `<fingerprint16> works|refused <unix time> <cause>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The token that was tried.
    pub fingerprint: ShortFingerprint,
    /// What was found.
    pub finding: Finding,
    /// When it was tried, by Vault's clock.
    pub at: Timestamp,
    /// A word for the cause, such as `revoked`; empty if there is none.
    pub cause: String,
}

impl Verdict {
    /// Reads the verdict in the metadata of a field, whichever token it is about.
    pub fn read(field: &str, custom_metadata: &BTreeMap<String, String>) -> Option<Self> {
        custom_metadata
            .get(&stamp_key(field, key::VERIFIED))?
            .parse()
            .ok()
    }

    /// Reads the verdict in the metadata of a field if it applies to this token at `vault_now`.
    pub fn live(
        field: &str,
        custom_metadata: &BTreeMap<String, String>,
        fingerprint: &Fingerprint,
        vault_now: Timestamp,
    ) -> Option<Self> {
        Self::read(field, custom_metadata)
            .filter(|verdict| verdict.applies_to(fingerprint.short(), vault_now))
    }

    /// Returns whether the verdict is about this token and not in the future of Vault's clock.
    pub fn applies_to(&self, fingerprint: ShortFingerprint, vault_now: Timestamp) -> bool {
        self.fingerprint == fingerprint && self.at <= vault_now
    }

    /// Returns whether the token was refused.
    pub fn is_refused(&self) -> bool {
        self.finding == Finding::Refused
    }
}

/// Returns the status of a token: a refused token does not work, even if its dates say so.
pub fn status_with(verdict: Option<&Verdict>, dates: &Dates, now: Timestamp) -> Status {
    if verdict.is_some_and(Verdict::is_refused) {
        Status::Refused
    } else {
        status_at(dates, now)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fingerprint,
            finding,
            at,
            cause,
        } = self;
        let finding = finding.as_str();
        write!(formatter, "{fingerprint} {finding} {}", at.as_second())?;
        if cause.is_empty() {
            return Ok(());
        }
        write!(formatter, " {cause}")
    }
}

/// The text is not a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a verdict is written `<fingerprint16> works|refused <unix time> <cause>`")]
pub struct VerdictError;

impl FromStr for Verdict {
    type Err = VerdictError;

    fn from_str(text: &str) -> Result<Self, VerdictError> {
        let mut parts = text.trim().splitn(4, ' ');
        let mut part = || parts.next().ok_or(VerdictError);
        let fingerprint = part()?.parse().map_err(|_| VerdictError)?;
        let finding = Finding::parse(part()?).ok_or(VerdictError)?;
        let at = read_seconds(part()?).ok_or(VerdictError)?;
        let cause = parts.next().unwrap_or_default();
        let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
        if cause.len() > MAXIMUM_CAUSE || !cause.chars().all(is_word) {
            return Err(VerdictError);
        }
        Ok(Self {
            fingerprint,
            finding,
            at,
            cause: cause.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::tests::samples::{at, fingerprint};

    const FIELD: &str = "claude_oauth_token";

    #[test]
    fn a_verdict_applies_to_its_token_up_to_vaults_time() {
        let short = fingerprint("a").short();
        let text = format!("{short} refused 1772366400 revoked");
        let verdict: Verdict = text.parse().unwrap();
        assert_eq!(verdict.to_string(), text);
        assert!(verdict.is_refused());
        assert_eq!(verdict.at, at("2026-03-01T12:00:00Z"));
        let metadata = BTreeMap::from([(format!("{FIELD}.verified"), text)]);
        let live = |name, now| Verdict::live(FIELD, &metadata, &fingerprint(name), at(now));
        assert_eq!(live("a", "2026-03-01T12:00:00Z"), Some(verdict));
        assert_eq!(live("a", "2026-03-01T11:59:59Z"), None);
        assert_eq!(live("b", "2026-03-02"), None);
        assert_eq!(Verdict::read("other", &metadata), None);
    }

    #[test]
    fn anything_else_is_no_verdict() {
        let short = fingerprint("a").short();
        for text in [
            "",
            "works",
            &format!("{short} works"),
            &format!("{short} unclear 1772366400 busy"),
            &format!("{short} works -1"),
            &format!("{short} works 1772366400 not one word"),
            &format!("{short}  works 1772366400"),
            &format!("{short} works 99999999999999"),
        ] {
            assert_eq!(text.parse::<Verdict>(), Err(VerdictError), "{text}");
        }
        assert!(
            format!("{short} works 1772366400")
                .parse::<Verdict>()
                .is_ok()
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-f]{16} (works|refused) [0-9]{1,13}( [a-z_]{0,9})?|\\PC{0,60}") {
            if let Ok(verdict) = text.parse::<Verdict>() {
                prop_assert_eq!(verdict.to_string().parse(), Ok(verdict));
            }
        }
    }
}

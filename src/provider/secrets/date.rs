//! Finds out when a token was minted, asking Vault for older versions where nothing else tells.

use crate::protocol::Diagnostic;
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::observe::{Field, Observation, Observed, Observer};
use crate::sdk::Diagnostics;
use crate::token::fingerprint::Fingerprint;
use crate::token::history::{HistoryOutcome, HistoryWalk, PastVersion};
use crate::token::mint::{MintFacts, MintSource, Minted, decide};
use crate::token::stamp::Stamp;
use crate::vault::VaultError;

/// A token that was found, and the version that it was found in.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Found<'a> {
    /// Where it is.
    pub(in crate::provider) place: Place<'a>,
    /// The version that was read.
    pub(in crate::provider) document: &'a Observation,
    /// The token.
    pub(in crate::provider) fingerprint: Fingerprint,
}

impl Found<'_> {
    /// Returns the stamp of this token, if the document has one.
    pub(in crate::provider) fn stamp(&self) -> Option<Stamp> {
        Stamp::live(
            self.place.field,
            &self.document.custom_metadata,
            &self.fingerprint,
        )
    }

    /// Completes the facts by what the document tells.
    fn facts(&self, facts: MintFacts) -> MintFacts {
        MintFacts {
            stamp: self.stamp().and_then(|stamp| stamp.minted_at),
            found_created_at: Some(self.document.created_at),
            ..facts
        }
    }
}

/// A mint time, and the history behind it where that was asked.
pub(in crate::provider) struct DatedToken {
    /// The mint time that counts.
    pub(in crate::provider) minted: Minted,
    /// What the walk through the versions found.
    pub(in crate::provider) history: Option<HistoryOutcome>,
    /// Whether the state knows the token, and whoever reads has heard of it.
    known: bool,
}

impl DatedToken {
    /// Returns what a user should hear of the mint time: doubts, and once that it is an estimate.
    pub(in crate::provider) fn told(&self, place: Place<'_>) -> Diagnostics {
        let doubts = self.minted.warnings.iter();
        doubts
            .map(|doubt| diagnose::mint_warning(place, *doubt))
            .chain(
                (self.is_estimate() && !self.known)
                    .then(|| diagnose::mint_time_estimated(place, self.history)),
            )
            .collect()
    }

    /// Tells whether the token may be older, so that the date is none to write down.
    pub(in crate::provider) fn is_estimate(&self) -> bool {
        self.minted.source == MintSource::Estimated
    }
}

/// Decides when a token was minted. `facts` says what configuration and state know of it; older
/// versions are read only where that, and the token's stamp, decide nothing.
pub(in crate::provider) async fn date(
    observer: &Observer,
    found: Found<'_>,
    facts: MintFacts,
) -> Result<DatedToken, Diagnostic> {
    let mut facts = found.facts(facts);
    let known = facts.prior.is_some();
    if let Some(minted) = decide(&facts) {
        return Ok(DatedToken {
            minted,
            history: None,
            known,
        });
    }
    let history = walk(observer, found).await?;
    facts.history = Some(history);
    let minted = decide(&facts).unwrap_or(Minted {
        at: history.oldest_created_at,
        source: MintSource::Estimated,
        warnings: Vec::new(),
    });
    Ok(DatedToken {
        minted,
        history: Some(history),
        known,
    })
}

/// Walks back through the versions of a secret to the one in which the token first appeared.
pub(in crate::provider) async fn walk(
    observer: &Observer,
    found: Found<'_>,
) -> Result<HistoryOutcome, Diagnostic> {
    let Place { secret, field } = found.place;
    let mut walk = HistoryWalk::start(
        found.fingerprint,
        found.document.version,
        found.document.created_at,
    );
    while let Some(version) = walk.next_version() {
        let past = match observer.observe_version(secret, version).await {
            Ok(Observed::Present(document)) => PastVersion::Readable {
                created_at: document.created_at,
                fingerprint: match document.field(field, Some(&found.fingerprint)) {
                    Field::Token { fingerprint, .. } => Some(fingerprint),
                    Field::Missing | Field::Malformed(_) | Field::NotText(_) => None,
                },
            },
            Ok(Observed::Deleted { .. } | Observed::Destroyed { .. } | Observed::Absent)
            | Err(VaultError::Forbidden { .. }) => PastVersion::Unreadable,
            Err(error) => {
                return Err(diagnose::vault_error(
                    &error,
                    &format!("version {version} of {secret}"),
                ));
            }
        };
        walk.observe(past);
    }
    Ok(walk.finish())
}

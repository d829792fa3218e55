//! Finds out when a token was minted, from older versions and spares if nothing else dates it.

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::protocol::Diagnostic;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Content, Observation, Observed, Observer};
use crate::sdk::Diagnostics;
use crate::token::fingerprint::Fingerprint;
use crate::token::history::{HistoryOutcome, HistoryWalk, PastVersion};
use crate::token::mint::{Copies, Gaps, MintFacts, MintSource, Minted, decide};
use crate::token::retired::RetiredTokens;
use crate::token::stamp::Stamp;
use crate::token::verdict::Verdict;
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

    /// Returns the last verdict on this token that is not from the future of Vault's clock.
    pub(in crate::provider) fn verdict(&self, vault_now: Timestamp) -> Option<Verdict> {
        let metadata = &self.document.custom_metadata;
        Verdict::live(self.place.field, metadata, &self.fingerprint, vault_now)
    }

    /// Completes the facts with those in the document. What state remembers about a retired token
    /// counts as much as the entry in the metadata, which may be wiped.
    fn facts(&self, facts: MintFacts) -> MintFacts {
        let metadata = &self.document.custom_metadata;
        let listed = RetiredTokens::read(self.place.field, metadata);
        let retired = [listed.minted_at(self.fingerprint.short()), facts.retired];
        MintFacts {
            stamp: self.stamp().and_then(|stamp| stamp.minted_at),
            retired: retired.into_iter().flatten().min(),
            found_created_at: Some(self.document.created_at),
            ..facts
        }
    }
}

/// Where else a token that is new to the state may have left a trace.
#[derive(Clone, Copy, Default)]
pub(in crate::provider) struct Traces<'a> {
    /// Spares that may hold the token, in the mount of the secret: people copy tokens manually.
    pub(in crate::provider) spare_paths: &'a [String],
    /// The version before the one that was found, if it is known without a read: a write of ours
    /// may have pruned it.
    pub(in crate::provider) before: Option<PastVersion>,
}

/// A mint time, and the evidence for it.
pub(in crate::provider) struct DatedToken {
    /// The mint time that counts.
    pub(in crate::provider) minted: Minted,
    /// Where an earlier trace may be, if the mint time is an estimate.
    pub(in crate::provider) gaps: Gaps,
    /// What the walk through the versions found.
    pub(in crate::provider) history: Option<HistoryOutcome>,
    /// Whether the state knows the token, so that the estimate was reported before.
    known: bool,
}

impl DatedToken {
    /// Returns what a user should know about the mint time: dates that do not count, and, the first
    /// time, that it is an estimate.
    pub(in crate::provider) fn warnings(&self, place: Place<'_>) -> Diagnostics {
        let warnings = self.minted.warnings.iter();
        warnings
            .map(|warning| diagnose::mint_warning(place, *warning))
            .chain(
                (self.is_estimate() && !self.known)
                    .then(|| diagnose::mint_time_estimated(place, self.minted.at, &self.gaps)),
            )
            .collect()
    }

    /// Reports whether the token may be older, so that the date must not be written down.
    pub(in crate::provider) fn is_estimate(&self) -> bool {
        self.minted.source == MintSource::Estimated
    }
}

/// Decides when a token that has left no trace elsewhere was minted. `facts` has what configuration
/// and state know about it. Older versions are read only if neither that nor the token's stamp
/// decides.
pub(in crate::provider) async fn date(
    observer: &Observer,
    found: Found<'_>,
    facts: MintFacts,
) -> Result<DatedToken, Diagnostic> {
    date_traced(observer, found, facts, Traces::default()).await
}

/// Decides when a token was minted, by the earliest of all its traces if nothing else decides.
pub(in crate::provider) async fn date_traced(
    observer: &Observer,
    found: Found<'_>,
    facts: MintFacts,
    traces: Traces<'_>,
) -> Result<DatedToken, Diagnostic> {
    let facts = found.facts(facts);
    let known = facts.prior.is_some();
    if let Some(minted) = decide(&facts) {
        return Ok(DatedToken {
            minted,
            gaps: Gaps::default(),
            history: None,
            known,
        });
    }
    let (history, (copies, spares)) = tokio::join!(
        walk(observer, found, traces.before),
        copies(observer, found, traces.spare_paths)
    );
    let history = history?;
    let facts = MintFacts {
        history: Some(history),
        copies,
        ..facts
    };
    let minted = decide(&facts).unwrap_or(Minted {
        at: history.oldest_created_at,
        source: MintSource::Estimated,
        warnings: Vec::new(),
    });
    Ok(DatedToken {
        minted,
        gaps: Gaps {
            history: (!history.complete).then_some(history.oldest_created_at),
            spares,
        },
        history: Some(history),
        known,
    })
}

/// Reads every spare for a copy of the token, in parallel. A spare that cannot be read, or has a
/// history that ends too early, is named, because it may have an earlier date.
async fn copies(
    observer: &Observer,
    found: Found<'_>,
    spare_paths: &[String],
) -> (Copies, Vec<String>) {
    let dates = spare_paths.iter().map(async |path| {
        let date = copy(observer, found, path).await;
        (path, date)
    });
    let mut copies = Copies::default();
    let mut unread = Vec::new();
    for (path, date) in join_all(dates).await {
        match date {
            Ok(None) => {}
            Ok(Some(minted)) => {
                copies.earliest = Some(copies.earliest.map_or(minted.at, |at| at.min(minted.at)));
                if minted.source == MintSource::Estimated {
                    unread.push(path.clone());
                }
            }
            Err(_) => unread.push(path.clone()),
        }
    }
    copies.incomplete = !unread.is_empty();
    (copies, unread)
}

/// Dates the copy in a spare by its stamp or by the spare's own history; `None` if there is no
/// copy.
async fn copy(
    observer: &Observer,
    found: Found<'_>,
    path: &str,
) -> Result<Option<Minted>, Diagnostic> {
    let field = found.place.field;
    let secret = secret_path(found.place.secret.mount(), path)?;
    let place = Place {
        secret: &secret,
        field,
    };
    let observed = observer
        .observe(&secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let Observed::Present(document) = &*observed else {
        return Ok(None);
    };
    if !document.holds(field, &found.fingerprint) {
        return Ok(None);
    }
    let found = Found {
        place,
        document,
        fingerprint: found.fingerprint,
    };
    let facts = found.facts(MintFacts::default());
    if let Some(minted) = decide(&facts) {
        return Ok(Some(minted));
    }
    let history = Some(walk(observer, found, None).await?);
    Ok(decide(&MintFacts { history, ..facts }))
}

/// Walks back through the versions of a secret to the oldest one that holds the token.
pub(in crate::provider) async fn walk(
    observer: &Observer,
    found: Found<'_>,
    before: Option<PastVersion>,
) -> Result<HistoryOutcome, Diagnostic> {
    let Place { secret, field } = found.place;
    let mut walk = HistoryWalk::start(
        found.fingerprint,
        found.document.version,
        found.document.created_at,
    );
    if let Some(before) = before {
        walk.observe(before);
    }
    while let Some(version) = walk.next_version() {
        let past = match observer.observe_version(secret, version).await {
            Ok(Observed::Present(document)) => PastVersion::Readable {
                created_at: document.created_at,
                fingerprint: match document.field(field, Some(&found.fingerprint)) {
                    Content::Token { fingerprint, .. } => Some(fingerprint),
                    _ => None,
                },
            },
            Ok(Observed::Deleted(_) | Observed::Destroyed(_)) => PastVersion::Unreadable,
            Ok(Observed::Absent) | Err(VaultError::Forbidden { .. }) => PastVersion::EndOfHistory,
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

//! Storing a token that somebody gave: checked first, merged into the document, under
//! check-and-set.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::observe::{Field as Content, Observation, Observed, Observer};
use crate::sdk::Diagnostics;
use crate::secret::Secret;
use crate::token::check::{Check, check, trim};
use crate::token::fingerprint::Fingerprint;
use crate::token::history::HistoryOutcome;
use crate::vault::{Document, NewDocument, Reading, WriteError, WriteFailure, Written};

/// How often somebody else's write may come in between.
const WRITES: usize = 3;
/// How long a standby may lag behind a write.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a look waits before the next one.
const PAUSE: Duration = Duration::from_millis(100);

/// Which token may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Replaces {
    /// Any: a person at the command line says which secret is to hold the token.
    Anything,
    /// None: a token that is there already is somebody's.
    Nothing,
    /// None: the pool has not recorded yet what is at this path.
    Untracked,
    /// The one that the state has recorded.
    Recorded(Option<Fingerprint>),
}

/// How a token came to be where it was to be stored.
#[derive(Debug)]
pub(in crate::provider) struct Stored {
    /// What the user should hear.
    pub(in crate::provider) told: Diagnostics,
    /// The token.
    pub(in crate::provider) fingerprint: Fingerprint,
    /// What the field held before.
    pub(in crate::provider) before: Content,
    /// The version that holds the token now.
    pub(in crate::provider) now: Holding,
}

impl Stored {
    /// Returns the history of the token where it was written just now: the field held something
    /// else before, whether or not that older version can still be read. `None` where the token
    /// was there already, or another one is by now.
    pub(in crate::provider) fn history(&self, present: Fingerprint) -> Option<HistoryOutcome> {
        match &self.now {
            Holding::Written(written) if self.fingerprint == present => Some(HistoryOutcome {
                oldest_created_at: written.created_at,
                complete: true,
            }),
            Holding::Written(_) | Holding::Found(_) => None,
        }
    }
}

/// The version that holds a token that was to be stored.
#[derive(Debug)]
pub(in crate::provider) enum Holding {
    /// One that was there already.
    Found(Observation),
    /// A new one.
    Written(Written),
}

/// Stores a token unless it is there already. Siblings stay to the byte, and what was in the
/// field stays in the KV history.
///
/// # Errors
///
/// Fails where the value is no token, where another token is there that may not be replaced, and
/// where Vault refuses.
pub(in crate::provider) async fn store(
    configured: &Configured,
    observer: &Observer,
    place: Place<'_>,
    token: &Secret,
    replaces: Replaces,
) -> Result<Stored, Diagnostic> {
    let Wanted {
        token,
        fingerprint,
        told,
    } = Wanted::of(place, token)?;
    let mut refused = None;
    for _ in 0..WRITES {
        let seen = read(observer, place, refused).await?;
        let before = before(place, seen.as_ref(), fingerprint, replaces)?;
        let (document, cas) = match seen {
            Some((_, seen)) if holds(before, fingerprint) => {
                return Ok(Stored {
                    told,
                    fingerprint,
                    before,
                    now: Holding::Found(seen),
                });
            }
            Some((document, seen)) => (document.with_field(place.field, &token), seen.version),
            None => (NewDocument::of_field(place.field, &token), 0),
        };
        if configured.is_rehearsed() {
            return Err(diagnose::not_stored_while_rehearsed(place));
        }
        let written = observer.store().write(place.secret, &document, cas).await;
        observer.forget(place.secret);
        match written {
            Ok(written) => {
                return Ok(Stored {
                    told,
                    fingerprint,
                    before,
                    now: Holding::Written(written),
                });
            }
            Err(WriteFailure {
                error: WriteError::CasMismatch,
                ..
            }) => refused = Some(cas),
            Err(failure) => return Err(diagnose::write_failure(place, &failure)),
        }
    }
    Err(diagnose::too_busy(place))
}

/// Looks whether a token could be stored, and writes nothing.
///
/// # Errors
///
/// Fails where [`store`] would without a write.
pub(in crate::provider) async fn look(
    observer: &Observer,
    place: Place<'_>,
    token: &Secret,
    replaces: Replaces,
) -> Result<(), Diagnostic> {
    let wanted = Wanted::of(place, token)?;
    let seen = read(observer, place, None).await?;
    before(place, seen.as_ref(), wanted.fingerprint, replaces).map(drop)
}

/// A token that was checked.
struct Wanted {
    token: Secret,
    fingerprint: Fingerprint,
    told: Diagnostics,
}

impl Wanted {
    fn of(place: Place<'_>, token: &Secret) -> Result<Self, Diagnostic> {
        let (text, trimmed) = trim(token.expose());
        let (fingerprint, unusual_length) = match check(text) {
            Check::Valid {
                fingerprint,
                unusual_length,
            } => (fingerprint, unusual_length),
            Check::Malformed(problem) => return Err(diagnose::no_token_to_store(place, problem)),
        };
        let mut told = Diagnostics::new();
        if trimmed {
            told.push(diagnose::trimmed(place));
        }
        told.extend(unusual_length.map(|length| diagnose::unusual_length(place, length)));
        Ok(Self {
            token: Secret::new(text),
            fingerprint,
            told,
        })
    }
}

fn holds(content: Content, token: Fingerprint) -> bool {
    matches!(content, Content::Token { fingerprint, .. } if fingerprint == token)
}

/// Returns what the field holds, where that is the token or may be replaced by it.
fn before(
    place: Place<'_>,
    seen: Option<&(Document, Observation)>,
    wanted: Fingerprint,
    replaces: Replaces,
) -> Result<Content, Diagnostic> {
    let before = seen.map_or(Content::Missing, |(_, seen)| seen.field(place.field, None));
    let Content::Token { fingerprint, .. } = before else {
        return Ok(before);
    };
    let may = fingerprint == wanted
        || match replaces {
            Replaces::Anything => true,
            Replaces::Nothing | Replaces::Untracked => false,
            Replaces::Recorded(recorded) => recorded == Some(fingerprint),
        };
    if may {
        Ok(before)
    } else {
        Err(diagnose::another_token(place, replaces))
    }
}

/// Reads the secret, for a while until it shows a version above the one that a write was refused
/// for: a standby may lag behind. In the end check-and-set has the last word anyway.
async fn read(
    observer: &Observer,
    place: Place<'_>,
    refused: Option<u64>,
) -> Result<Option<(Document, Observation)>, Diagnostic> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = read_once(observer, place).await?;
        let version = seen.as_ref().map_or(0, |(_, seen)| seen.version);
        if refused.is_none_or(|refused| version > refused) || Instant::now() >= deadline {
            return Ok(seen);
        }
        sleep(PAUSE).await;
    }
}

async fn read_once(
    observer: &Observer,
    place: Place<'_>,
) -> Result<Option<(Document, Observation)>, Diagnostic> {
    let reading = observer
        .store()
        .read(place.secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    match reading {
        Reading::Present(document) => {
            let seen = Observation::of(&document);
            Ok(Some((document, seen)))
        }
        Reading::Absent => Ok(None),
        // A write over it would leave the other fields of that version behind.
        gone => {
            let gone = Observed::from(gone);
            let problem = diagnose::problem(place, &gone, None).unwrap_or_default();
            Err(diagnose::nothing_stored_over(place, &problem))
        }
    }
}

//! What a place holds before a token is stored there, and whether that may be replaced.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::protocol::Diagnostic;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Content, Observation, Observed, Observer};
use crate::token::fingerprint::Fingerprint;
use crate::vault::{Document, Reading};

/// How long a standby may lag behind a write.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two reads.
const PAUSE: Duration = Duration::from_millis(100);

/// Which token may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Replaces {
    /// Any: the user names the secret for the token on the command line.
    Anything,
    /// None: an existing token belongs to someone.
    Nothing,
    /// None: the pool has not recorded yet what is at this path.
    Untracked,
    /// The token that the state has recorded.
    Recorded(Option<Fingerprint>),
}

/// Reports whether a field holds this token.
pub(super) fn holds(content: Content, token: Fingerprint) -> bool {
    matches!(content, Content::Token { fingerprint, .. } if fingerprint == token)
}

/// Returns what the field holds, if that is the token or may be replaced by it.
pub(super) fn before(
    place: Place<'_>,
    seen: Option<&(Document, Observation)>,
    wanted: Fingerprint,
    replaces: Replaces,
) -> Result<Content, Diagnostic> {
    let before = seen.map_or(Content::Missing, |(_, seen)| seen.field(place.field, None));
    let is_new = matches!(replaces, Replaces::Nothing | Replaces::Untracked);
    let fingerprint = match before {
        Content::Token { fingerprint, .. } => fingerprint,
        Content::Malformed(_) | Content::NotText(_) if is_new => {
            return Err(diagnose::value_that_is_no_token(place));
        }
        _ => return Ok(before),
    };
    match replaces {
        Replaces::Anything => Ok(before),
        _ if fingerprint == wanted => Ok(before),
        Replaces::Recorded(recorded) if recorded == Some(fingerprint) => Ok(before),
        Replaces::Recorded(_) => Err(diagnose::token_replaced(place)),
        Replaces::Nothing => Err(diagnose::token_not_imported(place)),
        Replaces::Untracked => Err(diagnose::token_not_tracked(place)),
    }
}

/// Reads the secret, for a limited time until it shows a version above the one that a write was
/// refused for: a standby may lag behind. Check-and-set catches an old answer anyway.
pub(super) async fn read(
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
        // A write over it would lose the other fields of that version.
        gone => {
            let gone = Observed::from(gone);
            Err(diagnose::nothing_stored_over(place, &gone))
        }
    }
}

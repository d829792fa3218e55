//! What there is to report about one token that no state has recorded.

use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::unusable::Unusable;
use crate::provider::observe::{Content, Observed, Observer};
use crate::provider::secrets::date::{Found, date};
use crate::sdk::Diagnostics;
use crate::token::expiry::{Dates, Lifetime, Status};
use crate::token::fingerprint::Fingerprint;
use crate::token::mint::{MintFacts, MintSource};
use crate::token::retired::RetiredTokens;
use crate::token::verdict::{Verdict, status_with};

/// What was found in one field of one secret.
#[derive(Debug)]
pub(in crate::provider) struct Description {
    /// The status of the token, or the reason why there is none.
    pub(in crate::provider) status: Status,
    /// The token, if there is one.
    pub(in crate::provider) token: Option<TokenFacts>,
    /// Why there is no usable token.
    pub(in crate::provider) unusable: Option<Unusable>,
    /// Warnings about the mint time and the length of the token.
    pub(in crate::provider) diagnostics: Diagnostics,
}

/// A token and its dates.
#[derive(Debug)]
pub(in crate::provider) struct TokenFacts {
    /// The token.
    pub(in crate::provider) fingerprint: Fingerprint,
    /// The KV version that was read.
    pub(in crate::provider) kv_version: u64,
    /// When it was minted, is due, and ends.
    pub(in crate::provider) dates: Dates,
    /// Where the mint time comes from: a stamp, else the history.
    pub(in crate::provider) source: MintSource,
    /// The spare that it came from, as its stamp says.
    pub(in crate::provider) rotated_from: Option<String>,
    /// The last verdict on it.
    pub(in crate::provider) verdict: Option<Verdict>,
}

impl Description {
    /// A place without a usable token.
    fn of(unusable: Option<Unusable>) -> Self {
        Self {
            status: unusable.as_ref().map_or(Status::Missing, Unusable::status),
            token: None,
            unusable,
            diagnostics: Diagnostics::new(),
        }
    }
}

/// Describes what was read at a place. A token is dated by its stamp; older versions are read only
/// if it has none.
///
/// # Errors
///
/// Fails if Vault fails while older versions are read. If Vault denies versions, the mint time is
/// only an estimate.
pub(in crate::provider) async fn describe(
    configured: &Configured,
    observer: &Observer,
    place: Place<'_>,
    lifetime: Lifetime,
    observed: &Observed,
) -> Result<Description, Diagnostic> {
    let (document, content, fingerprint) = match observed {
        Observed::Present(document) => match document.field(place.field, None) {
            content @ Content::Token { fingerprint, .. } => (document, content, fingerprint),
            content => return Ok(Description::of(Unusable::of(content))),
        },
        gone => return Ok(Description::of(Unusable::at(gone, place.field, None))),
    };
    let found = Found {
        place,
        document,
        fingerprint,
    };
    let dated = date(observer, found, MintFacts::default()).await?;
    let mut diagnostics = dated.warnings(place);
    let retired = RetiredTokens::read(place.field, &document.custom_metadata);
    diagnostics.extend(diagnose::came_back(place, &fingerprint, &retired));
    diagnostics.extend(diagnose::form(place, content));
    let dates = Dates::new(dated.minted.at, lifetime, document.deletion_at);
    let verdict = found.verdict(configured.server_now());
    if let Some(at) = document.deletion_at
        && Dates::ends_with_version(dated.minted.at, lifetime, Some(at))
    {
        diagnostics.push(diagnose::deleted_early(place, at));
    }
    Ok(Description {
        status: status_with(verdict.as_ref(), &dates, configured.now()),
        token: Some(TokenFacts {
            fingerprint,
            kv_version: document.version,
            dates,
            source: dated.minted.source,
            rotated_from: found.stamp().and_then(|stamp| stamp.rotated_from),
            verdict,
        }),
        unusable: None,
        diagnostics,
    })
}

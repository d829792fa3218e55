//! What is to be said of one token where no state has recorded anything of it.

use super::configured::Configured;
use super::date::{Found, date};
use super::diagnose::{self, Place};
use super::observe::{Field as Content, Observed, Observer};
use crate::protocol::Diagnostic;
use crate::sdk::Diagnostics;
use crate::token::expiry::{Dates, Lifetime, Status, status_at};
use crate::token::fingerprint::Fingerprint;
use crate::token::mint::{MintFacts, MintSource};

/// What was found in one field of one secret.
#[derive(Debug)]
pub(super) struct Description {
    /// How the token stands, or why there is none.
    pub(super) status: Status,
    /// The token, where there is one.
    pub(super) token: Option<TokenFacts>,
    /// Why there is no usable token, in words that say what to do.
    pub(super) problem: Option<String>,
    /// Warnings about the mint time and the length of the token.
    pub(super) diagnostics: Diagnostics,
}

/// A token and its dates.
#[derive(Debug)]
pub(super) struct TokenFacts {
    /// The token.
    pub(super) fingerprint: Fingerprint,
    /// The KV version that was read.
    pub(super) kv_version: u64,
    /// When it was minted, is due and ends.
    pub(super) dates: Dates,
    /// Where the mint time comes from: a stamp, else the history.
    pub(super) source: MintSource,
    /// The spare that it came from, as its stamp says.
    pub(super) rotated_from: Option<String>,
}

/// Describes what was read at a place. A token is dated by its stamp; older versions are read
/// only where it has none.
///
/// # Errors
///
/// Fails where Vault fails while older versions are read; versions that may not be read only make
/// the mint time an estimate.
pub(super) async fn describe(
    configured: &Configured,
    observer: &Observer,
    place: Place<'_>,
    lifetime: Lifetime,
    observed: &Observed,
) -> Result<Description, Diagnostic> {
    let without_token = |status| Description {
        status,
        token: None,
        problem: diagnose::problem(place, observed, None),
        diagnostics: Diagnostics::new(),
    };
    let Observed::Present(document) = observed else {
        return Ok(without_token(Status::Missing));
    };
    let (fingerprint, unusual_length) = match document.field(place.field, None) {
        Content::Token {
            fingerprint,
            unusual_length,
        } => (fingerprint, unusual_length),
        Content::Missing => return Ok(without_token(Status::Missing)),
        Content::Malformed(_) | Content::NotText(_) => {
            return Ok(without_token(Status::Malformed));
        }
    };
    let found = Found {
        place,
        document,
        fingerprint,
    };
    let dated = date(observer, found, MintFacts::default()).await?;
    let mut diagnostics = dated.told(place);
    diagnostics.extend(unusual_length.map(|length| diagnose::unusual_length(place, length)));
    let dates = Dates::new(dated.minted.at, lifetime, document.deletion_at);
    Ok(Description {
        status: status_at(&dates, configured.now()),
        token: Some(TokenFacts {
            fingerprint,
            kv_version: document.version,
            dates,
            source: dated.minted.source,
            rotated_from: found.stamp().and_then(|stamp| stamp.rotated_from),
        }),
        problem: None,
        diagnostics,
    })
}

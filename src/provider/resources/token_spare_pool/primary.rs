//! The primary that a pool stands by for: its token, and when that ends.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use crate::protocol::Diagnostic;
use crate::provider::diagnose::Place;
use crate::provider::secrets::date::{Found, date};
use crate::provider::secrets::observe::{Field as Content, Observed};
use crate::provider::secrets::spares::{Spares, named};
use crate::token::expiry::{Dates, Lifetime};
use crate::token::fingerprint::Fingerprint;
use crate::token::mint::{Dated, MintFacts, MintSource};
use crate::token::pool::PrimaryToken;

/// The primary as it was found.
pub(super) struct Primary {
    path: String,
    /// Its token, where it holds one.
    pub(super) token: Option<DatedToken>,
    /// What the history of a token told, of this one or an earlier one.
    pub(super) walked: Option<Walked>,
}

/// The token of a primary.
pub(super) struct DatedToken {
    /// Names it.
    pub(super) fingerprint: Fingerprint,
    /// When it was minted.
    pub(super) dated: Dated,
    deletion_at: Option<Timestamp>,
}

/// What the KV history tells of a primary's token. It travels in private data, where it stays
/// until another token is to be dated so: a stamp that comes later changes nothing there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walked {
    fingerprint: String,
    minted_at: Timestamp,
    minted_at_source: String,
}

impl Primary {
    /// Reads the primary, whose history is asked only for a token that was not dated by it before.
    pub(super) async fn look(
        spares: &Spares<'_>,
        path: &str,
        walked: Option<&Walked>,
    ) -> Result<Self, Diagnostic> {
        let secret = named(spares.mount, path)?;
        let place = Place {
            secret: &secret,
            field: spares.field,
        };
        let observed = spares.seen(place).await?;
        let mut primary = Self {
            path: path.to_owned(),
            token: None,
            walked: walked.cloned(),
        };
        let Observed::Present(document) = &*observed else {
            return Ok(primary);
        };
        let Content::Token { fingerprint, .. } = document.field(place.field, None) else {
            return Ok(primary);
        };
        let found = Found {
            place,
            document,
            fingerprint,
        };
        let facts = MintFacts {
            prior: walked.and_then(|walked| walked.dates(&fingerprint)),
            ..MintFacts::default()
        };
        let dated = date(spares.observer, found, facts).await?;
        let minted = Dated {
            at: dated.minted.at,
            source: dated.minted.source,
        };
        if dated.history.is_some() {
            primary.walked = Some(Walked::new(&fingerprint, minted));
        }
        primary.token = Some(DatedToken {
            fingerprint,
            dated: minted,
            deletion_at: document.deletion_at,
        });
        Ok(primary)
    }

    /// Returns what spares are judged by.
    pub(super) fn into_token(self, lifetime: Lifetime) -> PrimaryToken {
        PrimaryToken {
            path: self.path,
            token: self.token.map(|token| {
                let dates = Dates::new(token.dated.at, lifetime, token.deletion_at);
                (token.fingerprint, dates.expires_at)
            }),
        }
    }
}

impl Walked {
    fn new(fingerprint: &Fingerprint, minted: Dated) -> Self {
        Self {
            fingerprint: fingerprint.to_string(),
            minted_at: minted.at,
            minted_at_source: minted.source.as_str().to_owned(),
        }
    }

    /// Returns the mint time, if it is this token's.
    fn dates(&self, fingerprint: &Fingerprint) -> Option<Dated> {
        Some(Dated {
            at: self.minted_at,
            source: MintSource::parse(&self.minted_at_source)?,
        })
        .filter(|_| self.fingerprint == fingerprint.to_string())
    }
}

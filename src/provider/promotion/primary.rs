//! Step 1: read the primary, and keep a token that somebody put there.

use tokio::time::{Instant, sleep};

use super::stop::Stop;
use super::{Current, PATIENCE, PAUSE, Promotion, Reason};
use crate::provider::diagnose;
use crate::provider::secrets::date::{DatedToken, Found, date};
use crate::provider::secrets::observe::{Field as Content, Observation, Observed};
use crate::provider::secrets::spares::Twin;
use crate::provider::secrets::stamps::NewStamp;
use crate::sdk::Diagnostics;
use crate::token::expiry::{Dates, Status, status_at};
use crate::token::fingerprint::Fingerprint;
use crate::token::mint::MintFacts;
use crate::vault::{Document, Reading};

/// What a read of the primary leads to.
pub(super) enum Primary {
    /// Its token is to be kept.
    Settled(Box<Current>),
    /// Its token is to be replaced.
    Replace(Box<PrimaryDocument>),
}

/// The version of the primary that is to be replaced.
pub(super) struct PrimaryDocument {
    /// The whole document.
    pub(super) document: Document,
    /// What was seen in it.
    pub(super) seen: Observation,
    /// Its token, where it has one.
    pub(super) token: Option<Fingerprint>,
}

impl Promotion<'_> {
    /// Reads the primary and decides whether its token stays.
    pub(super) async fn read_primary(&self, told: &mut Diagnostics) -> Result<Primary, Stop> {
        let document = self.present_document().await?;
        let seen = Observation::of(&document);
        let content = seen.field(self.primary.field, self.prior.fingerprint.as_ref());
        let Content::Token { fingerprint, .. } = content else {
            return Ok(Primary::Replace(Box::new(PrimaryDocument {
                document,
                seen,
                token: None,
            })));
        };
        let found = Found {
            place: self.primary,
            document: &seen,
            fingerprint,
        };
        if self.is_kept(found).await? {
            return Ok(Primary::Settled(Box::new(
                self.adopt(found, false, told).await?,
            )));
        }
        Ok(Primary::Replace(Box::new(PrimaryDocument {
            document,
            token: Some(fingerprint),
            seen,
        })))
    }

    /// Reads until the answer is not older than what the state has seen, for a while: a secret
    /// that was made anew starts at 1 again, and check-and-set has the last word anyway.
    async fn present_document(&self) -> Result<Document, Stop> {
        let deadline = Instant::now() + PATIENCE;
        let Some(oldest) = self.prior.kv_version else {
            return self.document().await;
        };
        loop {
            let document = self.document().await?;
            if document.version() >= oldest || Instant::now() >= deadline {
                return Ok(document);
            }
            self.go_on()?;
            sleep(PAUSE).await;
        }
    }

    async fn document(&self) -> Result<Document, Stop> {
        let reading = self
            .observer
            .store()
            .read(self.primary.secret)
            .await
            .map_err(|error| Stop::vault(&error, &self.primary.to_string()))?;
        match reading {
            Reading::Present(document) => Ok(document),
            gone => {
                let gone = Observed::from(gone);
                let problem = diagnose::problem(self.primary, &gone, None).unwrap_or_default();
                // Bringing a version back does not move its number, so that check-and-set would
                // not notice: nothing may be written over it.
                Err(Stop::new(
                    format!("Token {} cannot be replaced", self.primary),
                    format!("{problem}Then {}. Nothing was changed.", self.again()),
                )
                .without_a_token())
            }
        }
    }

    /// Decides whether the token that is there stays: a newer one that works, one that came back,
    /// or the one that answers this very request.
    async fn is_kept(&self, found: Found<'_>) -> Result<bool, Stop> {
        if self.prior.fingerprint == Some(found.fingerprint) {
            return Ok(match self.reason {
                Reason::Requested => {
                    self.request.is_some()
                        && found.stamp().and_then(|stamp| stamp.requested) == self.request
                }
                Reason::Status(Status::Missing | Status::Malformed) => true,
                Reason::Status(_) => false,
            });
        }
        let dated = self.date(found).await?;
        let dates = Dates::new(dated.minted.at, self.lifetime, found.document.deletion_at);
        Ok(status_at(&dates, self.configured.now()).is_working())
    }

    /// Keeps the token that is there. It is stamped where its stamp is another token's, and in
    /// any case once a stamp was written over it.
    pub(super) async fn adopt(
        &self,
        found: Found<'_>,
        overwritten: bool,
        told: &mut Diagnostics,
    ) -> Result<Current, Stop> {
        let dated = self.date(found).await?;
        told.extend(dated.told(self.primary));
        let stamp = found.stamp();
        let dates = Dates::new(dated.minted.at, self.lifetime, found.document.deletion_at);
        let rotated_from = match &stamp {
            Some(stamp) => stamp.rotated_from.clone(),
            // Whoever lost a race wrote over the stamp that said so.
            None => self
                .spare_with(found.fingerprint)
                .await
                .and_then(|twin| twin.promoted_from),
        };
        if (overwritten || stamp.is_none())
            && self.stamps
            && !dated.is_estimate()
            && !self.configured.is_rehearsed()
        {
            let stamp = NewStamp {
                rotated_from: rotated_from.clone(),
                requested: self.request,
                ..NewStamp::new(found.fingerprint, &dates)
            };
            let nothing = std::collections::BTreeMap::new();
            let refused = stamp
                .write(self.observer.store(), self.primary, &nothing)
                .await;
            told.extend(refused);
        }
        Ok(Current {
            fingerprint: found.fingerprint,
            version: found.document.version,
            created_at: found.document.created_at,
            deletion_at: found.document.deletion_at,
            minted: dated.minted,
            rotated_from,
        })
    }

    /// Dates a token in the primary: by what the state knows, its stamp, a spare that holds the
    /// same token, or the history.
    async fn date(&self, found: Found<'_>) -> Result<DatedToken, Stop> {
        let mut facts = MintFacts::default();
        if self.prior.fingerprint == Some(found.fingerprint) {
            facts.prior = self.prior.dated;
        } else if found.stamp().is_none() {
            let twin = self.spare_with(found.fingerprint).await;
            facts.spare = twin.map(|twin| twin.dated);
        }
        date(self.observer, found, facts)
            .await
            .map_err(Stop::from_diagnostic)
    }

    /// Looks for a spare that holds this token.
    async fn spare_with(&self, fingerprint: Fingerprint) -> Option<Twin> {
        let primary = self.field_path();
        let spares = self.spares(&primary);
        spares.holding(self.spare_paths, fingerprint).await
    }
}

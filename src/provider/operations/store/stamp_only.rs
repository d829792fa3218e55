//! Dates and stamps the token that a secret already holds.

use jiff::Timestamp;

use super::{Before, Details, Operations, Refusal, Stamping, Stored, token_of};
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::date::{Found, walk};
use crate::provider::secrets::stamps::NewStamp;
use crate::sdk::Diagnostics;
use crate::token::expiry::{Dates, status_at};
use crate::token::instant::DAY;
use crate::vault::VaultError;

impl Operations {
    /// Stamps the token that a secret already holds, with the given mint time (RFC 3339) or else by
    /// the KV history. An existing stamp of this token stays unless a time is given.
    ///
    /// # Errors
    ///
    /// Fails if there is no token, if nothing shows its mint time, if the given time is later than
    /// the token, or if Vault refuses the stamp.
    pub async fn stamp_only(&self, path: &str, details: &Details) -> Result<Stored, Refusal> {
        self.check_request(path, details)?;
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let minted_at = self.minted_at(details)?;
        let observed = self.reread(place).await?;
        let (document, fingerprint) = token_of(place, &observed)?;
        let found = Found {
            place,
            document,
            fingerprint,
        };
        let (dates, stamping) = self.date_found(found, minted_at).await?;
        let stamping =
            stamping.map_err(|error| Refusal::failed(diagnose::no_stamp(place, &error)))?;
        let stored = Stored {
            name: place.to_string(),
            before: Before::Token(fingerprint),
            fingerprint,
            version: document.version,
            is_new: false,
            minted_at: dates.minted_at,
            expires_at: dates.expires_at,
            status: status_at(&dates, self.configured.now()),
            stamping,
            account: None,
            role: None,
            warnings: Diagnostics::new(),
        };
        Ok(self.complete(place, stored, details).await)
    }

    /// Dates a token that was already stored, and stamps it.
    pub(super) async fn date_found(
        &self,
        found: Found<'_>,
        minted_at: Option<Timestamp>,
    ) -> Result<(Dates, Result<Stamping, VaultError>), Refusal> {
        let live = found.stamp();
        let dates = |at| Dates::new(at, self.lifetime, found.document.deletion_at);
        if minted_at.is_none()
            && let Some(at) = live.as_ref().and_then(|stamp| stamp.minted_at)
        {
            return Ok((dates(at), Ok(Stamping::Kept)));
        }
        let history = walk(self.observer()?, found, None)
            .await
            .map_err(Refusal::failed)?;
        let minted_at = match minted_at {
            Some(at) if at.duration_since(history.oldest_created_at) > DAY => {
                return Err(Refusal::failed(diagnose::dated_after_storing(
                    found.place,
                    at,
                    history.oldest_created_at,
                )));
            }
            Some(at) => at,
            None if !history.complete => {
                return Err(Refusal::failed(diagnose::mint_date_needed(
                    found.place,
                    history,
                    "--stamp-only",
                )));
            }
            None => history.oldest_created_at,
        };
        let dates = dates(minted_at);
        let stamp = NewStamp {
            rotated_from: live.as_ref().and_then(|stamp| stamp.rotated_from.clone()),
            requested: live.and_then(|stamp| stamp.requested),
            ..NewStamp::new(found.fingerprint, &dates)
        };
        let metadata = &found.document.custom_metadata;
        Ok((dates, self.stamp(found.place, &stamp, metadata).await))
    }
}

//! The mint time of a token that a secret held before: storing it again does not make it new.

use jiff::Timestamp;

use crate::provider::diagnose::Place;
use crate::provider::observe::{Content, Observed};
use crate::provider::operations::Operations;
use crate::secret::Secret;
use crate::token::check::check;
use crate::token::fingerprint::Fingerprint;
use crate::token::retired::RetiredTokens;
use crate::token::stamp::Stamp;
use crate::vault::VaultError;

/// Maximum number of older versions that are read.
const HISTORY: usize = 30;

impl Operations {
    /// Returns the mint time of a token that the field held before its current one: that of its
    /// entry among the retired tokens, else that of the oldest version that can be read.
    ///
    /// # Errors
    ///
    /// Fails if Vault fails. Versions that Vault denies are skipped.
    pub(super) async fn minted_before(
        &self,
        place: Place<'_>,
        token: &Secret,
    ) -> Result<Option<Timestamp>, VaultError> {
        let (Some(fingerprint), Ok(observer)) = (
            check(token.expose()).fingerprint(),
            self.configured.observer(),
        ) else {
            return Ok(None);
        };
        let observed = observer.observe_again(place.secret).await?;
        let Observed::Present(document) = &*observed else {
            return Ok(None);
        };
        let is_current = holds(&observed, place, fingerprint);
        if is_current && document.deletion_at.is_none() {
            return Ok(None);
        }
        let stamp = Stamp::live(place.field, &document.custom_metadata, &fingerprint);
        if let Some(minted_at) = stamp.and_then(|stamp| stamp.minted_at) {
            return Ok(Some(minted_at));
        }
        let retired = RetiredTokens::read(place.field, &document.custom_metadata);
        if let Some(retired) = retired.get(fingerprint.short()) {
            return Ok(retired.minted_at);
        }
        let mut oldest = is_current.then_some(document.created_at);
        for version in (1..document.version).rev().take(HISTORY) {
            match observer.observe_version(place.secret, version).await {
                Ok(Observed::Present(past)) => {
                    let created_at = past.created_at;
                    if holds(&Observed::Present(past), place, fingerprint) {
                        oldest = Some(created_at);
                    }
                }
                // This version and all before it were pruned.
                Ok(Observed::Absent) => break,
                Ok(_) | Err(VaultError::Forbidden { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(oldest)
    }
}

fn holds(observed: &Observed, place: Place<'_>, token: Fingerprint) -> bool {
    matches!(
        observed,
        Observed::Present(document) if matches!(
            document.field(place.field, None),
            Content::Token { fingerprint, .. } if fingerprint == token
        )
    )
}

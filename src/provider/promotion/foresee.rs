//! What a promotion would do, determined only by reads.

use super::primary::Fate;
use super::{Promotion, Stop, Target};
use crate::protocol::Text;
use crate::provider::observe::Observed;
use crate::provider::secrets::date::Found;
use crate::token::spare::Purpose;

/// What a promotion would do if it were carried out now.
#[derive(Debug)]
pub(in crate::provider) enum Foreseen {
    /// The current token stays: it is not due, answers the request, or replaced the token that
    /// the request is about.
    Kept,
    /// The token of the spare at this path is promoted.
    Promoted(String),
    /// No spare can be promoted.
    Nothing {
        /// Why, with a line for each spare.
        reasons: Text,
        /// Path of a spare in which a new token can be stored.
        refill: Option<String>,
    },
}

impl Promotion<'_> {
    /// Judges the primary and the spares as the promotion would, and writes nothing.
    ///
    /// # Errors
    ///
    /// Fails if the primary cannot be read or is gone, so that nothing can be promoted into it.
    pub(in crate::provider) async fn foresee(&self) -> Result<Foreseen, Stop> {
        let failed = |error| Stop::vault(&error, &self.primary.to_string());
        let seen = self.observer.observe(self.primary.secret).await;
        let seen = seen.map_err(failed)?;
        let foreseen = self.foresee_for(&seen).await?;
        let (Foreseen::Nothing { .. }, Observed::Present(before)) = (&foreseen, &*seen) else {
            return Ok(foreseen);
        };
        // The client that used the spares since the primary was read may have used them for it.
        let now = self.observer.observe_again(self.primary.secret).await;
        let now = now.map_err(failed)?;
        match &*now {
            Observed::Present(now) if self.token_in(now) == self.token_in(before) => Ok(foreseen),
            _ => self.foresee_for(&now).await,
        }
    }

    /// Judges the primary as it was read.
    async fn foresee_for(&self, observed: &Observed) -> Result<Foreseen, Stop> {
        let Observed::Present(document) = observed else {
            return Err(self.gone(observed));
        };
        let token = self.token_in(document);
        let purpose = match token {
            Some(fingerprint) => {
                let found = Found {
                    place: self.primary,
                    document,
                    fingerprint,
                };
                match self.fate(found, &self.judge(found).await?) {
                    Fate::Adopted | Fate::NotDue => return Ok(Foreseen::Kept),
                    Fate::Replaced(purpose) => purpose,
                }
            }
            None => Purpose::Replacement,
        };
        let target = Target {
            token,
            version: document.version,
            custom_metadata: &document.custom_metadata,
            purpose,
        };
        let choice = self.choose(&target).await?;
        let best = choice.paths().next().map(str::to_owned);
        Ok(best.map_or_else(
            || Foreseen::Nothing {
                reasons: choice.refusals(),
                refill: choice.refillable().map(str::to_owned),
            },
            Foreseen::Promoted,
        ))
    }
}

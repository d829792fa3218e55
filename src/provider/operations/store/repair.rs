//! The one token in a value that is not a token by itself: in quotes, JSON, Base64, or other text.

use jiff::Timestamp;

use super::{Details, Repair};
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::Observed;
use crate::provider::operations::{Operations, Refusal};
use crate::secret::Secret;
use crate::token::check::{check, extract};
use crate::token::history::HistoryOutcome;
use crate::token::instant::format_instant;
use crate::token::stamp::Stamp;
use crate::vault::{Document, FieldValue, Reading, VaultError};

/// Maximum number of older versions that are read.
const HISTORY: usize = 30;

impl Operations {
    /// Returns the token in the value of a field, with its mint time: the given one, else that of
    /// its stamp, else that of the oldest of the consecutive versions that hold it.
    ///
    /// # Errors
    ///
    /// Fails if the secret cannot be read, if there is not exactly one whole token in the field, or
    /// if nothing shows its mint time.
    pub async fn repair(&self, path: &str, details: &Details) -> Result<Repair, Refusal> {
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let store = self.observer()?.store();
        let refused =
            |error: VaultError| Refusal::failed(diagnose::vault_error(&error, &place.to_string()));
        let reading = store.read(&secret).await.map_err(refused)?;
        let Reading::Present(document) = &reading else {
            return Err(self.nothing_in(place, reading));
        };
        let Some(token) = token_in(document, place.field) else {
            return Err(self.nothing_in(place, reading));
        };
        let Some(fingerprint) = check(token.expose()).fingerprint() else {
            return Err(self.nothing_in(place, reading));
        };
        let stamp = Stamp::live(place.field, &document.custom_metadata, &fingerprint);
        if let Some(minted_at) = self
            .minted_at(details)?
            .or_else(|| stamp.and_then(|stamp| stamp.minted_at))
        {
            return Ok(repair(token, minted_at));
        }
        let mut history = HistoryOutcome {
            oldest_created_at: document.created_at,
            complete: document.version == 1,
        };
        for version in (1..document.version).rev().take(HISTORY) {
            match store.read_version(&secret, version).await {
                Ok(Reading::Present(older)) => {
                    if token_in(&older, place.field).as_ref() != Some(&token) {
                        history.complete = true;
                        break;
                    }
                    history.oldest_created_at = older.created_at;
                    history.complete = version == 1;
                }
                Ok(_) | Err(VaultError::Forbidden { .. }) => break,
                Err(error) => return Err(refused(error)),
            }
        }
        if !history.complete {
            return Err(Refusal::failed(diagnose::mint_date_needed(
                place, history, "--repair",
            )));
        }
        Ok(repair(token, history.oldest_created_at))
    }

    fn nothing_in(&self, place: Place<'_>, reading: Reading) -> Refusal {
        let observed = Observed::from(reading);
        let problem = diagnose::problem(place, &observed, None).unwrap_or_default();
        Refusal::failed(diagnose::nothing_to_repair(place, problem))
    }
}

fn repair(token: Secret, minted_at: Timestamp) -> Repair {
    Repair {
        token,
        minted_at: format_instant(minted_at),
    }
}

/// Returns the token that a field holds, by itself or within other text.
fn token_in(document: &Document, field: &str) -> Option<Secret> {
    match document.field(field) {
        FieldValue::Text(text) => extract(text.expose()),
        FieldValue::Missing | FieldValue::NotText(_) => None,
    }
}

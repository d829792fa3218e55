//! A token for another program: it is read separately, because what an observer remembers does not
//! contain it.

use super::{Operations, Refusal};
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::unusable::Unusable;
use crate::provider::observe::{Content, Observed};
use crate::provider::secrets::date::Found;
use crate::secret::Secret;
use crate::token::check::trim;
use crate::token::expiry::{Dates, Status, status_at};
use crate::token::fingerprint::Fingerprint;
use crate::token::verdict::Verdict;
use crate::vault::{self, Reading};

/// A token that is handed to a program that the user has named.
#[derive(Debug)]
pub struct HandedOut {
    /// The token.
    pub token: Secret,
    /// What the user should know about it, each note as a clause without a period.
    pub notes: Vec<String>,
}

/// A token as it was read.
#[derive(Debug)]
pub(super) struct Held {
    /// The token without white space around it.
    pub(super) token: Secret,
    /// The token's fingerprint.
    pub(super) fingerprint: Fingerprint,
    /// What was last found about it.
    pub(super) verdict: Option<Verdict>,
    /// When it expires, if its stamp says so.
    pub(super) dates: Option<Dates>,
}

impl Operations {
    /// Reads the token of one secret for a program, with one request.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read, or if the field does not hold a token.
    pub async fn hand_out(&self, path: &str) -> Result<HandedOut, Refusal> {
        let held = self.held(path, &self.field).await?;
        let name = self.name(path);
        let mut notes = Vec::new();
        if let Some(dates) = held.dates
            && status_at(&dates, self.configured.now()) == Status::Expired
        {
            let at = dates.expires_at_text();
            notes.push(format!("the token {name} expired {at}"));
        }
        if let Some(verdict) = held.verdict.filter(Verdict::is_refused) {
            notes.push(format!(
                "the token {name} was refused when it was last verified, {}",
                verdict.at
            ));
        }
        Ok(HandedOut {
            token: held.token,
            notes,
        })
    }

    /// Reads the token in a field of a secret.
    pub(super) async fn held(&self, path: &str, field: &str) -> Result<Held, Refusal> {
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field,
        };
        let observer = self.observer()?;
        let reading =
            observer.store().read(&secret).await.map_err(|error| {
                Refusal::failed(diagnose::vault_error(&error, &place.to_string()))
            })?;
        let text = match &reading {
            Reading::Present(document) => match document.field(field) {
                vault::FieldValue::Text(text) => Some(text),
                vault::FieldValue::Missing | vault::FieldValue::NotText(_) => None,
            },
            Reading::Deleted(_) | Reading::Destroyed(_) | Reading::Absent => None,
        };
        let observed = Observed::from(reading);
        let found = match &observed {
            Observed::Present(document) => match document.field(field, None) {
                Content::Token { fingerprint, .. } => Some(Found {
                    place,
                    document,
                    fingerprint,
                }),
                _ => None,
            },
            _ => None,
        };
        let (Some(text), Some(found)) = (text, found) else {
            let mut unusable = Unusable::at(&observed, field, None);
            if let Some(found) = unusable.take() {
                unusable = Some(self.absent_or_folder(&secret, found).await);
            }
            return Err(Refusal::failed(diagnose::nothing_to_hand_out(
                place,
                unusable.as_ref(),
            )));
        };
        let minted_at = found.stamp().and_then(|stamp| stamp.minted_at);
        Ok(Held {
            token: Secret::new(trim(text.expose()).0),
            fingerprint: found.fingerprint,
            verdict: Verdict::live(
                field,
                &found.document.custom_metadata,
                &found.fingerprint,
                self.configured.server_now(),
            ),
            dates: minted_at.map(|at| Dates::new(at, self.lifetime, found.document.deletion_at)),
        })
    }
}

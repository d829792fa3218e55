//! Tokens that are to be tried, and what was found about them.

use jiff::Timestamp;

use super::hand_out::Held;
use super::{Operations, Refusal};
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::stamps::{Changes, note};
use crate::sdk::Diagnostics;
use crate::secret::Secret;
use crate::token::check::{check, trim};
use crate::token::fingerprint::Fingerprint;
use crate::token::metadata::{key, stamp_key};
use crate::token::verdict::{Finding, Verdict};

/// One field of one secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenPlace {
    /// Path in the mount.
    pub path: String,
    /// The field.
    pub field: String,
}

/// The places of tokens that are to be tried.
#[derive(Debug, Default)]
pub struct Candidates {
    /// Each place, in the order in which it was named and found.
    pub places: Vec<TokenPlace>,
    /// What could not be read.
    pub diagnostics: Diagnostics,
    /// Whether anything could not be read.
    pub is_incomplete: bool,
}

/// A token that can be tried.
#[derive(Debug)]
pub struct Candidate {
    /// The token.
    pub token: Secret,
    /// The token's fingerprint.
    pub fingerprint: Fingerprint,
    /// What was last found about it, and when.
    pub last: Option<LastVerdict>,
}

/// What was found about a token, as its secret's metadata says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastVerdict {
    /// Whether it was refused; otherwise, it worked.
    pub is_refused: bool,
    /// When, by Vault's clock.
    pub at: Timestamp,
    /// A word for the cause; empty if there is none.
    pub cause: String,
}

impl LastVerdict {
    /// Returns the word for the verdict.
    pub fn as_str(&self) -> &'static str {
        if self.is_refused { "refused" } else { "works" }
    }
}

impl From<Verdict> for LastVerdict {
    fn from(verdict: Verdict) -> Self {
        Self {
            is_refused: verdict.is_refused(),
            at: verdict.at,
            cause: verdict.cause,
        }
    }
}

impl From<Held> for Candidate {
    fn from(held: Held) -> Self {
        Self {
            token: held.token,
            fingerprint: held.fingerprint,
            last: held.verdict.map(LastVerdict::from),
        }
    }
}

impl Operations {
    /// Returns the places that the targets name, as `status` understands them.
    ///
    /// # Errors
    ///
    /// Fails if a target is not a path, or if nothing could be listed.
    pub async fn candidates(&self, targets: &[String]) -> Result<Candidates, Refusal> {
        let found = self.paths(targets).await?;
        Ok(Candidates {
            places: found.paths.into_iter().map(|(place, _)| place).collect(),
            diagnostics: found.diagnostics,
            is_incomplete: found.is_incomplete,
        })
    }

    /// Reads the token at a place.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be read, or if the field does not hold a token.
    pub async fn candidate(&self, place: &TokenPlace) -> Result<Candidate, Refusal> {
        self.held(&place.path, &place.field).await.map(Into::into)
    }

    /// Checks a token that a user provided.
    ///
    /// # Errors
    ///
    /// Fails if it is not a token.
    pub fn check_token(token: &Secret) -> Result<Candidate, Refusal> {
        let (text, _) = trim(token.expose());
        let checked = check(text);
        match (checked.fingerprint(), checked.problem()) {
            (Some(fingerprint), _) => Ok(Candidate {
                token: Secret::new(text),
                fingerprint,
                last: None,
            }),
            (None, problem) => Err(Refusal::failed(diagnose::not_a_token(problem))),
        }
    }

    /// Returns the current time by Vault's clock.
    pub fn now(&self) -> Timestamp {
        self.configured.server_now()
    }

    /// Refuses to stamp while a date is rehearsed.
    ///
    /// # Errors
    ///
    /// Fails if a date is rehearsed.
    pub fn check_stamping(&self) -> Result<(), Refusal> {
        if self.configured.is_rehearsed() {
            return Err(Refusal::failed(diagnose::not_stamped_while_rehearsed()));
        }
        Ok(())
    }

    /// Writes what was found about a token to the metadata of its secret. It does not apply to any
    /// other token that the field may hold by then.
    ///
    /// # Errors
    ///
    /// Fails if Vault refuses.
    pub async fn record(
        &self,
        place: &TokenPlace,
        fingerprint: &Fingerprint,
        verdict: LastVerdict,
    ) -> Result<(), Refusal> {
        let secret = self.secret(&place.path)?;
        let observer = self.observer()?;
        let verdict = Verdict {
            fingerprint: fingerprint.short(),
            finding: if verdict.is_refused {
                Finding::Refused
            } else {
                Finding::Works
            },
            at: verdict.at,
            cause: verdict.cause,
        };
        let changes = Changes::from([(
            stamp_key(&place.field, key::VERIFIED),
            Some(verdict.to_string()),
        )]);
        let noted = note(observer.store(), &secret, &changes).await;
        observer.forget(&secret);
        noted.map(drop).map_err(|error| {
            let place = Place {
                secret: &secret,
                field: &place.field,
            };
            Refusal::failed(diagnose::verdict_not_stamped(place, &error))
        })
    }
}

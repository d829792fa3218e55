//! Storing a token from the command line, and dating the current token.

mod earlier;
mod repair;
mod stamp_only;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Operations, Refusal, Role};
use crate::protocol::{Command, Diagnostic};
use crate::provider::diagnose::refuse::capital;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Content, Observation, Observed};
use crate::provider::secrets::date::Found;
use crate::provider::secrets::stamps::{Changes, NewStamp, note};
use crate::provider::store::{Holding, Replaces, Storing, store};
use crate::sdk::Diagnostics;
use crate::secret::Secret;
use crate::token::expiry::{Dates, Status, status_at};
use crate::token::fingerprint::Fingerprint;
use crate::token::instant::parse_minted_at;
use crate::token::mark::Mark;
use crate::token::metadata::{key, stamp_key};
use crate::token::name::{has_token, shown};
use crate::token::retired::RetiredTokens;
use crate::token::stamp::Stamp;
use crate::vault::VaultError;

/// Maximum length of an account label, in bytes.
const MAXIMUM_LABEL: usize = 100;

/// What the user says about a token that is stored or dated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// When it was minted (RFC 3339).
    pub minted_at: Option<String>,
    /// The label of its account.
    pub account: Option<String>,
    /// Whether an unproven length is accepted.
    pub any_length: bool,
}

/// A token that was extracted from the value of a field.
#[derive(Debug)]
pub struct Repair {
    /// The token.
    pub token: Secret,
    /// When it was minted (RFC 3339).
    pub minted_at: String,
}

/// What a field held before a token was stored in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// A token with this fingerprint.
    Token(Fingerprint),
    /// A value that was not a token.
    NoToken,
}

/// What happened to the stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamping {
    /// It was written.
    Written,
    /// It already existed, with these dates.
    Kept,
    /// It is missing; a warning says why.
    Missing,
}

/// A token that its field now holds, whether it was stored now or before.
#[derive(Debug)]
pub struct Stored {
    /// The token's place: `<mount>/<path>#<field>`.
    pub name: String,
    /// What the field held before.
    pub before: Before,
    /// The token.
    pub fingerprint: Fingerprint,
    /// The version that holds it.
    pub version: u64,
    /// Whether that version was written here.
    pub is_new: bool,
    /// When the token was minted.
    pub minted_at: Timestamp,
    /// When it expires, by that mint time.
    pub expires_at: Timestamp,
    /// Its status by these dates.
    pub status: Status,
    /// Whether these dates are in the secret's metadata.
    pub stamping: Stamping,
    /// The label of its account, if it is recorded.
    pub account: Option<String>,
    /// What the secret is used for, if its metadata shows that.
    pub role: Option<Role>,
    /// Warnings for the user.
    pub warnings: Diagnostics,
}

impl Operations {
    /// Checks everything that can be checked before the user is asked for a token.
    ///
    /// # Errors
    ///
    /// Fails if the path, the mint time, or the account label is invalid, or if a date is
    /// rehearsed.
    pub fn check_request(&self, path: &str, details: &Details) -> Result<(), Refusal> {
        let secret = self.secret(path)?;
        self.minted_at(details)?;
        check_account(details)?;
        if self.configured.is_rehearsed() {
            let place = Place {
                secret: &secret,
                field: &self.field,
            };
            return Err(Refusal::failed(diagnose::not_stored_while_rehearsed(place)));
        }
        Ok(())
    }

    /// Reads the secret before the user is asked for a token, and reports whether the secret
    /// exists.
    ///
    /// # Errors
    ///
    /// Fails if Vault does not answer, if the current version is gone, or if there is no secret at
    /// a path that has quotes or begins with the mount or `data/`: storing would create another
    /// secret next to the one that was meant.
    pub async fn is_there(&self, path: &str) -> Result<bool, Refusal> {
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let observed = self.reread(place).await?;
        match &*observed {
            Observed::Present(_) => Ok(true),
            Observed::Absent => match diagnose::otherwise(&secret) {
                Some(meant) => Err(Refusal::failed(diagnose::path_meant_otherwise(
                    place, meant,
                ))),
                None => Ok(false),
            },
            gone => Err(Refusal::failed(diagnose::nothing_stored_over(place, gone))),
        }
    }

    /// Returns the command that stores a token at a path, to which options can be added.
    ///
    /// # Errors
    ///
    /// Fails if the path is invalid.
    pub fn store_command(&self, path: &str) -> Result<Command, Refusal> {
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        Ok(place.store_command())
    }

    /// Stores a token in the field of one secret, keeps its other fields, and stamps it with its
    /// mint time: the given one (RFC 3339), else the known one of a token that the field held
    /// before, else the current time by Vault's clock. If the field already holds the token, no new
    /// version is written, unless Vault is to delete the version that holds it.
    ///
    /// # Errors
    ///
    /// Fails if the value is not a token, or if Vault refuses to store it. A stamp that is
    /// refused is a warning.
    pub async fn store(
        &self,
        path: &str,
        token: &Secret,
        details: &Details,
    ) -> Result<Stored, Refusal> {
        self.check_request(path, details)?;
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let observer = self.observer()?;
        let minted_at = match self.minted_at(details)? {
            Some(at) => Some(at),
            None => self.minted_before(place, token).await.map_err(|error| {
                Refusal::failed(diagnose::vault_error(&error, &place.to_string()))
            })?,
        };
        let storing = Storing {
            minted_at,
            any_length: details.any_length,
            ..Storing::over(Replaces::Anything)
        };
        let stored = store(&self.configured, observer, place, token, storing)
            .await
            .map_err(Refusal::failed)?;
        let mut warnings = stored.diagnostics;
        let (version, is_new, dates, stamping) = match &stored.now {
            Holding::Written(written) => {
                let minted_at = minted_at.unwrap_or_else(|| self.configured.server_now());
                let dates = Dates::new(minted_at, self.lifetime, written.deletion_at);
                let metadata = &written.custom_metadata;
                let live = Stamp::live(place.field, metadata, &stored.fingerprint);
                let stamp = NewStamp {
                    rotated_from: live.as_ref().and_then(|live| live.rotated_from.clone()),
                    requested: live.and_then(|live| live.requested),
                    ..NewStamp::new(stored.fingerprint, &dates)
                };
                let stamping = self
                    .stamp(place, &stamp, &written.custom_metadata)
                    .await
                    .unwrap_or_else(|error| {
                        warnings.push(diagnose::not_stamped_by_command(place, &error));
                        Stamping::Missing
                    });
                (written.version, true, dates, stamping)
            }
            Holding::Found(document) => {
                let found = Found {
                    place,
                    document,
                    fingerprint: stored.fingerprint,
                };
                let (dates, stamping) = self.date_found(found, minted_at).await?;
                let stamping = stamping.unwrap_or_else(|error| {
                    warnings.push(diagnose::not_stamped_by_command(place, &error));
                    Stamping::Missing
                });
                (document.version, false, dates, stamping)
            }
        };
        let before = match stored.before {
            Content::Missing | Content::Empty => Before::Nothing,
            Content::Token { fingerprint, .. } => Before::Token(fingerprint),
            Content::Malformed(_) | Content::NotText(_) => Before::NoToken,
        };
        let stored = Stored {
            name: place.to_string(),
            before,
            fingerprint: stored.fingerprint,
            version,
            is_new,
            minted_at: dates.minted_at,
            expires_at: dates.expires_at,
            status: status_at(&dates, self.configured.now()),
            stamping,
            account: None,
            role: None,
            warnings,
        };
        Ok(self.complete(place, stored, details).await)
    }

    /// Reads the secret again, even if it was read before.
    async fn reread(&self, place: Place<'_>) -> Result<Arc<Observed>, Refusal> {
        let observed = self.observer()?.observe_again(place.secret).await;
        observed.map_err(|error| Refusal::failed(diagnose::vault_error(&error, &place.to_string())))
    }

    async fn stamp(
        &self,
        place: Place<'_>,
        stamp: &NewStamp,
        metadata: &BTreeMap<String, String>,
    ) -> Result<Stamping, VaultError> {
        let changes = stamp.changes_in(&self.field, metadata, RetiredTokens::default());
        if changes.is_empty() {
            return Ok(Stamping::Kept);
        }
        let observer = self
            .configured
            .observer()
            .map_err(|_| VaultError::Cancelled)?;
        note(observer.store(), place.secret, &changes).await?;
        Ok(Stamping::Written)
    }

    /// Records the account, and adds what the metadata, the dates, and the clocks show.
    async fn complete(&self, place: Place<'_>, mut stored: Stored, details: &Details) -> Stored {
        if let Ok(observer) = self.observer() {
            let account = stamp_key(place.field, key::ACCOUNT);
            if let Some(label) = &details.account {
                let changes = Changes::from([(account.clone(), Some(label.clone()))]);
                let noted = note(observer.store(), place.secret, &changes).await;
                if let Err(error) = noted {
                    stored
                        .warnings
                        .push(diagnose::account_not_noted(place, &error));
                }
            }
            // The caller already reports a secret that cannot be read.
            if let Ok(observed) = observer.observe_again(place.secret).await
                && let Observed::Present(document) = &*observed
            {
                let metadata = &document.custom_metadata;
                stored.account = metadata
                    .get(&account)
                    .map(|label| shown(label).into_owned());
                stored.role = role_of(place.field, metadata);
            }
        }
        stored.warnings.extend(self.configured.skew_warning());
        if stored.status.is_due() {
            let (name, expires_at) = (&stored.name, stored.expires_at);
            let due = diagnose::stored_when_due(name, stored.status, expires_at);
            stored.warnings.push(due);
        }
        stored
    }

    fn minted_at(&self, details: &Details) -> Result<Option<Timestamp>, Refusal> {
        let text = details.minted_at.as_deref();
        text.map(|text| parse_minted_at(text, self.configured.server_now()))
            .transpose()
            .map_err(|error| {
                Refusal::argument(Diagnostic::error(
                    "Invalid --minted-at",
                    format!("{}.", capital(&error)),
                ))
            })
    }
}

/// Describes what a secret is used for, as its own metadata shows.
fn role_of(field: &str, metadata: &BTreeMap<String, String>) -> Option<Role> {
    let is_marked = !Mark::read_all(field, metadata).is_empty();
    let is_promoted_to =
        Stamp::read(field, metadata).is_some_and(|stamp| stamp.rotated_from.is_some());
    match (is_promoted_to, is_marked) {
        (true, _) => Some(Role::Primary),
        (false, true) => Some(Role::Spare),
        (false, false) => None,
    }
}

fn check_account(details: &Details) -> Result<(), Refusal> {
    let Some(label) = &details.account else {
        return Ok(());
    };
    let is_usable = label.len() <= MAXIMUM_LABEL
        && label.trim() == label
        && !label.chars().any(char::is_control)
        && !has_token(label);
    if is_usable {
        return Ok(());
    }
    Err(Refusal::argument(Diagnostic::error(
        "Invalid --account",
        format!(
            "A label has at most {MAXIMUM_LABEL} bytes, no white space around it, no control \
             characters, and no token in it."
        ),
    )))
}

fn token_of<'a>(
    place: Place<'_>,
    observed: &'a Observed,
) -> Result<(&'a Observation, Fingerprint), Refusal> {
    if let Observed::Present(document) = observed
        && let Content::Token { fingerprint, .. } = document.field(place.field, None)
    {
        return Ok((document, fingerprint));
    }
    let problem = diagnose::problem(place, observed, None).unwrap_or_default();
    Err(Refusal::failed(diagnose::no_token_to_stamp(place, problem)))
}

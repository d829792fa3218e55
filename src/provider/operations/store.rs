//! Storing a token at the command line, and dating the one that is there.

use std::collections::BTreeMap;

use std::sync::Arc;

use jiff::Timestamp;

use super::{Operations, Refusal};
use crate::protocol::Diagnostic;
use crate::provider::diagnose::refuse::capital;
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::date::{Found, walk};
use crate::provider::secrets::observe::{Field as Content, Observation, Observed};
use crate::provider::secrets::stamps::{NewStamp, note};
use crate::provider::secrets::store::{Holding, Replaces, Storing, store};
use crate::sdk::Diagnostics;
use crate::secret::Secret;
use crate::token::expiry::{Dates, Status, status_at};
use crate::token::fingerprint::Fingerprint;
use crate::token::instant::{DAY, parse_minted_at};
use crate::token::retired::RetiredTokens;
use crate::vault::VaultError;

/// What a field held before a token was stored in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// A token with this fingerprint.
    Token(Fingerprint),
    /// A value that was no token.
    NoToken,
}

/// What became of the stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamping {
    /// It was written.
    Written,
    /// It was there already, with these dates.
    Kept,
    /// It is not there; a warning says why.
    Missing,
}

/// A token that is where it was to be.
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
    /// When it expires by that.
    pub expires_at: Timestamp,
    /// How it stands by these dates.
    pub status: Status,
    /// Whether these dates are in the secret's metadata.
    pub stamping: Stamping,
    /// What the user should hear.
    pub warnings: Diagnostics,
}

impl Operations {
    /// Checks, before anybody is asked for a token, all that can be checked without one.
    ///
    /// # Errors
    ///
    /// Fails for a path or a mint time that cannot be, and while a date is rehearsed.
    pub fn check_request(&self, path: &str, minted_at: Option<&str>) -> Result<(), Refusal> {
        let secret = self.secret(path)?;
        self.minted_at(minted_at)?;
        if self.configured.is_rehearsed() {
            let place = Place {
                secret: &secret,
                field: &self.field,
            };
            return Err(Refusal::failed(diagnose::not_stored_while_rehearsed(place)));
        }
        Ok(())
    }

    /// Looks at the secret before anybody is asked for a token, and tells whether there is one
    /// yet.
    ///
    /// # Errors
    ///
    /// Fails where Vault does not say, where the current version is gone, and where there is no
    /// secret at a path with quotes, the mount or `data/` in front: storing would make another
    /// one beside the secret that was meant.
    pub async fn is_there(&self, path: &str) -> Result<bool, Refusal> {
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let observed = self.seen_anew(place).await?;
        match &*observed {
            Observed::Present(_) => Ok(true),
            Observed::Absent => match diagnose::otherwise(&secret) {
                Some(meant) => Err(Refusal::failed(diagnose::path_meant_otherwise(
                    place, meant,
                ))),
                None => Ok(false),
            },
            gone => {
                let problem = diagnose::problem(place, gone, None).unwrap_or_default();
                Err(Refusal::failed(diagnose::nothing_stored_over(
                    place, &problem,
                )))
            }
        }
    }

    /// Returns the command that stores a token at a path, to which options can be added.
    ///
    /// # Errors
    ///
    /// Fails for a path that cannot be.
    pub fn store_command(&self, path: &str) -> Result<String, Refusal> {
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        Ok(place.store_command())
    }

    /// Stores a token in the field of one secret, keeps its other fields, and stamps it with its
    /// mint time: the one given (RFC 3339), or the present by Vault's clock. A token that is
    /// there already makes no new version.
    ///
    /// # Errors
    ///
    /// Fails where the value is no token, and where Vault refuses to store it. A stamp that is
    /// refused is a warning.
    pub async fn store(
        &self,
        path: &str,
        token: &Secret,
        minted_at: Option<&str>,
    ) -> Result<Stored, Refusal> {
        self.check_request(path, minted_at)?;
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let minted_at = self.minted_at(minted_at)?;
        let observer = self.observer()?;
        let storing = Storing {
            minted_at,
            ..Storing::over(Replaces::Anything)
        };
        let stored = store(&self.configured, observer, place, token, storing)
            .await
            .map_err(Refusal::failed)?;
        let mut warnings = stored.told;
        let (version, is_new, dates, stamping) = match &stored.now {
            Holding::Written(written) => {
                let minted_at = minted_at.unwrap_or_else(|| self.configured.server_now());
                let dates = Dates::new(minted_at, self.lifetime, written.deletion_at);
                let stamp = NewStamp::new(stored.fingerprint, &dates);
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
        Ok(self.complete(Stored {
            name: place.to_string(),
            before,
            fingerprint: stored.fingerprint,
            version,
            is_new,
            minted_at: dates.minted_at,
            expires_at: dates.expires_at,
            status: status_at(&dates, self.configured.now()),
            stamping,
            warnings,
        }))
    }

    /// Stamps the token that a secret holds already: with the mint time given (RFC 3339), else by
    /// the KV history. A stamp of this token that is there stays unless a time is given.
    ///
    /// # Errors
    ///
    /// Fails where there is no token, where nothing tells its mint time, where the time given is
    /// later than the token, and where Vault refuses the stamp.
    pub async fn stamp_only(&self, path: &str, minted_at: Option<&str>) -> Result<Stored, Refusal> {
        self.check_request(path, minted_at)?;
        let secret = self.secret(path)?;
        let place = Place {
            secret: &secret,
            field: &self.field,
        };
        let minted_at = self.minted_at(minted_at)?;
        let observed = self.seen_anew(place).await?;
        let (document, fingerprint) = token_of(place, &observed)?;
        let found = Found {
            place,
            document,
            fingerprint,
        };
        let (dates, stamping) = self.date_found(found, minted_at).await?;
        let stamping =
            stamping.map_err(|error| Refusal::failed(diagnose::no_stamp(place, &error)))?;
        Ok(self.complete(Stored {
            name: place.to_string(),
            before: Before::Token(fingerprint),
            fingerprint,
            version: document.version,
            is_new: false,
            minted_at: dates.minted_at,
            expires_at: dates.expires_at,
            status: status_at(&dates, self.configured.now()),
            stamping,
            warnings: Diagnostics::new(),
        }))
    }

    /// Reads the secret, whatever was seen of it before.
    async fn seen_anew(&self, place: Place<'_>) -> Result<Arc<Observed>, Refusal> {
        let observed = self.observer()?.observe_anew(place.secret).await;
        observed.map_err(|error| Refusal::failed(diagnose::vault_error(&error, &place.to_string())))
    }

    /// Dates a token that was there before, and stamps it.
    async fn date_found(
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

    /// Adds what the dates and the clocks give to tell.
    fn complete(&self, mut stored: Stored) -> Stored {
        stored.warnings.extend(self.configured.skew_warning());
        if stored.status.is_due() {
            let (name, expires_at) = (&stored.name, stored.expires_at);
            let due = diagnose::stored_when_due(name, stored.status, expires_at);
            stored.warnings.push(due);
        }
        stored
    }

    fn minted_at(&self, text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
        text.map(|text| parse_minted_at(text, self.configured.server_now()))
            .transpose()
            .map_err(|error| {
                Refusal::argument(Diagnostic::error(
                    "Wrong --minted-at",
                    format!("{}.", capital(&error)),
                ))
            })
    }
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
    Err(Refusal::failed(diagnose::no_token_to_stamp(
        place, &problem,
    )))
}

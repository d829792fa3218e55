//! Steps 3 and 4: mark the spare, and go on only once the mark stands alone.

use tokio::time::{Instant, sleep};

use super::choose::Candidate;
use super::primary::PrimaryDocument;
use super::stop::{Stop, replaced, without_marks};
use super::{PATIENCE, PAUSE, Promotion, Told};
use crate::provider::diagnose::Place;
use crate::provider::secrets::date::Found;
use crate::provider::secrets::observe::Observation;
use crate::provider::secrets::spares::named;
use crate::provider::secrets::stamps::{Changes, Noted, note};
use crate::random::random_u64;
use crate::secret::Secret;
use crate::token::check::check;
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::{Mark, MarkState};
use crate::vault::{Field, Reading, SecretPath, VaultError};

/// What became of the attempt to claim a spare.
pub(super) enum Claim {
    /// The spare is marked for this primary.
    Mine(Claimed),
    /// Metadata cannot be written, so there is no mark.
    Unmarked(Claimed),
    /// The spare is somebody else's, or changed; says why.
    Taken(String),
}

/// A claimed spare.
pub(super) struct Claimed {
    /// Its secret.
    pub(super) secret: SecretPath,
    /// Its token.
    pub(super) token: Secret,
    /// Key of the mark, where there is one.
    pub(super) mark: Option<String>,
    /// When it was marked.
    pub(super) at: Instant,
}

/// Makes key and value of a mark that says: this token is to become that version of the primary.
pub(super) fn new_mark(
    promotion: &Promotion<'_>,
    token: Fingerprint,
    version: u64,
) -> Result<(String, String), Stop> {
    let number = random_u64().map_err(|error| {
        Stop::new(
            format!("No random number for {}", promotion.primary),
            format!("The system's random generator failed: {error}. Nothing was changed."),
        )
    })?;
    let mark = Mark {
        key: format!(
            "{}.promoted_to.{:08x}",
            promotion.primary.field,
            number >> 32
        ),
        fingerprint: token.short(),
        version,
        marked_at: promotion.configured.server_now(),
        primary: promotion.field_path(),
    };
    Ok((mark.key.clone(), mark.to_string()))
}

impl Promotion<'_> {
    /// Marks a spare for the version that follows, and waits until nobody else has a claim.
    pub(super) async fn claim(
        &self,
        spare: &Candidate,
        primary: &PrimaryDocument,
        noting: bool,
        told: &mut Told,
    ) -> Result<Claim, Stop> {
        let secret =
            named(self.primary.secret.mount(), spare.path()).map_err(Stop::from_diagnostic)?;
        let Some(token) = spare.look().spare_token() else {
            return Ok(Claim::Taken("its token is gone".to_owned()));
        };
        let fingerprint = token.fingerprint;
        let at = Instant::now();
        if !noting {
            return self.unmarked(secret, fingerprint, at).await;
        }
        let Some(next) = primary.seen.version.checked_add(1) else {
            return Err(Stop::new(
                format!("{} has no version left", self.primary),
                "Vault says that its version is the highest number that there is, so no other can \
                 follow. Look at it with `vault kv metadata get`, and move the token to another \
                 secret.",
            ));
        };
        let (key, value) = new_mark(self, fingerprint, next)?;
        let mut changes: Changes = spare
            .look()
            .token
            .iter()
            .flat_map(|token| &token.marks)
            .filter(|(_, state)| matches!(state, MarkState::Void | MarkState::Foreign))
            .map(|(mark, _)| (mark.key.clone(), None))
            .collect();
        changes.insert(key.clone(), Some(value));
        let noted = note(self.observer.store(), &secret, &changes).await;
        self.observer.forget(&secret);
        match noted {
            Ok(Noted::Merged) => {}
            Ok(Noted::Replaced) => told.at_once.push(replaced(self.primary, spare.path())),
            Err(error @ (VaultError::Forbidden { .. } | VaultError::PatchUnsupported { .. })) => {
                told.once_written
                    .push(without_marks(self.primary, Some(&error)));
                return self.unmarked(secret, fingerprint, at).await;
            }
            // A mark that may have been written counts for nothing until the primary is.
            Err(error) => return Err(Stop::vault(&error, &secret.to_string())),
        }
        match self.stands(&secret, fingerprint, &key).await {
            Ok(Ok(token)) => Ok(Claim::Mine(Claimed {
                secret,
                token,
                mark: Some(key),
                at,
            })),
            Ok(Err(why)) => {
                self.withdraw(&secret, &key).await;
                Ok(Claim::Taken(why))
            }
            Err(stop) => {
                self.withdraw(&secret, &key).await;
                Err(stop)
            }
        }
    }

    /// Removes a mark, best effort: one that stays behind is void or open for an hour at most.
    pub(super) async fn withdraw(&self, secret: &SecretPath, key: &str) {
        let changes = [(key.to_owned(), None)].into();
        let _ = note(self.observer.store(), secret, &changes).await;
        self.observer.forget(secret);
    }

    async fn unmarked(
        &self,
        secret: SecretPath,
        fingerprint: Fingerprint,
        at: Instant,
    ) -> Result<Claim, Stop> {
        Ok(match self.token_of(&secret, fingerprint).await? {
            Some((token, _)) => Claim::Unmarked(Claimed {
                secret,
                token,
                mark: None,
                at,
            }),
            None => Claim::Taken("its token changed meanwhile".to_owned()),
        })
    }

    /// Waits until the mark shows and no other primary has a better claim; returns the token, or
    /// why the spare is not to be had.
    async fn stands(
        &self,
        secret: &SecretPath,
        fingerprint: Fingerprint,
        key: &str,
    ) -> Result<Result<Secret, String>, Stop> {
        let own = self.field_path();
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.go_on()?;
            let Some((token, seen)) = self.token_of(secret, fingerprint).await? else {
                return Ok(Err("its token changed meanwhile".to_owned()));
            };
            let shows = seen.custom_metadata.contains_key(key);
            let others = Mark::read_all(self.primary.field, &seen.custom_metadata)
                .into_iter()
                .any(|mark| mark.counts_for(&fingerprint) && mark.primary != own);
            if shows && !others {
                return Ok(Ok(token));
            }
            if shows {
                // The others are judged by the answer that shows our mark: one more read may meet
                // a standby that has seen neither.
                let found = Found {
                    place: Place {
                        secret,
                        field: self.primary.field,
                    },
                    document: &seen,
                    fingerprint,
                };
                let marks = self
                    .spares(&own)
                    .marks(found)
                    .await
                    .map_err(Stop::from_diagnostic)?;
                let rivals: Vec<_> = marks
                    .iter()
                    .filter(|(mark, _)| mark.primary != own)
                    .collect();
                if let Some((mark, _)) = rivals
                    .iter()
                    .find(|(_, state)| matches!(state, MarkState::Spent | MarkState::Unknown))
                {
                    return Ok(Err(format!("its token was promoted to {}", mark.primary)));
                }
                match rivals.iter().find(|(_, state)| *state == MarkState::Open) {
                    None => return Ok(Ok(token)),
                    // Of two that want the same spare, the one that sorts first waits.
                    Some((mark, _)) if mark.primary < own || Instant::now() >= deadline => {
                        return Ok(Err(format!("it is being promoted to {}", mark.primary)));
                    }
                    Some(_) => {}
                }
            } else if Instant::now() >= deadline {
                return Err(Stop::new(
                    format!("The mark on {secret} does not show"),
                    format!(
                        "Vault took the mark, but the node that answers reads has not seen it. \
                         Nothing was changed. Once the cluster is well, {}.",
                        self.again()
                    ),
                ));
            }
            sleep(PAUSE).await;
        }
    }

    /// Reads a spare; `None` where it no longer holds this token.
    async fn token_of(
        &self,
        secret: &SecretPath,
        fingerprint: Fingerprint,
    ) -> Result<Option<(Secret, Observation)>, Stop> {
        let reading = self
            .observer
            .store()
            .read(secret)
            .await
            .map_err(|error| Stop::vault(&error, &secret.to_string()))?;
        let Reading::Present(document) = reading else {
            return Ok(None);
        };
        let Field::Text(token) = document.field(self.primary.field) else {
            return Ok(None);
        };
        if check(token.expose()).fingerprint() != Some(fingerprint) {
            return Ok(None);
        }
        Ok(Some((token, Observation::of(&document))))
    }
}

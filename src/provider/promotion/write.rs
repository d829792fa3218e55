//! Steps 5 and 6: stamp the primary for the token to come, then the one write that decides.

use std::collections::BTreeMap;

use tokio::time::{Instant, sleep};

use super::choose::Candidate;
use super::claim::Claimed;
use super::primary::PrimaryDocument;
use super::stop::{Stop, replaced};
use super::{Current, MARK_AGE, PATIENCE, PAUSE, Promotion, Told};
use crate::provider::diagnose;
use crate::provider::secrets::date::Found;
use crate::provider::secrets::observe::{Field as Content, Observation, Observed};
use crate::provider::secrets::stamps::{NewStamp, Noted, note};
use crate::token::expiry::{Dates, status_at};
use crate::token::mint::{MintSource, Minted};
use crate::vault::{Reading, VaultError, WriteError, WriteFailure};

/// What became of the write.
pub(super) enum Outcome {
    /// The primary holds the spare's token, or another working one that is kept.
    Promoted(Box<Current>),
    /// A sibling changed: everything is to be looked at anew.
    Moved,
    /// The mark is too old by now: claim again.
    Stale,
}

impl Promotion<'_> {
    /// Writes the primary, stamped where that is allowed even if its spare could not be marked: the
    /// mint time would be lost otherwise. After an answer that did not come nothing is taken back:
    /// the write may still land.
    pub(super) async fn write(
        &self,
        primary: &PrimaryDocument,
        spare: &Candidate,
        claim: &Claimed,
        told: &mut Told,
    ) -> Result<Outcome, Stop> {
        let Some(token) = spare.look().spare_token() else {
            return Ok(Outcome::Moved);
        };
        let dates = Dates::new(token.dates.minted_at, self.lifetime, None);
        let stamp = NewStamp {
            rotated_from: Some(spare.path().to_owned()),
            requested: self.request,
            ..NewStamp::new(token.fingerprint, &dates)
        };
        let mut stamped = false;
        if self.stamps {
            if let Err(stop) = self.go_on() {
                self.take_back(primary, claim, false).await;
                return Err(stop);
            }
            let changes = stamp.changes(self.primary.field);
            match note(self.observer.store(), self.primary.secret, &changes).await {
                Ok(how) => {
                    stamped = true;
                    if how == Noted::Replaced {
                        told.at_once
                            .push(replaced(self.primary, self.primary.secret.path()));
                    }
                }
                Err(
                    error @ (VaultError::Forbidden { .. } | VaultError::PatchUnsupported { .. }),
                ) => {
                    told.once_written
                        .push(diagnose::not_stamped(self.primary, &error));
                }
                Err(error) => {
                    self.take_back(primary, claim, false).await;
                    return Err(Stop::vault(&error, &self.primary.to_string()));
                }
            }
        }
        if claim.mark.is_some() && claim.at.elapsed() > MARK_AGE {
            self.take_back(primary, claim, stamped).await;
            return Ok(Outcome::Stale);
        }
        if let Err(stop) = self.go_on() {
            self.take_back(primary, claim, stamped).await;
            return Err(stop);
        }
        let document = primary
            .document
            .with_field(self.primary.field, &claim.token);
        let written = self
            .observer
            .store()
            .write(self.primary.secret, &document, primary.seen.version)
            .await;
        let failure = match written {
            Ok(written) => {
                told.written();
                if stamped {
                    self.stamp_again(&stamp, &written.custom_metadata, told)
                        .await;
                }
                return Ok(Outcome::Promoted(Box::new(Current {
                    fingerprint: token.fingerprint,
                    version: written.version,
                    created_at: written.created_at,
                    deletion_at: written.deletion_at,
                    minted: Minted {
                        at: token.dates.minted_at,
                        source: MintSource::Promotion,
                        warnings: Vec::new(),
                    },
                    rotated_from: Some(spare.path().to_owned()),
                })));
            }
            Err(failure) => failure,
        };
        match failure {
            WriteFailure {
                error: WriteError::CasMismatch,
                unanswered,
            } => {
                let seen = match self.above(primary.seen.version).await {
                    Ok(seen) => seen,
                    // The earlier attempt may be what the write was refused for.
                    Err(stop) if unanswered && !stop.leaves_nothing() => {
                        told.written();
                        return Err(self.unanswered(&stop.into_error().detail));
                    }
                    Err(stop) => return Err(stop),
                };
                self.overtaken(primary, &seen, spare, claim, (&stamp, stamped), told)
                    .await
            }
            WriteFailure {
                error,
                unanswered: false,
            } => {
                self.take_back(primary, claim, stamped).await;
                Err(self.refused(&error))
            }
            WriteFailure {
                error,
                unanswered: true,
            } => {
                told.written();
                let cause = match &error {
                    WriteError::Vault(error) => diagnose::vault_error(error, "").detail,
                    _ => String::new(),
                };
                Err(self.unanswered(&cause))
            }
        }
    }

    /// Somebody wrote the primary first, or an earlier attempt of ours took: look which.
    async fn overtaken(
        &self,
        primary: &PrimaryDocument,
        seen: &Observation,
        spare: &Candidate,
        claim: &Claimed,
        (stamp, stamped): (&NewStamp, bool),
        told: &mut Told,
    ) -> Result<Outcome, Stop> {
        let content = seen.field(self.primary.field, self.prior.fingerprint.as_ref());
        let Content::Token { fingerprint, .. } = content else {
            let problem = diagnose::content_problem(self.primary, content);
            return Err(Stop::new(
                format!("Secret {} was changed meanwhile", self.primary.secret),
                format!(
                    "{}Nothing was written over it. Once it is right, {}.",
                    problem.unwrap_or_default(),
                    self.again()
                ),
            )
            .without_a_token());
        };
        if fingerprint == stamp.fingerprint {
            told.written();
            if stamped {
                self.stamp_again(stamp, &seen.custom_metadata, told).await;
            }
            return Ok(Outcome::Promoted(Box::new(Current {
                fingerprint,
                version: seen.version,
                created_at: seen.created_at,
                deletion_at: seen.deletion_at,
                minted: Minted {
                    at: stamp.minted_at,
                    source: MintSource::Promotion,
                    warnings: Vec::new(),
                },
                rotated_from: Some(spare.path().to_owned()),
            })));
        }
        if Some(fingerprint) == primary.token {
            // The refused write cannot land any more, and whatever comes of the next one, the stamp
            // is to be this token's until then.
            self.take_back(primary, claim, stamped).await;
            return Ok(Outcome::Moved);
        }
        let found = Found {
            place: self.primary,
            document: seen,
            fingerprint,
        };
        let current = self.adopt(found, stamped, &mut told.at_once).await?;
        let dates = Dates::new(current.minted.at, self.lifetime, current.deletion_at);
        if !status_at(&dates, self.configured.now()).is_working() {
            return Ok(Outcome::Moved);
        }
        if let Some(mark) = &claim.mark {
            self.withdraw(&claim.secret, mark).await;
        }
        Ok(Outcome::Promoted(Box::new(current)))
    }

    /// Stamps once more where the stamp that was written before is not there.
    async fn stamp_again(
        &self,
        stamp: &NewStamp,
        custom_metadata: &BTreeMap<String, String>,
        told: &mut Told,
    ) {
        let refused = stamp
            .write(self.observer.store(), self.primary, custom_metadata)
            .await;
        told.at_once.extend(refused);
    }

    /// Reads until the version is above the one that was refused.
    async fn above(&self, refused: u64) -> Result<Observation, Stop> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reading = self
                .observer
                .store()
                .read(self.primary.secret)
                .await
                .map_err(|error| Stop::vault(&error, &self.primary.to_string()))?;
            match reading {
                Reading::Present(document) if document.version() > refused => {
                    return Ok(Observation::of(&document));
                }
                Reading::Present(_) if Instant::now() < deadline => sleep(PAUSE).await,
                Reading::Present(_) => {
                    return Err(Stop::new(
                        format!("Secret {} cannot be read as it is", self.primary.secret),
                        format!(
                            "Vault refused the write because the secret had changed, but goes on \
                             answering reads with the old version. Once the cluster is well, {}.",
                            self.again()
                        ),
                    ));
                }
                gone => {
                    let gone = Observed::from(gone);
                    let problem = diagnose::problem(self.primary, &gone, None);
                    return Err(Stop::new(
                        format!("Secret {} was removed meanwhile", self.primary.secret),
                        format!("{}Then {}.", problem.unwrap_or_default(), self.again()),
                    )
                    .without_a_token());
                }
            }
        }
    }

    /// Removes the mark, and puts back the stamp of the token that stays.
    async fn take_back(&self, primary: &PrimaryDocument, claim: &Claimed, stamped: bool) {
        if let Some(mark) = &claim.mark {
            self.withdraw(&claim.secret, mark).await;
        }
        if !stamped {
            return;
        }
        let before = &primary.seen.custom_metadata;
        let changes = NewStamp::keys(self.primary.field)
            .map(|key| {
                let value = before.get(&key).cloned();
                (key, value)
            })
            .collect();
        let _ = note(self.observer.store(), self.primary.secret, &changes).await;
    }

    fn refused(&self, error: &WriteError) -> Stop {
        match error {
            WriteError::Vault(error) => Stop::vault(error, &self.primary.to_string()),
            WriteError::TooLarge => Stop::new(
                format!("Secret {} is too large to be written", self.primary.secret),
                "Vault takes documents up to 1 MiB. Move other fields to a secret of their own. \
                 Nothing was changed.",
            ),
            WriteError::CasMismatch | WriteError::CasRequired => Stop::new(
                format!("Secret {} was changed meanwhile", self.primary.secret),
                format!("To go on, {}.", self.again()),
            ),
        }
    }

    fn unanswered(&self, cause: &str) -> Stop {
        let next = if self.is_action() {
            "."
        } else {
            ": apply again, which looks first."
        };
        Stop::new(
            format!("Vault did not say whether {} was written", self.primary),
            format!(
                "The new token may be there already, or arrive yet. Nothing is lost either way\
                 {next} {cause}"
            ),
        )
        .in_doubt()
    }
}

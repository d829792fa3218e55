//! Steps 3 and 4: mark every spare that holds the token, and judge it again once the marks are
//! visible.

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::choose::Choice;
use super::stop::{Stop, without_marks};
use super::{PATIENCE, PAUSE, Promotion, Report};
use crate::protocol::{Diagnostic, Text, text};
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::Observed;
use crate::provider::secrets::spares::{Known, Reading};
use crate::provider::secrets::stamps::note;
use crate::random::random_u64;
use crate::secret::Secret;
use crate::token::check::trim;
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::{Mark, MarkState};
use crate::token::mint::Dated;
use crate::token::paths::FieldPath;
use crate::token::spare::{Knowledge, ReadSpare};
use crate::vault::{Document, FieldValue, Reading as Answer, SecretPath};

/// The result of an attempt to claim a spare.
pub(super) enum Claim {
    /// The token is marked for this primary on every spare that holds it.
    Mine(Claimed),
    /// The metadata of a spare with this token cannot be written. Contains the warning about a
    /// promotion without marks.
    Unwritable(Box<Diagnostic>),
    /// The token is taken, or has changed. Contains the reason.
    Taken(Text),
}

/// A claimed token.
pub(super) struct Claimed {
    /// The token.
    pub(super) token: Secret,
    /// The marks: each spare with the key of its mark.
    pub(super) marks: Vec<(SecretPath, String)>,
    /// When it was marked, by the clock of Vault.
    pub(super) at: Timestamp,
}

/// Builds the key and value of a mark: this token will become that version of the primary.
pub(super) fn new_mark(
    promotion: &Promotion<'_>,
    token: &Fingerprint,
    version: u64,
) -> Result<(String, String), Stop> {
    let number = random_u64().map_err(|error| {
        Stop::new(
            format!("No random number for {}", promotion.primary),
            format!("The system's random generator failed: {error}. Nothing was changed."),
        )
    })?;
    let mark = Mark {
        key: Mark::key(promotion.primary.field, number),
        fingerprint: token.short(),
        version,
        marked_at: promotion.configured.server_date(),
        primary: promotion.field_path(),
    };
    Ok((mark.key.clone(), mark.to_string()))
}

impl Promotion<'_> {
    /// Marks every listed spare that holds the token of `spare` for the version that follows.
    pub(super) async fn claim(
        &self,
        spare: &ReadSpare,
        choice: &Choice,
        version: u64,
        report: &mut Report,
    ) -> Result<Claim, Stop> {
        let Some(token) = spare.token() else {
            return Ok(Claim::Taken("It does not hold a token.".into()));
        };
        let Some(next) = version.checked_add(1) else {
            return Err(Stop::new(
                format!("{} has no version number left", self.primary),
                "Vault reports the highest version number that there is, so no other can follow. \
                 Check it with `vault kv metadata get`, and move the token to another secret.",
            ));
        };
        let at = self.configured.server_date();
        let mut marks = Vec::new();
        for path in choice.holders(spare) {
            let secret =
                secret_path(self.primary.secret.mount(), &path).map_err(Stop::from_diagnostic)?;
            let (key, value) = new_mark(self, &token.fingerprint, next)?;
            let mut changes = [(key.clone(), Some(value))].into();
            if !self.make_room(choice, &path, &mut changes) {
                let place = Place {
                    secret: &secret,
                    field: self.primary.field,
                };
                self.withdraw(&marks).await;
                return Ok(Claim::Unwritable(Box::new(diagnose::metadata_full(place))));
            }
            let noted = note(self.observer.store(), &secret, &changes).await;
            self.observer.forget(&secret);
            match noted {
                Ok(noted) => report.noted(noted, self.primary, &path),
                Err(error) if error.refuses_for_good() => {
                    let warning = without_marks(self.primary, Some(&error));
                    self.withdraw(&marks).await;
                    return Ok(Claim::Unwritable(Box::new(warning)));
                }
                // A mark that may have been written has no effect until the primary is written.
                Err(error) => return Err(Stop::vault(&error, &secret.to_string())),
            }
            marks.push((secret, key));
        }
        match self.shows(spare, choice, &marks).await {
            Ok(Ok(token)) => Ok(Claim::Mine(Claimed { token, marks, at })),
            Ok(Err(why)) => {
                self.withdraw(&marks).await;
                Ok(Claim::Taken(why))
            }
            Err(stop) => {
                self.withdraw(&marks).await;
                Err(stop)
            }
        }
    }

    /// Claims a token without marks, because metadata cannot be written: safe only while no other
    /// primary uses these spares.
    pub(super) async fn claim_unmarked(
        &self,
        spare: &ReadSpare,
        choice: &Choice,
    ) -> Result<Claim, Stop> {
        let own = self.field_path();
        let spares = self.spares(&own);
        let others = choice
            .readings
            .read
            .iter()
            .flat_map(|reading| &reading.marks)
            .filter(|mark| mark.primary != own);
        for mark in others {
            let state = spares.judge(mark).await.map_err(Stop::from_diagnostic)?;
            if state != MarkState::Void {
                return Ok(Claim::Taken(text!(
                    "It cannot be marked, and {} uses the same spares.",
                    mark.primary
                )));
            }
        }
        let secret =
            secret_path(self.primary.secret.mount(), &spare.path).map_err(Stop::from_diagnostic)?;
        let at = self.configured.server_date();
        let document = self.document_of(&secret).await?;
        let token = spare
            .token()
            .and_then(|token| self.text_of(document.as_ref()?, &token.fingerprint));
        Ok(match token {
            Some(token) => Claim::Mine(Claimed {
                token,
                marks: Vec::new(),
                at,
            }),
            None => Claim::Taken(CHANGED.into()),
        })
    }

    /// Removes the marks of an attempt, best effort: a mark that stays is void, or open for at most
    /// three hours.
    pub(super) async fn withdraw(&self, marks: &[(SecretPath, String)]) {
        let removals = marks.iter().map(async |(secret, key)| {
            let changes = [(key.clone(), None)].into();
            let _ = note(self.observer.store(), secret, &changes).await;
            self.observer.forget(secret);
        });
        join_all(removals).await;
    }

    /// Reads the marked spares until the marks are visible, and judges the token again. Returns the
    /// token, or why it cannot be promoted.
    async fn shows(
        &self,
        spare: &ReadSpare,
        choice: &Choice,
        marks: &[(SecretPath, String)],
    ) -> Result<Result<Secret, Text>, Stop> {
        let own = self.field_path();
        let deadline = Instant::now() + PATIENCE;
        let Some(token) = spare.token() else {
            return Ok(Err(CHANGED.into()));
        };
        let fingerprint = token.fingerprint;
        let known = Known {
            fingerprint,
            dated: Some(Dated {
                at: token.dates.minted_at,
                source: token.source,
            }),
        };
        loop {
            self.go_on()?;
            let mut readings = Vec::new();
            let mut text = None;
            let mut shows = true;
            let reads = marks.iter().map(|(secret, _)| self.document_of(secret));
            for ((secret, key), document) in marks.iter().zip(join_all(reads).await) {
                let Some(document) = document? else {
                    return Ok(Err(CHANGED.into()));
                };
                let Some(found) = self.text_of(&document, &fingerprint) else {
                    return Ok(Err(CHANGED.into()));
                };
                text = Some(found);
                shows &= document.custom_metadata.contains_key(key);
                let observed = Observed::from(Answer::Present(document));
                let place = Place {
                    secret,
                    field: self.primary.field,
                };
                let reading = self
                    .spares(&own)
                    .reading(place, &observed, Some(known))
                    .await
                    .map_err(Stop::from_diagnostic)?;
                readings.push(reading);
            }
            if shows && let Some(text) = text {
                match self.judge_again(choice, &readings, &own).await? {
                    Ok(None) => return Ok(Ok(text)),
                    Ok(Some(rival)) if rival < own || Instant::now() >= deadline => {
                        return Ok(Err(text!("Its token is being promoted to {rival}.")));
                    }
                    // If two primaries claim the same token, the one that sorts first waits.
                    Ok(Some(_)) => {}
                    Err(why) => return Ok(Err(why)),
                }
            } else if Instant::now() >= deadline {
                return Err(Stop::new(
                    format!("The mark for {} is not visible", self.primary),
                    format!(
                        "Vault accepted the mark on a spare, but the node that answers reads has \
                         not received it. No token was replaced. Once the cluster is healthy \
                         again, {}.",
                        self.again()
                    ),
                ));
            }
            sleep(PAUSE).await;
        }
    }

    /// Judges the token of spares that were read again. Returns the first primary whose open mark
    /// is the only obstacle, or the reason why the token cannot be promoted.
    async fn judge_again(
        &self,
        choice: &Choice,
        readings: &[Reading],
        own: &FieldPath,
    ) -> Result<Result<Option<FieldPath>, Text>, Stop> {
        let mut knowledge: Knowledge = choice.knowledge().without_marks();
        let is_fresh = |path: &str| readings.iter().any(|reading| reading.spare.path == path);
        let elsewhere = choice
            .readings
            .read
            .iter()
            .filter(|reading| !is_fresh(&reading.spare.path));
        let fingerprints: Vec<_> = readings
            .iter()
            .filter_map(|reading| Some(reading.spare.token()?.fingerprint))
            .collect();
        let marks = readings
            .iter()
            .chain(elsewhere)
            .flat_map(|reading| &reading.marks)
            .filter(|mark| fingerprints.iter().any(|token| mark.is_about(token)));
        let spares = self.spares(own);
        let mut rival: Option<FieldPath> = None;
        for mark in marks {
            if mark.primary == *own && mark.version > 0 {
                // The primary was read in this attempt: its own marks are open or void by now.
                continue;
            }
            match spares.judge(mark).await.map_err(Stop::from_diagnostic)? {
                MarkState::Open => {
                    let first = rival.take().filter(|rival| *rival < mark.primary);
                    rival = Some(first.unwrap_or_else(|| mark.primary.clone()));
                }
                state => knowledge.add_mark(mark.clone(), state),
            }
        }
        let now = self.configured.server_now();
        for reading in readings {
            reading.add_verdict(&mut knowledge, now);
        }
        let fresh = readings.iter().map(|reading| &reading.spare);
        knowledge.add_primaries(fresh, self.primary.field);
        if choice.only_marks {
            let marks = fingerprints.iter().flat_map(|token| knowledge.marks(token));
            let taken = marks
                .into_iter()
                .find(|(mark, state)| mark.primary != *own && *state != MarkState::Void);
            return Ok(match taken {
                Some((mark, MarkState::Spent)) => Err(diagnose::spent(&mark.primary.to_string())),
                Some((mark, _)) => Err(text!("Its token is being promoted to {}.", mark.primary)),
                None => Ok(rival),
            });
        }
        for reading in readings {
            if let Some(why) = choice.question(&knowledge).why_not(&reading.spare) {
                let secret = secret_path(self.primary.secret.mount(), &reading.spare.path)
                    .map_err(Stop::from_diagnostic)?;
                return Ok(Err(diagnose::unusable_spare(&secret, &why)));
            }
        }
        Ok(Ok(rival))
    }

    /// Reads a spare; `None` if there is no document.
    async fn document_of(&self, secret: &SecretPath) -> Result<Option<Document>, Stop> {
        let answer = self.observer.store().read(secret).await;
        match answer.map_err(|error| Stop::vault(&error, &secret.to_string()))? {
            Answer::Present(document) => Ok(Some(document)),
            _ => Ok(None),
        }
    }

    /// Returns the text of the token in a document, if it is this token.
    fn text_of(&self, document: &Document, fingerprint: &Fingerprint) -> Option<Secret> {
        let FieldValue::Text(text) = document.field(self.primary.field) else {
            return None;
        };
        let (token, _) = trim(text.expose());
        let found = crate::token::check::check_recorded(token, fingerprint).fingerprint();
        (found == Some(*fingerprint)).then(|| Secret::new(token))
    }
}

/// Why a spare that was changed in the meantime is left out.
const CHANGED: &str = "Its token changed in the meantime.";

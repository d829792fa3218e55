//! Marks on copies: a spare that holds a current or earlier token of the primary has a mark for it.
//!
//! A copy of a leaked token must never be promoted, even after the primary's history is pruned.

use super::choose::Choice;
use super::claim::new_mark;
use super::{Promotion, Report, Stop, stop};
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::secrets::stamps::{Changes, fits, note};
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::MarkState;
use crate::token::spare::{Knowledge, ReadSpare};
use crate::vault::VaultError;

impl Promotion<'_> {
    /// Marks the spares that hold a token of the primary, unless they already have such a mark.
    pub(super) async fn mark_copies(
        &self,
        choice: &Choice,
        report: &mut Report,
    ) -> Result<(), Stop> {
        if !self.stamps {
            return Ok(());
        }
        let knowledge = choice.knowledge();
        let copies: Vec<_> = choice
            .spares
            .iter()
            .filter_map(|spare| Some((spare, spare.token()?.fingerprint)))
            .filter(|(_, token)| knowledge.is_of_primary(token))
            .filter(|(spare, token)| !self.is_marked(choice, spare, token))
            .map(|(spare, token)| (spare.path.clone(), token))
            .collect();
        for (path, token) in copies {
            match self.mark_copy(choice, &path, &token, report).await {
                Ok(()) => {}
                Err(error) if error.refuses_for_good() => {
                    let warning = stop::without_marks(self.primary, Some(&error));
                    report.once_written.push(warning);
                }
                Err(error) => {
                    let secret = format!("{}/{path}", self.primary.secret.mount());
                    return Err(Stop::vault(&error, &secret));
                }
            }
        }
        Ok(())
    }

    /// Marks the spares that hold the primary's new token. The primary is already written, so any
    /// failure is only a warning.
    pub(super) async fn mark_holders(
        &self,
        choice: &Choice,
        token: &Fingerprint,
        report: &mut Report,
    ) {
        let holders = choice
            .spares
            .iter()
            .filter(|spare| spare.holds(token) && !self.is_marked(choice, spare, token));
        for path in holders.map(|spare| spare.path.clone()) {
            if let Err(error) = self.mark_copy(choice, &path, token, report).await {
                let warning = stop::without_marks(self.primary, Some(&error));
                report.at_once.push(warning);
            }
        }
    }

    /// Returns whether a spare has a mark that says that this primary holds or held its token.
    fn is_marked(&self, choice: &Choice, spare: &ReadSpare, token: &Fingerprint) -> bool {
        let own = self.field_path();
        choice
            .readings
            .read
            .iter()
            .filter(|reading| reading.spare.path == spare.path)
            .flat_map(|reading| &reading.marks)
            .any(|mark| mark.version == 0 && mark.is_about(token) && mark.primary == own)
    }

    async fn mark_copy(
        &self,
        choice: &Choice,
        path: &str,
        token: &Fingerprint,
        report: &mut Report,
    ) -> Result<(), VaultError> {
        let (Ok(secret), Ok((key, value))) = (
            secret_path(self.primary.secret.mount(), path),
            new_mark(self, token, 0),
        ) else {
            return Ok(());
        };
        let mut changes = [(key, Some(value))].into();
        if !self.make_room(choice, path, &mut changes) {
            report
                .at_once
                .push(crate::provider::diagnose::metadata_full(
                    crate::provider::diagnose::Place {
                        secret: &secret,
                        field: self.primary.field,
                    },
                ));
            return Ok(());
        }
        let noted = note(self.observer.store(), &secret, &changes).await?;
        report.noted(noted, self.primary, path);
        self.observer.forget(&secret);
        Ok(())
    }

    /// Removes the void marks of a spare. If keys run out, also removes marks that are older than
    /// any token. Returns whether the changes fit.
    pub(super) fn make_room(&self, choice: &Choice, path: &str, changes: &mut Changes) -> bool {
        let Some(reading) = choice
            .readings
            .read
            .iter()
            .find(|reading| reading.spare.path == path)
        else {
            return true;
        };
        let void = reading
            .marks
            .iter()
            .filter(|mark| is_void(choice.knowledge(), &reading.spare, &mark.key));
        changes.extend(void.map(|mark| (mark.key.clone(), None)));
        if fits(&reading.custom_metadata, changes) {
            return true;
        }
        let hours = 24 * i64::from(self.lifetime.lifetime_days());
        let lifetime = jiff::SignedDuration::from_hours(hours);
        let now = self.configured.server_date();
        let old = reading
            .marks
            .iter()
            .filter(|mark| now.duration_since(mark.marked_at) > lifetime);
        changes.extend(old.map(|mark| (mark.key.clone(), None)));
        fits(&reading.custom_metadata, changes)
    }
}

/// Returns whether a mark on a spare was judged as void.
fn is_void(knowledge: &Knowledge, spare: &ReadSpare, key: &str) -> bool {
    spare.token().is_some_and(|token| {
        knowledge
            .marks(&token.fingerprint)
            .iter()
            .any(|(mark, state)| mark.key == key && *state == MarkState::Void)
    })
}

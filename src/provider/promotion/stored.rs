//! Marks for a token that `token_wo` stores and that a listed spare also holds.
//!
//! They are set before the write, as for a promotion, so that no other primary claims the token in
//! the meantime.

use jiff::Timestamp;

use super::choose::{Choice, Target};
use super::claim::Claim;
use super::{Promotion, Report, Stop};
use crate::protocol::{Diagnostic, text};
use crate::provider::observe::{Content, Observation};
use crate::sdk::Diagnostics;
use crate::token::fingerprint::Fingerprint;
use crate::token::spare::Purpose;
use crate::vault::SecretPath;

/// What was marked for a token that is about to be stored.
pub(in crate::provider) struct Marked {
    choice: Choice,
    marks: Vec<(SecretPath, String)>,
    at: Timestamp,
}

impl Promotion<'_> {
    /// Marks the copies of the primary's tokens, and the spares that hold the token to store.
    ///
    /// # Errors
    ///
    /// Fails if another primary has the token or is about to get it.
    pub(in crate::provider) async fn mark_for_store(
        &self,
        seen: Option<&Observation>,
        token: &Fingerprint,
        diagnostics: &mut Diagnostics,
    ) -> Result<Marked, Diagnostic> {
        let mut report = Report::default();
        let marked = self.mark_stored(seen, token, &mut report).await;
        report.written();
        for diagnostic in report.at_once {
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        marked.map_err(Stop::into_error)
    }

    async fn mark_stored(
        &self,
        seen: Option<&Observation>,
        token: &Fingerprint,
        report: &mut Report,
    ) -> Result<Marked, Stop> {
        let nothing = std::collections::BTreeMap::new();
        let field = self.primary.field;
        let current = seen.and_then(|seen| match seen.field(field, None) {
            Content::Token { fingerprint, .. } => Some(fingerprint),
            _ => None,
        });
        let version = seen.map_or(0, |seen| seen.version);
        let target = Target {
            token: current,
            version,
            custom_metadata: seen.map_or(&nothing, |seen| &seen.custom_metadata),
            purpose: Purpose::Replacement,
        };
        let mut choice = self.choose(&target).await?;
        choice.only_marks = true;
        self.mark_copies(&choice, report).await?;
        let holder = choice
            .spares
            .iter()
            .find(|spare| spare.holds(token))
            .cloned();
        let Some(spare) = holder.filter(|_| current != Some(*token)) else {
            return Ok(Marked {
                choice,
                marks: Vec::new(),
                at: Timestamp::MIN,
            });
        };
        let claim = match self.claim(&spare, &choice, version, report).await? {
            Claim::Unwritable(warning) => {
                report.once_written.push(*warning);
                self.claim_unmarked(&spare, &choice).await?
            }
            claim => claim,
        };
        match claim {
            Claim::Mine(claimed) => Ok(Marked {
                at: claimed.at,
                marks: claimed.marks,
                choice,
            }),
            Claim::Taken(why) => Err(Stop::new(
                format!("Token of {} was not stored", self.primary),
                text!("The spare {} holds the same token.", spare.path)
                    + why
                    + "A token must be in only one primary, so nothing was stored. Mint another \
                       token and store that one.",
            )),
            Claim::Unwritable(_) => Err(self.stale()),
        }
    }

    /// Returns the latest time at which the write may be sent, by the wall clock; `None` if the
    /// marks are already too old by Vault's clock. Without marks, there is no limit.
    pub(in crate::provider) fn latest(&self, marked: &Marked) -> Option<Timestamp> {
        if marked.marks.is_empty() {
            return Some(Timestamp::MAX);
        }
        self.send_until(Some(marked.at))
    }

    /// Removes the marks of a store that is known not to have happened.
    pub(in crate::provider) async fn unmark(&self, marked: &Marked) {
        self.withdraw(&marked.marks).await;
    }

    /// Marks the spares that hold the token that was stored.
    pub(in crate::provider) async fn stored(
        &self,
        marked: &Marked,
        token: &Fingerprint,
        diagnostics: &mut Diagnostics,
    ) {
        let mut report = Report::default();
        self.mark_holders(&marked.choice, token, &mut report).await;
        diagnostics.extend(report.at_once);
    }
}

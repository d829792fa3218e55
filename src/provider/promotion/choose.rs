//! Step 2: what the primary held before, which spares are usable, and in which order.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use futures_util::future::join_all;

use super::claim::new_mark;
use super::stop::{Stop, replaced};
use super::{Promotion, Told, stop};
use crate::protocol::Diagnostic;
use crate::provider::secrets::observe::{Field as Content, Observed};
use crate::provider::secrets::spares::{Look, Spares, claimed, named};
use crate::provider::secrets::stamps::{Noted, note};
use crate::token::expiry::{Status, status_at};
use crate::token::fingerprint::Fingerprint;
use crate::token::mark::MarkState;
use crate::token::paths::FieldPath;
use crate::token::pool::SpareFacts;
use crate::token::promotable::{Purpose, promotable};
use crate::vault::VaultError;

/// How many older versions of the primary are looked at.
const HISTORY: u64 = 20;
/// Bytes of a list of spares after which the others are counted.
const LISTED: usize = 4096;

/// A spare that can be promoted.
pub(super) struct Candidate(Look);

impl Candidate {
    /// Returns its path in the mount.
    pub(super) fn path(&self) -> &str {
        &self.0.facts.path
    }

    /// Returns what was seen there.
    pub(super) fn look(&self) -> &Look {
        &self.0
    }
}

/// The usable spares in promotion order, and why the others are not.
pub(in crate::provider) struct Choice {
    candidates: Vec<Candidate>,
    refused: Vec<(String, String)>,
    copies: Vec<String>,
}

impl Choice {
    /// Returns the paths of the usable spares, the best one first.
    pub(in crate::provider) fn paths(&self) -> impl Iterator<Item = &str> {
        self.candidates.iter().map(Candidate::path)
    }

    /// Returns the best spare that was not passed over.
    pub(super) fn next(&self, passed_over: &[(String, String)]) -> Option<&Candidate> {
        self.candidates
            .iter()
            .find(|spare| passed_over.iter().all(|(path, _)| path != spare.path()))
    }

    /// Says why no spare will do.
    pub(super) fn nothing_usable(
        &self,
        promotion: &Promotion<'_>,
        passed_over: &[(String, String)],
    ) -> Stop {
        let primary = promotion.primary;
        let refused = list(self.refused.iter().chain(passed_over));
        let cause = if refused.is_empty() {
            "spare_paths names no spare. ".to_owned()
        } else {
            format!("No spare is left:\n{refused}")
        };
        let next = if promotion.is_action() {
            "A token in the primary leaves nothing to do; with one in a spare, invoke the action \
             again:\n\n    terraform apply -invoke=action.claude_promote_spare.NAME"
        } else {
            "Then apply again."
        };
        let detail = format!(
            "{cause}Mint a token with `claude setup-token` in a terminal at least 300 columns \
             wide and store it in a spare, or in the primary itself as here:{}{next}",
            primary.store_commands(),
        );
        Stop::new(format!("No spare for {primary}"), detail)
    }

    /// Says for each spare that is not usable why, a line each; private data may have it.
    pub(in crate::provider) fn refusals(&self) -> String {
        list(self.refused.iter())
    }
}

/// Lists paths with what is wrong about them, as many as a screen takes.
fn list<'a>(refused: impl Iterator<Item = &'a (String, String)>) -> String {
    let mut text = String::new();
    let mut more = 0_usize;
    for (path, why) in refused {
        let entry = format!("- {path}: {why}\n");
        let fits = text.is_empty() || text.len() + entry.len() <= LISTED;
        if fits && more == 0 {
            text.push_str(&entry);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        let _ = writeln!(text, "- and {more} more");
    }
    text
}

/// Says why spares could not be looked at. The advice for the first holds for all that failed
/// alike, each with its own path in it, so that it is given once.
fn unreadable(failed: Vec<(&String, Diagnostic)>) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = Vec::new();
    let mut refused = Vec::new();
    for (path, error) in failed {
        let detail = error.detail.trim_end().to_owned();
        let alike = told
            .iter()
            .find(|(first, advice)| detail == advice.replace(first, path));
        let why = if let Some((first, _)) = alike {
            format!("{}, as that of {first}", error.summary)
        } else {
            told.push((path.clone(), detail.clone()));
            detail
        };
        refused.push((path.clone(), why));
    }
    refused
}

impl Promotion<'_> {
    /// Reads history and spares, and puts the usable ones in order. `token` and `version` are
    /// those of the primary.
    pub(in crate::provider) async fn choose(
        &self,
        token: Option<Fingerprint>,
        version: u64,
    ) -> Result<Choice, Stop> {
        let field_path = self.field_path();
        let (held, looks) = tokio::join!(self.held(version), self.look_at_all(&field_path));
        let mut held = held?;
        held.extend(token);
        let (looks, mut refused) = looks;
        let copies = looks
            .iter()
            .filter(|look| token.is_some_and(|token| is_open_copy(look, token)))
            .map(|look| look.facts.path.clone())
            .collect();
        let facts: Vec<SpareFacts> = looks.iter().map(|look| look.facts.clone()).collect();
        let purpose = self.reason.purpose();
        let now = self.configured.now();
        let order: Vec<String> = promotable(&facts, &field_path, &held, purpose, now)
            .into_iter()
            .map(|spare| spare.path.to_owned())
            .collect();
        let (usable, others): (Vec<_>, Vec<_>) = looks
            .into_iter()
            .partition(|look| order.contains(&look.facts.path));
        let mut candidates: Vec<_> = usable.into_iter().map(Candidate).collect();
        candidates.sort_by_key(|spare| order.iter().position(|path| path == spare.path()));
        refused.extend(
            others
                .iter()
                .map(|look| (look.facts.path.clone(), self.why_not(look, &held, now))),
        );
        Ok(Choice {
            candidates,
            refused,
            copies,
        })
    }

    /// Marks the spares that hold the primary's present token: the copies stay out for good, as
    /// those of a leaked token must.
    pub(super) async fn mark_copies(
        &self,
        choice: &Choice,
        token: Fingerprint,
        version: u64,
        told: &mut Told,
    ) -> Result<(), Stop> {
        for path in &choice.copies {
            let secret = named(self.primary.secret.mount(), path).map_err(Stop::from_diagnostic)?;
            let (key, value) = new_mark(self, token, version)?;
            let changes = [(key, Some(value))].into();
            match note(self.observer.store(), &secret, &changes).await {
                Ok(Noted::Merged) => {}
                Ok(Noted::Replaced) => told.at_once.push(replaced(self.primary, path)),
                Err(
                    error @ (VaultError::Forbidden { .. } | VaultError::PatchUnsupported { .. }),
                ) => {
                    told.once_written
                        .push(stop::without_marks(self.primary, Some(&error)));
                }
                Err(error) => return Err(Stop::vault(&error, &secret.to_string())),
            }
            self.observer.forget(&secret);
        }
        Ok(())
    }

    /// Returns how spares are looked at for this primary.
    pub(super) fn spares<'a>(&'a self, primary: &'a FieldPath) -> Spares<'a> {
        Spares {
            configured: self.configured,
            observer: self.observer,
            mount: self.primary.secret.mount(),
            field: self.primary.field,
            lifetime: self.lifetime,
            primary: Some(primary),
            anew: self.anew,
        }
    }

    async fn look_at_all(&self, primary: &FieldPath) -> (Vec<Look>, Vec<(String, String)>) {
        let spares = self.spares(primary);
        let looks = self.spare_paths.iter().map(|path| spares.look(path, None));
        let mut seen = Vec::new();
        let mut failed = Vec::new();
        for (path, look) in self.spare_paths.iter().zip(join_all(looks).await) {
            match look {
                Ok(look) => seen.push(look),
                Err(error) => failed.push((path, error)),
            }
        }
        (seen, unreadable(failed))
    }

    /// Returns the tokens of the primary's older versions.
    async fn held(&self, current: u64) -> Result<BTreeSet<Fingerprint>, Stop> {
        let versions = (current.saturating_sub(HISTORY).max(1)..current).rev();
        let reads = versions.map(|version| async move {
            match self
                .observer
                .observe_version(self.primary.secret, version)
                .await
            {
                Ok(Observed::Present(document)) => {
                    match document.field(self.primary.field, self.prior.fingerprint.as_ref()) {
                        Content::Token { fingerprint, .. } => Ok(Some(fingerprint)),
                        _ => Ok(None),
                    }
                }
                Ok(_) | Err(VaultError::Forbidden { .. }) => Ok(None),
                Err(error) => Err(Stop::vault(
                    &error,
                    &format!("version {version} of {}", self.primary.secret),
                )),
            }
        });
        let held: Result<Vec<_>, Stop> = join_all(reads).await.into_iter().collect();
        Ok(held?.into_iter().flatten().collect())
    }

    fn why_not(&self, look: &Look, held: &BTreeSet<Fingerprint>, now: jiff::Timestamp) -> String {
        let Some(token) = look.spare_token() else {
            return look
                .problem
                .as_deref()
                .map_or("there is no token.", str::trim_end)
                .to_owned();
        };
        if held.contains(&token.fingerprint) {
            return "the primary has held its token already.".to_owned();
        }
        if let Some(why) = claimed(look, self.primary.secret.mount(), Some(&self.field_path())) {
            return why;
        }
        match status_at(&token.dates, now) {
            Status::Expired => format!("its token expired {}.", token.dates.expires_at_text()),
            Status::RotationDue if self.reason.purpose() == Purpose::RotationDue => format!(
                "its token is due itself: it expires {}.",
                token.dates.expires_at_text()
            ),
            _ => "another primary was faster.".to_owned(),
        }
    }
}

/// Tells whether a spare holds this token and is not spent yet.
fn is_open_copy(look: &Look, token: Fingerprint) -> bool {
    look.spare_token().is_some_and(|spare| {
        spare.fingerprint == token
            && spare
                .marks
                .iter()
                .all(|mark| mark.state != MarkState::Spent)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::diagnose::vault_error;

    #[test]
    fn a_list_of_many_spares_ends_with_their_number() {
        let refused: Vec<_> = (0..100)
            .map(|number| (format!("spare-{number}"), "there is no token.".repeat(10)))
            .collect();
        assert_eq!(list(refused[..0].iter()), "");
        let whole = list(refused[..2].iter());
        assert_eq!(whole.lines().count(), 2, "{whole}");
        let cut = list(refused.iter());
        assert!(cut.len() < LISTED + 30, "{}", cut.len());
        let named = cut.lines().count() - 1;
        assert!(
            cut.ends_with(&format!("- and {} more\n", 100 - named)),
            "{cut}"
        );
    }

    #[test]
    fn spares_that_are_denied_alike_share_the_lines_that_grant_it() {
        let denied = |path: &str, capability| VaultError::Forbidden {
            api_path: format!("secret/data/{path}"),
            capability,
            errors: Vec::new(),
        };
        let names: Vec<_> = (1..=20)
            .map(|number| format!("team/spare-{number}"))
            .collect();
        let failed = names.iter().map(|path| {
            let error = denied(path, if path.ends_with("-3") { "list" } else { "read" });
            (path, vault_error(&error, &format!("secret/{path}#token")))
        });
        let text = list(unreadable(failed.collect()).iter());
        assert!(text.len() <= LISTED, "{}", text.len());
        assert_eq!(text.matches("- team/spare-").count(), 20, "{text}");
        for (number, capability) in [(1, "read"), (3, "list")] {
            let path = format!("team/spare-{number}");
            let whole = format!(
                "- {path}: {}\n",
                vault_error(&denied(&path, capability), "").detail
            );
            assert!(text.contains(&whole), "{text}");
        }
        assert_eq!(text.matches("capabilities = ").count(), 2, "{text}");
        assert!(
            text.contains(
                "- team/spare-20: Vault denied access: secret/team/spare-20#token, as that of \
                 team/spare-1\n"
            ),
            "{text}"
        );
    }
}

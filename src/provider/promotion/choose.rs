//! Step 2: what the primary held before, which spares are usable, and in which order.

mod refusals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{Promotion, Stop, Tried};
use crate::protocol::Text;
use crate::provider::observe::unusable::Unusable;
use crate::provider::observe::{Content, Observed};
use crate::provider::secrets::spares::{Readings, Spares};
use crate::token::fingerprint::Fingerprint;
use crate::token::paths::FieldPath;
use crate::token::retired::{Retired, RetiredTokens};
use crate::token::spare::{
    Knowledge, PrimaryToken, PrimaryTokens, Purpose, Question, ReadSpare, date_alike,
};
use crate::token::stamp::Next;
use crate::token::verdict::Verdict;
use crate::vault::VaultError;

/// How many older versions of the primary are read.
const HISTORY: u64 = 30;

/// What spares are chosen for.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Target<'a> {
    /// The primary's token, if it has one.
    pub(in crate::provider) token: Option<Fingerprint>,
    /// The primary's version.
    pub(in crate::provider) version: u64,
    /// Its metadata.
    pub(in crate::provider) custom_metadata: &'a BTreeMap<String, String>,
    /// What a spare is needed for.
    pub(in crate::provider) purpose: Purpose,
}

/// The spares as they were read, and which of them can be promoted.
pub(in crate::provider) struct Choice {
    pub(super) readings: Readings,
    /// The spares. All copies of a token have the earliest of their dates.
    pub(super) spares: Vec<ReadSpare>,
    pub(super) purpose: Purpose,
    now: Timestamp,
    /// Whether only marks of other primaries are an obstacle, as when a token is stored.
    pub(super) only_marks: bool,
    /// The primary's older versions with a token.
    versions: Vec<(Fingerprint, Timestamp)>,
    /// Whether the server keeps only the current version of the primary.
    pub(super) keeps_one: bool,
    mount: String,
    field: String,
}

impl Choice {
    pub(super) fn knowledge(&self) -> &Knowledge {
        &self.readings.knowledge
    }

    pub(super) fn question<'a>(&self, knowledge: &'a Knowledge) -> Question<'a> {
        Question {
            knowledge,
            purpose: self.purpose,
            now: self.now,
        }
    }

    /// Returns the paths of the usable spares, the best one first.
    pub(in crate::provider) fn paths(&self) -> impl Iterator<Item = &str> {
        let usable = self
            .question(self.knowledge())
            .promotable(&self.spares, |_| true);
        usable.into_iter().map(|spare| spare.path.as_str())
    }

    /// Returns the best spare that was not passed over.
    pub(super) fn next(&self, tried: &Tried) -> Option<&ReadSpare> {
        let is_writable = |path: &str| !tried.unwritable.contains_key(path);
        self.question(self.knowledge())
            .promotable(&self.spares, is_writable)
            .into_iter()
            .find(|spare| {
                spare
                    .token()
                    .is_some_and(|token| !tried.passed_over.contains_key(&token.fingerprint))
            })
    }

    /// Returns the paths of all spares that hold the token of this one.
    pub(super) fn holders(&self, spare: &ReadSpare) -> Vec<String> {
        let Some(token) = spare.token() else {
            return Vec::new();
        };
        let holders = self
            .spares
            .iter()
            .filter(|spare| spare.holds(&token.fingerprint));
        holders.map(|spare| spare.path.clone()).collect()
    }

    /// Returns the tokens of the primary's older versions, to be retired.
    pub(super) fn retired_versions(&self) -> RetiredTokens {
        let primary = self.knowledge().primary.as_ref();
        let versions = self
            .versions
            .iter()
            .filter(|(fingerprint, _)| primary.is_none_or(|primary| !primary.holds(fingerprint)));
        versions
            .map(|(fingerprint, created_at)| Retired::new(fingerprint, Some(*created_at)))
            .collect()
    }

    /// Returns the path of a spare in which a new token can be stored: its secret is not deleted.
    pub(in crate::provider) fn refillable(&self) -> Option<&str> {
        let spares = self.readings.read.iter().zip(&self.spares);
        let mut refillable = spares.filter(|(reading, _)| {
            let problem = reading.problem.as_ref();
            !matches!(problem, Some(Unusable::Deleted(_) | Unusable::Destroyed(_)))
        });
        refillable.next().map(|(_, spare)| spare.path.as_str())
    }
}

impl Tried {
    /// Excludes a token from now on.
    pub(super) fn pass_over(&mut self, spare: &ReadSpare, why: Text) {
        if let Some(token) = spare.token() {
            let reason = (spare.path.clone(), why);
            self.passed_over.insert(token.fingerprint, reason);
        }
    }
}

impl Promotion<'_> {
    /// Reads history and spares, and finds out which of them can be promoted.
    pub(in crate::provider) async fn choose(&self, target: &Target<'_>) -> Result<Choice, Stop> {
        let field_path = self.field_path();
        let spares = self.spares(&field_path);
        let paths = self.spare_paths.iter().map(|path| (path, None));
        let (versions, mut readings) =
            tokio::join!(self.versions(target.version), spares.read_all(paths));
        let (versions, keeps_one) = versions?;
        let knowledge = &mut readings.knowledge;
        let held = self.held(target, &versions);
        knowledge.primary = Some(PrimaryTokens {
            id: field_path,
            current: target.token.map(|fingerprint| PrimaryToken {
                fingerprint,
                dates: None,
                account: None,
            }),
            held,
        });
        for (fingerprint, primary) in &self.remembered.spent {
            knowledge.add_spent(*fingerprint, primary.clone());
        }
        let now = self.configured.server_now();
        let verdict = Verdict::read(self.primary.field, target.custom_metadata);
        if let Some(verdict) = verdict.filter(|verdict| verdict.at <= now) {
            knowledge.add_verdict(verdict);
        }
        let mut spares = readings.spares();
        date_alike(&mut spares, self.lifetime, []);
        Ok(Choice {
            readings,
            spares,
            purpose: target.purpose,
            now: self.configured.now(),
            only_marks: false,
            versions,
            keeps_one,
            mount: self.primary.secret.mount().to_owned(),
            field: self.primary.field.to_owned(),
        })
    }

    /// Returns the tokens that the primary held before; its current token is one of them only if
    /// it was retired.
    fn held(
        &self,
        target: &Target<'_>,
        versions: &[(Fingerprint, Timestamp)],
    ) -> BTreeSet<crate::token::ShortFingerprint> {
        let field = self.primary.field;
        let retired = RetiredTokens::read(field, target.custom_metadata);
        let next = target
            .token
            .and_then(|token| Next::live(field, target.custom_metadata, &token));
        versions
            .iter()
            .filter(|(fingerprint, _)| Some(*fingerprint) != target.token)
            .map(|(fingerprint, _)| fingerprint.short())
            .chain(retired.iter().map(|retired| retired.fingerprint))
            .chain(
                self.remembered
                    .retired
                    .iter()
                    .map(|retired| retired.fingerprint),
            )
            .chain(next.and_then(|next| Some(next.replaces?.fingerprint)))
            .collect()
    }

    /// Returns how spares are read for this primary.
    pub(super) fn spares<'a>(&'a self, primary: &'a FieldPath) -> Spares<'a> {
        Spares {
            configured: self.configured,
            observer: self.observer,
            mount: self.primary.secret.mount(),
            field: self.primary.field,
            lifetime: self.lifetime,
            primary: Some(primary),
            reread: self.reread,
        }
    }

    /// Returns the tokens of the primary's older versions with the time at which each version was
    /// created, and whether the version before the current one was pruned (as it is with
    /// `max_versions = 1`).
    async fn versions(&self, current: u64) -> Result<(Vec<(Fingerprint, Timestamp)>, bool), Stop> {
        let keeps_one = AtomicBool::new(false);
        let keeps_one = &keeps_one;
        let versions = (current.saturating_sub(HISTORY).max(1)..current).rev();
        let reads = versions.map(|version| async move {
            match self
                .observer
                .observe_version(self.primary.secret, version)
                .await
            {
                Ok(Observed::Present(document)) => {
                    match document.field(self.primary.field, self.prior.fingerprint.as_ref()) {
                        Content::Token { fingerprint, .. } => {
                            Ok(Some((fingerprint, document.created_at)))
                        }
                        _ => Ok(None),
                    }
                }
                Ok(observed) => {
                    if version + 1 == current && matches!(observed, Observed::Absent) {
                        keeps_one.store(true, Ordering::Relaxed);
                    }
                    Ok(None)
                }
                Err(VaultError::Forbidden { .. }) => Ok(None),
                Err(error) => Err(Stop::vault(
                    &error,
                    &format!("version {version} of {}", self.primary.secret),
                )),
            }
        });
        let versions: Result<Vec<_>, Stop> = join_all(reads).await.into_iter().collect();
        let versions = versions?.into_iter().flatten().collect();
        Ok((versions, keeps_one.load(Ordering::Relaxed)))
    }
}

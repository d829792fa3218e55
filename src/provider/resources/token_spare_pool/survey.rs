//! One look at all spares and their primary, side by side.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::join_all;
use jiff::Timestamp;

use super::model::{LastGood, Private, Spare, SparePrivate, TokenSparePool};
use super::primary::Primary;
use super::report;
use crate::protocol::{Diagnostic, Number};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose;
use crate::provider::secrets::observe::Observer;
use crate::provider::secrets::spares::{Known, Look, Spares, claimed};
use crate::sdk::{Diagnostics, Field};
use crate::token::expiry::{Dates, Lifetime};
use crate::token::fingerprint::Fingerprint;
use crate::token::instant::{format_instant, parse_instant};
use crate::token::mint::{Dated, MintSource};
use crate::token::pool::{Pool, PoolFacts, Slot, assess};

/// What a survey found, ready for the state.
pub(super) struct Survey {
    /// Every spare by path.
    pub(super) spares: BTreeMap<String, Spare>,
    /// The verdict on the pool.
    pub(super) pool: Pool,
    /// What travels beside the state.
    pub(super) private: Private,
    /// What is new and worth telling.
    pub(super) diagnostics: Diagnostics,
}

impl Survey {
    /// Writes the findings into a model.
    pub(super) fn record(&self, state: &mut TokenSparePool) {
        state.spares = Field::Known(self.spares.clone());
        state.available_paths = Field::Known(self.pool.available_paths.clone());
        state.available_count = Field::Known(Number::from(self.pool.available_count() as u64));
        state.runway_until = self.pool.runway_until.map(format_instant).into();
    }
}

/// How a survey goes about it.
pub(super) struct Surveyor<'a> {
    /// The context.
    pub(super) configured: &'a Configured,
    /// Who reads.
    pub(super) observer: &'a Observer,
    /// Whether what was seen before is not good enough.
    pub(super) anew: bool,
}

impl Surveyor<'_> {
    /// Looks at everything that `state` names; what it knows of a token already is kept.
    ///
    /// # Errors
    ///
    /// Tells of every secret that could not be read.
    pub(super) async fn survey(
        &self,
        state: &TokenSparePool,
        private: &Private,
    ) -> Result<Survey, Diagnostics> {
        let Some(lifetime) = state.days().lifetime().map_err(|error| vec![error])? else {
            return Err(vec![diagnose::not_configured("lifetime_days", "A pool")]);
        };
        let spares = Spares {
            configured: self.configured,
            observer: self.observer,
            mount: state.mount.as_str().unwrap_or_default(),
            field: state.field.as_str().unwrap_or_default(),
            lifetime,
            primary: None,
            anew: self.anew,
        };
        let paths = state.known_paths().unwrap_or_default();
        let recorded: Vec<_> = paths
            .iter()
            .map(|path| recorded_spare(state, private, path))
            .collect();
        let looks = paths
            .iter()
            .zip(&recorded)
            .map(|(path, spare)| spares.look(path, spare.as_ref().and_then(known)));
        let primary = async {
            match state.primary_path.as_str() {
                Some(path) => Primary::look(&spares, path, private.primary.as_ref())
                    .await
                    .map(Some),
                None => Ok(None),
            }
        };
        let (looks, primary) = tokio::join!(join_all(looks), primary);
        let mut errors = Diagnostics::new();
        let mut found = Vec::new();
        for look in looks {
            match look {
                Ok(look) => found.push(look),
                Err(error) => errors.push(error),
            }
        }
        let primary = primary.unwrap_or_else(|error| {
            errors.push(error);
            None
        });
        if !errors.is_empty() {
            return Err(merged(errors));
        }
        for (look, recorded) in found.iter_mut().zip(&recorded) {
            let before = private.spares.get(&look.facts.path);
            let now = self.configured.now();
            keep_deletion(look, recorded.as_ref(), before, lifetime, now);
        }
        date_copies_alike(&mut found, primary.as_ref(), lifetime);
        Ok(self.judge(state, private, found, &recorded, primary, lifetime))
    }

    fn judge(
        &self,
        state: &TokenSparePool,
        private: &Private,
        found: Vec<Look>,
        recorded: &[Option<Spare>],
        primary: Option<Primary>,
        lifetime: Lifetime,
    ) -> Survey {
        let walked = primary.as_ref().and_then(|found| found.walked.clone());
        let primary = primary.map(|primary| primary.into_token(lifetime));
        let facts: Vec<_> = found.iter().map(|look| look.facts.clone()).collect();
        let pool = assess(
            &PoolFacts {
                spares: &facts,
                field: state.field.as_str().unwrap_or_default(),
                primary: primary.as_ref(),
                rotate_before_days: lifetime.rotate_before_days(),
            },
            self.configured.now(),
        );
        let mut survey = Survey {
            spares: BTreeMap::new(),
            private: Private {
                spares: BTreeMap::new(),
                primary: walked,
                mount_unknown: self
                    .configured
                    .leaves_mount(&state.mount, private.mount_unknown),
            },
            diagnostics: self
                .configured
                .skew_warning()
                .into_iter()
                .chain(
                    pool.expires_with_primary
                        .then(|| report::expires_with_primary(state)),
                )
                .collect(),
            pool,
        };
        let known = found.into_iter().zip(recorded);
        for ((look, recorded), verdict) in known.zip(&survey.pool.spares) {
            let mut spare = spare_of(&look, recorded.as_ref());
            spare.status = Field::text(verdict.status.as_str());
            spare.promoted_to = verdict.promoted_to.as_ref().map(ToString::to_string).into();
            spare.duplicate_of = verdict.duplicate_of.clone().into();
            survey.spares.insert(verdict.path.clone(), spare);
            let mount = state.mount.as_str().unwrap_or_default();
            let token = look.spare_token();
            let private = SparePrivate {
                deletion_at: look.token.as_ref().and_then(|around| around.deletion_at),
                problem: look.problem.clone().or_else(|| claimed(&look, mount, None)),
                last_good: match token {
                    Some(_) => None,
                    None => recorded.as_ref().and_then(LastGood::of),
                },
            };
            survey.private.spares.insert(verdict.path.clone(), private);
            survey.diagnostics.extend(look.diagnostics);
        }
        survey
    }
}

/// Tells once what is true of many secrets, such as of all when the server is not there.
fn merged(errors: Diagnostics) -> Diagnostics {
    let mut merged: Vec<(Diagnostic, usize)> = Vec::new();
    for error in errors {
        match merged
            .iter_mut()
            .find(|(first, _)| first.detail == error.detail)
        {
            Some((_, more)) => *more += 1,
            None => merged.push((error, 0)),
        }
    }
    merged
        .into_iter()
        .map(|(mut error, more)| {
            if more > 0 {
                let rest = format!("So it is with {more} more of this pool.");
                diagnose::add(&mut error.detail, &rest);
            }
            error
        })
        .collect()
}

/// Writes down a spare; a token that is known already keeps its version.
fn spare_of(look: &Look, known: Option<&Spare>) -> Spare {
    let (Some(token), Some(around)) = (look.spare_token(), &look.token) else {
        return Spare::default();
    };
    let fingerprint = Field::text(token.fingerprint.to_string());
    let kv_version = known
        .filter(|known| known.fingerprint == fingerprint)
        .map_or_else(
            || Field::Known(Number::from(around.version)),
            |known| known.kv_version.clone(),
        );
    Spare {
        fingerprint,
        kv_version,
        minted_at: Field::text(token.dates.minted_at_text()),
        minted_at_source: Field::text(around.source.as_str()),
        expires_at: Field::text(token.dates.expires_at_text()),
        expires_at_unix: Field::Known(Number::from(token.dates.expires_at_unix())),
        rotate_at: Field::text(token.dates.rotate_at_text()),
        ..Spare::default()
    }
}

/// Returns what is recorded of a spare: in state, or of the token that was good before a bad
/// paste.
fn recorded_spare(state: &TokenSparePool, private: &Private, path: &str) -> Option<Spare> {
    let spare = state.spares.known()?.get(path)?;
    if !spare.fingerprint.is_null() {
        return Some(spare.clone());
    }
    private
        .spares
        .get(path)
        .and_then(|private| private.last_good.as_ref())
        .map(LastGood::spare)
}

/// Puts the deletion that counts in the place of the one that was found, for a token that was seen
/// before. The dates follow in [`date_copies_alike`].
fn keep_deletion(
    look: &mut Look,
    recorded: Option<&Spare>,
    before: Option<&SparePrivate>,
    lifetime: Lifetime,
    now: Timestamp,
) {
    if let (Slot::Token(token), Some(around)) = (&look.facts.slot, &mut look.token)
        && let Some(before) = before.filter(|before| before.last_good.is_none())
        && recorded
            .and_then(known)
            .is_some_and(|known| known.fingerprint == token.fingerprint)
    {
        around.deletion_at = Dates::deletion_of_known(
            token.dates.minted_at,
            lifetime,
            before.deletion_at,
            around.deletion_at,
            now,
        );
    }
}

/// Gives every holder of one token the earliest mint time that any of them tells: a copy is as
/// old as its original.
fn date_copies_alike(found: &mut [Look], primary: Option<&Primary>, lifetime: Lifetime) {
    let mut earliest: HashMap<Fingerprint, (Timestamp, MintSource)> = HashMap::new();
    let mut tell = |fingerprint, at, source| {
        let known = earliest.entry(fingerprint).or_insert((at, source));
        if at < known.0 {
            *known = (at, source);
        }
    };
    for look in found.iter() {
        if let (Some(token), Some(around)) = (look.spare_token(), &look.token) {
            tell(token.fingerprint, token.dates.minted_at, around.source);
        }
    }
    if let Some(token) = primary.and_then(|primary| primary.token.as_ref()) {
        tell(token.fingerprint, token.dated.at, token.dated.source);
    }
    for look in found {
        if let Slot::Token(token) = &mut look.facts.slot
            && let Some(around) = &mut look.token
            && let Some((at, source)) = earliest.get(&token.fingerprint)
        {
            token.dates = Dates::new(*at, lifetime, around.deletion_at);
            around.source = *source;
        }
    }
}

/// Returns what a recorded spare says of its token.
fn known(spare: &Spare) -> Option<Known> {
    let dated = || {
        Some(Dated {
            at: parse_instant(spare.minted_at.as_str()?).ok()?,
            source: MintSource::parse(spare.minted_at_source.as_str()?)?,
        })
    };
    Some(Known {
        fingerprint: spare.fingerprint.as_str()?.parse().ok()?,
        dated: dated(),
    })
}

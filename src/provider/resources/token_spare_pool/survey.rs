//! One read of all spares and their primary, in parallel.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::model::{LastGood, Private, Problem, Spare, SparePrivate, TokenSparePool};
use super::primary::Primary;
use super::report;
use super::wiped::Wiped;
use crate::protocol::{Diagnostic, Number};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::Observer;
use crate::provider::secrets::spares::{Known, Readings, Spares};
use crate::provider::secrets::stamps::NewStamp;
use crate::random::random_u64;
use crate::sdk::{Diagnostics, Field};
use crate::token::expiry::{Dates, Lifetime};
use crate::token::instant::{format_instant, parse_instant};
use crate::token::mark::Mark;
use crate::token::mint::{Dated, MintSource};
use crate::token::paths::FieldPath;
use crate::token::pool::{Pool, PoolFacts, SpareStatus, assess};
use crate::token::spare::{ReadSpare, ReadToken, Slot, Unusable, date_alike};
use crate::token::stamp::Stamp;

/// What a survey found, ready for the state.
pub(super) struct Survey {
    /// Every spare by path.
    pub(super) spares: BTreeMap<String, Spare>,
    /// The verdict on the pool.
    pub(super) pool: Pool,
    /// The private state.
    pub(super) private: Private,
    /// New findings to report.
    pub(super) diagnostics: Diagnostics,
    /// What state knows about tokens and the metadata of their secrets no longer shows.
    pub(super) wiped: Vec<Wiped>,
}

impl Survey {
    /// Returns all that a read reports.
    pub(super) fn take_diagnostics(&mut self) -> Diagnostics {
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        diagnostics.extend(self.wiped.iter().map(Wiped::warning));
        diagnostics
    }

    /// Writes the findings into a model.
    pub(super) fn record(&self, state: &mut TokenSparePool) {
        state.spares = Field::Known(self.spares.clone());
        state.available_paths = Field::Known(self.pool.available_paths.clone());
        state.available_count = Field::Known(Number::from(self.pool.available_count() as u64));
        state.runway_until = self.pool.runway_until.map(format_instant).into();
    }
}

/// How a survey reads.
pub(super) struct Surveyor<'a> {
    /// The context.
    pub(super) configured: &'a Configured,
    /// The observer, which reads the secrets.
    pub(super) observer: &'a Observer,
    /// Whether secrets that were read before are read again.
    pub(super) reread: bool,
}

impl Surveyor<'_> {
    /// Reads everything that `state` names; what it already knows about a token is kept.
    ///
    /// # Errors
    ///
    /// Fails if a secret cannot be read, and reports every such secret.
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
            reread: self.reread,
        };
        let paths = state.known_paths().unwrap_or_default();
        let recorded: Vec<_> = paths
            .iter()
            .map(|path| recorded_spare(state, private, path))
            .collect();
        let reads = spares.read_all(
            paths
                .iter()
                .zip(recorded.iter().map(|spare| spare.as_ref().and_then(known))),
        );
        let primary = async {
            match state.primary_path.as_str() {
                Some(path) => {
                    let (walked, held) = (private.primary.as_ref(), private.held.as_ref());
                    Primary::read(&spares, path, walked, held).await.map(Some)
                }
                None => Ok(None),
            }
        };
        let (mut readings, primary) = tokio::join!(reads, primary);
        let failed = std::mem::take(&mut readings.failed);
        let mut errors: Diagnostics = failed.into_iter().map(|(_, error)| error).collect();
        let primary = primary.unwrap_or_else(|error| {
            errors.push(error);
            None
        });
        if !errors.is_empty() {
            return Err(merged(errors));
        }
        let now = self.configured.now();
        for (reading, recorded) in readings.read.iter_mut().zip(&recorded) {
            let before = private.spares.get(&reading.spare.path);
            keep_deletion(&mut reading.spare, recorded.as_ref(), before, lifetime, now);
        }
        Ok(self.judge(state, private, readings, &recorded, primary, lifetime))
    }

    fn judge(
        &self,
        state: &TokenSparePool,
        private: &Private,
        mut readings: Readings,
        recorded: &[Option<Spare>],
        primary: Option<Primary>,
        lifetime: Lifetime,
    ) -> Survey {
        let walked = primary.as_ref().and_then(|found| found.walked.clone());
        let held = primary.as_ref().and_then(|found| found.held.clone());
        let dated = primary.as_ref().and_then(|primary| {
            let token = primary.token.as_ref()?;
            Some((token.fingerprint, token.dated))
        });
        let mut spares = readings.spares();
        date_alike(&mut spares, lifetime, dated);
        let field = state.field.as_str().unwrap_or_default();
        let lost = primary.as_ref().map(Primary::lost).unwrap_or_default();
        let tokens = primary.map(|primary| primary.into_tokens(field, lifetime));
        readings.knowledge.primary = tokens.clone().map(|mut tokens| {
            tokens.held.retain(|token| !lost.contains(token));
            tokens
        });
        let bare = assess(
            &PoolFacts {
                spares: &spares,
                knowledge: &readings.knowledge,
            },
            self.configured.now(),
        );
        readings.knowledge.primary = tokens;
        for (token, primary) in &private.spent {
            if let (Ok(token), Ok(primary)) = (token.parse(), primary.parse()) {
                readings.knowledge.add_spent(token, primary);
            }
        }
        let facts = PoolFacts {
            spares: &spares,
            knowledge: &readings.knowledge,
        };
        let pool = assess(&facts, self.configured.now());
        let mut survey = Survey {
            spares: BTreeMap::new(),
            private: Private {
                spares: BTreeMap::new(),
                primary: walked,
                held,
                spent: private.spent.clone(),
                mount_unknown: self
                    .configured
                    .leaves_mount(&state.mount, private.mount_unknown),
            },
            diagnostics: self
                .configured
                .skew_warning()
                .into_iter()
                .chain(
                    pool.due_with_primary
                        .map(|due| report::due_with_primary(state, due)),
                )
                .chain(
                    pool.account_of_all
                        .as_ref()
                        .map(|account| report::one_account(state, account)),
                )
                .collect(),
            pool,
            wiped: Vec::new(),
        };
        let mount = state.mount.as_str().unwrap_or_default();
        let now = self.configured.server_date();
        let known = readings.read.into_iter().zip(&spares).zip(recorded);
        for (((reading, read), recorded), found) in known.zip(&survey.pool.spares) {
            let mut spare = spare_of(read, recorded.as_ref());
            spare.status = Field::text(found.status.as_str());
            spare.promoted_to = found.promoted_to.as_ref().map(ToString::to_string).into();
            spare.duplicate_of = found.duplicate_of.clone().into();
            survey.spares.insert(found.path.clone(), spare);
            if let (Some(token), Ok(secret)) = (read.token(), secret_path(mount, &found.path)) {
                let short = token.fingerprint.short().to_string();
                let mut entries = BTreeMap::new();
                if let Some(primary) = found.proven_spent() {
                    let is_shown = bare.spares.iter().any(|spare| {
                        spare.path == found.path && spare.status == SpareStatus::Spent
                    });
                    if !is_shown {
                        entries.extend(held_mark(field, token, primary, now));
                    }
                    survey.private.spent.insert(short, primary.to_string());
                }
                if recorded
                    .as_ref()
                    .is_some_and(|spare| was_stamped(spare, token))
                    && Stamp::live(field, &reading.custom_metadata, &token.fingerprint).is_none()
                {
                    let stamp = NewStamp::new(token.fingerprint, &token.dates);
                    let stamp = stamp.changes(field).into_iter();
                    entries.extend(stamp.filter_map(|(key, value)| Some((key, value?))));
                }
                if !entries.is_empty() && state.stamp_metadata.known() != Some(&false) {
                    let changes = entries.into_iter().map(|(key, value)| (key, Some(value)));
                    survey.wiped.push(Wiped {
                        secret: secret.clone(),
                        field: field.to_owned(),
                        custom_metadata: reading.custom_metadata.clone(),
                        changes: changes.collect(),
                    });
                }
                if found.status == SpareStatus::Available
                    && let Some(at) = token.deletion_at
                    && Dates::ends_with_version(token.dates.minted_at, lifetime, Some(at))
                {
                    let place = Place {
                        secret: &secret,
                        field,
                    };
                    survey.diagnostics.push(diagnose::deleted_early(place, at));
                }
            }
            let private = SparePrivate {
                deletion_at: read.token().and_then(|token| token.deletion_at),
                problem: reading.problem.map(Problem::NoToken).or_else(|| {
                    match found.why_not.clone()? {
                        Unusable::Barred(bar) => Some(Problem::Barred(bar)),
                        _ => None,
                    }
                }),
                last_good: match read.token() {
                    Some(_) => None,
                    None => recorded.as_ref().and_then(LastGood::of),
                },
            };
            survey.private.spares.insert(found.path.clone(), private);
            survey.diagnostics.extend(reading.diagnostics);
        }
        survey
    }
}

/// Returns the mark for a token that a primary holds or held; `None` if the system has no random
/// number.
fn held_mark(
    field: &str,
    token: &ReadToken,
    primary: &FieldPath,
    now: Timestamp,
) -> Option<(String, String)> {
    let mark = Mark {
        key: Mark::key(field, random_u64().ok()?),
        fingerprint: token.fingerprint.short(),
        version: 0,
        marked_at: now,
        primary: primary.clone(),
    };
    let value = mark.to_string();
    Some((mark.key, value))
}

/// Returns whether state knows the token by its stamp.
fn was_stamped(recorded: &Spare, token: &ReadToken) -> bool {
    recorded.fingerprint.as_str() == Some(token.fingerprint.to_string().as_str())
        && recorded.minted_at_source.as_str() == Some(MintSource::Stamp.as_str())
}

/// Merges errors that apply to many secrets, such as to all of them when the server is unreachable.
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
                let rest = format!("The same applies to {more} more secrets in this pool.");
                error.detail += rest;
            }
            error
        })
        .collect()
}

/// Records a spare. A token that is already known keeps its version.
fn spare_of(spare: &ReadSpare, known: Option<&Spare>) -> Spare {
    let Some(token) = spare.token() else {
        return Spare::default();
    };
    let fingerprint = Field::text(token.fingerprint.to_string());
    let kv_version = known
        .filter(|known| known.fingerprint == fingerprint)
        .map_or_else(
            || Field::Known(Number::from(token.version)),
            |known| known.kv_version.clone(),
        );
    Spare {
        fingerprint,
        kv_version,
        minted_at: Field::text(token.dates.minted_at_text()),
        minted_at_source: Field::text(token.source.as_str()),
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

/// Replaces the deletion that was read with the one that applies to a token that was seen before.
/// The dates follow in [`date_alike`].
fn keep_deletion(
    spare: &mut ReadSpare,
    recorded: Option<&Spare>,
    before: Option<&SparePrivate>,
    lifetime: Lifetime,
    now: Timestamp,
) {
    if let Slot::Token(token) = &mut spare.slot
        && let Some(before) = before.filter(|before| before.last_good.is_none())
        && recorded
            .and_then(known)
            .is_some_and(|known| known.fingerprint == token.fingerprint)
    {
        token.deletion_at = Dates::deletion_of_known(
            token.dates.minted_at,
            lifetime,
            before.deletion_at,
            token.deletion_at,
            now,
        );
    }
}

/// Returns what a recorded spare shows about its token.
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

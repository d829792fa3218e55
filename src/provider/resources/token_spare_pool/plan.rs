//! The plan: what follows from configuration, and whether the pool is short.
//!
//! It depends only on its request; see the plan of `claude_oauth_token`.

use std::collections::BTreeMap;

use super::TokenSparePoolResource;
use super::model::{Private, Spare, TokenSparePool};
use super::report::{is_short, paths_may_be_wrong, status, warnings};
use crate::protocol::{AttributePath, Number};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose;
use crate::sdk::{Failure, Field, PlanRequest, Planned};
use crate::token::expiry::{Dates, Lifetime};
use crate::token::instant::parse_instant;
use crate::token::pool::SpareStatus;

/// Plans an instance that is to exist.
pub(super) fn plan(
    configured: &Configured,
    request: PlanRequest<TokenSparePoolResource>,
) -> Result<Planned<TokenSparePoolResource>, Failure> {
    let PlanRequest {
        config,
        prior,
        private,
        ..
    } = request;
    let mount = config.mount.clone();
    let tokens = config.tokens_wo.clone();
    let mut planned = config.with_defaults(configured);
    let lifetime = planned
        .days()
        .lifetime()
        .map_err(|error| error.at(AttributePath::attribute("lifetime_days")))?;
    // A provider's mount that is not known during this plan is assumed to be unchanged.
    let undecided = configured.mount.is_unknown() || private.mount_unknown;
    if let Some(prior) = &prior
        && mount.is_null()
        && undecided
        && !prior.mount.is_null()
    {
        planned.mount = prior.mount.clone();
        planned = planned.derive();
    }
    let version = &planned.tokens_wo_version;
    let stores = version.known().is_some()
        && prior.as_ref().is_none_or(|prior| {
            prior.tokens_wo_version != *version
                || prior.mount != planned.mount
                || prior.field != planned.field
        });
    if stores && tokens.is_null() {
        return Err(diagnose::pool_tokens_needed().into());
    }
    if tokens.known().is_some() && version.is_null() {
        return Err(diagnose::pool_version_needed().into());
    }
    let Some(prior) = prior.filter(|prior| !starts_over(&planned, prior)) else {
        let diagnostics = paths_may_be_wrong(&planned);
        return Ok(Planned {
            planned: created(planned),
            private,
            diagnostics,
        });
    };
    let (planned, diagnostics) = match Change::between(&prior, &planned) {
        Change::None => {
            let planned = planned.with_spares_of(&prior);
            let diagnostics = warnings(&planned, &private);
            (short(planned), diagnostics)
        }
        change => (
            resurveyed(planned, &prior, &private, change, lifetime),
            Vec::new(),
        ),
    };
    Ok(Planned {
        planned,
        private,
        diagnostics,
    })
}

/// Reports whether nothing recorded applies any longer: another place, or tokens to be stored.
fn starts_over(planned: &TokenSparePool, prior: &TokenSparePool) -> bool {
    let version = &planned.tokens_wo_version;
    planned.mount != prior.mount
        || planned.field != prior.field
        || (!version.is_null() && *version != prior.tokens_wo_version)
}

/// The changes to the arguments that the verdicts depend on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    /// Only the days: only verdicts by date may change.
    Days,
    /// The paths or the primary: copies may appear or disappear.
    Members,
}

impl Change {
    fn between(prior: &TokenSparePool, planned: &TokenSparePool) -> Self {
        if planned.paths != prior.paths || planned.primary_path != prior.primary_path {
            Self::Members
        } else if planned.lifetime_days != prior.lifetime_days
            || planned.rotate_before_days != prior.rotate_before_days
        {
            Self::Days
        } else {
            Self::None
        }
    }

    /// Reports whether this change can give a spare another status.
    fn reaches(self, status: Option<SpareStatus>) -> bool {
        match status {
            Some(
                SpareStatus::Missing
                | SpareStatus::Malformed
                | SpareStatus::Spent
                | SpareStatus::Refused
                | SpareStatus::Unproven,
            ) => false,
            Some(SpareStatus::Duplicate) => self == Self::Members,
            Some(SpareStatus::Expired | SpareStatus::RotationDue | SpareStatus::Available)
            | None => true,
        }
    }
}

/// A new pool: only the apply reads Vault.
fn created(mut planned: TokenSparePool) -> TokenSparePool {
    planned.spares = planned
        .known_paths()
        .map(|paths| {
            paths
                .into_iter()
                .map(|path| (path, Spare::unknown()))
                .collect::<BTreeMap<_, _>>()
        })
        .map_or(Field::Unknown, Field::Known);
    planned.with_unknown_availability()
}

/// A pool whose spares are to be judged again: what the change cannot reach stays known.
fn resurveyed(
    mut planned: TokenSparePool,
    prior: &TokenSparePool,
    private: &Private,
    change: Change,
    lifetime: Option<Lifetime>,
) -> TokenSparePool {
    let known = prior.spares.known();
    planned.spares = planned
        .known_paths()
        .map(|paths| {
            paths
                .into_iter()
                .map(|path| {
                    let spare = match known.and_then(|known| known.get(&path)) {
                        Some(spare) => {
                            let deletion_at = private
                                .spares
                                .get(&path)
                                .and_then(|private| private.deletion_at);
                            let dates = |minted_at| {
                                lifetime
                                    .map(|lifetime| Dates::new(minted_at, lifetime, deletion_at))
                            };
                            rejudged(spare.clone(), change, dates)
                        }
                        None => Spare::unknown(),
                    };
                    (path, spare)
                })
                .collect::<BTreeMap<_, _>>()
        })
        .map_or(Field::Unknown, Field::Known);
    planned.with_unknown_availability()
}

fn rejudged(
    mut spare: Spare,
    change: Change,
    dates: impl FnOnce(jiff::Timestamp) -> Option<Dates>,
) -> Spare {
    let minted_at = spare
        .minted_at
        .as_str()
        .and_then(|text| parse_instant(text).ok());
    if let Some(minted_at) = minted_at {
        match dates(minted_at) {
            Some(dates) => {
                spare.expires_at = Field::text(dates.expires_at_text());
                spare.expires_at_unix = Field::Known(Number::from(dates.expires_at_unix()));
                spare.rotate_at = Field::text(dates.rotate_at_text());
            }
            None => {
                spare.expires_at = Field::Unknown;
                spare.expires_at_unix = Field::Unknown;
                spare.rotate_at = Field::Unknown;
            }
        }
    }
    if change.reaches(status(&spare)) {
        spare.status = Field::Unknown;
        if change == Change::Members {
            spare.duplicate_of = Field::Unknown;
        }
    }
    spare
}

/// Plans a shortage as a change: the unavailable spares are left to the apply, which reads them
/// again.
fn short(mut planned: TokenSparePool) -> TokenSparePool {
    let shown = match (is_short(&planned), planned.on_shortage.as_str()) {
        (Some(short), Some(choice)) => short && choice == "plan",
        // An argument that is not known yet may turn it into a shortage.
        (None, _) => true,
        (Some(short), None) => short,
    };
    if !shown {
        return planned;
    }
    if let Field::Known(spares) = &mut planned.spares {
        for spare in spares.values_mut() {
            if status(spare) != Some(SpareStatus::Available) {
                *spare = Spare::unknown();
            }
        }
    }
    planned.with_unknown_availability()
}

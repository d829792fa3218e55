//! Which of several mint times of a token applies.

use jiff::Timestamp;
use thiserror::Error;

use super::history::HistoryOutcome;
use super::instant::{DAY, format_instant, whole_seconds};
use crate::words::words;

words! {
    /// Where a mint time comes from.
    pub enum MintSource {
        /// The attribute `token_minted_at`.
        Config = "config",
        /// A stamp in the secret's metadata.
        Stamp = "stamp",
        /// The earliest trace of the token: a version of the secret, a retired entry, or a copy in a
        /// spare.
        History = "history",
        /// The same, but an earlier trace may exist that cannot be read.
        Estimated = "estimated",
        /// The spare that the token was promoted from.
        Promotion = "promotion",
    }
}

/// A mint time and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// When the token was minted.
    pub at: Timestamp,
    /// Where it comes from.
    pub source: MintSource,
}

/// How `token_minted_at` came to be bound to the token in the current plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Set in the plan that creates or imports the resource: a stamp overrides it.
    First,
    /// Set or changed on a resource that exists: it overrides everything.
    Changed,
}

/// The mint time that the configuration binds to the token in the current plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The value of `token_minted_at`.
    pub at: Timestamp,
    /// How it is bound.
    pub binding: Binding,
}

/// Every mint time that is recorded for one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MintFacts {
    /// `token_minted_at`, if this plan binds it to the token; `None` if it is unset or unchanged,
    /// since it then dates only the token that it was bound to, and no later one.
    pub configured: Option<Configured>,
    /// The mint time of a stamp whose fingerprint is the token's.
    pub stamp: Option<Timestamp>,
    /// The mint time in state, if its fingerprint is the token's.
    pub prior: Option<Dated>,
    /// The mint time that the secret's list of retired tokens has for this token.
    pub retired: Option<Timestamp>,
    /// What the spares show about this token.
    pub copies: Copies,
    /// The outcome of the walk through the secret's versions, once that walk is done.
    pub history: Option<HistoryOutcome>,
    /// The `created_time` of the version in which the token was found; `None` for a token that is
    /// still to be written.
    pub found_created_at: Option<Timestamp>,
}

/// What the spares show about a token that is dated by its traces: people copy tokens manually.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// The earliest mint time of a spare that holds the token.
    pub earliest: Option<Timestamp>,
    /// Whether a spare that cannot be read, or the unreadable history of a spare that holds the
    /// token, may have an earlier one.
    pub incomplete: bool,
}

/// What could not be read of a token's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// The oldest version of the secret that can be read, if that one holds the token.
    pub history: Option<Timestamp>,
    /// Spares that cannot be read, or whose own history ends too early.
    pub spares: Vec<String>,
}

/// The mint time that applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// When the token was minted, in whole seconds.
    pub at: Timestamp,
    /// Where it comes from.
    pub source: MintSource,
    /// What the user should know about the mint times that are ignored.
    pub warnings: Vec<MintWarning>,
}

/// Reports a mint time that is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MintWarning {
    /// The configuration and the stamp are more than a day apart, and the stamp takes precedence.
    #[error(
        "`token_minted_at` is {}, but the token's stamp says {}; the stamp takes precedence",
        format_instant(*.configured),
        format_instant(*.stamp)
    )]
    DiffersFromStamp {
        /// The mint time in the configuration.
        configured: Timestamp,
        /// The mint time in the stamp.
        stamp: Timestamp,
    },
    /// The mint time is more than a day later than the version that already held the token.
    #[error(
        "the mint time {} from {} is later than the version that holds the token ({})",
        format_instant(*.at),
        .source_name.as_str(),
        format_instant(*.created_at)
    )]
    AfterVersion {
        /// The mint time that is ignored.
        at: Timestamp,
        /// Where it comes from.
        source_name: MintSource,
        /// When the version was created.
        created_at: Timestamp,
    },
}

impl MintWarning {
    /// Compares the configuration with the stamp that applies; up to a day apart is no difference.
    pub fn between(configured: Timestamp, stamp: Timestamp) -> Option<Self> {
        (configured.duration_since(stamp).abs() > DAY)
            .then_some(Self::DiffersFromStamp { configured, stamp })
    }
}

/// Decides when the token was minted; `None` requests the walk through the versions.
///
/// The order is: a changed configuration, the stamp, a first configuration, the mint time in state,
/// and last the earliest trace of the token. A stamp that agrees with state leaves the source as it
/// is, so that a plan stays empty after the apply that wrote the stamp.
pub fn decide(facts: &MintFacts) -> Option<Minted> {
    let mut warnings = Vec::new();
    let mut accept = |at: Timestamp, source| match facts.found_created_at {
        Some(created_at) if is_later(at, created_at) => {
            warnings.push(MintWarning::AfterVersion {
                at,
                source_name: source,
                created_at,
            });
            None
        }
        _ => Some(Dated { at, source }),
    };
    let configured = facts.configured.and_then(|configured| {
        let dated = accept(configured.at, MintSource::Config)?;
        Some((configured.binding, dated))
    });
    let stamp = facts.stamp.and_then(|at| accept(at, MintSource::Stamp));
    let decided = match (configured, stamp) {
        (Some((Binding::Changed, config)), _) | (Some((Binding::First, config)), None) => config,
        (Some((Binding::First, config)), Some(stamp)) => {
            warnings.extend(MintWarning::between(config.at, stamp.at));
            stamp
        }
        (None, stamp) => match (facts.prior, stamp) {
            (Some(prior), Some(stamp)) if prior.at != whole_seconds(stamp.at) => stamp,
            (Some(prior), _) => prior,
            (None, Some(stamp)) => stamp,
            (None, None) => earliest(facts.history?, facts),
        },
    };
    Some(Minted {
        at: whole_seconds(decided.at),
        source: decided.source,
        warnings,
    })
}

/// Reports whether a mint time is too late for the version that was found to hold the token.
fn is_later(at: Timestamp, created_at: Timestamp) -> bool {
    at.duration_since(created_at) > DAY
}

/// Returns the earliest trace of the token.
fn earliest(history: HistoryOutcome, facts: &MintFacts) -> Dated {
    let traces = [facts.retired, facts.copies.earliest];
    Dated {
        at: traces
            .into_iter()
            .flatten()
            .fold(history.oldest_created_at, Timestamp::min),
        source: if history.complete && !facts.copies.incomplete {
            MintSource::History
        } else {
            MintSource::Estimated
        },
    }
}

#[cfg(test)]
mod tests;

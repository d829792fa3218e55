//! The status of each spare of a pool, and the verdict on the pool as a whole.

use std::collections::HashMap;

use jiff::Timestamp;

use super::fingerprint::Fingerprint;
use super::instant::add_days;
use super::paths::FieldPath;
use super::spare::{
    Knowledge, PrimaryToken, Purpose, Question, ReadSpare, ReadToken, Unusable, sort_for_promotion,
};
use crate::words::words;

/// A pool without a newer spare is reported this many days before its primary is due.
const WARNED_DAYS: i64 = 90;

words! {
    /// The status of a spare.
    pub enum SpareStatus {
        /// The secret or the field does not exist.
        Missing = "missing",
        /// The field holds something that is not a token.
        Malformed = "malformed",
        /// A primary has or had the token or may be about to get it, or the field is a primary itself.
        Spent = "spent",
        /// The primary, or an earlier path of the pool, holds the same token.
        Duplicate = "duplicate",
        /// The token was refused when it was tried.
        Refused = "refused",
        /// The token has expired.
        Expired = "expired",
        /// The token works and should be replaced.
        RotationDue = "rotation_due",
        /// The token has a length that was never seen to work.
        Unproven = "unproven",
        /// The token can be promoted.
        Available = "available",
    }
}

impl SpareStatus {
    /// Returns the status of a spare that cannot be promoted for this reason.
    pub fn of(why_not: &Unusable) -> Self {
        match why_not {
            Unusable::Missing => Self::Missing,
            Unusable::Malformed(_) => Self::Malformed,
            Unusable::Spent(_) | Unusable::Barred(_) => Self::Spent,
            Unusable::Duplicate(_) => Self::Duplicate,
            Unusable::Refused(_) => Self::Refused,
            Unusable::Expired(_) => Self::Expired,
            Unusable::RotationDue { .. } => Self::RotationDue,
            Unusable::Unproven => Self::Unproven,
        }
    }
}

/// Everything that a pool is judged by.
#[derive(Clone, Copy, Debug)]
pub struct PoolFacts<'a> {
    /// What was read at each path, in the order of the list.
    pub spares: &'a [ReadSpare],
    /// What is known about tokens, and about the primary, if one is given.
    pub knowledge: &'a Knowledge,
}

/// The status of one spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spare {
    /// Path in the mount.
    pub path: String,
    /// Its status.
    pub status: SpareStatus,
    /// The primary that a spent spare belongs to.
    pub promoted_to: Option<FieldPath>,
    /// The path that holds the token of a duplicate: the primary's, or an earlier one.
    pub duplicate_of: Option<String>,
    /// Why it cannot be promoted; `None` if it can.
    pub why_not: Option<Unusable>,
}

/// The verdict on a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Every spare, in the order of the list.
    pub spares: Vec<Spare>,
    /// The available ones in promotion order.
    pub available_paths: Vec<String>,
    /// The latest expiry among the usable spares; after it no spare can help.
    pub runway_until: Option<Timestamp>,
    /// When the primary is due, if that is near and every available spare is due by then: no
    /// apply will promote those spares because of a date.
    pub due_with_primary: Option<Timestamp>,
    /// The account label that the primary and every available spare have.
    pub account_of_all: Option<String>,
}

impl Pool {
    /// Returns how many spares can be promoted.
    pub fn available_count(&self) -> usize {
        self.available_paths.len()
    }
}

/// Judges every spare and the pool as a whole at `now`.
pub fn assess(facts: &PoolFacts<'_>, now: Timestamp) -> Pool {
    let question = Question {
        knowledge: facts.knowledge,
        purpose: Purpose::RotationDue,
        now,
    };
    let mut first_holders: HashMap<Fingerprint, &str> = HashMap::new();
    let mut spares = Vec::with_capacity(facts.spares.len());
    let mut available = Vec::new();
    for spare in facts.spares {
        let earlier = spare.token().and_then(|token| {
            let holder = first_holders.entry(token.fingerprint);
            Some(*holder.or_insert(&spare.path)).filter(|holder| *holder != spare.path)
        });
        let why_not = question.why_not_beside(spare, earlier);
        if why_not.is_none() {
            available.push(spare);
        }
        spares.push(Spare::new(spare, why_not));
    }
    sort_for_promotion(facts.knowledge, &mut available, |_| true);
    let tokens: Vec<_> = available.iter().filter_map(|spare| spare.token()).collect();
    let primary = facts.knowledge.primary.as_ref();
    let primary = primary.and_then(|primary| primary.current.as_ref());
    Pool {
        spares,
        runway_until: tokens.iter().map(|token| token.dates.expires_at).max(),
        due_with_primary: primary.and_then(|primary| due_with(primary, &tokens, now)),
        account_of_all: primary
            .and_then(|primary| primary.account.as_ref())
            .filter(|account| {
                let is_alike = |token: &&ReadToken| token.account.as_ref() == Some(*account);
                !tokens.is_empty() && tokens.iter().all(is_alike)
            })
            .cloned(),
        available_paths: available.iter().map(|spare| spare.path.clone()).collect(),
    }
}

impl Spare {
    fn new(spare: &ReadSpare, why_not: Option<Unusable>) -> Self {
        let promoted_to = match &why_not {
            Some(Unusable::Spent(primary)) => Some(primary.clone()),
            Some(Unusable::Barred(bar)) => bar.primary().cloned(),
            _ => None,
        };
        Self {
            path: spare.path.clone(),
            status: why_not
                .as_ref()
                .map_or(SpareStatus::Available, SpareStatus::of),
            promoted_to,
            duplicate_of: match &why_not {
                Some(Unusable::Duplicate(path)) => Some(path.clone()),
                _ => None,
            },
            why_not,
        }
    }

    /// Returns the primary if it was proven that the token is spent, which holds for good.
    pub fn proven_spent(&self) -> Option<&FieldPath> {
        match &self.why_not {
            Some(Unusable::Spent(primary)) => Some(primary),
            _ => None,
        }
    }
}

/// Returns when the primary is due, if that is near and all of these tokens are due by then.
fn due_with(primary: &PrimaryToken, tokens: &[&ReadToken], now: Timestamp) -> Option<Timestamp> {
    let rotate_at = primary.dates.as_ref()?.rotate_at;
    let is_near = now >= add_days(rotate_at, -WARNED_DAYS);
    let is_due = |token: &&ReadToken| token.dates.rotate_at <= rotate_at;
    (is_near && !tokens.is_empty() && tokens.iter().all(is_due)).then_some(rotate_at)
}

#[cfg(test)]
mod tests;

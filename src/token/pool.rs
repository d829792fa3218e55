//! How each spare of a pool stands, and what the pool is worth as a whole.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::check::Problem;
use super::expiry::{Dates, Status, status_at};
use super::fingerprint::Fingerprint;
use super::instant::SECONDS_PER_DAY;
use super::mark::MarkState;
use super::paths::FieldPath;

/// How a spare stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpareStatus {
    /// The secret or the field is not there.
    Missing,
    /// The field holds something that is no token.
    Malformed,
    /// A primary has the token, may be about to get it, or the secret is a primary itself.
    Spent,
    /// The primary, or an earlier path of the pool, holds the same token.
    Duplicate,
    /// The token's day has passed.
    Expired,
    /// The token works and should be replaced.
    RotationDue,
    /// The token can be promoted.
    Available,
}

impl SpareStatus {
    /// Every status, in the order in which they are looked for.
    pub const ALL: [Self; 7] = [
        Self::Missing,
        Self::Malformed,
        Self::Spent,
        Self::Duplicate,
        Self::Expired,
        Self::RotationDue,
        Self::Available,
    ];

    /// Returns the word that state holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Spent => "spent",
            Self::Duplicate => "duplicate",
            Self::Expired => "expired",
            Self::RotationDue => "rotation_due",
            Self::Available => "available",
        }
    }

    /// Reads the word that state holds; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What was read at one path of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpareFacts {
    /// Path in the mount.
    pub path: String,
    /// What the field there holds.
    pub slot: Slot,
}

/// What the field of a spare holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// No secret, or no such field in it.
    Missing,
    /// A value that is no token.
    Malformed(Problem),
    /// A token.
    Token(SpareToken),
}

/// A token in a spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpareToken {
    /// Names the token.
    pub fingerprint: Fingerprint,
    /// When it was minted, is due and expires.
    pub dates: Dates,
    /// The marks on the spare, each with what it means for this token.
    pub marks: Vec<SpareMark>,
    /// Whether a stamp of this token says that it was promoted into this very secret, which is
    /// then someone's primary.
    pub is_primary: bool,
}

/// A mark and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpareMark {
    /// The primary that the mark names.
    pub primary: FieldPath,
    /// What it means for the token that the spare holds.
    pub state: MarkState,
}

/// What is known of the primary that a pool stands by for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryToken {
    /// Path in the mount.
    pub path: String,
    /// The primary's token and its end; `None` where it holds none.
    pub token: Option<(Fingerprint, Timestamp)>,
}

/// Everything that a pool is judged by.
#[derive(Clone, Copy, Debug)]
pub struct PoolFacts<'a> {
    /// What was read at each path, in the order of the list.
    pub spares: &'a [SpareFacts],
    /// Name of the field in each of them.
    pub field: &'a str,
    /// The primary, where one is named.
    pub primary: Option<&'a PrimaryToken>,
    /// How many days before its end a spare is due.
    pub rotate_before_days: u32,
}

/// The verdict on one spare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spare {
    /// Path in the mount.
    pub path: String,
    /// How it stands.
    pub status: SpareStatus,
    /// The primary that a spent spare belongs to.
    pub promoted_to: Option<FieldPath>,
    /// The path that holds the token of a duplicate: the primary's, or an earlier one.
    pub duplicate_of: Option<String>,
}

/// The verdict on a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Every spare, in the order of the list.
    pub spares: Vec<Spare>,
    /// The usable ones in promotion order: the latest end first, then the order of the list.
    pub available_paths: Vec<String>,
    /// The latest end among the usable ones; after it no spare can help.
    pub runway_until: Option<Timestamp>,
    /// Whether every usable spare ends within `rotate_before_days` of the primary; `false` where
    /// there is no usable spare or no token in the primary.
    pub expires_with_primary: bool,
}

impl Pool {
    /// Returns how many spares can be promoted.
    pub fn available_count(&self) -> usize {
        self.available_paths.len()
    }
}

/// Judges every spare and the pool as a whole at `now`.
pub fn assess(facts: &PoolFacts<'_>, now: Timestamp) -> Pool {
    let mut first_holders: HashMap<Fingerprint, &str> = HashMap::new();
    if let Some(primary) = facts.primary
        && let Some((fingerprint, _)) = primary.token
    {
        first_holders.insert(fingerprint, &primary.path);
    }
    let mut spares = Vec::with_capacity(facts.spares.len());
    let mut available = Vec::new();
    for spare in facts.spares {
        let mut verdict = Spare {
            path: spare.path.clone(),
            status: SpareStatus::Missing,
            promoted_to: None,
            duplicate_of: None,
        };
        match &spare.slot {
            Slot::Missing => {}
            Slot::Malformed(_) => verdict.status = SpareStatus::Malformed,
            Slot::Token(token) => {
                let holder = *first_holders
                    .entry(token.fingerprint)
                    .or_insert(&spare.path);
                if let Some(primary) = owner(token, &spare.path, facts.field) {
                    verdict.status = SpareStatus::Spent;
                    verdict.promoted_to = Some(primary);
                } else if holder != spare.path {
                    verdict.status = SpareStatus::Duplicate;
                    verdict.duplicate_of = Some(holder.to_owned());
                } else {
                    verdict.status = by_date(&token.dates, now);
                }
                if verdict.status == SpareStatus::Available {
                    available.push((spare.path.as_str(), token.dates.expires_at));
                }
            }
        }
        spares.push(verdict);
    }
    sort_for_promotion(&mut available, |(_, expires_at)| *expires_at);
    Pool {
        spares,
        runway_until: available.first().map(|(_, expires_at)| *expires_at),
        expires_with_primary: expires_with_primary(facts, &available),
        available_paths: available
            .into_iter()
            .map(|(path, _)| path.to_owned())
            .collect(),
    }
}

/// Puts the latest end first and leaves equals in the order of the list.
pub(super) fn sort_for_promotion<T>(spares: &mut [T], expires_at: impl Fn(&T) -> Timestamp) {
    spares.sort_by_key(|spare| Reverse(expires_at(spare)));
}

/// Returns the primary that has, or may be about to get, the token of a spare.
fn owner(token: &SpareToken, path: &str, field: &str) -> Option<FieldPath> {
    let in_state = |state| token.marks.iter().find(|mark| mark.state == state);
    [MarkState::Spent, MarkState::Open, MarkState::Unknown]
        .into_iter()
        .find_map(in_state)
        .map(|mark| mark.primary.clone())
        .or_else(|| {
            token.is_primary.then(|| FieldPath {
                path: path.to_owned(),
                field: field.to_owned(),
            })
        })
}

fn by_date(dates: &Dates, now: Timestamp) -> SpareStatus {
    match status_at(dates, now) {
        Status::Expired => SpareStatus::Expired,
        Status::RotationDue => SpareStatus::RotationDue,
        _ => SpareStatus::Available,
    }
}

fn expires_with_primary(facts: &PoolFacts<'_>, available: &[(&str, Timestamp)]) -> bool {
    let Some((_, primary_end)) = facts.primary.and_then(|primary| primary.token) else {
        return false;
    };
    let days = i64::from(facts.rotate_before_days);
    let near = SignedDuration::from_secs(days * SECONDS_PER_DAY);
    !available.is_empty()
        && available
            .iter()
            .all(|(_, end)| end.duration_since(primary_end).abs() <= near)
}

#[cfg(test)]
mod tests;

//! A spare as it was read, and the only rule for whether its token can be promoted.
//!
//! What is recorded about a token applies to every copy of it, so [`Knowledge`] is keyed by
//! fingerprint and not by slot.

mod knowledge;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check::Problem;
use super::expiry::{Dates, Lifetime, Status, status_at};
use super::fingerprint::Fingerprint;
use super::mint::{Dated, MintSource};
use super::paths::FieldPath;
use super::verdict::Verdict;

pub use knowledge::{Knowledge, PrimaryToken, PrimaryTokens};

/// A spare as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSpare {
    /// Path in the mount.
    pub path: String,
    /// What the field there holds.
    pub slot: Slot,
}

/// What the field of a spare holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// No secret, no such field in it, or an empty field.
    Missing,
    /// A value that is not a token.
    Malformed(Problem),
    /// A token.
    Token(ReadToken),
}

/// A token that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadToken {
    /// Identifies the token.
    pub fingerprint: Fingerprint,
    /// The KV version that was read.
    pub version: u64,
    /// When Vault will delete that version automatically.
    pub deletion_at: Option<Timestamp>,
    /// Where the mint time comes from.
    pub source: MintSource,
    /// When it was minted, becomes due, and expires.
    pub dates: Dates,
    /// Whether it has a length that was never seen to work.
    pub is_unproven: bool,
    /// Whether its stamp says that it was promoted into this very field, which is then someone's
    /// primary.
    pub is_primary: bool,
    /// Key of an entry among the marks of this slot that cannot be understood.
    pub unknown_mark: Option<String>,
    /// The label that the user gave it.
    pub account: Option<String>,
}

impl ReadSpare {
    /// Returns the token, if there is one.
    pub fn token(&self) -> Option<&ReadToken> {
        match &self.slot {
            Slot::Token(token) => Some(token),
            Slot::Missing | Slot::Malformed(_) => None,
        }
    }

    /// Returns whether the spare holds this token.
    pub fn holds(&self, fingerprint: &Fingerprint) -> bool {
        self.token()
            .is_some_and(|token| token.fingerprint == *fingerprint)
    }
}

/// What a spare is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The current token still works, so a spare that is due itself does not help.
    RotationDue,
    /// A rotation was requested while the current token works: any working token is good enough.
    Requested,
    /// The current token does not work: a token that was never tried is better than none.
    Replacement,
}

impl Purpose {
    fn accepts_due(self) -> bool {
        self != Self::RotationDue
    }

    fn accepts_unproven(self) -> bool {
        self == Self::Replacement
    }
}

/// Why a token may belong to another primary. It is not proven, so it is not remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// The token is being promoted into this primary.
    Claimed(FieldPath),
    /// The token is marked for a primary that cannot be read.
    PrimaryUnreadable {
        /// The primary.
        primary: FieldPath,
        /// Key of the mark.
        key: String,
    },
    /// The entry with this key is not a known kind of mark.
    UnknownMark(String),
    /// This field of a listed spare is someone's primary and holds the token.
    InPrimary(FieldPath),
}

impl Bar {
    /// Returns the primary that it names.
    pub fn primary(&self) -> Option<&FieldPath> {
        match self {
            Self::Claimed(primary)
            | Self::PrimaryUnreadable { primary, .. }
            | Self::InPrimary(primary) => Some(primary),
            Self::UnknownMark(_) => None,
        }
    }
}

/// Why a spare cannot be promoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// There is no token.
    Missing,
    /// The value is not a token.
    Malformed(Problem),
    /// This primary holds or held the token.
    Spent(FieldPath),
    /// The token may be another primary's.
    Barred(Bar),
    /// The primary, or an earlier spare, at this path holds the same token.
    Duplicate(String),
    /// The token was refused when it was tried.
    Refused(Verdict),
    /// The token expired then.
    Expired(Timestamp),
    /// The token works and is due for rotation itself.
    RotationDue {
        /// When it expires.
        expires_at: Timestamp,
    },
    /// The token has a length that was never seen to work.
    Unproven,
}

/// The criteria by which a spare is judged.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is known about tokens.
    pub knowledge: &'a Knowledge,
    /// What the spare is needed for.
    pub purpose: Purpose,
    /// The current time.
    pub now: Timestamp,
}

impl Question<'_> {
    /// Returns why a spare cannot be promoted, the first reason that applies; `None` if it can.
    pub fn why_not(&self, spare: &ReadSpare) -> Option<Unusable> {
        self.why_not_beside(spare, None)
    }

    /// Does the same for a spare whose token an `earlier` path of the same list also holds.
    pub(super) fn why_not_beside(
        &self,
        spare: &ReadSpare,
        earlier: Option<&str>,
    ) -> Option<Unusable> {
        let token = match &spare.slot {
            Slot::Missing => return Some(Unusable::Missing),
            Slot::Malformed(problem) => return Some(Unusable::Malformed(*problem)),
            Slot::Token(token) => token,
        };
        let knowledge = self.knowledge;
        if let Some(claim) = knowledge.claim(token) {
            return Some(claim);
        }
        let primary = knowledge.primary.as_ref();
        let holder = primary
            .filter(|primary| primary.holds(&token.fingerprint))
            .map(|primary| primary.id.path.as_str())
            .or(earlier);
        if let Some(path) = holder {
            return Some(Unusable::Duplicate(path.to_owned()));
        }
        if let Some(verdict) = knowledge.verdict(&token.fingerprint)
            && verdict.is_refused()
        {
            return Some(Unusable::Refused(verdict.clone()));
        }
        let expires_at = token.dates.expires_at;
        match status_at(&token.dates, self.now) {
            Status::Expired => return Some(Unusable::Expired(expires_at)),
            Status::RotationDue if !self.purpose.accepts_due() => {
                return Some(Unusable::RotationDue { expires_at });
            }
            _ => {}
        }
        (token.is_unproven && !self.purpose.accepts_unproven()).then_some(Unusable::Unproven)
    }

    /// Returns the spares that can be promoted, the best one first. Tokens that were seen to work
    /// come before those that were never tried; then the latest expiry comes first, then the order
    /// of the list applies. After them come those at a path whose metadata is known as not
    /// `writable`, and last the unproven.
    pub fn promotable<'a>(
        &self,
        spares: &'a [ReadSpare],
        writable: impl Fn(&str) -> bool,
    ) -> Vec<&'a ReadSpare> {
        let mut usable: Vec<_> = spares
            .iter()
            .filter(|spare| self.why_not(spare).is_none())
            .collect();
        sort_for_promotion(self.knowledge, &mut usable, writable);
        usable
    }
}

/// Puts usable spares in promotion order.
pub(super) fn sort_for_promotion(
    knowledge: &Knowledge,
    usable: &mut [&ReadSpare],
    writable: impl Fn(&str) -> bool,
) {
    usable.sort_by_key(|spare| {
        spare.token().map(|token| {
            let verdict = knowledge.verdict(&token.fingerprint);
            let was_tried = verdict.is_some_and(|verdict| !verdict.is_refused());
            (
                token.is_unproven,
                !writable(&spare.path),
                Reverse((was_tried, token.dates.expires_at)),
            )
        })
    });
}

/// Gives each copy of a token the earliest mint time that any of them has, since a copy is as old
/// as its original. `dated` has the mint times known from other places.
pub fn date_alike(
    spares: &mut [ReadSpare],
    lifetime: Lifetime,
    dated: impl IntoIterator<Item = (Fingerprint, Dated)>,
) {
    let mut earliest: BTreeMap<Fingerprint, Dated> = dated.into_iter().collect();
    for token in spares.iter().filter_map(ReadSpare::token) {
        let dated = Dated {
            at: token.dates.minted_at,
            source: token.source,
        };
        let known = earliest.entry(token.fingerprint).or_insert(dated);
        if dated.at < known.at {
            *known = dated;
        }
    }
    for spare in spares {
        if let Slot::Token(token) = &mut spare.slot
            && let Some(dated) = earliest.get(&token.fingerprint)
        {
            token.dates = Dates::new(dated.at, lifetime, token.deletion_at);
            token.source = dated.source;
        }
    }
}

#[cfg(test)]
mod tests;

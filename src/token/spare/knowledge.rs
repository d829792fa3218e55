//! What is known about tokens, by fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bar, ReadSpare, ReadToken, Unusable};
use crate::token::expiry::Dates;
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::mark::{Mark, MarkState};
use crate::token::paths::FieldPath;
use crate::token::verdict::Verdict;

/// What is known about tokens, whichever slot holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Knowledge {
    /// The primary that the spares are for.
    pub primary: Option<PrimaryTokens>,
    marks: BTreeMap<ShortFingerprint, Vec<(Mark, MarkState)>>,
    verdicts: BTreeMap<ShortFingerprint, Verdict>,
    spent: BTreeMap<ShortFingerprint, FieldPath>,
    in_primaries: BTreeMap<ShortFingerprint, FieldPath>,
}

/// The tokens of the primary that the spares are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryTokens {
    /// Its path and field.
    pub id: FieldPath,
    /// Its token.
    pub current: Option<PrimaryToken>,
    /// Every token that it held before.
    pub held: BTreeSet<ShortFingerprint>,
}

/// The current token of a primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryToken {
    /// Identifies the token.
    pub fingerprint: Fingerprint,
    /// When it was minted, becomes due, and expires, if that is known.
    pub dates: Option<Dates>,
    /// The label that the user gave it.
    pub account: Option<String>,
}

impl Knowledge {
    /// Returns the same without any mark, to judge the marks again.
    pub fn without_marks(&self) -> Self {
        Self {
            marks: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Adds a mark with its meaning.
    pub fn add_mark(&mut self, mark: Mark, state: MarkState) {
        let marks = self.marks.entry(mark.fingerprint).or_default();
        marks.push((mark, state));
    }

    /// Adds a verdict; if there are two about one token, the later one applies.
    pub fn add_verdict(&mut self, verdict: Verdict) {
        let known = self.verdicts.entry(verdict.fingerprint);
        let known = known.or_insert_with(|| verdict.clone());
        if verdict.at > known.at {
            *known = verdict;
        }
    }

    /// Adds a token that was once proven to be spent.
    pub fn add_spent(&mut self, fingerprint: ShortFingerprint, primary: FieldPath) {
        self.spent.entry(fingerprint).or_insert(primary);
    }

    /// Adds the tokens of those spares that are someone's primary: a copy of such a token would put
    /// it into two primaries.
    pub fn add_primaries<'a>(
        &mut self,
        spares: impl IntoIterator<Item = &'a ReadSpare>,
        field: &str,
    ) {
        for spare in spares {
            if let Some(token) = spare.token().filter(|token| token.is_primary) {
                let id = FieldPath {
                    path: spare.path.clone(),
                    field: field.to_owned(),
                };
                self.in_primaries.insert(token.fingerprint.short(), id);
            }
        }
    }

    /// Returns the marks of a token.
    pub fn marks(&self, fingerprint: &Fingerprint) -> &[(Mark, MarkState)] {
        self.marks
            .get(&fingerprint.short())
            .map_or(&[], Vec::as_slice)
    }

    /// Returns the verdict on a token.
    pub fn verdict(&self, fingerprint: &Fingerprint) -> Option<&Verdict> {
        self.verdicts.get(&fingerprint.short())
    }

    /// Returns whether the primary holds or held a token.
    pub fn is_of_primary(&self, fingerprint: &Fingerprint) -> bool {
        self.primary.as_ref().is_some_and(|primary| {
            primary.held.contains(&fingerprint.short()) || primary.holds(fingerprint)
        })
    }

    /// Returns why a token already belongs to a primary, the most certain reason first.
    pub(super) fn claim(&self, token: &ReadToken) -> Option<Unusable> {
        let short = token.fingerprint.short();
        let own = self.primary.as_ref().map(|primary| &primary.id);
        let marks = self.marks(&token.fingerprint);
        let in_state = |state| marks.iter().find(move |(_, found)| *found == state);
        if let Some((mark, _)) = in_state(MarkState::Spent) {
            return Some(Unusable::Spent(mark.primary.clone()));
        }
        if let Some(primary) = &self.primary
            && primary.held.contains(&short)
        {
            return Some(Unusable::Spent(primary.id.clone()));
        }
        if let Some(primary) = self.spent.get(&short) {
            return Some(Unusable::Spent(primary.clone()));
        }
        let open = marks
            .iter()
            .find(|(mark, state)| *state == MarkState::Open && own != Some(&mark.primary));
        if let Some((mark, _)) = open {
            return Some(Unusable::Barred(Bar::Claimed(mark.primary.clone())));
        }
        if let Some((mark, _)) = in_state(MarkState::Unknown) {
            return Some(Unusable::Barred(Bar::PrimaryUnreadable {
                primary: mark.primary.clone(),
                key: mark.key.clone(),
            }));
        }
        if let Some(key) = &token.unknown_mark {
            return Some(Unusable::Barred(Bar::UnknownMark(key.clone())));
        }
        self.in_primaries
            .get(&short)
            .map(|primary| Unusable::Barred(Bar::InPrimary(primary.clone())))
    }
}

impl PrimaryTokens {
    /// Returns whether a token is the current one.
    pub fn holds(&self, fingerprint: &Fingerprint) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.fingerprint == *fingerprint)
    }
}

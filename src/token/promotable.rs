//! Which spares one primary may take its next token from.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::expiry::{Status, status_at};
use super::fingerprint::Fingerprint;
use super::mark::MarkState;
use super::paths::FieldPath;
use super::pool::{Slot, SpareFacts, SpareToken, sort_for_promotion};

/// Why a primary looks for a spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The present token still works, so a spare that is due itself is no gain.
    RotationDue,
    /// A rotation was requested, or the present token is unusable: any token that works will do.
    Replacement,
}

/// A spare that can be promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotable<'a> {
    /// Path in the mount.
    pub path: &'a str,
    /// The token there.
    pub token: &'a SpareToken,
}

/// Returns the spares that `primary` can use, in promotion order.
///
/// `held` has the tokens of every version of the primary that was read. A spare is usable when it
/// holds a token that is none of those and is not expired, when no mark on it is spent, unknown,
/// or open for another primary, and when it is no primary itself; for [`Purpose::RotationDue`] it
/// must not be due either.
pub fn promotable<'a>(
    spares: &'a [SpareFacts],
    primary: &FieldPath,
    held: &BTreeSet<Fingerprint>,
    purpose: Purpose,
    now: Timestamp,
) -> Vec<Promotable<'a>> {
    let mut usable: Vec<_> = spares
        .iter()
        .filter_map(|spare| match &spare.slot {
            Slot::Token(token) => Some(Promotable {
                path: &spare.path,
                token,
            }),
            Slot::Missing | Slot::Malformed(_) => None,
        })
        .filter(|spare| {
            !held.contains(&spare.token.fingerprint)
                && is_free(spare.token, primary)
                && lasts(spare.token, purpose, now)
        })
        .collect();
    sort_for_promotion(&mut usable, |spare| spare.token.dates.expires_at);
    usable
}

fn is_free(token: &SpareToken, primary: &FieldPath) -> bool {
    !token.is_primary
        && token.marks.iter().all(|mark| match mark.state {
            MarkState::Foreign | MarkState::Void => true,
            MarkState::Open => mark.primary == *primary,
            MarkState::Spent | MarkState::Unknown => false,
        })
}

fn lasts(token: &SpareToken, purpose: Purpose, now: Timestamp) -> bool {
    let status = status_at(&token.dates, now);
    match purpose {
        Purpose::RotationDue => status == Status::InDate,
        Purpose::Replacement => status.is_working(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Problem;
    use super::super::expiry::{Dates, Lifetime};
    use super::super::pool::SpareMark;
    use super::super::samples::{at, fingerprint};
    use super::*;

    fn path(text: &str) -> FieldPath {
        text.parse().unwrap()
    }

    /// Makes a spare whose token is named after its path.
    fn spare(path: &str, minted_at: &str) -> SpareFacts {
        SpareFacts {
            path: path.to_owned(),
            slot: Slot::Token(SpareToken {
                fingerprint: fingerprint(path),
                dates: Dates::new(at(minted_at), Lifetime::new(365, 30).unwrap(), None),
                marks: Vec::new(),
                is_primary: false,
            }),
        }
    }

    fn change(mut facts: SpareFacts, change: impl Fn(&mut SpareToken)) -> SpareFacts {
        if let Slot::Token(token) = &mut facts.slot {
            change(token);
        }
        facts
    }

    fn usable(spares: &[SpareFacts], held: &[&str], purpose: Purpose) -> Vec<String> {
        let held = held.iter().map(|name| fingerprint(name)).collect();
        promotable(spares, &path("main#f"), &held, purpose, at("2026-12-15"))
            .iter()
            .map(|spare| spare.path.to_owned())
            .collect::<Vec<_>>()
    }

    #[test]
    fn the_latest_end_comes_first_then_the_list() {
        let spares = [
            spare("b", "2026-06-01"),
            spare("c", "2026-07-01"),
            spare("a", "2026-06-01"),
        ];
        assert_eq!(usable(&spares, &[], Purpose::RotationDue), ["c", "b", "a"]);
    }

    #[test]
    fn a_due_spare_helps_only_where_nothing_works() {
        let spares = [
            spare("due", "2026-01-01"),
            spare("gone", "2025-12-15"),
            spare("good", "2026-06-01"),
        ];
        assert_eq!(usable(&spares, &[], Purpose::RotationDue), ["good"]);
        assert_eq!(usable(&spares, &[], Purpose::Replacement), ["good", "due"]);
    }

    #[test]
    fn a_token_that_the_primary_ever_had_is_out() {
        let spares = [spare("a", "2026-06-01"), spare("b", "2026-06-01")];
        assert_eq!(usable(&spares, &["a"], Purpose::Replacement), ["b"]);
    }

    #[test]
    fn only_an_open_mark_of_its_own_is_no_obstacle() {
        let with = |state, primary: &str| {
            let marked = change(spare("a", "2026-06-01"), |token| {
                token.marks = vec![SpareMark {
                    primary: path(primary),
                    state,
                }];
            });
            !usable(&[marked], &[], Purpose::Replacement).is_empty()
        };
        for (state, own, another) in [
            (MarkState::Foreign, true, true),
            (MarkState::Void, true, true),
            (MarkState::Open, true, false),
            (MarkState::Spent, false, false),
            (MarkState::Unknown, false, false),
        ] {
            assert_eq!(with(state, "main#f"), own, "{state:?}");
            assert_eq!(with(state, "main#g"), another, "{state:?}");
        }
    }

    #[test]
    fn what_is_no_token_or_a_primary_is_out() {
        let slot = |slot| SpareFacts {
            path: "a".to_owned(),
            slot,
        };
        let spares = [
            slot(Slot::Missing),
            slot(Slot::Malformed(Problem::DroppedCharacter)),
            change(spare("b", "2026-06-01"), |token| token.is_primary = true),
        ];
        assert!(usable(&spares, &[], Purpose::Replacement).is_empty());
    }
}

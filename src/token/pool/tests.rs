use proptest::prelude::*;

use super::super::check::Problem;
use super::super::expiry::{Dates, Lifetime};
use super::super::mark::{Mark, MarkState};
use super::super::spare::{PrimaryTokens, Slot, date_alike};
use super::super::verdict::{Finding, Verdict};
use super::*;
use crate::token::tests::samples::{at, dates, fingerprint, holding, read_token, spare};

const FIELD: &str = "claude_oauth_token";

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn primary(name: &str, rotate_at: &str) -> Knowledge {
    let mut knowledge = Knowledge::default();
    knowledge.primary = Some(PrimaryTokens {
        id: path("main#f"),
        current: Some(PrimaryToken {
            fingerprint: fingerprint(name),
            dates: Some(Dates {
                rotate_at: at(rotate_at),
                ..dates(at("2026-01-01"))
            }),
            account: None,
        }),
        held: Default::default(),
    });
    knowledge
}

fn with_mark(mut knowledge: Knowledge, name: &str, primary: &str, state: MarkState) -> Knowledge {
    let mark = Mark {
        key: format!("{FIELD}.promoted_to.00c0ffee"),
        fingerprint: fingerprint(name).short(),
        version: 7,
        marked_at: at("2026-12-01"),
        primary: path(primary),
    };
    knowledge.add_mark(mark, state);
    knowledge
}

fn assessed(spares: &[ReadSpare], knowledge: &Knowledge, now: &str) -> Pool {
    let facts = PoolFacts { spares, knowledge };
    assess(&facts, at(now))
}

/// Writes each spare as `path status [promoted_to] [duplicate_of]`.
fn lines(pool: &Pool) -> Vec<String> {
    pool.spares
        .iter()
        .map(|spare| {
            let mut line = format!("{} {}", spare.path, spare.status.as_str());
            if let Some(primary) = &spare.promoted_to {
                line += &format!(" to {primary}");
            }
            if let Some(path) = &spare.duplicate_of {
                line += &format!(" of {path}");
            }
            line
        })
        .collect()
}

#[test]
fn every_status_is_reported() {
    let promoted = {
        let mut token = read_token("p", at("2026-06-01"));
        token.is_primary = true;
        spare("promoted", Slot::Token(token))
    };
    let unproven = {
        let mut token = read_token("u", at("2026-06-01"));
        token.is_unproven = true;
        spare("unproven", Slot::Token(token))
    };
    let spares = [
        spare("none", Slot::Missing),
        spare("bad", Slot::Malformed(Problem::DroppedCharacter)),
        holding("spent", "spent", "2026-06-01"),
        promoted,
        holding("copy", "primary", "2026-06-01"),
        holding("dead", "dead", "2026-06-01"),
        holding("old", "old", "2025-12-15"),
        holding("due", "due", "2026-01-01"),
        unproven,
        holding("good", "good", "2026-06-01"),
        holding("again", "good", "2026-06-01"),
    ];
    let primary = primary("primary", "2027-01-01");
    let mut knowledge = with_mark(primary, "spent", "main#f", MarkState::Spent);
    knowledge.add_verdict(Verdict {
        fingerprint: fingerprint("dead").short(),
        finding: Finding::Refused,
        at: at("2026-12-01"),
        cause: "revoked".to_owned(),
    });
    knowledge.add_primaries(&spares, FIELD);
    let pool = assessed(&spares, &knowledge, "2026-12-15");
    assert_eq!(
        lines(&pool),
        [
            "none missing",
            "bad malformed",
            "spent spent to main#f",
            "promoted spent to promoted#claude_oauth_token",
            "copy duplicate of main",
            "dead refused",
            "old expired",
            "due rotation_due",
            "unproven unproven",
            "good available",
            "again duplicate of good",
        ]
    );
    assert_eq!(pool.available_paths, ["good"]);
    assert_eq!(pool.available_count(), 1);
    assert_eq!(pool.runway_until, Some(at("2027-06-01")));
}

#[test]
fn the_first_status_that_applies_counts() {
    // Spent before duplicate and expired, duplicate before expired.
    let spares = [
        holding("a", "gone", "2025-01-01"),
        holding("b", "primary", "2025-01-01"),
    ];
    let primary = primary("primary", "2027-01-01");
    let knowledge = with_mark(primary, "gone", "main#f", MarkState::Spent);
    let pool = assessed(&spares, &knowledge, "2026-12-15");
    assert_eq!(lines(&pool), ["a spent to main#f", "b duplicate of main"]);
}

#[test]
fn marks_spend_every_copy_of_a_token() {
    use MarkState::{Open, Spent, Unknown, Void};
    for (marks, status) in [
        (&[("n#f", Void)][..], "available"),
        (&[("m#f", Open)], "spent to m#f"),
        (&[("m#f", Unknown)], "spent to m#f"),
        (&[("m#f", Open), ("n#f", Spent)], "spent to n#f"),
        (&[("m#f", Unknown), ("n#f", Open)], "spent to n#f"),
        (&[("main#f", Open)], "available"),
    ] {
        let mut knowledge = primary("primary", "2027-01-01");
        for (primary, state) in marks {
            knowledge = with_mark(knowledge, "a", primary, *state);
        }
        let spares = [
            holding("a", "a", "2026-06-01"),
            holding("b", "a", "2026-06-01"),
        ];
        let lines = lines(&assessed(&spares, &knowledge, "2026-12-15"));
        assert_eq!(lines[0], format!("a {status}"));
        if status == "available" {
            assert_eq!(lines[1], "b duplicate of a");
        } else {
            assert_eq!(lines[1], format!("b {status}"));
        }
    }
}

#[test]
fn a_token_that_the_primary_held_is_spent_and_proven_so() {
    let mut knowledge = primary("primary", "2027-01-01");
    let held = &mut knowledge.primary.as_mut().unwrap().held;
    held.insert(fingerprint("leaked").short());
    knowledge.add_spent(fingerprint("noted").short(), path("other#f"));
    let knowledge = with_mark(knowledge, "claimed", "other#f", MarkState::Open);
    let names = ["leaked", "noted", "claimed"];
    let spares = names.map(|name| holding(name, name, "2026-06-01"));
    let pool = assessed(&spares, &knowledge, "2026-12-15");
    assert_eq!(
        lines(&pool),
        [
            "leaked spent to main#f",
            "noted spent to other#f",
            "claimed spent to other#f",
        ]
    );
    let proven = pool
        .spares
        .iter()
        .map(|spare| spare.proven_spent().is_some());
    assert_eq!(proven.collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(pool.available_count(), 0);
    assert_eq!(pool.runway_until, None);
}

#[test]
fn promotion_order_is_by_verdict_then_by_end_and_then_by_list() {
    let spares = [
        holding("b", "b", "2026-06-01"),
        holding("c", "c", "2026-08-01"),
        holding("a", "a", "2026-06-01"),
        holding("tried", "tried", "2026-05-01"),
    ];
    let mut knowledge = Knowledge::default();
    knowledge.add_verdict(Verdict {
        fingerprint: fingerprint("tried").short(),
        finding: Finding::Works,
        at: at("2026-12-01"),
        cause: String::new(),
    });
    let pool = assessed(&spares, &knowledge, "2026-12-15");
    assert_eq!(pool.available_paths, ["tried", "c", "b", "a"]);
    assert_eq!(pool.runway_until, Some(at("2027-08-01")));
}

#[test]
fn a_pool_that_is_due_with_its_primary_is_reported_in_time() {
    let spares = [
        holding("a", "a", "2026-06-01"),
        holding("b", "b", "2026-06-20"),
        holding("late", "late", "2025-01-01"),
    ];
    let reported = |spares: &[ReadSpare], rotate_at, now| {
        let primary = primary("primary", rotate_at);
        assessed(spares, &primary, now).due_with_primary
    };
    // The later of the two is due on 2027-05-21.
    let due = at("2027-05-21");
    assert_eq!(reported(&spares, "2027-05-21", "2027-03-01"), Some(due));
    assert_eq!(reported(&spares, "2027-05-21", "2027-02-19"), None);
    assert_eq!(reported(&spares, "2027-05-20", "2027-03-01"), None);
    // No available spare is a shortage and no such warning.
    assert_eq!(reported(&spares[2..], "2027-05-21", "2027-03-01"), None);
}

#[test]
fn one_account_behind_all_tokens_is_reported() {
    let mut knowledge = primary("primary", "2027-01-01");
    let account = |knowledge: &mut Knowledge, account: &str| {
        let primary = knowledge.primary.as_mut().unwrap();
        primary.current.as_mut().unwrap().account = Some(account.to_owned());
    };
    let labeled = |name: &str, account: Option<&str>| {
        let mut token = read_token(name, at("2026-06-01"));
        token.account = account.map(str::to_owned);
        spare(name, Slot::Token(token))
    };
    let mut spares = vec![labeled("a", Some("ci")), labeled("b", Some("ci"))];
    assert_eq!(
        assessed(&spares, &knowledge, "2026-12-15").account_of_all,
        None
    );
    account(&mut knowledge, "ci");
    let pool = assessed(&spares, &knowledge, "2026-12-15");
    assert_eq!(pool.account_of_all.as_deref(), Some("ci"));
    spares.push(labeled("c", None));
    assert_eq!(
        assessed(&spares, &knowledge, "2026-12-15").account_of_all,
        None
    );
}

#[test]
fn words_round_trip() {
    for status in SpareStatus::ALL {
        assert_eq!(SpareStatus::parse(status.as_str()), Some(status));
    }
    assert_eq!(SpareStatus::parse("in_date"), None);
}

fn slots() -> impl Strategy<Value = Slot> {
    let held = ("[a-f]", 0..30_i64, proptest::bool::weighted(0.1)).prop_map(
        |(name, months, is_primary)| {
            let minted_at = Timestamp::from_second(1_735_689_600 + months * 2_629_800).unwrap();
            let mut token = read_token(&name, minted_at);
            token.is_primary = is_primary;
            Slot::Token(token)
        },
    );
    prop_oneof![
        1 => Just(Slot::Missing),
        1 => Just(Slot::Malformed(Problem::WrappedLine)),
        8 => held,
    ]
}

fn pools() -> impl Strategy<Value = (Vec<ReadSpare>, Knowledge)> {
    use MarkState::{Open, Spent, Unknown, Void};
    let states =
        prop_oneof![4 => Just(Void), 1 => Just(Open), 1 => Just(Spent), 1 => Just(Unknown)];
    let marks = proptest::collection::vec(("[a-f]", states), 0..3);
    let spares = proptest::collection::vec(slots(), 0..12).prop_map(|slots| {
        (1..)
            .zip(slots)
            .map(|(number, slot): (u32, _)| spare(&format!("spare-{number}"), slot))
            .collect()
    });
    (spares, marks, any::<bool>()).prop_map(|(spares, marks, with_primary)| {
        let mut knowledge = if with_primary {
            primary("a", "2027-01-01")
        } else {
            Knowledge::default()
        };
        for (name, state) in marks {
            knowledge = with_mark(knowledge, &name, "other#f", state);
        }
        // All copies of a token have the same age.
        let mut spares: Vec<ReadSpare> = spares;
        date_alike(&mut spares, Lifetime::new(365, 30).unwrap(), []);
        knowledge.add_primaries(&spares, FIELD);
        (spares, knowledge)
    })
}

fn end_of(spares: &[ReadSpare], path: &str) -> Timestamp {
    let found = spares.iter().find(|spare| spare.path == path).unwrap();
    found.token().unwrap().dates.expires_at
}

proptest! {
    #[test]
    fn order_is_total_and_stable((spares, knowledge) in pools()) {
        let pool = assessed(&spares, &knowledge, "2026-12-15");
        let listed = |path: &str| spares.iter().position(|spare| spare.path == path).unwrap();
        for pair in pool.available_paths.windows(2) {
            let (one, other) = (end_of(&spares, &pair[0]), end_of(&spares, &pair[1]));
            prop_assert!(one > other || one == other && listed(&pair[0]) < listed(&pair[1]));
        }
        let latest = pool.available_paths.iter().map(|path| end_of(&spares, path)).max();
        prop_assert_eq!(pool.runway_until, latest);
    }

    #[test]
    fn every_spare_has_one_status((spares, knowledge) in pools()) {
        let pool = assessed(&spares, &knowledge, "2026-12-15");
        let paths: Vec<_> = pool.spares.iter().map(|spare| &spare.path).collect();
        let listed: Vec<_> = spares.iter().map(|spare| &spare.path).collect();
        prop_assert_eq!(paths, listed);
        let mut tokens = std::collections::HashSet::new();
        for (found, read) in pool.spares.iter().zip(&spares) {
            prop_assert_eq!(found.promoted_to.is_some(), found.status == SpareStatus::Spent);
            prop_assert_eq!(found.duplicate_of.is_some(), found.status == SpareStatus::Duplicate);
            let listed = pool.available_paths.contains(&found.path);
            prop_assert_eq!(listed, found.status == SpareStatus::Available);
            if let (true, Some(token)) = (listed, read.token()) {
                prop_assert!(tokens.insert(token.fingerprint), "one token counted twice");
                prop_assert!(!knowledge.is_of_primary(&token.fingerprint));
            }
        }
    }

    #[test]
    fn what_the_pool_calls_available_is_promoted((spares, knowledge) in pools()) {
        let now = at("2026-12-15");
        let pool = assessed(&spares, &knowledge, "2026-12-15");
        let question = Question { knowledge: &knowledge, purpose: Purpose::RotationDue, now };
        let promotable = question.promotable(&spares, |_| true);
        let mut tokens = std::collections::HashSet::new();
        let paths: Vec<_> = promotable
            .iter()
            .filter(|spare| tokens.insert(spare.token().unwrap().fingerprint))
            .map(|spare| spare.path.as_str())
            .collect();
        // Of copies with different dates, the pool counts the first in the list.
        prop_assert_eq!(paths.len(), pool.available_paths.len());
    }

    #[test]
    fn time_never_makes_a_spare_available((spares, knowledge) in pools(), one in 0..1000_i64, other in 0..1000_i64) {
        let day = |number: i64| Timestamp::from_second(1_735_689_600 + number * 86_400).unwrap();
        let count = |now| {
            let facts = PoolFacts { spares: &spares, knowledge: &knowledge };
            assess(&facts, now).available_count()
        };
        prop_assert!(count(day(one.min(other))) >= count(day(one.max(other))));
    }
}

use proptest::prelude::*;

use super::super::expiry::Lifetime;
use super::super::samples::{at, fingerprint};
use super::*;

const FIELD: &str = "claude_oauth_token";

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn token(name: &str, minted_at: Timestamp) -> SpareToken {
    SpareToken {
        fingerprint: fingerprint(name),
        dates: Dates::new(minted_at, Lifetime::new(365, 30).unwrap(), None),
        marks: Vec::new(),
        is_primary: false,
    }
}

fn spare(path: &str, slot: Slot) -> SpareFacts {
    SpareFacts {
        path: path.to_owned(),
        slot,
    }
}

/// Makes a spare that holds the token `name`.
fn holding(path: &str, name: &str, minted_at: &str) -> SpareFacts {
    spare(path, Slot::Token(token(name, at(minted_at))))
}

/// Makes a spare with one mark of `main` in each of the states.
fn marked(path: &str, minted_at: &str, marks: &[(&str, MarkState)]) -> SpareFacts {
    let mut token = token(path, at(minted_at));
    token.marks = marks
        .iter()
        .map(|(primary, state)| SpareMark {
            primary: self::path(primary),
            state: *state,
        })
        .collect();
    spare(path, Slot::Token(token))
}

fn primary(name: &str, expires_at: &str) -> PrimaryToken {
    PrimaryToken {
        path: "main".to_owned(),
        token: Some((fingerprint(name), at(expires_at))),
    }
}

fn assessed(spares: &[SpareFacts], primary: Option<&PrimaryToken>, now: &str) -> Pool {
    let facts = PoolFacts {
        spares,
        field: FIELD,
        primary,
        rotate_before_days: 30,
    };
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
fn every_status_is_told() {
    let promoted = {
        let mut token = token("p", at("2026-06-01"));
        token.is_primary = true;
        spare("promoted", Slot::Token(token))
    };
    let spares = [
        spare("none", Slot::Missing),
        spare("bad", Slot::Malformed(Problem::DroppedCharacter)),
        marked("spent", "2026-06-01", &[("main#f", MarkState::Spent)]),
        promoted,
        holding("copy", "primary", "2026-06-01"),
        holding("old", "old", "2025-12-15"),
        holding("due", "due", "2026-01-01"),
        holding("good", "good", "2026-06-01"),
        holding("again", "good", "2026-06-01"),
    ];
    let primary = primary("primary", "2027-01-01");
    let pool = assessed(&spares, Some(&primary), "2026-12-15");
    assert_eq!(
        lines(&pool),
        [
            "none missing",
            "bad malformed",
            "spent spent to main#f",
            "promoted spent to promoted#claude_oauth_token",
            "copy duplicate of main",
            "old expired",
            "due rotation_due",
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
    let mut spent_copy = marked("a", "2025-01-01", &[("main#f", MarkState::Spent)]);
    if let Slot::Token(token) = &mut spent_copy.slot {
        token.fingerprint = fingerprint("primary");
    }
    let spares = [spent_copy, holding("b", "primary", "2025-01-01")];
    let primary = primary("primary", "2027-01-01");
    let pool = assessed(&spares, Some(&primary), "2026-12-15");
    assert_eq!(lines(&pool), ["a spent to main#f", "b duplicate of main"]);
}

#[test]
fn marks_spend_a_spare_unless_they_say_nothing() {
    use MarkState::{Foreign, Open, Spent, Unknown, Void};
    for (marks, line) in [
        (&[("m#f", Foreign), ("n#f", Void)][..], "a available"),
        (&[("m#f", Open)], "a spent to m#f"),
        (&[("m#f", Unknown)], "a spent to m#f"),
        (&[("m#f", Open), ("n#f", Spent)], "a spent to n#f"),
        (&[("m#f", Unknown), ("n#f", Open)], "a spent to n#f"),
    ] {
        let pool = assessed(&[marked("a", "2026-06-01", marks)], None, "2026-12-15");
        assert_eq!(lines(&pool), [line]);
    }
}

#[test]
fn a_copy_of_a_spent_spare_is_not_available() {
    let spares = [
        marked("a", "2026-06-01", &[("main#f", MarkState::Spent)]),
        holding("b", "a", "2026-06-01"),
    ];
    let pool = assessed(&spares, None, "2026-12-15");
    assert_eq!(lines(&pool), ["a spent to main#f", "b duplicate of a"]);
    assert_eq!(pool.available_count(), 0);
    assert_eq!(pool.runway_until, None);
}

#[test]
fn promotion_order_is_by_end_and_then_by_list() {
    let spares = [
        holding("b", "b", "2026-06-01"),
        holding("c", "c", "2026-08-01"),
        holding("a", "a", "2026-06-01"),
    ];
    let pool = assessed(&spares, None, "2026-12-15");
    assert_eq!(pool.available_paths, ["c", "b", "a"]);
    assert_eq!(pool.runway_until, Some(at("2027-08-01")));
}

#[test]
fn a_pool_that_ends_with_its_primary_is_told() {
    let spares = [
        holding("a", "a", "2026-06-01"),
        holding("b", "b", "2026-06-20"),
        holding("late", "late", "2025-01-01"),
    ];
    let together = |spares: &[SpareFacts], end| {
        let primary = primary("primary", end);
        assessed(spares, Some(&primary), "2026-12-15").expires_with_primary
    };
    assert!(together(&spares, "2027-06-01"));
    assert!(together(&spares, "2027-07-01"));
    assert!(!together(&spares, "2027-07-02"));
    assert!(!together(&spares, "2027-05-20"));
    // No usable spare is a shortage and no such warning.
    assert!(!together(&spares[2..], "2026-01-01"));
    assert!(!assessed(&spares, None, "2026-12-15").expires_with_primary);
    let empty = PrimaryToken {
        path: "main".to_owned(),
        token: None,
    };
    assert!(!assessed(&spares, Some(&empty), "2026-12-15").expires_with_primary);
}

#[test]
fn words_round_trip() {
    for status in SpareStatus::ALL {
        assert_eq!(SpareStatus::parse(status.as_str()), Some(status));
    }
    assert_eq!(SpareStatus::parse("in_date"), None);
}

fn slots() -> impl Strategy<Value = Slot> {
    use MarkState::{Foreign, Open, Spent, Unknown, Void};
    let marks = proptest::collection::vec(
        prop_oneof![
            4 => prop_oneof![Just(Foreign), Just(Void)],
            1 => prop_oneof![Just(Open), Just(Spent), Just(Unknown)],
        ],
        0..3,
    );
    let held = ("[a-f]", 0..30_i64, marks, proptest::bool::weighted(0.1)).prop_map(
        |(name, months, marks, is_primary)| {
            let minted_at = Timestamp::from_second(1_735_689_600 + months * 2_629_800).unwrap();
            let mut token = token(&name, minted_at);
            token.is_primary = is_primary;
            token.marks = marks
                .into_iter()
                .map(|state| SpareMark {
                    primary: path("other#f"),
                    state,
                })
                .collect();
            Slot::Token(token)
        },
    );
    prop_oneof![
        1 => Just(Slot::Missing),
        1 => Just(Slot::Malformed(Problem::WrappedLine)),
        8 => held,
    ]
}

fn pools() -> impl Strategy<Value = Vec<SpareFacts>> {
    proptest::collection::vec(slots(), 0..12).prop_map(|slots| {
        (1..)
            .zip(slots)
            .map(|(number, slot): (u32, _)| spare(&format!("spare-{number}"), slot))
            .collect()
    })
}

fn end_of(spares: &[SpareFacts], path: &str) -> Timestamp {
    let found = spares.iter().find(|spare| spare.path == path).unwrap();
    match &found.slot {
        Slot::Token(token) => token.dates.expires_at,
        slot => panic!("{slot:?} is available"),
    }
}

proptest! {
    #[test]
    fn order_is_total_and_stable(spares in pools(), with_primary: bool) {
        let primary = primary("a", "2027-01-01");
        let pool = assessed(&spares, with_primary.then_some(&primary), "2026-12-15");
        let listed = |path: &str| spares.iter().position(|spare| spare.path == path).unwrap();
        for pair in pool.available_paths.windows(2) {
            let (one, other) = (end_of(&spares, &pair[0]), end_of(&spares, &pair[1]));
            prop_assert!(one > other || one == other && listed(&pair[0]) < listed(&pair[1]));
        }
        let latest = pool.available_paths.iter().map(|path| end_of(&spares, path)).max();
        prop_assert_eq!(pool.runway_until, latest);
    }

    #[test]
    fn every_spare_has_one_verdict(spares in pools(), with_primary: bool) {
        let primary = primary("a", "2027-01-01");
        let pool = assessed(&spares, with_primary.then_some(&primary), "2026-12-15");
        let paths: Vec<_> = pool.spares.iter().map(|spare| &spare.path).collect();
        let listed: Vec<_> = spares.iter().map(|spare| &spare.path).collect();
        prop_assert_eq!(paths, listed);
        let mut tokens = std::collections::HashSet::new();
        for (verdict, facts) in pool.spares.iter().zip(&spares) {
            prop_assert_eq!(verdict.promoted_to.is_some(), verdict.status == SpareStatus::Spent);
            prop_assert_eq!(verdict.duplicate_of.is_some(), verdict.status == SpareStatus::Duplicate);
            let listed = pool.available_paths.contains(&verdict.path);
            prop_assert_eq!(listed, verdict.status == SpareStatus::Available);
            if let (true, Slot::Token(token)) = (listed, &facts.slot) {
                prop_assert!(tokens.insert(token.fingerprint), "one token counted twice");
                prop_assert!(!with_primary || token.fingerprint != fingerprint("a"));
            }
        }
    }

    #[test]
    fn time_never_makes_a_spare_available(spares in pools(), one in 0..1000_i64, other in 0..1000_i64) {
        let day = |number: i64| Timestamp::from_second(1_735_689_600 + number * 86_400).unwrap();
        let count = |now| {
            let facts = PoolFacts { spares: &spares, field: FIELD, primary: None, rotate_before_days: 30 };
            assess(&facts, now).available_count()
        };
        prop_assert!(count(day(one.min(other))) >= count(day(one.max(other))));
    }
}

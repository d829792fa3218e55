use super::super::mark::{Mark, MarkState};
use super::super::verdict::Finding;
use super::*;
use crate::token::tests::samples::{at, dates, fingerprint, holding, read_token, spare};

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn knowledge(held: &[&str]) -> Knowledge {
    let mut knowledge = Knowledge::default();
    knowledge.primary = Some(PrimaryTokens {
        id: path("main#f"),
        current: Some(PrimaryToken {
            fingerprint: fingerprint("current"),
            dates: None,
            account: None,
        }),
        held: held.iter().map(|name| fingerprint(name).short()).collect(),
    });
    knowledge
}

fn usable_where(
    spares: &[ReadSpare],
    knowledge: &Knowledge,
    purpose: Purpose,
    writable: impl Fn(&str) -> bool,
) -> Vec<String> {
    let question = Question {
        knowledge,
        purpose,
        now: at("2026-12-15"),
    };
    let usable = question.promotable(spares, writable);
    usable.iter().map(|spare| spare.path.clone()).collect()
}

fn usable(spares: &[ReadSpare], knowledge: &Knowledge, purpose: Purpose) -> Vec<String> {
    usable_where(spares, knowledge, purpose, |_| true)
}

#[test]
fn a_due_spare_helps_only_where_something_else_is_wrong() {
    let spares = [
        holding("due", "due", "2026-01-01"),
        holding("gone", "gone", "2025-12-15"),
        holding("good", "good", "2026-06-01"),
    ];
    let none = Knowledge::default();
    assert_eq!(usable(&spares, &none, Purpose::RotationDue), ["good"]);
    for purpose in [Purpose::Requested, Purpose::Replacement] {
        assert_eq!(usable(&spares, &none, purpose), ["good", "due"]);
    }
}

#[test]
fn an_unproven_token_is_better_than_none_that_works() {
    let unproven = |path: &str| {
        let mut token = read_token(path, at("2026-12-01"));
        token.is_unproven = true;
        spare(path, Slot::Token(token))
    };
    let spares = [unproven("long"), holding("due", "due", "2026-01-01")];
    let none = Knowledge::default();
    assert_eq!(usable(&spares, &none, Purpose::RotationDue), [""; 0]);
    assert_eq!(usable(&spares, &none, Purpose::Requested), ["due"]);
    assert_eq!(
        usable(&spares, &none, Purpose::Replacement),
        ["due", "long"]
    );
}

#[test]
fn the_unwritable_come_after_the_others_and_before_the_unproven() {
    let unproven = {
        let mut token = read_token("long", at("2026-12-01"));
        token.is_unproven = true;
        spare("long", Slot::Token(token))
    };
    let spares = [
        unproven,
        holding("denied", "denied", "2026-11-01"),
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
    let order = usable_where(&spares, &knowledge, Purpose::Replacement, |path| {
        path != "denied"
    });
    assert_eq!(order, ["tried", "a", "denied", "long"]);
}

#[test]
fn a_token_that_the_primary_holds_or_held_is_out() {
    let spares = ["held", "current", "b"].map(|name| holding(name, name, "2026-06-01"));
    let knowledge = knowledge(&["held"]);
    assert_eq!(usable(&spares, &knowledge, Purpose::Replacement), ["b"]);
    assert!(knowledge.is_of_primary(&fingerprint("held")));
    assert!(knowledge.is_of_primary(&fingerprint("current")));
    assert!(!knowledge.is_of_primary(&fingerprint("b")));
}

#[test]
fn only_an_open_mark_of_its_own_is_no_obstacle() {
    let with = |state, primary: &str| {
        let mut knowledge = knowledge(&[]);
        let mark = Mark {
            key: "f.promoted_to.00c0ffee".to_owned(),
            fingerprint: fingerprint("a").short(),
            version: 7,
            marked_at: at("2026-12-14"),
            primary: path(primary),
        };
        knowledge.add_mark(mark, state);
        // The second spare has no mark and holds the same token.
        let spares = [
            holding("a", "a", "2026-06-01"),
            holding("b", "a", "2026-06-01"),
        ];
        usable(&spares, &knowledge, Purpose::Replacement).len()
    };
    for (state, own, another) in [
        (MarkState::Void, 2, 2),
        (MarkState::Open, 2, 0),
        (MarkState::Spent, 0, 0),
        (MarkState::Unknown, 0, 0),
    ] {
        assert_eq!(with(state, "main#f"), own, "{state:?}");
        assert_eq!(with(state, "main#g"), another, "{state:?}");
    }
}

#[test]
fn what_nobody_can_use_is_out() {
    let change = |path: &str, change: fn(&mut ReadToken)| {
        let mut token = read_token(path, at("2026-06-01"));
        change(&mut token);
        spare(path, Slot::Token(token))
    };
    let spares = [
        spare("none", Slot::Missing),
        spare("bad", Slot::Malformed(Problem::DroppedCharacter)),
        change("primary", |token| token.is_primary = true),
        change("unknown", |token| {
            token.unknown_mark = Some("f.promoted_to.x".to_owned());
        }),
        holding("refused", "refused", "2026-06-01"),
        holding("copy", "primary", "2026-06-01"),
    ];
    let mut knowledge = Knowledge::default();
    knowledge.add_primaries(&spares, "f");
    let verdict = |finding, day| Verdict {
        fingerprint: fingerprint("refused").short(),
        finding,
        at: at(day),
        cause: String::new(),
    };
    knowledge.add_verdict(verdict(Finding::Refused, "2026-12-02"));
    knowledge.add_verdict(verdict(Finding::Works, "2026-12-01"));
    assert_eq!(usable(&spares, &knowledge, Purpose::Replacement), [""; 0]);
    knowledge.add_verdict(verdict(Finding::Works, "2026-12-03"));
    assert_eq!(
        usable(&spares, &knowledge, Purpose::Replacement),
        ["refused"]
    );
}

#[test]
fn a_copy_is_as_old_as_its_original() {
    let mut spares = vec![
        holding("a", "same", "2026-06-01"),
        holding("b", "same", "2026-03-01"),
        holding("c", "other", "2026-06-01"),
    ];
    let dated = Dated {
        at: at("2026-05-01"),
        source: MintSource::History,
    };
    let lifetime = Lifetime::new(365, 30).unwrap();
    date_alike(&mut spares, lifetime, [(fingerprint("other"), dated)]);
    let minted = |index: usize| spares[index].token().unwrap().dates;
    assert_eq!(minted(0), dates(at("2026-03-01")));
    assert_eq!(minted(1), dates(at("2026-03-01")));
    assert_eq!(minted(2), dates(at("2026-05-01")));
    assert_eq!(spares[2].token().unwrap().source, MintSource::History);
}

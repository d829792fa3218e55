use proptest::prelude::*;

use super::*;
use crate::token::tests::samples::{at, fingerprint};

const FIELD: &str = "claude_oauth_token";
const KEY: &str = "claude_oauth_token.promoted_to.00c0ffee";

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn mark() -> Mark {
    Mark {
        key: KEY.to_owned(),
        fingerprint: fingerprint("a").short(),
        version: 7,
        marked_at: at("2026-03-01T12:00:00Z"),
        primary: path("team/agent#claude_oauth_token"),
    }
}

/// The primary at version 6, before the named version 7 exists.
fn before() -> PrimaryFacts {
    read(false, 6, NamedVersion::NotYet, Some("2026-02-01"))
}

fn read(
    holds_token: bool,
    current_version: u64,
    named_version: NamedVersion,
    created_before: Option<&str>,
) -> PrimaryFacts {
    PrimaryFacts::Read {
        holds_token,
        current_version,
        named_version,
        created_before: created_before.map(at),
    }
}

fn state(facts: PrimaryFacts) -> MarkState {
    mark().state(facts, Some(at("2026-03-01T12:10:00Z")))
}

#[test]
fn reads_its_own_form() {
    let short = fingerprint("a").short();
    let value = format!("{short} 7 1772366400 team/agent#claude_oauth_token");
    assert_eq!(mark().to_string(), value);
    assert_eq!(Mark::parse(FIELD, KEY, &value), Some(mark()));
}

#[test]
fn longest_primary_fits_into_a_value() {
    let mark = Mark {
        version: u64::MAX,
        marked_at: Timestamp::MAX,
        primary: path(&format!("{}#claude", "a".repeat(MAX_PRIMARY_BYTES - 7))),
        ..mark()
    };
    assert_eq!(mark.to_string().len(), MAXIMUM_VALUE_BYTES);
}

#[test]
fn anything_else_is_no_mark() {
    let good = mark().to_string();
    let short = fingerprint("a").short();
    for key in [
        "claude_oauth_token.promoted_to",
        "claude_oauth_token.promoted_to.",
        "claude_oauth_token.promoted_to.00c0ffe",
        "claude_oauth_token.promoted_to.00C0FFEE",
        "claude_oauth_token.promoted_to.00c0ffee0",
        "other.promoted_to.00c0ffee",
        "claude_oauth_token.x.promoted_to.00c0ffee",
    ] {
        assert_eq!(Mark::parse(FIELD, key, &good), None, "{key}");
    }
    for value in [
        String::new(),
        "promoted".to_owned(),
        format!("{short} 7 1772366400"),
        format!("{short} 7 1772366400 "),
        format!("{short} 7 1772366400 team/agent"),
        format!("{short} 7 1772366400 #claude_oauth_token"),
        format!("{short} 7 1772366400 team/agent#"),
        format!("{short} +7 1772366400 team/agent#f"),
        format!("{short} 7 -1 team/agent#f"),
        format!("{short} 7 99999999999999 team/agent#f"),
        format!("{short} 99999999999999999999 1772366400 team/agent#f"),
        format!("{short}  7 1772366400 team/agent#f"),
    ] {
        assert_eq!(Mark::parse(FIELD, KEY, &value), None, "{value}");
    }
}

#[test]
fn finds_all_marks_among_foreign_entries() {
    let other_key = "claude_oauth_token.promoted_to.00000001";
    let entries = BTreeMap::from([
        (KEY.to_owned(), mark().to_string()),
        (other_key.to_owned(), mark().to_string()),
        ("claude_oauth_token.fingerprint".to_owned(), "x".to_owned()),
        ("managed-by".to_owned(), "external-secrets".to_owned()),
    ]);
    let keys: Vec<_> = Mark::read_all(FIELD, &entries)
        .into_iter()
        .map(|mark| mark.key)
        .collect();
    assert_eq!(keys, [other_key, KEY]);
}

#[test]
fn an_entry_that_nobody_understands_is_reported_by_its_key() {
    let keys = [
        "claude_oauth_token.promoted_to.",
        "claude_oauth_token.promoted_to.00C0FFEE",
        "claude_oauth_token.promoted_to.v2.00c0ffee",
    ];
    let mut entries: BTreeMap<_, _> = keys
        .iter()
        .map(|key| ((*key).to_owned(), mark().to_string()))
        .collect();
    entries.insert(KEY.to_owned(), "7".to_owned());
    entries.insert("claude_oauth_token.promoted".to_owned(), "x".to_owned());
    let unknown: Vec<_> = Mark::read_entries(FIELD, &entries).collect();
    assert_eq!(unknown.len(), 4);
    for entry in unknown {
        assert!(matches!(entry, MarkEntry::Unknown(_)), "{entry:?}");
    }
}

#[test]
fn the_primary_decides() {
    use NamedVersion::{HeldToken, NotYet, OtherValue, Unreadable};
    let past = Some("2026-02-01");
    for version in [HeldToken, NotYet, OtherValue, Unreadable] {
        assert_eq!(state(read(true, 7, version, past)), MarkState::Spent);
    }
    for (version, expected) in [
        (HeldToken, MarkState::Spent),
        (Unreadable, MarkState::Spent),
        (OtherValue, MarkState::Void),
    ] {
        assert_eq!(state(read(false, 7, version, past)), expected);
        assert_eq!(state(read(false, 9, version, None)), expected);
    }
    assert_eq!(state(before()), MarkState::Open);
    assert_eq!(state(PrimaryFacts::Unreadable), MarkState::Unknown);
}

#[test]
fn a_token_that_a_primary_ever_held_is_spent_without_a_read() {
    let held = Mark {
        version: 0,
        ..mark()
    };
    for facts in [PrimaryFacts::Unreadable, before()] {
        assert_eq!(held.state(facts, None), MarkState::Spent);
    }
}

#[test]
fn a_primary_that_was_created_again_has_spent_the_token() {
    use NamedVersion::{NotYet, OtherValue};
    // Its versions started over, or it is gone.
    for version in [0, 1, 5] {
        let facts = read(false, version, NotYet, None);
        assert_eq!(state(facts), MarkState::Spent, "{version}");
    }
    // It has reached that version again, but the version before the named one is too young.
    let young = Some("2026-03-01T12:05:01Z");
    assert_eq!(state(read(false, 6, NotYet, young)), MarkState::Spent);
    assert_eq!(state(read(false, 9, OtherValue, young)), MarkState::Spent);
    let in_time = Some("2026-03-01T12:05:00Z");
    assert_eq!(state(read(false, 6, NotYet, in_time)), MarkState::Open);
    // Nothing precedes a first version.
    let first = Mark {
        version: 1,
        ..mark()
    };
    let facts = read(false, 0, NotYet, None);
    assert_eq!(first.state(facts, None), MarkState::Open);
}

#[test]
fn an_open_mark_is_void_after_three_hours_of_vaults_clock() {
    let state = |now: Option<&str>| mark().state(before(), now.map(at));
    assert_eq!(state(Some("2026-03-01T11:00:00Z")), MarkState::Open);
    assert_eq!(state(Some("2026-03-01T15:00:00Z")), MarkState::Open);
    assert_eq!(state(Some("2026-03-01T15:00:01Z")), MarkState::Void);
    // While the clocks differ, its age is unknown.
    assert_eq!(state(None), MarkState::Open);
}

proptest! {
    #[test]
    fn any_entry_is_read_or_passed_over(digits in "[0-9a-f]{8}|\\PC{0,9}", value in "[0-9a-f]{16} [0-9]{1,21} [0-9]{1,13} \\PC{0,20}|\\PC{0,60}") {
        let key = format!("{FIELD}.promoted_to.{digits}");
        if let Some(mark) = Mark::parse(FIELD, &key, &value) {
            let again = Mark::parse(FIELD, &key, &mark.to_string());
            prop_assert_eq!(again, Some(mark));
        }
    }
}

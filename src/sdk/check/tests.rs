//! Rules for records and identities, and the text that reports a violation.

pub(super) mod samples;

use samples::{attributes, object};

use super::*;
use crate::protocol::{CodecErrorKind, Severity, Type};

fn identity_attributes() -> [Attribute; 2] {
    [
        Attribute::required("path", Type::String),
        Attribute::optional("field", Type::String),
    ]
}

fn of(path: Value, field: Value) -> Value {
    Value::object([("path", path), ("field", field)])
}

fn check(prior: Option<&Value>, now: &Value) -> Checked {
    identity(&identity_attributes(), prior, now)
}

#[test]
fn an_identity_that_stays_is_fine() {
    let one = of("p".into(), Value::Null);
    assert_eq!(check(None, &one), Ok(()));
    assert_eq!(check(Some(&one), &one), Ok(()));
}

#[test]
fn an_identity_that_changes_is_refused() {
    let prior = of("p".into(), "f".into());
    let now = of("q".into(), "f".into());
    let broken = check(Some(&prior), &now).unwrap_err();
    assert_eq!(broken.rule, "the identity differs from the one recorded");
}

#[test]
fn an_identity_is_never_missing() {
    let none = of(Value::Null, Value::Null);
    assert!(check(None, &none).is_err());
    assert!(check(Some(&none), &none).is_err());
    assert!(check(None, &Value::Null).is_err());
}

#[test]
fn an_identity_is_wholly_known() {
    let broken = check(None, &of("p".into(), Value::Unknown)).unwrap_err();
    assert_eq!(broken.path.to_string(), "field");
}

#[test]
fn a_prior_identity_of_nulls_binds_nobody() {
    let prior = of(Value::Null, Value::Null);
    assert_eq!(check(Some(&prior), &of("p".into(), Value::Null)), Ok(()));
}

#[test]
fn a_record_is_present_known_and_without_write_only_values() {
    let attributes = attributes();
    assert_eq!(recorded(&attributes, &object([])), Ok(()));
    for (state, place) in [
        (Value::Null, ""),
        (Value::Unknown, ""),
        (object([("note", Value::Unknown)]), "note"),
        (object([("token_wo", "t".into())]), "token_wo"),
    ] {
        let broken = recorded(&attributes, &state).unwrap_err();
        assert_eq!(broken.path.to_string(), place);
    }
}

#[test]
fn a_breach_is_told_with_its_place_and_without_a_value() {
    let broken = Violation {
        path: AttributePath::attribute("labels").then_key("k"),
        rule: "the value is not the planned one".into(),
    };
    let diagnostic = broken.into_diagnostic("update", "test_thing");
    assert_eq!(diagnostic.severity, Severity::Error);
    assert_eq!(
        diagnostic.summary,
        "Provider bug: invalid response to update"
    );
    assert!(
        diagnostic
            .detail
            .to_string()
            .starts_with("For test_thing, labels[\"k\"]: the value is not the planned one. ")
    );
    assert_eq!(diagnostic.path, None);
    let whole = Violation::from(CodecError {
        path: AttributePath::new(),
        reason: CodecErrorKind::Required("an object"),
    });
    let diagnostic = whole.into_diagnostic("read", "test_thing");
    assert!(
        diagnostic
            .detail
            .to_string()
            .starts_with("For test_thing, the whole object: an object is required. ")
    );
}

//! One test for each rule of an apply.

use super::*;
use crate::sdk::check::Violation;
use crate::sdk::check::tests::samples::{attributes, inner, list, map, object};

/// Checks one attribute with these values in the plan and after the apply.
fn check(name: &str, planned: Value, state: Value) -> Result<(), Violation> {
    applied(
        &attributes(),
        &object([(name, planned)]),
        &object([(name, state)]),
    )
}

fn place(checked: Result<(), Violation>) -> String {
    checked.unwrap_err().path.to_string()
}

const NULL: Value = Value::Null;

#[test]
fn a_known_planned_value_comes_back() {
    assert_eq!(check("note", "n".into(), "n".into()), Ok(()));
    assert_eq!(place(check("note", "n".into(), "m".into())), "note");
    assert_eq!(place(check("note", "n".into(), NULL)), "note");
    assert_eq!(place(check("note", NULL, "n".into())), "note");
}

#[test]
fn an_unknown_planned_value_becomes_anything_known() {
    assert_eq!(check("id", Value::Unknown, "x".into()), Ok(()));
    assert_eq!(check("id", Value::Unknown, NULL), Ok(()));
    assert_eq!(place(check("id", Value::Unknown, Value::Unknown)), "id");
}

#[test]
fn a_list_keeps_its_length_and_order() {
    assert_eq!(
        place(check("items", list(["a"]), list(["a", "b"]))),
        "items"
    );
    assert_eq!(
        place(check("items", list(["a", "b"]), list(["a", "c"]))),
        "items[1]"
    );
}

#[test]
fn a_map_keeps_its_keys() {
    let plan = map([("a", "1")]);
    assert_eq!(check("labels", plan.clone(), plan.clone()), Ok(()));
    assert_eq!(
        place(check("labels", plan.clone(), map([("b", "1")]))),
        "labels"
    );
    assert_eq!(
        place(check("labels", plan.clone(), map([("a", "1"), ("b", "2")]))),
        "labels"
    );
    assert_eq!(
        place(check("labels", plan, map([("a", "2")]))),
        "labels[\"a\"]"
    );
}

#[test]
fn nested_objects_are_compared_by_attribute() {
    let plan = inner("x", Value::Unknown);
    assert_eq!(check("one", plan.clone(), inner("x", "s")), Ok(()));
    assert_eq!(
        place(check("one", plan.clone(), inner("y", "s"))),
        "one.label"
    );
    assert_eq!(place(check("one", plan.clone(), NULL)), "one");
    let slots = |slot: Value| Value::object([("k", slot)]);
    assert_eq!(
        place(check("slots", slots(plan.clone()), slots(inner("y", "s")))),
        "slots[\"k\"].label"
    );
}

#[test]
fn the_object_is_there() {
    let checked = applied(&attributes(), &object([]), &NULL);
    assert!(checked.unwrap_err().path.is_empty());
}

#[test]
fn nothing_is_left_unknown() {
    for (name, state, expected) in [
        ("note", Value::Unknown, "note"),
        ("items", Value::List(vec![Value::Unknown]), "items[0]"),
        (
            "labels",
            Value::object([("k", Value::Unknown)]),
            "labels[\"k\"]",
        ),
        ("one", inner("x", Value::Unknown), "one.seen"),
    ] {
        assert_eq!(place(check(name, Value::Unknown, state)), expected);
    }
}

#[test]
fn a_write_only_attribute_is_null_after_it() {
    assert_eq!(place(check("token_wo", NULL, "t".into())), "token_wo");
}

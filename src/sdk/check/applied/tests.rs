//! One test for each rule of an apply.

use super::*;
use crate::protocol::Type;
use crate::sdk::check::Violation;
use crate::sdk::check::samples::{attributes, inner, list, map, object};

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
fn keys_of_a_sensitive_map_are_not_told() {
    assert_eq!(
        place(check("hidden", map([("a", "1")]), map([("a", "2")]))),
        "hidden"
    );
    let unknown = Value::object([("a", Value::Unknown)]);
    assert_eq!(place(check("hidden", Value::Unknown, unknown)), "hidden");
}

#[test]
fn elements_of_a_set_correspond_in_any_order() {
    let plan = list(["a", "b"]);
    assert_eq!(check("members", plan.clone(), list(["b", "a"])), Ok(()));
    for other in [list(["a"]), list(["a", "c"]), list(["a", "b", "c"])] {
        assert_eq!(place(check("members", plan.clone(), other)), "members");
    }
}

#[test]
fn unknown_elements_of_a_set_may_fall_together_but_not_multiply() {
    let plan = Value::List(vec!["a".into(), Value::Unknown, Value::Unknown]);
    assert_eq!(check("members", plan.clone(), list(["a", "b"])), Ok(()));
    let more = list(["a", "b", "c", "d"]);
    assert_eq!(place(check("members", plan, more)), "members");
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
    let marks = |mark: Value| Value::List(vec![mark]);
    assert_eq!(
        check("marks", marks(plan.clone()), marks(inner("x", "s"))),
        Ok(())
    );
    assert_eq!(
        place(check("marks", marks(plan), marks(inner("y", "s")))),
        "marks"
    );
}

#[test]
fn a_tuple_is_compared_by_position() {
    let pair = |first: &str| Value::List(vec![first.into(), NULL]);
    assert_eq!(check("pair", pair("a"), pair("a")), Ok(()));
    assert_eq!(place(check("pair", pair("a"), pair("b"))), "pair[0]");
    let short = Value::List(vec!["a".into()]);
    assert_eq!(place(check("pair", pair("a"), short)), "pair");
}

#[test]
fn a_typed_value_keeps_its_type() {
    let of = |ty: Type, value: Value| Value::Dynamic(ty, Box::new(value));
    let plan = of(Type::String, Value::Unknown);
    assert_eq!(
        check("any", plan.clone(), of(Type::String, "x".into())),
        Ok(())
    );
    assert_eq!(
        place(check("any", plan, of(Type::Bool, true.into()))),
        "any"
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
        ("members", Value::List(vec![Value::Unknown]), "members"),
        ("one", inner("x", Value::Unknown), "one.seen"),
        (
            "pair",
            Value::List(vec!["a".into(), Value::Unknown]),
            "pair[1]",
        ),
        (
            "any",
            Value::Dynamic(Type::String, Box::new(Value::Unknown)),
            "any",
        ),
    ] {
        assert_eq!(place(check(name, Value::Unknown, state)), expected);
    }
}

#[test]
fn a_write_only_attribute_is_null_after_it() {
    assert_eq!(place(check("token_wo", NULL, "t".into())), "token_wo");
}

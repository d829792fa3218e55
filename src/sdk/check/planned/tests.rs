//! One test for each rule of a plan.

use super::*;
use crate::sdk::check::Violation;
use crate::sdk::check::samples::{attributes, inner, list, map, object};

/// Checks one attribute with these values in the prior state, the configuration, and the plan.
fn check(name: &str, prior: Value, config: Value, plan: Value) -> Result<(), Violation> {
    planned(
        &attributes(),
        &object([(name, prior)]),
        &object([(name, config)]),
        &object([(name, plan)]),
    )
}

fn place(checked: Result<(), Violation>) -> String {
    checked.unwrap_err().path.to_string()
}

const NULL: Value = Value::Null;

#[test]
fn a_plan_equal_to_the_configuration_is_fine() {
    for value in [Value::from("x"), Value::Unknown, NULL] {
        assert_eq!(check("note", "old".into(), value.clone(), value), Ok(()));
    }
}

#[test]
fn a_plan_may_keep_the_prior_value_for_a_configured_one() {
    assert_eq!(check("note", "N".into(), "n".into(), "N".into()), Ok(()));
}

#[test]
fn the_prior_value_is_not_kept_once_nothing_is_configured() {
    assert_eq!(place(check("note", "N".into(), NULL, "N".into())), "note");
}

#[test]
fn a_null_prior_value_stands_for_no_configured_one() {
    assert_eq!(place(check("note", NULL, "n".into(), NULL)), "note");
}

#[test]
fn a_write_only_attribute_is_planned_null() {
    assert_eq!(check("token_wo", NULL, "t".into(), NULL), Ok(()));
    let kept = check("token_wo", NULL, "t".into(), "t".into());
    assert_eq!(place(kept), "token_wo");
}

#[test]
fn a_computed_attribute_is_planned_as_anything() {
    for plan in [Value::from("x"), Value::Unknown, NULL] {
        assert_eq!(check("id", "old".into(), NULL, plan), Ok(()));
    }
}

#[test]
fn an_unset_attribute_with_a_default_is_planned_as_anything() {
    for plan in [Value::from(1), Value::Unknown, NULL] {
        assert_eq!(check("size", NULL, NULL, plan), Ok(()));
    }
}

#[test]
fn a_set_attribute_with_a_default_is_planned_as_configured() {
    assert_eq!(check("size", NULL, 1.into(), 1.into()), Ok(()));
    assert_eq!(place(check("size", NULL, 1.into(), 2.into())), "size");
}

#[test]
fn an_unset_attribute_is_planned_null() {
    assert_eq!(place(check("note", NULL, NULL, "x".into())), "note");
    assert_eq!(place(check("note", NULL, NULL, Value::Unknown)), "note");
}

#[test]
fn anything_else_contradicts_the_configuration() {
    assert_eq!(
        place(check("name", "a".into(), "b".into(), "c".into())),
        "name"
    );
}

#[test]
fn what_is_configured_as_unknown_is_planned_as_unknown() {
    let early = check("name", NULL, Value::Unknown, "early".into());
    assert_eq!(place(early), "name");
    let late = check("name", NULL, "x".into(), Value::Unknown);
    assert_eq!(place(late), "name");
}

#[test]
fn a_list_is_equal_in_its_order() {
    let reordered = check("items", NULL, list(["a", "b"]), list(["b", "a"]));
    assert_eq!(place(reordered), "items");
}

#[test]
fn a_plain_map_is_equal_or_wrong_as_a_whole() {
    let config = map([("k", "v")]);
    assert_eq!(
        check("labels", NULL, config.clone(), config.clone()),
        Ok(())
    );
    let changed = check("labels", NULL, config, map([("k", "w")]));
    assert_eq!(place(changed), "labels");
}

#[test]
fn a_nested_object_is_checked_by_its_attributes() {
    let config = inner("x", NULL);
    assert_eq!(
        check("one", NULL, config.clone(), inner("x", Value::Unknown)),
        Ok(())
    );
    let changed = check("one", NULL, config, inner("y", NULL));
    assert_eq!(place(changed), "one.label");
}

#[test]
fn a_nested_attribute_may_keep_its_prior_value() {
    let prior = inner("X", "s");
    let plan = inner("X", "new");
    assert_eq!(check("one", prior, inner("x", NULL), plan), Ok(()));
}

#[test]
fn a_configured_object_is_planned_neither_absent_nor_unknown() {
    for plan in [NULL, Value::Unknown] {
        let checked = check("one", NULL, inner("x", NULL), plan);
        assert_eq!(place(checked), "one");
    }
}

#[test]
fn an_object_that_is_not_configured_is_planned_null() {
    assert_eq!(place(check("one", NULL, NULL, inner("x", NULL))), "one");
}

#[test]
fn a_nested_list_keeps_its_length() {
    let config = Value::List(vec![inner("x", NULL)]);
    let longer = Value::List(vec![inner("x", NULL), inner("y", NULL)]);
    assert_eq!(place(check("parts", NULL, config.clone(), longer)), "parts");
    let changed = Value::List(vec![inner("y", NULL)]);
    assert_eq!(
        place(check("parts", NULL, config.clone(), changed)),
        "parts[0].label"
    );
    for gone in [NULL, Value::Unknown] {
        let plan = Value::List(vec![gone]);
        assert_eq!(
            place(check("parts", NULL, config.clone(), plan)),
            "parts[0]"
        );
    }
    let prior = Value::List(vec![inner("X", NULL)]);
    let kept = Value::List(vec![inner("X", "s")]);
    assert_eq!(check("parts", prior, config, kept), Ok(()));
}

#[test]
fn a_nested_map_keeps_its_keys() {
    let slots = |key: &str, slot: Value| Value::object([(key, slot)]);
    let config = slots("a", inner("x", NULL));
    let plan = slots("b", inner("x", NULL));
    assert_eq!(place(check("slots", NULL, config.clone(), plan)), "slots");
    let plan = slots("a", inner("y", NULL));
    assert_eq!(
        place(check("slots", NULL, config.clone(), plan)),
        "slots[\"a\"].label"
    );
    let plan = slots("a", NULL);
    assert_eq!(
        place(check("slots", NULL, config.clone(), plan)),
        "slots[\"a\"]"
    );
    let plan = slots("a", inner("x", "s"));
    assert_eq!(check("slots", NULL, config, plan), Ok(()));
}

#[test]
fn elements_that_are_unknown_stay_unknown() {
    let config = Value::List(vec![Value::Unknown]);
    assert_eq!(check("parts", NULL, config.clone(), config.clone()), Ok(()));
    let early = Value::List(vec![inner("x", NULL)]);
    assert_eq!(place(check("parts", NULL, config, early)), "parts[0]");
}

#[test]
fn an_object_that_is_configured_is_not_planned_for_absence() {
    for plan in [NULL, Value::Unknown] {
        let checked = planned(&attributes(), &NULL, &object([]), &plan);
        assert!(checked.unwrap_err().path.is_empty());
    }
}

#[test]
fn a_creation_has_no_prior_value_to_keep() {
    let checked = planned(
        &attributes(),
        &NULL,
        &object([("note", "n".into())]),
        &object([("note", "N".into())]),
    );
    assert_eq!(place(checked), "note");
}

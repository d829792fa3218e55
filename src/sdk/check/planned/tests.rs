//! One test for each rule of a plan.

use super::*;
use crate::sdk::check::Violation;
use crate::sdk::check::tests::samples::{attributes, inner, list, map, object};

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
fn a_computed_nested_attribute_is_planned_as_anything() {
    for plan in [NULL, Value::Unknown, inner("x", Value::Unknown)] {
        assert_eq!(check("one", inner("w", "s"), NULL, plan), Ok(()));
    }
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

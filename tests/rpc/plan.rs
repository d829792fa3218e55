//! What the service lets through of a plan, and what it withholds.

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Diagnostic, Value};
use wire::attribute_path::step::Selector;

use super::host::{Host, assert_bug, assert_error, decoded, identity, planning, thing};
use super::thing::{CANARY, Script, inner, list, object, planned, set};

const NULL: Value = Value::Null;

/// A resource that plans this, whatever it is asked.
fn plans(state: &Value) -> Script {
    let state = state.clone();
    Script {
        plan: Box::new(move |request| Ok(planned(state.clone(), request.private))),
        ..Script::default()
    }
}

/// Things that exist, are configured and are planned, alike but for one attribute.
fn change(name: &str, values: [Value; 3]) -> [Value; 3] {
    let [prior, config, plan] = values;
    let mut prior_state = object([("id", "thing-1".into()), ("name", "n".into())]);
    let mut configured = object([("name", "n".into())]);
    let mut planned = prior_state.clone();
    set(&mut prior_state, name, prior);
    set(&mut configured, name, config);
    set(&mut planned, name, plan);
    [prior_state, configured, planned]
}

fn slots(key: &str, slot: Value) -> Value {
    Value::object([(key, slot)])
}

#[tokio::test]
async fn acceptable_plans_pass() {
    let x = || Value::from("x");
    for (name, values) in [
        // As configured.
        ("note", [NULL, x(), x()]),
        ("note", [NULL, Value::Unknown, Value::Unknown]),
        // As before, where the resource takes the configured value for the same.
        ("note", ["X".into(), x(), "X".into()]),
        // Write-only.
        ("token_wo", [NULL, x(), NULL]),
        // Computed, with or without a default.
        ("size", [NULL, NULL, 1.into()]),
        ("size", [1.into(), NULL, Value::Unknown]),
        ("size", [1.into(), NULL, NULL]),
        // Nested, and computed as a whole.
        ("one", [inner("x", "s"), NULL, inner("x", Value::Unknown)]),
    ] {
        let [prior, config, plan] = change(name, values);
        let mut host = Host::configured(plans(&plan)).await;
        let answer = host.plan(planning(&prior, &config)).await;
        assert_eq!(answer.diagnostics, [], "{name}");
        assert_eq!(answer.planned_state, Some(thing(&plan)), "{name}");
        assert!(!answer.legacy_type_system);
    }
}

#[tokio::test]
async fn wrong_plans_are_withheld() {
    let x = || Value::from("x");
    let wrong = || Value::from(CANARY);
    for (place, name, values) in [
        ("note", "note", [NULL, x(), wrong()]),
        ("note", "note", [wrong(), NULL, wrong()]),
        ("note", "note", [NULL, NULL, wrong()]),
        ("note", "note", [NULL, x(), NULL]),
        ("note", "note", [NULL, x(), Value::Unknown]),
        ("note", "note", [NULL, Value::Unknown, wrong()]),
        ("token_wo", "token_wo", [NULL, wrong(), wrong()]),
        ("token_wo", "token_wo", [NULL, NULL, Value::Unknown]),
        ("size", "size", [NULL, 1.into(), 2.into()]),
        ("items", "items", [NULL, list(["a"]), list(["a", CANARY])]),
        (
            "labels",
            "labels",
            [NULL, slots("k", x()), slots("k", wrong())],
        ),
        // Of another type than the schema's.
        ("id", "id", [x(), NULL, true.into()]),
        ("size", "size", [NULL, NULL, wrong()]),
    ] {
        let [mut prior, config, plan] = change(name, values);
        set(&mut prior, "id", "thing-1".into());
        let mut host = Host::configured(plans(&plan)).await;
        let answer = host.plan(planning(&prior, &config)).await;
        assert_bug(&answer.diagnostics, "plan", place);
        assert_eq!(decoded(answer.planned_state.as_ref()), prior, "{place}");
        assert_eq!(answer.planned_private, b"\"before\"");
        assert_eq!(answer.planned_identity, Some(identity("thing-1")));
        assert_eq!(answer.requires_replace, []);
    }
}

#[tokio::test]
async fn a_plan_that_is_no_object_of_the_schema_is_withheld() {
    let prior = object([("id", "thing-1".into()), ("name", "n".into())]);
    let config = object([("name", "n".into())]);
    let mut extra = prior.clone();
    set(&mut extra, "extra", CANARY.into());
    let Value::Map(mut short) = prior.clone() else {
        unreachable!();
    };
    short.remove("size");
    for (place, plan) in [
        ("the whole object", NULL),
        ("the whole object", Value::Unknown),
        ("the whole object", CANARY.into()),
        ("the whole object", extra),
        ("size", Value::Map(short)),
    ] {
        let mut host = Host::configured(plans(&plan)).await;
        let answer = host.plan(planning(&prior, &config)).await;
        assert_bug(&answer.diagnostics, "plan", place);
        assert_eq!(decoded(answer.planned_state.as_ref()), prior);
    }
}

#[tokio::test]
async fn a_wrong_plan_for_a_creation_answers_null() {
    let config = object([("name", "n".into())]);
    let plan = object([("name", CANARY.into())]);
    let mut host = Host::configured(plans(&plan)).await;
    let answer = host.plan(planning(&NULL, &config)).await;
    assert_bug(&answer.diagnostics, "plan", "name");
    assert_eq!(decoded(answer.planned_state.as_ref()), NULL);
    assert_eq!(answer.planned_identity, None);
}

#[tokio::test]
async fn a_change_of_an_attribute_that_replaces_is_told_by_its_path() {
    let prior = object([("id", "thing-1".into()), ("name", "old".into())]);
    let mut host = Host::configured(Script::default()).await;
    for (config, replaced) in [
        (object([("name", "new".into())]), true),
        (object([("name", Value::Unknown)]), true),
        (
            object([("name", "old".into()), ("note", "new".into())]),
            false,
        ),
    ] {
        let answer = host.plan(planning(&prior, &config)).await;
        assert_eq!(answer.diagnostics, []);
        let steps = answer.requires_replace.iter().flat_map(|path| &path.steps);
        let selectors: Vec<_> = steps.filter_map(|step| step.selector.clone()).collect();
        let name = Selector::AttributeName("name".to_owned());
        assert_eq!(selectors, if replaced { vec![name] } else { Vec::new() });
    }
}

#[tokio::test]
async fn a_creation_replaces_nothing() {
    let mut host = Host::configured(Script::default()).await;
    let config = object([("name", "n".into())]);
    let answer = host.plan(planning(&NULL, &config)).await;
    assert_eq!(answer.diagnostics, []);
    assert_eq!(answer.requires_replace, []);
    let plan = decoded(answer.planned_state.as_ref());
    assert_eq!(plan, object([("id", Value::Unknown), ("name", "n".into())]));
}

#[tokio::test]
async fn the_second_plan_of_a_replacement_is_a_creation() {
    let mut host = Host::configured(Script::default()).await;
    let config = object([("name", "new".into())]);
    // One host sends the planned identity again, the other null.
    for prior_identity in [
        None,
        Some(wire::ResourceIdentityData::default()),
        Some(wire::ResourceIdentityData {
            identity_data: Some(thing(&NULL)),
        }),
        Some(identity("thing-1")),
    ] {
        let request = wire::plan_resource_change::Request {
            prior_private: b"\"planned\"".to_vec(),
            prior_identity,
            ..planning(&NULL, &config)
        };
        let answer = host.plan(request).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(answer.planned_private, b"\"planned\"");
        assert_eq!(answer.planned_identity, None);
        let plan = decoded(answer.planned_state.as_ref());
        assert_eq!(plan.get("id"), Some(&Value::Unknown));
    }
}

#[tokio::test]
async fn a_destruction_is_planned_null_with_what_the_resource_says() {
    let script = Script {
        plan_destroy: Box::new(|state| {
            let id = state.get("id").and_then(Value::as_str).unwrap();
            vec![Diagnostic::warning(format!("{id} stays"), "")]
        }),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    let prior = object([("id", "thing-1".into()), ("name", "n".into())]);
    let answer = host.plan(planning(&prior, &NULL)).await;
    assert_eq!(decoded(answer.planned_state.as_ref()), NULL);
    assert_eq!(answer.planned_private, b"\"before\"");
    assert_eq!(answer.planned_identity, Some(identity("thing-1")));
    let told: Vec<_> = answer.diagnostics.iter().map(|one| &one.summary).collect();
    assert_eq!(told, ["thing-1 stays"]);
    let nothing = host.plan(planning(&NULL, &NULL)).await;
    assert_eq!(decoded(nothing.planned_state.as_ref()), NULL);
    assert_eq!(nothing.diagnostics, []);
}

#[tokio::test]
async fn half_a_request_is_no_destruction() {
    let mut host = Host::configured(Script::default()).await;
    let prior = object([("id", "thing-1".into()), ("name", "n".into())]);
    let config = object([("name", "n".into())]);
    let mut without_config = planning(&prior, &config);
    without_config.config = None;
    let mut without_proposal = planning(&prior, &config);
    without_proposal.proposed_new_state = None;
    for (request, what) in [
        (without_config, "the configuration"),
        (without_proposal, "the proposed state"),
    ] {
        let answer = host.plan(request).await;
        let summary = format!("Terraform or OpenTofu sent nothing for {what}");
        assert_error(&answer.diagnostics, &summary);
        assert_eq!(decoded(answer.planned_state.as_ref()), prior);
    }
}

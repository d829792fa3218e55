//! The identity of an instance in every answer.

use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use super::host::{
    Host, applying, assert_bug, assert_error, decoded, identity, planning, reading, thing,
};
use super::thing::{Script, applied, object, planned, read, ready, set};

const NULL: Value = Value::Null;

fn state(id: impl Into<Value>) -> Value {
    object([("id", id.into()), ("name", "n".into())])
}

fn config() -> Value {
    object([("name", "n".into())])
}

/// A resource that answers with this id to everything.
fn with_id(id: impl Into<Value>) -> Script {
    let id = id.into();
    let ids = [id.clone(), id.clone(), id.clone(), id];
    let [to_read, to_plan, to_create, to_update] = ids;
    Script {
        read: Box::new(move |_, request| ready(Ok(read(state(to_read.clone()), request.private)))),
        plan: Box::new(move |request| Ok(planned(state(to_plan.clone()), request.private))),
        create: Box::new(move |_, request| {
            ready(Ok(applied(state(to_create.clone()), request.private)))
        }),
        update: Box::new(move |_, request| {
            ready(Ok(applied(state(to_update.clone()), request.private)))
        }),
        ..Script::default()
    }
}

#[tokio::test]
async fn every_answer_has_one() {
    let mut host = Host::configured(with_id("thing-1")).await;
    let one = Some(identity("thing-1"));
    let prior = state("thing-1");
    let read = host.read(reading(&prior)).await;
    assert_eq!((read.diagnostics, read.new_identity), (vec![], one.clone()));
    let plan = host.plan(planning(&prior, &config())).await;
    assert_eq!(
        (plan.diagnostics, plan.planned_identity),
        (vec![], one.clone())
    );
    let update = host.apply(applying(&prior, &prior, &config())).await;
    assert_eq!(
        (update.diagnostics, update.new_identity),
        (vec![], one.clone())
    );
    let create = host.apply(applying(&NULL, &prior, &config())).await;
    assert_eq!((create.diagnostics, create.new_identity), (vec![], one));
}

#[tokio::test]
async fn a_state_without_one_gets_one() {
    let mut host = Host::configured(with_id("thing-1")).await;
    for current_identity in [
        None,
        Some(wire::ResourceIdentityData::default()),
        Some(identity(NULL)),
    ] {
        let request = wire::read_resource::Request {
            current_identity,
            ..reading(&state("thing-1"))
        };
        let answer = host.read(request).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(answer.new_identity, Some(identity("thing-1")));
    }
}

#[tokio::test]
async fn a_creation_may_plan_one_that_is_known_or_none() {
    let mut host = Host::configured(with_id("thing-1")).await;
    let known = host.plan(planning(&NULL, &config())).await;
    assert_eq!(known.diagnostics, []);
    assert_eq!(known.planned_identity, Some(identity("thing-1")));
    let mut host = Host::configured(with_id(Value::Unknown)).await;
    let unknown = host.plan(planning(&NULL, &config())).await;
    assert_eq!(unknown.diagnostics, []);
    assert_eq!(unknown.planned_identity, None);
}

#[tokio::test]
async fn a_change_that_does_not_know_it_keeps_the_prior_one() {
    let mut host = Host::configured(with_id(Value::Unknown)).await;
    let answer = host.plan(planning(&state("thing-1"), &config())).await;
    assert_eq!(answer.diagnostics, []);
    assert_eq!(answer.planned_identity, Some(identity("thing-1")));
}

#[tokio::test]
async fn a_replacement_may_have_another() {
    let mut prior = state("thing-1");
    set(&mut prior, "name", "old".into());
    for (id, expected) in [
        (Value::from("thing-2"), Some(identity("thing-2"))),
        (Value::Unknown, None),
    ] {
        let mut host = Host::configured(with_id(id)).await;
        let answer = host.plan(planning(&prior, &config())).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(answer.requires_replace.len(), 1);
        assert_eq!(answer.planned_identity, expected);
    }
}

#[tokio::test]
async fn one_that_changes_is_withheld() {
    let prior = state("thing-1");
    let mut host = Host::configured(with_id("thing-2")).await;
    let read = host.read(reading(&prior)).await;
    assert_bug(&read.diagnostics, "read", "the whole object");
    assert_eq!(decoded(read.new_state.as_ref()), prior);
    assert_eq!(read.new_identity, Some(identity("thing-1")));
    let plan = host.plan(planning(&prior, &config())).await;
    assert_bug(&plan.diagnostics, "plan", "the whole object");
    assert_eq!(decoded(plan.planned_state.as_ref()), prior);
    assert_eq!(plan.planned_identity, Some(identity("thing-1")));
    let update = applying(&prior, &state(Value::Unknown), &config());
    let update = host.apply(update).await;
    assert_bug(&update.diagnostics, "update", "the whole object");
    assert_eq!(decoded(update.new_state.as_ref()), prior);
    assert_eq!(update.new_identity, Some(identity("thing-1")));
}

#[tokio::test]
async fn one_that_is_missing_or_unknown_is_withheld() {
    let prior = state("thing-1");
    for (id, place) in [(NULL, "the whole object"), (Value::Unknown, "id")] {
        let mut host = Host::configured(with_id(id)).await;
        let read = host.read(reading(&prior)).await;
        assert_bug(&read.diagnostics, "read", place);
        assert_eq!(decoded(read.new_state.as_ref()), prior);
        for before in [NULL, prior.clone()] {
            let request = applying(&before, &state(Value::Unknown), &config());
            let answer = host.apply(request).await;
            let call = if before.is_null() { "create" } else { "update" };
            assert_bug(&answer.diagnostics, call, place);
            assert_eq!(decoded(answer.new_state.as_ref()), before);
        }
    }
}

#[tokio::test]
async fn one_that_cannot_be_decoded_is_an_error() {
    let wrong = || {
        Some(wire::ResourceIdentityData {
            identity_data: Some(thing(&state("thing-1"))),
        })
    };
    let mut host = Host::configured(Script::default()).await;
    let prior = state("thing-1");
    let mut request = reading(&prior);
    request.current_identity = wrong();
    let read = host.read(request).await;
    assert_error(&read.diagnostics, "Cannot decode the identity");
    assert_eq!(decoded(read.new_state.as_ref()), prior);
    let mut request = applying(&prior, &prior, &config());
    request.planned_identity = wrong();
    let applied = host.apply(request).await;
    assert_error(&applied.diagnostics, "Cannot decode the identity");
    assert_eq!(decoded(applied.new_state.as_ref()), prior);
}

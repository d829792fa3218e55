//! What the service lets through of an apply, and what it withholds.

use terraform_provider_claude::protocol::{Diagnostic, Value};
use terraform_provider_claude::sdk::Failure;

use super::host::{Host, applying, assert_bug, assert_error, decoded, identity};
use super::thing::{CANARY, Script, applied, inner, list, object, ready, set};

const NULL: Value = Value::Null;

/// A resource that creates and updates to this.
fn makes(state: &Value) -> Script {
    let (created, updated) = (state.clone(), state.clone());
    Script {
        create: Box::new(move |_, _| ready(Ok(applied(created.clone(), "after".to_owned())))),
        update: Box::new(move |_, _| ready(Ok(applied(updated.clone(), "after".to_owned())))),
        ..Script::default()
    }
}

fn prior() -> Value {
    object([
        ("id", "thing-1".into()),
        ("name", "n".into()),
        ("note", "before".into()),
    ])
}

fn config() -> Value {
    object([("name", "n".into())])
}

/// The plan and the state after it, alike but for one attribute.
fn outcome(name: &str, plan: Value, state: Value) -> [Value; 2] {
    let like = object([("id", "thing-1".into()), ("name", "n".into())]);
    [plan, state].map(|value| {
        let mut object = like.clone();
        set(&mut object, name, value);
        object
    })
}

fn labels<const N: usize>(labels: [(&str, Value); N]) -> Value {
    Value::object(labels)
}

/// Answers that a host would refuse, each with the place to blame.
fn wrong() -> Vec<(&'static str, [Value; 2])> {
    let wrong = || Value::from(CANARY);
    let one = |label: Value| Value::List(vec![inner(label, NULL)]);
    let mut rows = vec![
        ("note", outcome("note", "x".into(), wrong())),
        ("note", outcome("note", "x".into(), NULL)),
        ("note", outcome("note", NULL, wrong())),
        ("password", outcome("password", "x".into(), wrong())),
        ("items", outcome("items", list(["a"]), list(["a", CANARY]))),
        ("items[0]", outcome("items", list(["a"]), list([CANARY]))),
        (
            "labels",
            outcome("labels", labels([("a", NULL)]), labels([("b", wrong())])),
        ),
        (
            "labels[\"a\"]",
            outcome(
                "labels",
                labels([("a", "x".into())]),
                labels([("a", wrong())]),
            ),
        ),
        ("one", outcome("one", inner("x", NULL), NULL)),
        (
            "one.label",
            outcome("one", inner("x", NULL), inner(wrong(), NULL)),
        ),
        (
            "parts[0].label",
            outcome("parts", one("x".into()), one(wrong())),
        ),
        ("size", outcome("size", Value::Unknown, Value::Unknown)),
        (
            "one.seen",
            outcome(
                "one",
                inner("x", Value::Unknown),
                inner("x", Value::Unknown),
            ),
        ),
        ("token_wo", outcome("token_wo", NULL, wrong())),
        ("size", outcome("size", Value::Unknown, wrong())),
    ];
    let [plan, state] = outcome("note", NULL, NULL);
    let mut extra = state.clone();
    set(&mut extra, "extra", CANARY.into());
    rows.push(("the whole object", [plan.clone(), extra]));
    rows.push(("the whole object", [plan.clone(), NULL]));
    rows.push(("the whole object", [plan.clone(), Value::Unknown]));
    rows.push(("the whole object", [plan, CANARY.into()]));
    rows
}

#[tokio::test]
async fn wrong_updates_are_withheld() {
    for (place, [plan, state]) in wrong() {
        let mut host = Host::configured(makes(&state)).await;
        let answer = host.apply(applying(&prior(), &plan, &config())).await;
        assert_bug(&answer.diagnostics, "update", place);
        assert_eq!(decoded(answer.new_state.as_ref()), prior(), "{place}");
        assert_eq!(answer.private, b"\"planned\"");
        assert_eq!(answer.new_identity, Some(identity("thing-1")));
        assert!(!answer.legacy_type_system);
    }
}

#[tokio::test]
async fn wrong_creations_are_withheld() {
    for (place, [plan, state]) in wrong() {
        let mut host = Host::configured(makes(&state)).await;
        let answer = host.apply(applying(&NULL, &plan, &config())).await;
        assert_bug(&answer.diagnostics, "create", place);
        assert_eq!(decoded(answer.new_state.as_ref()), NULL, "{place}");
    }
}

#[tokio::test]
async fn what_was_planned_unknown_may_become_anything() {
    for (name, plan, state) in [
        ("size", Value::Unknown, 1.into()),
        ("size", Value::Unknown, NULL),
        ("one", inner("x", Value::Unknown), inner("x", "s")),
    ] {
        let [plan, state] = outcome(name, plan, state);
        let mut host = Host::configured(makes(&state)).await;
        for prior in [NULL, prior()] {
            let answer = host.apply(applying(&prior, &plan, &config())).await;
            assert_eq!(answer.diagnostics, [], "{name}");
            assert_eq!(decoded(answer.new_state.as_ref()), state);
            assert_eq!(answer.private, b"\"after\"");
            assert_eq!(answer.new_identity, Some(identity("thing-1")));
        }
    }
}

#[tokio::test]
async fn a_destruction_answers_null_even_where_nothing_was() {
    let mut host = Host::configured(Script::default()).await;
    for before in [prior(), NULL] {
        let answer = host.apply(applying(&before, &NULL, &NULL)).await;
        assert_eq!(decoded(answer.new_state.as_ref()), NULL);
        assert_eq!(answer.diagnostics, []);
    }
}

#[tokio::test]
async fn a_creation_that_fails_leaves_nothing() {
    let script = Script {
        create: Box::new(|_, _| ready(Err(Diagnostic::error("No", "").into()))),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    let [plan, _] = outcome("note", NULL, NULL);
    let answer = host.apply(applying(&NULL, &plan, &config())).await;
    assert_error(&answer.diagnostics, "No");
    assert_eq!(decoded(answer.new_state.as_ref()), NULL);
}

#[tokio::test]
async fn an_update_that_fails_keeps_what_it_reached_or_else_the_prior_state() {
    let half = || {
        let mut state = prior();
        set(&mut state, "note", "half".into());
        state
    };
    let mut unknown = half();
    set(&mut unknown, "size", Value::Unknown);
    for (reached, kept, told) in [
        (Some(half()), half(), 1),
        (None, prior(), 1),
        (Some(unknown), prior(), 2),
    ] {
        let script = Script {
            update: Box::new(move |_, _| {
                let failure = Failure::from(Diagnostic::error("No", ""));
                ready(Err(match reached.clone() {
                    Some(state) => failure.with_state(applied(state, "half".to_owned())),
                    None => failure,
                }))
            }),
            ..Script::default()
        };
        let mut host = Host::configured(script).await;
        let [plan, _] = outcome("note", "after".into(), NULL);
        let answer = host.apply(applying(&prior(), &plan, &config())).await;
        assert_eq!(answer.diagnostics.len(), told);
        assert_eq!(answer.diagnostics[0].summary, "No");
        assert_eq!(decoded(answer.new_state.as_ref()), kept);
        let private = if kept == half() {
            "\"half\""
        } else {
            "\"planned\""
        };
        assert_eq!(answer.private, private.as_bytes());
    }
}

#[tokio::test]
async fn half_a_request_is_no_destruction() {
    let mut host = Host::configured(Script::default()).await;
    let [plan, _] = outcome("note", NULL, NULL);
    let mut without_config = applying(&prior(), &plan, &config());
    without_config.config = None;
    let mut without_plan = applying(&prior(), &plan, &config());
    without_plan.planned_state = None;
    for (request, what) in [
        (without_config, "the configuration"),
        (without_plan, "the plan"),
    ] {
        let answer = host.apply(request).await;
        assert_error(
            &answer.diagnostics,
            &format!("Terraform or OpenTofu sent nothing for {what}"),
        );
        assert_eq!(decoded(answer.new_state.as_ref()), prior());
    }
}

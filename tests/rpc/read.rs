//! What the service lets through of a refresh, and what it withholds.

use terraform_provider_claude::protocol::{Diagnostic, Value};

use super::host::{Host, assert_bug, assert_error, decoded, identity, reading};
use super::thing::{CANARY, Script, inner, object, read, ready, set};

const NULL: Value = Value::Null;

/// A resource that finds this.
fn finds(state: &Value) -> Script {
    let state = state.clone();
    Script {
        read: Box::new(move |_, _| ready(Ok(read(state.clone(), "after".to_owned())))),
        ..Script::default()
    }
}

fn prior() -> Value {
    object([("id", "thing-1".into()), ("name", "n".into())])
}

fn with(name: &str, value: Value) -> Value {
    let mut state = prior();
    set(&mut state, name, value);
    state
}

#[tokio::test]
async fn what_is_found_is_answered_with_private_data_and_identity() {
    let found = with("note", "changed outside".into());
    let mut host = Host::configured(finds(&found)).await;
    let answer = host.read(reading(&prior())).await;
    assert_eq!(answer.diagnostics, []);
    assert_eq!(decoded(answer.new_state.as_ref()), found);
    assert_eq!(answer.private, b"\"after\"");
    assert_eq!(answer.new_identity, Some(identity("thing-1")));
    assert_eq!(answer.deferred, None);
}

#[tokio::test]
async fn warnings_go_along() {
    let script = Script {
        read: Box::new(|_, request| {
            let mut answer = read(request.state.0, request.private);
            answer.diagnostics.push(Diagnostic::warning("Soon due", ""));
            ready(Ok(answer))
        }),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    let answer = host.read(reading(&prior())).await;
    assert_eq!(answer.diagnostics.len(), 1);
    assert_eq!(answer.diagnostics[0].summary, "Soon due");
    assert_eq!(decoded(answer.new_state.as_ref()), prior());
}

#[tokio::test]
async fn wrong_refreshes_are_withheld() {
    let mut extra = prior();
    set(&mut extra, "extra", CANARY.into());
    for (place, state) in [
        ("the whole object", NULL),
        ("the whole object", Value::Unknown),
        ("the whole object", CANARY.into()),
        ("the whole object", extra),
        ("note", with("note", Value::Unknown)),
        (
            "items[1]",
            with("items", Value::List(vec![CANARY.into(), Value::Unknown])),
        ),
        ("one.seen", with("one", inner(CANARY, Value::Unknown))),
        ("token_wo", with("token_wo", CANARY.into())),
        ("size", with("size", CANARY.into())),
    ] {
        let mut host = Host::configured(finds(&state)).await;
        let answer = host.read(reading(&prior())).await;
        assert_bug(&answer.diagnostics, "read", place);
        assert_eq!(decoded(answer.new_state.as_ref()), prior(), "{place}");
        assert_eq!(answer.private, b"\"before\"");
        assert_eq!(answer.new_identity, Some(identity("thing-1")));
    }
}

#[tokio::test]
async fn a_refresh_that_fails_keeps_the_state() {
    let script = Script {
        read: Box::new(|_, _| ready(Err(Diagnostic::error("No", "").into()))),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    let answer = host.read(reading(&prior())).await;
    assert_error(&answer.diagnostics, "No");
    assert_eq!(decoded(answer.new_state.as_ref()), prior());
    assert_eq!(answer.private, b"\"before\"");
    assert_eq!(answer.new_identity, Some(identity("thing-1")));
}

#[tokio::test]
async fn a_refresh_of_nothing_is_an_error() {
    let mut host = Host::configured(Script::default()).await;
    let mut absent = reading(&prior());
    absent.current_state = None;
    let mut null = reading(&prior());
    null.current_state = Some(super::host::thing(&NULL));
    for request in [absent, null] {
        let answer = host.read(request).await;
        assert_error(
            &answer.diagnostics,
            "Terraform or OpenTofu sent nothing for the state",
        );
    }
}

//! Calls before the configuration and for resource types that do not exist.

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Diagnostic, Value};

use super::host::{Host, applying, assert_error, config, decoded, planning, reading, thing};
use super::thing::{Script, object};

const NOT_CONFIGURED: &str = "The provider is not configured";
const UNKNOWN_TYPE: &str = "Unknown resource type";

fn state() -> Value {
    object([("id", "thing-1".into()), ("name", "n".into())])
}

fn configured() -> Value {
    object([("name", "n".into())])
}

#[tokio::test]
async fn calls_that_need_the_configuration_wait_for_it() {
    let mut host = Host::new(Script::default());
    let read = host.read(reading(&state())).await;
    assert_error(&read.diagnostics, NOT_CONFIGURED);
    assert_eq!(decoded(read.new_state.as_ref()), state());
    let plan = host.plan(planning(&state(), &configured())).await;
    assert_error(&plan.diagnostics, NOT_CONFIGURED);
    assert_eq!(decoded(plan.planned_state.as_ref()), state());
    let apply = applying(&state(), &state(), &configured());
    let apply = host.apply(apply).await;
    assert_error(&apply.diagnostics, NOT_CONFIGURED);
    assert_eq!(decoded(apply.new_state.as_ref()), state());
    let import = host.import("thing-1").await;
    assert_error(&import.diagnostics, NOT_CONFIGURED);
    assert_eq!(import.imported_resources, []);
}

#[tokio::test]
async fn calls_of_validation_need_none() {
    let mut host = Host::new(Script::default());
    assert_eq!(host.validate(&configured()).await, []);
    assert_eq!(host.upgrade(0, r#"{"name":"n"}"#).await.diagnostics, []);
}

#[tokio::test]
async fn what_validation_finds_is_told() {
    let script = Script {
        validate: Box::new(|config| {
            let note = config.get("note").unwrap();
            if note.is_unknown() {
                return Vec::new();
            }
            vec![Diagnostic::error("No", "")]
        }),
        ..Script::default()
    };
    let mut host = Host::new(script);
    assert_error(&host.validate(&configured()).await, "No");
    let unknown = object([("name", "n".into()), ("note", Value::Unknown)]);
    assert_eq!(host.validate(&unknown).await, []);
}

#[tokio::test]
async fn a_configuration_that_fails_leaves_what_was_there() {
    let script = Script {
        configure: Box::new(|config| match config.get("endpoint") {
            Some(Value::String(_)) => Err(Diagnostic::error("No", "").into()),
            _ => Ok(()),
        }),
        ..Script::default()
    };
    let mut host = Host::new(script);
    let wrong = || Some(config(&Value::object([("endpoint", "e".into())])));
    assert_error(&host.configure(wrong()).await, "No");
    let read = host.read(reading(&state())).await;
    assert_error(&read.diagnostics, NOT_CONFIGURED);
    assert_eq!(host.configure(None).await, []);
    assert_error(&host.configure(wrong()).await, "No");
    assert_eq!(host.read(reading(&state())).await.diagnostics, []);
}

#[tokio::test]
async fn a_resource_type_that_does_not_exist_is_told() {
    let mut host = Host::configured(Script::default()).await;
    let name = || "tiny_other".to_owned();
    let request = wire::validate_resource_config::Request {
        type_name: name(),
        config: Some(thing(&configured())),
        ..Default::default()
    };
    let answer = host.client.validate_resource_config(request).await;
    assert_error(&answer.unwrap().into_inner().diagnostics, UNKNOWN_TYPE);
    let request = wire::upgrade_resource_state::Request {
        type_name: name(),
        ..Default::default()
    };
    let answer = host.client.upgrade_resource_state(request).await.unwrap();
    assert_error(&answer.into_inner().diagnostics, UNKNOWN_TYPE);
    let mut request = reading(&state());
    request.type_name = name();
    let read = host.read(request).await;
    assert_error(&read.diagnostics, UNKNOWN_TYPE);
    assert_eq!(decoded(read.new_state.as_ref()), state());
    let mut request = planning(&state(), &configured());
    request.type_name = name();
    let plan = host.plan(request).await;
    assert_error(&plan.diagnostics, UNKNOWN_TYPE);
    assert_eq!(decoded(plan.planned_state.as_ref()), state());
    let mut request = applying(&state(), &state(), &configured());
    request.type_name = name();
    let apply = host.apply(request).await;
    assert_error(&apply.diagnostics, UNKNOWN_TYPE);
    assert_eq!(decoded(apply.new_state.as_ref()), state());
    let request = wire::import_resource_state::Request {
        type_name: name(),
        ..Default::default()
    };
    let answer = host.client.import_resource_state(request).await.unwrap();
    assert_error(&answer.into_inner().diagnostics, UNKNOWN_TYPE);
}

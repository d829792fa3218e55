//! Configuration that is written down for an instance that exists.

use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use super::host::{Host, assert_bug, assert_error, decoded, thing};
use super::thing::{CANARY, Script, TYPE_NAME, inner, object};
use super::wide::GROWN;

async fn generated(type_name: &str, state: &Value) -> wire::generate_resource_config::Response {
    let mut host = Host::configured(Script::default()).await;
    let request = wire::generate_resource_config::Request {
        type_name: type_name.to_owned(),
        state: Some(thing(state)),
    };
    let answer = host.client.generate_resource_config(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn what_cannot_be_configured_is_left_out() {
    let state = object([
        ("id", "thing-1".into()),
        ("name", "n".into()),
        ("note", "plain".into()),
        ("size", 3.into()),
        ("token_wo", CANARY.into()),
        ("one", inner("x", "s")),
        ("parts", Value::List(vec![inner("x", "s"), inner("y", "t")])),
        ("slots", Value::object([("k", inner("x", "s"))])),
    ]);
    let kept = |note: Value| object([("name", "n".into()), ("note", note), ("size", 3.into())]);
    for (type_name, note) in [(TYPE_NAME, "plain".into()), (GROWN, Value::Null)] {
        let answer = generated(type_name, &state).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(decoded(answer.config.as_ref()), kept(note));
    }
}

#[tokio::test]
async fn what_is_not_known_or_not_there_is_an_error() {
    let unknown = object([("name", "n".into()), ("note", Value::Unknown)]);
    let answer = generated(TYPE_NAME, &unknown).await;
    assert_bug(&answer.diagnostics, "generate", "note");
    assert_eq!(answer.config, None);
    let answer = generated(TYPE_NAME, &Value::Null).await;
    assert_error(
        &answer.diagnostics,
        "Terraform or OpenTofu sent nothing for the state",
    );
    let answer = generated("tiny_none", &unknown).await;
    assert_error(&answer.diagnostics, "Unknown resource type");
}

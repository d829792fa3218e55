//! The same states through the service in process.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use serde_json::{Map, Value as Json, json};
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Value, wire as codec};
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;

use super::{FIXTURES, folders, resources};

/// Writes a value as a state does.
fn written(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::String(text) => json!(text),
        Value::Bool(flag) => json!(flag),
        Value::Number(number) => serde_json::from_str(&number.to_string()).unwrap(),
        Value::List(items) => items.iter().map(written).collect(),
        Value::Map(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), written(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => panic!("no state of ours has {other:?}"),
    }
}

fn raw(value: &Json) -> Option<wire::RawState> {
    Some(wire::RawState {
        json: serde_json::to_vec(value).unwrap(),
        ..Default::default()
    })
}

#[tokio::test]
async fn the_values_of_each_release_are_the_same() {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    let service = ProviderService::new(ClaudeProvider::new(environment));
    let mut client = ProviderClient::new(service.calls());
    for folder in folders() {
        for fixture in &FIXTURES {
            for resource in resources(&folder, fixture) {
                let name = resource["type"].as_str().unwrap();
                let instance = &resource["instances"][0];
                let request = wire::upgrade_resource_state::Request {
                    type_name: name.to_owned(),
                    version: instance["schema_version"].as_i64().unwrap(),
                    raw_state: raw(&instance["attributes"]),
                };
                let answer = client.upgrade_resource_state(request).await.unwrap();
                let answer = answer.into_inner();
                assert_eq!(answer.diagnostics, []);
                let schema = service.types().resources[name].schema();
                let state =
                    codec::decode_object(answer.upgraded_state.as_ref(), &schema.attributes);
                let expected = &instance["attributes"];
                assert_eq!(written(&state.unwrap()), *expected, "{}", fixture.name);

                let request = wire::upgrade_resource_identity::Request {
                    type_name: name.to_owned(),
                    version: instance["identity_schema_version"].as_i64().unwrap(),
                    raw_identity: raw(&instance["identity"]),
                };
                let answer = client.upgrade_resource_identity(request).await.unwrap();
                let answer = answer.into_inner();
                assert_eq!(answer.diagnostics, []);
                let identity = answer.upgraded_identity.unwrap().identity_data;
                let attributes = service.types().resources[name].identity();
                let identity = codec::decode_object(identity.as_ref(), &attributes).unwrap();
                assert_eq!(written(&identity), instance["identity"]);
            }
        }
    }
}

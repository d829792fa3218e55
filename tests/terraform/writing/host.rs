//! A host that does not know write-only attributes would keep the token in its state.

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use serde_json::{Map, Value, json};
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use crate::support::host::{Host, Options};
use crate::support::secrets::{LeakSearch, token};

/// Encodes a resource of which these attributes are set and all others null.
async fn config(
    client: &mut ProviderClient<tonic::transport::Channel>,
    type_name: &str,
    set: &Value,
) -> wire::DynamicValue {
    let request = wire::get_provider_schema::Request {};
    let answer = client.get_provider_schema(request).await.unwrap();
    let schema = &answer.get_ref().resource_schemas[type_name];
    let attributes = schema.block.as_ref().unwrap().attributes.iter();
    let members: Map<_, _> = attributes
        .map(|attribute| (attribute.name.clone(), set[&attribute.name].clone()))
        .collect();
    wire::DynamicValue {
        json: serde_json::to_vec(&members).unwrap(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_host_without_write_only_attributes_is_refused() {
    let host = Host::launch(Options::default()).await;
    let mut client = ProviderClient::new(host.channel().await);
    let mut search = LeakSearch::new();
    search.plant("token", &token("planted"));
    for (type_name, given, name) in [
        (
            "claude_oauth_token",
            json!({ "path": "agent", "token_wo": token("planted"), "token_wo_version": 1 }),
            "token_wo",
        ),
        (
            "claude_token_spare_pool",
            json!({
                "paths": ["spare"],
                "tokens_wo": { "spare": token("planted") },
                "tokens_wo_version": 1,
            }),
            "tokens_wo",
        ),
    ] {
        let config = config(&mut client, type_name, &given).await;
        for (capabilities, refused) in [
            (None, true),
            (Some(wire::ClientCapabilities::default()), true),
            (
                Some(wire::ClientCapabilities {
                    write_only_attributes_allowed: true,
                    ..Default::default()
                }),
                false,
            ),
        ] {
            let request = wire::validate_resource_config::Request {
                type_name: type_name.to_owned(),
                config: Some(config.clone()),
                client_capabilities: capabilities,
            };
            let answer = client.validate_resource_config(request).await.unwrap();
            let told = answer.into_inner().diagnostics;
            search.text("diagnostics", &format!("{told:?}"));
            if !refused {
                assert_eq!(told, []);
                continue;
            }
            assert_eq!(told.len(), 1, "{told:?}");
            assert_eq!(told[0].summary, "Write-only attributes are not supported");
            assert!(told[0].detail.contains(name), "{told:?}");
            assert_eq!(told[0].attribute, None);
        }
    }
    let channel = host.channel().await;
    let ended = host.shut_down(channel).await;
    search.text("errors", &ended.errors);
    search.assert_clean();
}

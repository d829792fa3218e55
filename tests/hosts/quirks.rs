//! Ways of hosts that were not recorded here: written from what is known of them.

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use super::recording::{Recording, folder};
use super::replay::{Quirks, replay, surface};
use super::rules::{self, Schemas};
use crate::support::host::{Host, Options};
use crate::support::leave_out;

/// Plays the newest of the recorded hosts with these differences.
async fn play(scenario: &str, quirks: Quirks) {
    let mut hosts: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|host| host.unwrap().path())
        .collect();
    hosts.sort();
    let file = hosts.last().unwrap().join(format!("{scenario}.json"));
    replay(&Recording::load(&file), &Schemas::new(), quirks).await;
}

/// OpenTofu up to 1.10 sends no `client_capabilities`, and hosts before Terraform 1.12 and
/// OpenTofu 1.12 no identities.
#[tokio::test]
async fn a_host_that_says_nothing_of_itself_is_answered() {
    let quirks = Quirks {
        knows_less: true,
        ..Quirks::default()
    };
    play("token", quirks).await;
}

/// OpenTofu plans the second half of a replacement without an identity.
#[tokio::test]
async fn a_replacement_without_an_identity_is_planned() {
    let quirks = Quirks {
        replaces_without_identity: true,
        ..Quirks::default()
    };
    play("token", quirks).await;
}

/// From Terraform 1.16 on.
#[tokio::test]
async fn private_data_of_the_first_plan_come_back_with_the_second() {
    let quirks = Quirks {
        returns_planned_private: true,
        ..Quirks::default()
    };
    play("token", quirks).await;
}

/// OpenTofu does not look at the capability before it asks.
#[tokio::test]
async fn a_move_from_another_type_is_refused_with_a_way_out() {
    let host = Host::launch(Options::default()).await;
    let mut client = ProviderClient::new(host.channel().await);
    let request = wire::move_resource_state::Request {
        source_provider_address: "registry.example.com/hashicorp/vault".to_owned(),
        source_type_name: "vault_kv_secret_v2".to_owned(),
        source_state: Some(wire::RawState {
            json: b"{\"path\":\"secret/data/agent\"}".to_vec(),
            ..Default::default()
        }),
        target_type_name: "claude_oauth_token".to_owned(),
        ..Default::default()
    };
    let answer = client
        .move_resource_state(request)
        .await
        .unwrap()
        .into_inner();
    let [told] = answer.diagnostics.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(told.severity(), wire::diagnostic::Severity::Error);
    assert!(told.detail.contains("import block"), "{told:?}");
    assert_eq!(answer.target_state, None);
}

/// OpenTofu asks for functions that the schema does not have.
#[tokio::test]
async fn functions_are_those_of_the_schema() {
    let host = Host::launch(Options::default()).await;
    let mut client = ProviderClient::new(host.channel().await);
    let schema = client
        .get_provider_schema(wire::get_provider_schema::Request {})
        .await
        .unwrap()
        .into_inner();
    let answer = client
        .get_functions(wire::get_functions::Request {})
        .await
        .unwrap()
        .into_inner();
    rules::no_error("GetFunctions", &answer.diagnostics);
    assert_eq!(answer.functions, schema.functions);
}

/// OpenTofu sends an argument that is null as a message without content.
#[tokio::test]
async fn a_function_takes_an_empty_message_for_null() {
    if !surface().await.contains("function external_secret_data") {
        leave_out("functions, which this provider lacks");
        return;
    }
    let host = Host::launch(Options::default()).await;
    let mut client = ProviderClient::new(host.channel().await);
    let path = wire::DynamicValue {
        msgpack: b"\xa5agent".to_vec(),
        json: Vec::new(),
    };
    let nil = wire::DynamicValue {
        msgpack: vec![0xc0],
        json: Vec::new(),
    };
    let mut answers = Vec::new();
    for null in [wire::DynamicValue::default(), nil] {
        let request = wire::call_function::Request {
            name: "external_secret_data".to_owned(),
            arguments: vec![path.clone(), null.clone(), null],
        };
        let answer = client.call_function(request).await.unwrap().into_inner();
        assert_eq!(answer.error, None);
        answers.push(answer.result.unwrap().msgpack);
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].len() > 20);
}

/// Terraform closes with the private data of the opening; OpenTofu with those of the last
/// renewal, and keeps of them what the renewal gave back, be it nothing.
#[tokio::test]
async fn an_ephemeral_resource_is_closed_with_any_private_data() {
    const NAME: &str = "claude_oauth_token";
    if !surface().await.contains("ephemeral claude_oauth_token") {
        leave_out("ephemeral resources, which this provider lacks");
        return;
    }
    let host = Host::launch(Options::default()).await;
    let mut client = ProviderClient::new(host.channel().await);
    for opened in [None, Some(Vec::new()), Some(b"of the opening".to_vec())] {
        let request = wire::renew_ephemeral_resource::Request {
            type_name: NAME.to_owned(),
            private: opened.clone(),
        };
        let renewed = match client.renew_ephemeral_resource(request).await {
            Ok(answer) => answer.into_inner().private,
            // A resource that names no time for it is never renewed.
            Err(status) if status.code() == tonic::Code::Unimplemented => opened.clone(),
            Err(status) => panic!("{status}"),
        };
        for private in [opened, renewed] {
            let request = wire::close_ephemeral_resource::Request {
                type_name: NAME.to_owned(),
                private,
            };
            let answer = client.close_ephemeral_resource(request).await.unwrap();
            rules::no_error("CloseEphemeralResource", &answer.get_ref().diagnostics);
        }
    }
}

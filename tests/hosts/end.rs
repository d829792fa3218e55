//! The end of a process that a host asked for: by itself, before the host would kill it.

use std::time::{Duration, Instant};

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use rustix::process::Signal;
use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::wire as codec;
use terraform_provider_claude::secret::Secret;

use super::rules::{self, Schemas};
use crate::support::host::{AT_ONCE, Host, Options};
use crate::support::proxy::{Proxy, Step};

/// Time of a whole call: a busy machine and an unoptimized build read a large answer in less.
const LARGE: Duration = Duration::from_secs(60);

/// Imports a token in the background, which asks Vault.
fn import(client: &ProviderClient<tonic::transport::Channel>) -> tokio::task::JoinHandle<()> {
    let mut client = client.clone();
    tokio::spawn(async move {
        let request = wire::import_resource_state::Request {
            type_name: "claude_oauth_token".to_owned(),
            id: "secret/agent".to_owned(),
            ..Default::default()
        };
        // The process may end before it answers.
        let _ = client.import_resource_state(request).await;
    })
}

async fn asked(proxy: &Proxy, requests: usize) {
    while proxy.seen().len() < requests {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_call_that_hangs_does_not_hold_up_the_end() {
    let vault = Proxy::alone(vec![Step::Hang; 9]).await;
    let options = Options::default()
        .with("VAULT_ADDR", vault.address())
        .with("VAULT_TOKEN", "t");
    let host = Host::launch(options).await;
    let folder = host.handshake.socket().parent().unwrap().to_owned();
    let channel = host.channel().await;
    let mut client = ProviderClient::new(channel.clone());
    let request = wire::configure_provider::Request::default();
    client.configure_provider(request).await.unwrap();
    let hangs = import(&client);
    asked(&vault, 1).await;
    let told = Instant::now();
    let ended = host.shut_down(channel).await;
    assert!(told.elapsed() < AT_ONCE, "{:?}", told.elapsed());
    assert_eq!(ended.status.code(), Some(0));
    assert!(!folder.exists());
    hangs.await.unwrap();
}

#[tokio::test]
async fn a_login_that_cannot_be_revoked_does_not_hold_up_the_end() {
    let vault = Proxy::alone([
        Step::json(200, r#"{"auth":{"client_token":"t"}}"#),
        Step::Hang,
        Step::Hang,
    ])
    .await;
    let schemas = Schemas::new();
    let host = Host::launch(Options::default().with("VAULT_ADDR", vault.address())).await;
    let folder = host.handshake.socket().parent().unwrap().to_owned();
    let channel = host.channel().await;
    let mut client = ProviderClient::new(channel.clone());
    let mut block = Value::null_object(&schemas.provider);
    let Value::Map(parts) = &mut block else {
        unreachable!()
    };
    let login = Value::object([
        ("role_id", Value::from("role")),
        ("secret_id", Value::Secret(Secret::new("secret"))),
        ("mount", Value::Null),
        ("namespace", Value::Null),
    ]);
    parts.insert("auth_login_approle".to_owned(), login);
    let request = wire::configure_provider::Request {
        config: Some(codec::encode_object(&schemas.provider, &block).unwrap()),
        ..Default::default()
    };
    let answer = client
        .configure_provider(request)
        .await
        .unwrap()
        .into_inner();
    rules::no_error("ConfigureProvider", &answer.diagnostics);
    let hangs = import(&client);
    asked(&vault, 2).await;
    let told = Instant::now();
    let ended = host.shut_down(channel).await;
    let elapsed = told.elapsed();
    assert!(elapsed < AT_ONCE, "{elapsed:?}");
    assert_eq!(ended.status.code(), Some(0));
    assert!(!folder.exists());
    assert_eq!(
        vault.seen().last().unwrap().target,
        "/v1/auth/token/revoke-self"
    );
    hangs.await.unwrap();
}

/// Answers of 30 MiB that are made of small members, in shapes that are let through.
fn large() -> [Step; 2] {
    let members = |member: &str| vec![member; 10 << 20].join(",");
    let errors = format!("{{\"errors\":[{}]}}", members("\"\""));
    let mount = format!(
        "{{\"data\":{{\"path\":\"secret/\",\"type\":\"kv\",\"more\":[{}]}}}}",
        members("{}")
    );
    [Step::json(500, &errors), Step::json(200, &mount)]
}

#[tokio::test]
async fn a_large_answer_holds_up_neither_calls_nor_the_end() {
    for step in large() {
        let mut steps = vec![Step::json(403, r#"{"errors":["no"]}"#); 9];
        steps[0] = step;
        let vault = Proxy::alone(steps).await;
        let options = Options::default()
            .with("VAULT_ADDR", vault.address())
            .with("VAULT_TOKEN", "t");
        let host = Host::launch(options).await;
        let channel = host.channel().await;
        let mut client = ProviderClient::new(channel.clone());
        let request = wire::configure_provider::Request::default();
        client.configure_provider(request).await.unwrap();
        let reads = import(&client);
        let mut longest = Duration::ZERO;
        while !reads.is_finished() {
            let told = Instant::now();
            let request = wire::get_metadata::Request::default();
            client.get_metadata(request).await.unwrap();
            longest = longest.max(told.elapsed());
        }
        assert!(longest < LARGE, "{longest:?}");
        assert!(vault.seen().len() > 1);
        host.process.signal(Signal::TERM);
        let ended = host.process.ended().await;
        assert_eq!(ended.status.code(), Some(0));
    }
}

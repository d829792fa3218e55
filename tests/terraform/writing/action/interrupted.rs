//! A host that stops or goes away: a promotion ends before it writes, or is carried to its end.

use std::sync::Arc;
use std::time::Duration;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use serde_json::json;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use wire::invoke_action::event::Type;

use super::super::super::stack::{PRIMARY, PRIMARY_ID, SPARES, Stack};
use super::super::{aged, marks, metadata, value_at};
use super::{INVOKE, action, failed_with, has_actions};
use crate::support::host::{BOUND, Host, Options};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Seen, Step};
use crate::support::secrets::token;

/// How long Vault takes for the request in which the host goes away.
const SLOW: Duration = Duration::from_millis(400);

/// Requests of a promotion into a primary with one version, from one spare: what the action reads,
/// the primary, the spare, mark, look at the mark, stamp, write.
const MARK: usize = 3;
const WRITE: usize = 6;

fn encoded(value: &serde_json::Value) -> Option<wire::DynamicValue> {
    Some(wire::DynamicValue {
        json: serde_json::to_vec(value).unwrap(),
        ..Default::default()
    })
}

async fn until(proxy: &Proxy, number: usize) -> Seen {
    let waiting = async {
        loop {
            if let Some(seen) = proxy.seen().get(number) {
                return seen.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(BOUND, waiting).await.unwrap()
}

/// Invokes the action in the real binary, drops the stream in the middle of a request, asks the
/// process to shut down, and waits for its end.
async fn gone_in_the_middle_of(stack: &Stack, request: usize) -> Seen {
    let mut script = vec![Step::Pass; request];
    script.push(Step::Delay(SLOW));
    let proxy = Proxy::before(stack.bao.address(), script).await;
    let options = Options::default()
        .with("VAULT_ADDR", proxy.address())
        .with("VAULT_TOKEN", OpenBao::ROOT);
    let host = Host::launch(options).await;
    let channel = host.channel().await;
    let mut client = ProviderClient::new(channel.clone());
    let configure = wire::configure_provider::Request::default();
    let answer = client.configure_provider(configure).await.unwrap();
    assert_eq!(answer.into_inner().diagnostics, []);
    let invoke = wire::invoke_action::Request {
        action_type: "claude_promote_spare".to_owned(),
        config: encoded(&json!({ "path": PRIMARY, "spare_paths": [SPARES[0]] })),
        ..Default::default()
    };
    let mut stream = client.invoke_action(invoke).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert!(matches!(first.r#type, Some(Type::Progress(_))), "{first:?}");
    let seen = until(&proxy, request).await;
    drop(stream);
    host.shut_down(channel).await;
    seen
}

#[tokio::test]
async fn a_host_that_is_gone_before_the_write_leaves_the_primary_alone() {
    let stack = aged("action-gone-early", 10).await;
    let before = metadata(&stack, PRIMARY).await;
    let seen = gone_in_the_middle_of(&stack, MARK).await;
    assert_eq!(seen.method, "PATCH");
    assert!(seen.target.ends_with(SPARES[0]), "{}", seen.target);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(metadata(&stack, PRIMARY).await, before);
    assert_eq!(marks(&stack, SPARES[0]).await, [], "the mark is withdrawn");
}

#[tokio::test]
async fn a_host_that_is_gone_during_the_write_does_not_cut_it() {
    let stack = aged("action-gone-late", 10).await;
    let seen = gone_in_the_middle_of(&stack, WRITE).await;
    assert_eq!(seen.method, "POST");
    assert!(seen.target.ends_with(PRIMARY), "{}", seen.target);
    assert_eq!(value_at(&stack, PRIMARY, 2).await, token(SPARES[0]));
    let noted = metadata(&stack, PRIMARY).await;
    assert_eq!(noted["claude_oauth_token.rotated_from"], SPARES[0]);
    assert_eq!(marks(&stack, SPARES[0]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ctrl_c_stops_before_the_write() {
    let mut stack = aged("action-interrupted", 10).await;
    if !has_actions() {
        return;
    }
    stack.write(&action(""));
    // Two spares are looked at, so the mark is one request later.
    let mut script = vec![Step::Pass; MARK + 1];
    // Long enough for a busy host to pass the signal on, and less than an attempt may take.
    script.push(Step::Delay(Duration::from_secs(8)));
    let proxy = Arc::new(Proxy::before(stack.bao.address(), script).await);
    stack.workspace.set("VAULT_ADDR", proxy.address());
    let watched = Arc::clone(&proxy);
    let run = stack
        .workspace
        .command(["apply", "-auto-approve", INVOKE])
        .interrupted(move || {
            while watched.seen().len() <= MARK + 1 {
                std::thread::sleep(Duration::from_millis(5));
            }
        })
        .run();
    run.says("The primary was not written. To continue, invoke the action again.");
    failed_with(&run, &format!("Rotation of {PRIMARY_ID} was interrupted"));
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(marks(&stack, SPARES[0]).await, [], "the mark is withdrawn");
}

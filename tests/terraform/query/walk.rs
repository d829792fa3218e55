//! Which tokens a query finds, and how far it goes.

use std::time::Duration;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use serde_json::json;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use tonic::transport::Channel;

use super::super::stack::{FIELD, PRIMARY, SPARES, Stack};
use super::{ask, found, has_queries, names, query};
use crate::support::host::{Host, Options};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};
use crate::support::secrets::token;
use crate::support::terraform::HEADER;

fn id(path: &str) -> String {
    format!("secret/{path}#{FIELD}")
}

#[tokio::test]
async fn secrets_below_the_prefix_that_have_the_field_are_found() {
    let stack = Stack::start("query-walk").await;
    if !has_queries() {
        return;
    }
    stack.workspace.write("main.tf", HEADER);
    for path in ["team/a", "team/a/b", "team/deleted", "teamster"] {
        stack.put(path, json!({ FIELD: token(path) })).await;
    }
    stack.put("team/other", json!({ "password": "x" })).await;
    stack.put("team/broken", json!({ FIELD: "x y" })).await;
    stack.versions("delete", "team/deleted", &[1]).await;
    let everything = [
        PRIMARY,
        SPARES[0],
        SPARES[1],
        "team/a",
        "team/a/b",
        "team/broken",
        "teamster",
    ];
    for (prefix, expected) in [
        ("", &everything[..]),
        ("team/", &everything[3..6]),
        ("team", &everything[3..]),
        ("claude-agent-service-", &everything[1..3]),
        ("team/a/", &everything[4..5]),
        ("nowhere/", &[]),
    ] {
        ask(&stack, "", &format!("path_prefix = \"{prefix}\""));
        let expected: Vec<_> = expected.iter().map(|path| id(path)).collect();
        assert_eq!(names(&query(&stack)), expected, "{prefix}");
    }

    // A value that is no token is a thing to import and to mend, and nothing of it is shown.
    ask(
        &stack,
        "include_resource = true",
        "path_prefix = \"team/broken\"",
    );
    let run = query(&stack);
    let broken = &found(&run)[0]["resource_object"];
    assert_eq!(broken["status"], "malformed");
    assert_eq!(broken["fingerprint"], json!(null));
    let told = run.told();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(
        told[0].summary,
        format!("Token {} is malformed", id("team/broken"))
    );
    let detail = &told[0].detail;
    assert!(
        detail.contains("vault kv patch -mount=secret team/broken")
            && detail.ends_with("Every plan reports it until it is repaired."),
        "{detail}"
    );

    for limit in [1, 2] {
        ask(&stack, &format!("limit = {limit}"), "");
        let run = query(&stack);
        assert_eq!(names(&run).len(), limit);
        let only = format!("Only {limit} of the claude_oauth_token found are listed");
        let told = run.told();
        assert!(told.iter().any(|told| told.summary == only), "{told:#?}");
    }
}

/// Launches a host whose provider asks the server at this address.
async fn launch(address: &str) -> (Host, Channel, ProviderClient<Channel>) {
    let options = Options::default()
        .with("VAULT_ADDR", address)
        .with("VAULT_TOKEN", OpenBao::ROOT);
    let host = Host::launch(options).await;
    let channel = host.channel().await;
    let mut client = ProviderClient::new(channel.clone());
    let configure = wire::configure_provider::Request::default();
    client.configure_provider(configure).await.unwrap();
    (host, channel, client)
}

/// Asks for everything below a prefix, with states.
fn listing(prefix: &str) -> wire::list_resource::Request {
    let config = json!({ "mount": null, "path_prefix": prefix, "field": null });
    wire::list_resource::Request {
        type_name: "claude_oauth_token".to_owned(),
        config: Some(wire::DynamicValue {
            json: config.to_string().into_bytes(),
            ..Default::default()
        }),
        include_resource_object: true,
        limit: 1000,
    }
}

/// Each of two listings has more on its way than the provider sends at once, and each token costs
/// reads of older versions besides: neither may wait for what the other keeps.
#[tokio::test]
async fn two_listings_at_once_leave_room_for_each_other() {
    const COUNT: usize = 20;
    let bao = OpenBao::start_unaudited().await;
    for folder in ["one", "two"] {
        for number in 0..COUNT {
            let path = format!("{folder}/{number:03}");
            for version in 0..3 {
                let fields = json!({ FIELD: token(&path), "version": version });
                bao.put("secret", &path, fields).await;
            }
        }
    }
    let (host, channel, client) = launch(bao.address()).await;
    let list = async |folder: &str| {
        let mut client = client.clone();
        let request = listing(&format!("{folder}/"));
        let mut stream = client.list_resource(request).await.unwrap().into_inner();
        let mut names = Vec::new();
        while let Some(event) = stream.message().await.unwrap() {
            names.push(event.display_name);
        }
        names
    };
    let (one, two) = tokio::join!(list("one"), list("two"));
    for (folder, names) in [("one", one), ("two", two)] {
        let expected = (0..COUNT).map(|number| id(&format!("{folder}/{number:03}")));
        assert_eq!(names, expected.collect::<Vec<_>>());
    }
    host.shut_down(channel).await;
}

/// The host hangs up after the first of many: what was not begun is not read any more.
#[tokio::test]
async fn a_host_that_hangs_up_ends_the_work() {
    const COUNT: usize = 120;
    let bao = OpenBao::start_unaudited().await;
    for number in 0..COUNT {
        let path = format!("many/{number:03}");
        bao.put("secret", &path, json!({ FIELD: token(&path) }))
            .await;
    }
    let slow = vec![Step::Delay(Duration::from_millis(50)); COUNT * 3];
    let proxy = Proxy::before(bao.address(), slow).await;
    let (host, channel, mut client) = launch(proxy.address()).await;
    let list = listing("many/");
    let mut stream = client.list_resource(list).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!(first.display_name, id("many/000"));
    drop(stream);
    // Requests that were on their way come to their end; two quiet looks in a row are the end.
    let mut seen = proxy.seen().len();
    loop {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let now = proxy.seen().len();
        if now == seen {
            break;
        }
        seen = now;
    }
    assert!(seen < COUNT, "{seen} requests");
    host.shut_down(channel).await;
}

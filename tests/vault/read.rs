//! Documents that are there.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use terraform_provider_claude::vault::{FieldValue, Reading};

use super::{path, root_store, settings, store, text, token};
use crate::support::openbao::OpenBao;

#[tokio::test]
async fn a_document_comes_with_its_metadata_by_one_request_and_one_right() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    bao.must(
        "POST",
        "secret/metadata/agent",
        json!({ "custom_metadata": { "token.minted_at": "2026-01-01" } }),
    )
    .await;
    let fields =
        json!({ "token": "two", "number": 7, "none": null, "list": [], "map": {}, "yes": true });
    bao.put("secret", "agent", fields).await;
    let rules = r#"path "secret/data/agent" { capabilities = ["read"] }"#;
    let reader = store(settings(bao.address(), token(&bao.token(rules).await)));

    let before = bao.requests().len();
    let reading = reader.read(&path("agent")).await.unwrap();
    assert_eq!(bao.requests().len() - before, 1);
    assert_eq!(text(&reading, "token"), "two");
    let Reading::Present(document) = reading else {
        panic!();
    };
    assert_eq!(document.version, 2);
    assert_eq!(document.deletion_at, None);
    assert_eq!(document.custom_metadata["token.minted_at"], "2026-01-01");
    assert_eq!(document.field("number"), FieldValue::NotText("number"));
    assert_eq!(document.field("none"), FieldValue::NotText("null"));
    assert_eq!(document.field("list"), FieldValue::NotText("array"));
    assert_eq!(document.field("map"), FieldValue::NotText("object"));
    assert_eq!(document.field("yes"), FieldValue::NotText("boolean"));
    assert_eq!(document.field("absent"), FieldValue::Missing);
    let mut names: Vec<_> = document.field_names().collect();
    names.sort_unstable();
    assert_eq!(names, ["list", "map", "none", "number", "token", "yes"]);

    let server_time = reader.server_time().unwrap();
    let age = server_time.now().duration_since(document.created_at);
    assert!(age.abs().as_secs() < 60, "{age}");
}

#[tokio::test]
async fn older_versions_are_read_until_they_are_pruned() {
    let bao = OpenBao::start().await;
    let metadata = json!({ "max_versions": 2 });
    bao.must("POST", "secret/metadata/agent", metadata).await;
    for token in ["one", "two", "three"] {
        bao.put("secret", "agent", json!({ "token": token })).await;
    }
    let reader = root_store(bao.address());
    let second = reader.read_version(&path("agent"), 2).await.unwrap();
    assert_eq!(text(&second, "token"), "two");
    let current = reader.read(&path("agent")).await.unwrap();
    assert_eq!(text(&current, "token"), "three");
    for version in [1, 9] {
        let gone = reader.read_version(&path("agent"), version).await.unwrap();
        assert_eq!(gone, Reading::Absent);
    }
}

#[tokio::test]
async fn a_version_that_will_delete_itself_is_alive_and_says_when() {
    let bao = OpenBao::start().await;
    let metadata = json!({ "delete_version_after": "1h" });
    bao.must("POST", "secret/metadata/agent", metadata).await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let reading = root_store(bao.address()).read(&path("agent")).await;
    let Ok(Reading::Present(document)) = reading else {
        panic!("{reading:?}");
    };
    let expected: Timestamp = document.created_at + 1.hour();
    assert_eq!(document.deletion_at, Some(expected));
}

#[tokio::test]
async fn odd_names_reach_the_secret_of_that_name() {
    let bao = OpenBao::start().await;
    let names = [
        "plain",
        "with space",
        " edges ",
        "per%cent",
        "per%2fcent",
        "%2e%2e",
        "question?mark=1",
        "plus+and&amp;semi",
        "ünïcödé/日本",
        "back\\slash",
        "a:b@c,d'e\"f<g>h|i^j`k[l]",
        "...",
    ];
    for name in names {
        let encoded: Vec<_> = name.split('/').map(encode).collect();
        bao.put("secret", &encoded.join("/"), json!({ "name": name }))
            .await;
    }
    let reader = root_store(bao.address());
    for name in names {
        let reading = reader.read(&path(name)).await.unwrap();
        assert_eq!(text(&reading, "name"), name);
    }
}

/// Encodes every byte that is neither letter nor digit.
fn encode(segment: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    segment.bytes().map(byte).collect()
}

#[tokio::test]
async fn a_document_near_the_limit_of_raft_is_read() {
    let bao = OpenBao::start().await;
    let filler = "x".repeat(1_000_000);
    let fields = json!({ "token": "one", "filler": filler });
    bao.put("secret", "agent", fields).await;
    let reading = root_store(bao.address())
        .read(&path("agent"))
        .await
        .unwrap();
    assert_eq!(text(&reading, "token"), "one");
    assert_eq!(text(&reading, "filler").len(), 1_000_000);
}

#[tokio::test]
async fn many_reads_at_once_share_one_store() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let reader = Arc::new(root_store(bao.address()));
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let reader = Arc::clone(&reader);
        reads.spawn(async move { reader.read(&path("agent")).await });
    }
    for reading in reads.join_all().await {
        assert_eq!(text(&reading.unwrap(), "token"), "one");
    }
}

#[tokio::test]
async fn a_namespace_is_where_every_call_goes() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/namespaces/team", json!({})).await;
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    bao.must("POST", "team/sys/mounts/secret", engine).await;
    bao.put("team/secret", "agent", json!({ "token": "inner" }))
        .await;
    let mut inner = settings(bao.address(), token(OpenBao::ROOT));
    inner.namespace = Some("team".into());
    let reader = store(inner);
    let reading = reader.read(&path("agent")).await.unwrap();
    assert_eq!(text(&reading, "token"), "inner");
    assert_eq!(reader.read(&path("none")).await, Ok(Reading::Absent));
    let outer = root_store(bao.address()).read(&path("agent")).await;
    assert_eq!(outer, Ok(Reading::Absent));
}

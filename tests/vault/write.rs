//! New versions under check-and-set.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{
    NewDocument, Reading, SecretPath, VaultError, WriteError, WriteFailure,
};

use super::{path, root_store, settings, store, text, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

fn document(value: &str) -> NewDocument {
    NewDocument::of_field("token", &Secret::new(value))
}

/// A failure that leaves no doubt.
fn answered<T>(error: WriteError) -> Result<T, WriteFailure> {
    Err(WriteFailure {
        error,
        unanswered: false,
    })
}

#[tokio::test]
async fn a_version_takes_only_where_it_is_the_next() {
    let bao = OpenBao::start().await;
    let store = root_store(bao.address());
    let agent = path("agent");
    let first = store
        .write(&agent, &document("one"), 0, Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(first.version, 1);
    assert!(first.custom_metadata.is_empty());
    let server_time = store.server_time().unwrap();
    let age = server_time.now().duration_since(first.created_at);
    assert!(age.abs().as_secs() < 60, "{age}");
    for cas in [0, 2, 9] {
        let refused = store
            .write(&agent, &document("no"), cas, Timestamp::MAX)
            .await;
        assert_eq!(refused, answered(WriteError::CasMismatch));
    }
    let metadata = json!({ "custom_metadata": { "note": "kept" } });
    bao.must("POST", "secret/metadata/agent", metadata).await;
    let second = store
        .write(&agent, &document("two"), 1, Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(second.version, 2);
    assert_eq!(second.custom_metadata["note"], "kept");
    let reading = store.read(&agent).await.unwrap();
    assert_eq!(text(&reading, "token"), "two");
    let old = store.read_version(&agent, 1).await.unwrap();
    assert_eq!(text(&old, "token"), "one");
}

#[tokio::test]
async fn a_deleted_version_still_counts() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    bao.must("DELETE", "secret/data/agent", Value::Null).await;
    let store = root_store(bao.address());
    let refused = store
        .write(&path("agent"), &document("two"), 0, Timestamp::MAX)
        .await;
    assert_eq!(refused, answered(WriteError::CasMismatch));
    let written = store
        .write(&path("agent"), &document("two"), 1, Timestamp::MAX)
        .await;
    assert_eq!(written.unwrap().version, 2);
}

#[tokio::test]
async fn a_secret_that_demands_a_version_gets_one() {
    let bao = OpenBao::start().await;
    let demands = json!({ "cas_required": true });
    bao.must("POST", "secret/metadata/agent", demands).await;
    let store = root_store(bao.address());
    let written = store
        .write(&path("agent"), &document("one"), 0, Timestamp::MAX)
        .await;
    assert_eq!(written.unwrap().version, 1);

    let demanded = r#"{"errors":["check-and-set parameter required for this call"]}"#;
    let proxy = Proxy::before(bao.address(), [Step::Pass, Step::json(400, demanded)]).await;
    let refused = root_store(proxy.address())
        .write(&path("agent"), &document("two"), 1, Timestamp::MAX)
        .await;
    assert_eq!(refused, answered(WriteError::CasRequired));
}

#[tokio::test]
async fn of_eight_writers_at_one_version_exactly_one_wins() {
    let bao = OpenBao::start().await;
    let agent = path("agent");
    bao.put("secret", "agent", json!({ "token": "start" }))
        .await;
    for version in 1..=10 {
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..8 {
            let (address, agent) = (bao.address().to_owned(), agent.clone());
            writers.spawn(async move {
                let store = root_store(&address);
                store.read(&agent).await.unwrap();
                let own = format!("{version} by {number}");
                (
                    own.clone(),
                    store
                        .write(&agent, &document(&own), version, Timestamp::MAX)
                        .await,
                )
            });
        }
        let (won, lost): (Vec<_>, Vec<_>) = writers
            .join_all()
            .await
            .into_iter()
            .partition(|(_, outcome)| outcome.is_ok());
        assert_eq!((won.len(), lost.len()), (1, 7));
        for (_, outcome) in lost {
            assert_eq!(outcome, answered(WriteError::CasMismatch));
        }
        let reading = root_store(bao.address()).read(&agent).await.unwrap();
        assert_eq!(text(&reading, "token"), won[0].0);
    }
}

#[tokio::test]
async fn reading_and_updating_data_and_patching_metadata_is_enough() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let rules = r#"
        path "secret/data/agent" { capabilities = ["read", "update"] }
        path "secret/metadata/agent" { capabilities = ["patch"] }
    "#;
    let store = store(settings(bao.address(), token(&bao.token(rules).await)));
    let agent = path("agent");
    let Reading::Present(read) = store.read(&agent).await.unwrap() else {
        panic!();
    };
    let stamp = [("token.stamp".to_owned(), Some("x".to_owned()))].into();
    store.patch_metadata(&agent, &stamp).await.unwrap();
    let before = bao.requests().len();
    let new = read.with_field("token", &Secret::new("two"));
    let written = store
        .write(&agent, &new, read.version, Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(bao.requests().len() - before, 1);
    assert_eq!(written.custom_metadata["token.stamp"], "x");
}

#[tokio::test]
async fn a_missing_right_is_named_with_its_path() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let rules = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    let store = store(settings(bao.address(), token(&bao.token(rules).await)));
    for (name, cas, capability) in [("agent", 1, "update"), ("team/new", 0, "create")] {
        let refused = store
            .write(&path(name), &document("two"), cas, Timestamp::MAX)
            .await;
        let forbidden = VaultError::Forbidden {
            api_path: format!("secret/data/{name}"),
            capability,
            errors: vec![],
        };
        assert_eq!(refused, answered(WriteError::Vault(forbidden)));
    }
    assert_eq!(bao.count("update", "secret/data/agent"), 1);
}

#[tokio::test]
async fn nothing_is_written_to_an_engine_of_another_kind() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/mounts/old", json!({ "type": "kv" }))
        .await;
    bao.must("POST", "old/data/agent", json!({ "kept": "yes" }))
        .await;
    bao.must("POST", "sys/mounts/keys", json!({ "type": "transit" }))
        .await;
    let cases = [
        (
            "old",
            VaultError::KvVersion1 {
                mount: "old".into(),
            },
        ),
        (
            "keys",
            VaultError::NotKv {
                mount: "keys".into(),
                kind: "transit".into(),
            },
        ),
        (
            "nowhere",
            VaultError::MountMissing {
                mount: "nowhere".into(),
            },
        ),
    ];
    let store = root_store(bao.address());
    for (mount, error) in cases {
        let agent = SecretPath::new(mount, "agent").unwrap();
        let refused = store
            .write(&agent, &document("one"), 0, Timestamp::MAX)
            .await;
        assert_eq!(refused, answered(WriteError::Vault(error)));
    }
    let kept = bao.must("GET", "old/data/agent", Value::Null).await;
    assert_eq!(kept["data"], json!({ "kept": "yes" }));
}

#[tokio::test]
async fn a_redirect_of_a_standby_is_followed_with_the_same_body() {
    let bao = OpenBao::start().await;
    for (status, name) in [(307, "one"), (308, "two")] {
        let active = Proxy::before(bao.address(), []).await;
        let to = format!("{}/v1/secret/data/{name}", active.address());
        let standby = Proxy::before(bao.address(), [Step::Pass, Step::redirect(status, &to)]).await;
        let store = root_store(standby.address());
        let written = store
            .write(&path(name), &document("x"), 0, Timestamp::MAX)
            .await
            .unwrap();
        assert_eq!(written.version, 1);
        let seen = &active.seen()[0];
        assert_eq!(seen.method, "POST");
        assert_eq!(seen.body, standby.seen()[1].body);
        assert_eq!(seen.header("x-vault-token"), Some(OpenBao::ROOT));
    }
}

#[tokio::test]
async fn the_newest_state_goes_along_and_comes_back() {
    let missing = r#"{"errors":[]}"#;
    let engine = r#"{"data":{"path":"secret/","type":"kv","options":{"version":"2"}}}"#;
    let written = r#"{"data":{"created_time":"2026-11-24T08:09:53Z","version":1}}"#;
    let proxy = Proxy::alone([
        Step::json(404, missing).with("x-vault-index", "read"),
        Step::json(200, engine),
        Step::json(200, written).with("x-vault-index", "written"),
        Step::json(404, missing),
    ])
    .await;
    let store = root_store(proxy.address());
    store.read(&path("agent")).await.unwrap();
    let done = store
        .write(&path("agent"), &document("x"), 0, Timestamp::MAX)
        .await;
    assert_eq!(done.unwrap().version, 1);
    store.read(&path("agent")).await.unwrap();
    let sent: Vec<_> = proxy
        .seen()
        .iter()
        .map(|seen| seen.header("x-vault-index").map(str::to_owned))
        .collect();
    let with = |index: &str| Some(index.to_owned());
    assert_eq!(sent, [None, with("read"), with("read"), with("written")]);
    assert_eq!(
        proxy.seen()[2].header("x-vault-inconsistent"),
        Some("forward-active-node")
    );
}

#[tokio::test]
async fn a_write_that_is_dropped_leaves_the_store_in_order() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let proxy = Proxy::before(bao.address(), [Step::Pass]).await;
    let mut narrow = settings(proxy.address(), token(OpenBao::ROOT));
    narrow.limits.concurrency = 1;
    let store = Arc::new(store(narrow));
    store.read(&path("agent")).await.unwrap();
    for round in 0..3 {
        proxy.then([Step::Delay(Duration::from_secs(60))]);
        let dropped = tokio::spawn({
            let store = Arc::clone(&store);
            async move {
                store
                    .write(&path("agent"), &document("no"), 1, Timestamp::MAX)
                    .await
            }
        });
        while proxy.seen().len() < 2 + round {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        dropped.abort();
        assert!(dropped.await.unwrap_err().is_cancelled());
    }
    let written = store
        .write(&path("agent"), &document("two"), 1, Timestamp::MAX)
        .await;
    assert_eq!(written.unwrap().version, 2);
}

#[tokio::test]
async fn a_closed_store_writes_nothing() {
    let bao = OpenBao::start().await;
    let store = root_store(bao.address());
    store.close().await;
    let refused = store
        .write(&path("agent"), &document("one"), 0, Timestamp::MAX)
        .await;
    assert_eq!(refused, answered(WriteError::Vault(VaultError::Cancelled)));
    assert_eq!(bao.count("create", "secret/data/agent"), 0);
}

//! Secrets that are not there, and mounts that are none.

use std::time::Duration;

use serde_json::json;
use terraform_provider_claude::vault::{MountInfo, Reading, SecretPath, VaultError};

use super::{path, root_store, settings, store, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

#[tokio::test]
async fn never_written_deleted_and_destroyed_differ() {
    let bao = OpenBao::start().await;
    for name in ["deleted", "destroyed", "expired"] {
        let metadata = json!({ "custom_metadata": { "note": name } });
        bao.must("POST", &format!("secret/metadata/{name}"), metadata)
            .await;
    }
    let soon = json!({ "delete_version_after": "1s" });
    bao.must("POST", "secret/metadata/expired", soon).await;
    for name in ["deleted", "destroyed", "expired"] {
        bao.put("secret", name, json!({ "token": "one" })).await;
    }
    bao.must("DELETE", "secret/data/deleted", json!(null)).await;
    let versions = json!({ "versions": [1] });
    bao.must("POST", "secret/destroy/destroyed", versions).await;

    let reader = root_store(bao.address());
    assert_eq!(reader.read(&path("none")).await, Ok(Reading::Absent));
    for name in ["deleted", "expired"] {
        let tombstone = loop {
            match reader.read(&path(name)).await.unwrap() {
                Reading::Deleted(tombstone) => break tombstone,
                Reading::Present(document) => assert_ne!(document.deletion_at, None),
                other => panic!("{name}: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(tombstone.version, 1);
        assert!(tombstone.deletion_at.unwrap() > tombstone.created_at);
        assert_eq!(tombstone.custom_metadata["note"], name);
    }
    let reading = reader.read(&path("destroyed")).await.unwrap();
    let Reading::Destroyed(tombstone) = reading else {
        panic!("{reading:?}");
    };
    assert_eq!(tombstone.custom_metadata["note"], "destroyed");
}

#[tokio::test]
async fn mounts_that_cannot_hold_the_secret_are_told_apart() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/mounts/old", json!({ "type": "kv" }))
        .await;
    bao.must("POST", "old/data/agent", json!({ "token": "one" }))
        .await;
    bao.must("POST", "sys/mounts/keys", json!({ "type": "transit" }))
        .await;
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    bao.must("POST", "sys/mounts/team/kv", engine).await;
    let reader = root_store(bao.address());
    let read = async |mount: &str, path: &str| {
        let path = SecretPath::new(mount, path).unwrap();
        reader.read(&path).await.unwrap_err()
    };
    let old = VaultError::KvVersion1 {
        mount: "old".into(),
    };
    let missing = |mount: &str| VaultError::MountMissing {
        mount: mount.into(),
    };
    let not_kv = |mount: &str, kind: &str| VaultError::NotKv {
        mount: mount.into(),
        kind: kind.into(),
    };
    assert_eq!(read("old", "none").await, old);
    assert_eq!(read("old", "agent").await, old);
    assert_eq!(
        read("cubbyhole", "a").await,
        not_kv("cubbyhole", "cubbyhole")
    );
    assert_eq!(read("identity", "a").await, not_kv("identity", "identity"));
    assert_eq!(read("keys", "a").await, not_kv("keys", "transit"));
    assert_eq!(read("nowhere", "a").await, missing("nowhere"));
    assert_eq!(read("team", "a").await, missing("team"));
    assert_eq!(read("secret/team", "a").await, missing("secret/team"));
}

#[tokio::test]
async fn the_mount_of_a_path_may_have_slashes() {
    let bao = OpenBao::start().await;
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    bao.must("POST", "sys/mounts/team/kv", engine).await;
    let reader = root_store(bao.address());
    assert_eq!(
        reader.mount_of("team/kv/ci/agent").await,
        Ok(MountInfo {
            path: "team/kv".into(),
            kind: "kv".into(),
            version: Some(2),
        })
    );
    let missing = reader.mount_of("nowhere/agent").await;
    assert!(
        matches!(
            &missing,
            Err(VaultError::Forbidden { api_path, capability: "read", .. })
                if api_path == "sys/internal/ui/mounts/nowhere/agent"
        ),
        "{missing:?}"
    );
}

#[tokio::test]
async fn the_mount_is_asked_for_once_and_only_where_nothing_was_found() {
    let bao = OpenBao::start().await;
    let reader = root_store(bao.address());
    for name in ["one", "two", "three"] {
        assert_eq!(reader.read(&path(name)).await, Ok(Reading::Absent));
    }
    let asked = |bao: &OpenBao| {
        let requests = bao.requests().into_iter();
        requests
            .filter(|request| request.path.starts_with("sys/internal/ui/mounts/"))
            .count()
    };
    assert_eq!(asked(&bao), 1);

    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let another = root_store(bao.address());
    another.read(&path("agent")).await.unwrap();
    assert_eq!(another.read(&path("one")).await, Ok(Reading::Absent));
    assert_eq!(asked(&bao), 1);
}

#[tokio::test]
async fn a_secret_counts_as_absent_where_the_mount_may_not_be_asked_for() {
    let bao = OpenBao::start().await;
    let denied = r#"{"errors":["preflight capability check returned 403, please ensure"]}"#;
    for step in [
        Step::json(403, denied),
        Step::json(403, r#"{"errors":["permission denied"]}"#),
        Step::html(403),
    ] {
        let proxy = Proxy::before(bao.address(), [Step::Pass, step]).await;
        let reader = store(settings(proxy.address(), token(OpenBao::ROOT)));
        assert_eq!(reader.read(&path("none")).await, Ok(Reading::Absent));
        assert_eq!(proxy.seen().len(), 2);
    }
}

//! Keys in `custom_metadata`: merged, read, replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use terraform_provider_claude::vault::{Metadata, SecretPath, VaultError};

use super::{path, root_store, settings, store, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

fn changes(changes: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
    changes
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)))
        .collect()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// A server whose secret `agent` has metadata of somebody else.
async fn server() -> OpenBao {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let foreign = json!({ "custom_metadata": { "owner": "a team", "old": "x" } });
    bao.must("POST", "secret/metadata/agent", foreign).await;
    bao
}

async fn custom_metadata(bao: &OpenBao) -> Value {
    let answer = bao.must("GET", "secret/metadata/agent", Value::Null).await;
    answer["data"]["custom_metadata"].clone()
}

#[tokio::test]
async fn changes_are_merged_by_the_right_to_patch_alone() {
    let bao = server().await;
    let rules = r#"path "secret/metadata/agent" { capabilities = ["patch"] }"#;
    let store = store(settings(bao.address(), token(&bao.token(rules).await)));
    let wanted = changes(&[
        ("token.fingerprint", Some("0123456789abcdef")),
        ("quote", Some("\" é")),
        ("old", None),
        ("never", None),
    ]);
    let expected =
        json!({ "owner": "a team", "token.fingerprint": "0123456789abcdef", "quote": "\" é" });
    for _ in 0..2 {
        store.patch_metadata(&path("agent"), &wanted).await.unwrap();
        assert_eq!(custom_metadata(&bao).await, expected);
    }
    let before = bao.requests().len();
    let nothing = changes(&[]);
    store
        .patch_metadata(&path("agent"), &nothing)
        .await
        .unwrap();
    assert_eq!(bao.requests().len(), before);
}

#[tokio::test]
async fn a_deleted_secret_still_takes_changes() {
    let bao = server().await;
    bao.must("DELETE", "secret/data/agent", Value::Null).await;
    let store = root_store(bao.address());
    let wanted = changes(&[("new", Some("y"))]);
    store.patch_metadata(&path("agent"), &wanted).await.unwrap();
    assert_eq!(custom_metadata(&bao).await["new"], "y");
}

#[tokio::test]
async fn parallel_changes_lose_nothing() {
    let bao = Arc::new(server().await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let bao = Arc::clone(&bao);
        tasks.spawn(async move {
            let store = root_store(bao.address());
            let key = format!("key.{number}");
            let wanted = changes(&[(&key, Some("y"))]);
            store.patch_metadata(&path("agent"), &wanted).await.unwrap();
            bao.put("secret", "agent", json!({ "token": number })).await;
        });
    }
    tasks.join_all().await;
    let kept = custom_metadata(&bao).await;
    assert_eq!(kept.as_object().unwrap().len(), 42);
}

#[tokio::test]
async fn changes_are_sent_again_until_they_are_answered() {
    let bao = server().await;
    let step = [
        Step::CutBefore,
        Step::CutAfter,
        Step::html(502),
        Step::json(503, r#"{"errors":["Vault is sealed"]}"#),
    ];
    let proxy = Proxy::before(bao.address(), step).await;
    let store = root_store(proxy.address());
    let wanted = changes(&[("new", Some("y"))]);
    store.patch_metadata(&path("agent"), &wanted).await.unwrap();
    assert_eq!(
        custom_metadata(&bao).await,
        json!({ "owner": "a team", "old": "x", "new": "y" })
    );
    let seen = proxy.seen();
    assert_eq!(seen.len(), 5);
    for attempt in seen {
        assert_eq!(attempt.method, "PATCH");
        assert_eq!(attempt.body, r#"{"custom_metadata":{"new":"y"}}"#);
        assert_eq!(
            attempt.header("content-type"),
            Some("application/merge-patch+json")
        );
    }
}

#[tokio::test]
async fn a_missing_right_is_named_with_its_path() {
    let bao = server().await;
    let rules = r#"path "secret/data/*" { capabilities = ["read", "update"] }"#;
    let store = store(settings(bao.address(), token(&bao.token(rules).await)));
    let agent = path("agent");
    let forbidden = |capability| VaultError::Forbidden {
        api_path: "secret/metadata/agent".into(),
        capability,
        errors: vec![],
    };
    let wanted = changes(&[("new", Some("y"))]);
    assert_eq!(
        store.patch_metadata(&agent, &wanted).await,
        Err(forbidden("patch"))
    );
    assert_eq!(store.read_metadata(&agent).await, Err(forbidden("read")));
    assert_eq!(
        store.replace_metadata(&agent, &map(&[])).await,
        Err(forbidden("update"))
    );
}

#[tokio::test]
async fn a_secret_that_never_was_has_no_metadata() {
    let bao = server().await;
    for known in [false, true] {
        let store = root_store(bao.address());
        if known {
            store.read(&path("agent")).await.unwrap();
        }
        let missing = VaultError::MetadataMissing {
            api_path: "secret/metadata/none".into(),
        };
        let wanted = changes(&[("new", Some("y"))]);
        assert_eq!(
            store.patch_metadata(&path("none"), &wanted).await,
            Err(missing.clone())
        );
        assert_eq!(store.read_metadata(&path("none")).await, Err(missing));
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_the_method_is_told_apart() {
    let bao = server().await;
    let unsupported = r#"{"errors":["1 error occurred:\n\t* unsupported operation\n\n"]}"#;
    for (status, step) in [
        (405, Step::json(405, unsupported)),
        (405, Step::html(405)),
        (415, Step::json(415, r#"{"errors":[]}"#)),
    ] {
        let proxy = Proxy::before(bao.address(), [step]).await;
        let store = root_store(proxy.address());
        let wanted = changes(&[("new", Some("y"))]);
        assert_eq!(
            store.patch_metadata(&path("agent"), &wanted).await,
            Err(VaultError::PatchUnsupported {
                api_path: "secret/metadata/agent".into(),
                status,
            })
        );
    }
}

#[tokio::test]
async fn engines_of_another_kind_have_no_metadata_to_touch() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/mounts/old", json!({ "type": "kv" }))
        .await;
    let kept = json!({ "kept": "yes" });
    bao.must("POST", "old/metadata/agent", kept.clone()).await;
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
        let wanted = changes(&[("new", Some("y"))]);
        let patched = store.patch_metadata(&agent, &wanted).await;
        assert_eq!(patched, Err(error.clone()));
        assert_eq!(store.read_metadata(&agent).await, Err(error.clone()));
        let replaced = store.replace_metadata(&agent, &map(&[])).await;
        assert_eq!(replaced, Err(error));
    }
    let answer = bao.must("GET", "old/metadata/agent", Value::Null).await;
    assert_eq!(answer["data"], kept);
}

#[tokio::test]
async fn all_of_the_metadata_is_read() {
    let bao = server().await;
    bao.put("secret", "agent", json!({ "token": "two" })).await;
    bao.put("secret", "bare", json!({ "token": "one" })).await;
    let rules = r#"path "secret/metadata/*" { capabilities = ["read"] }"#;
    let store = store(settings(bao.address(), token(&bao.token(rules).await)));
    assert_eq!(
        store.read_metadata(&path("agent")).await,
        Ok(Metadata {
            custom_metadata: map(&[("old", "x"), ("owner", "a team")]),
            current_version: 2,
        })
    );
    assert_eq!(
        store.read_metadata(&path("bare")).await,
        Ok(Metadata {
            custom_metadata: map(&[]),
            current_version: 1,
        })
    );
    let proxy = Proxy::before(bao.address(), [Step::json(200, r#"{"data":{}}"#)]).await;
    assert_eq!(
        root_store(proxy.address())
            .read_metadata(&path("agent"))
            .await,
        Err(VaultError::UnexpectedAnswer {
            api_path: "secret/metadata/agent".into(),
            what: "`data.current_version` is missing",
        })
    );
}

#[tokio::test]
async fn the_whole_map_is_replaced_and_no_other_setting() {
    let bao = server().await;
    let rules = json!({
        "max_versions": 3, "cas_required": true, "delete_version_after": "1h",
    });
    bao.must("POST", "secret/metadata/agent", rules).await;
    let store = root_store(bao.address());
    let agent = path("agent");
    for new in [map(&[("new", "y"), ("owner", "a team")]), map(&[])] {
        store.replace_metadata(&agent, &new).await.unwrap();
        let answer = bao.must("GET", "secret/metadata/agent", Value::Null).await;
        let data = &answer["data"];
        let kept = store.read_metadata(&agent).await.unwrap();
        assert_eq!(kept.custom_metadata, new);
        assert_eq!(data["max_versions"], 3);
        assert_eq!(data["cas_required"], true);
        assert_eq!(data["delete_version_after"], "1h0m0s");
        assert_eq!(data["current_version"], 1);
    }
    store
        .replace_metadata(&path("unborn"), &map(&[("new", "y")]))
        .await
        .unwrap();
    let unborn = store.read_metadata(&path("unborn")).await.unwrap();
    assert_eq!(unborn.current_version, 0);
}

#[tokio::test]
async fn a_refusal_for_good_is_told_from_a_failure_that_passes() {
    let bao = server().await;
    let wanted = changes(&[("mark", Some("x"))]);
    let denied = r#"{"errors":["permission denied"]}"#;
    for step in [
        Step::html(403),
        Step::json(403, denied),
        Step::html(400),
        Step::html(404),
        Step::html(405),
        Step::html(415),
        Step::html(501),
        Step::json(501, r#"{"errors":["unsupported method"]}"#),
    ] {
        let proxy = Proxy::before(bao.address(), [step.clone()]).await;
        let refused = root_store(proxy.address());
        let error = refused.patch_metadata(&path("agent"), &wanted).await;
        assert!(
            error.as_ref().is_err_and(VaultError::refuses_for_good),
            "{step:?}: {error:?}"
        );
        let proxy = Proxy::before(bao.address(), []).await;
        let refused = root_store(proxy.address());
        refused.read(&path("agent")).await.unwrap();
        proxy.then([step.clone()]);
        let error = refused
            .replace_metadata(&path("agent"), &map(&[("mark", "x")]))
            .await;
        assert!(
            error.as_ref().is_err_and(VaultError::refuses_for_good),
            "{step:?}: {error:?}"
        );
    }
    for step in [Step::html(502), Step::json(429, "{}"), Step::CutBefore] {
        let proxy = Proxy::before(bao.address(), vec![step.clone(); 9]).await;
        let failing = root_store(proxy.address());
        let error = failing.patch_metadata(&path("agent"), &wanted).await;
        assert!(
            error.as_ref().is_err_and(|error| !error.refuses_for_good()),
            "{step:?}: {error:?}"
        );
    }
    // What the server itself refuses for good.
    let store = root_store(bao.address());
    let many: BTreeMap<_, _> = (0..64)
        .map(|key| (format!("k{key}"), "x".to_owned()))
        .collect();
    store.replace_metadata(&path("agent"), &many).await.unwrap();
    let mut more = many.clone();
    more.insert("mark".to_owned(), "x".to_owned());
    let error = store.replace_metadata(&path("agent"), &more).await;
    assert!(
        error.as_ref().is_err_and(VaultError::refuses_for_good),
        "{error:?}"
    );
    let config = json!({ "metadata_cas_required": true });
    bao.must("POST", "secret/config", config).await;
    for error in [
        store.patch_metadata(&path("agent"), &wanted).await,
        store.replace_metadata(&path("agent"), &many).await,
    ] {
        assert!(
            error.as_ref().is_err_and(VaultError::refuses_for_good),
            "{error:?}"
        );
    }
}

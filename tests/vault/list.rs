//! Names in folders.

use serde_json::json;
use terraform_provider_claude::vault::{FolderPath, Listing, MAXIMUM_NAMES, VaultError};

use super::{root_store, settings, store, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

fn folder(folder: &str) -> FolderPath {
    FolderPath::new("secret", folder).unwrap()
}

fn listing(secrets: &[&str], folders: &[&str]) -> Listing {
    let owned = |names: &[&str]| names.iter().copied().map(str::to_owned).collect();
    Listing {
        secrets: owned(secrets),
        folders: owned(folders),
        is_cut: false,
    }
}

#[tokio::test]
async fn secrets_and_folders_are_listed_by_one_request() {
    let bao = OpenBao::start().await;
    for path in ["b", "a", "a/inner/c", "team%20x/agent", "d"] {
        bao.put("secret", path, json!({ "token": "one" })).await;
    }
    bao.must("DELETE", "secret/data/d", json!(null)).await;
    let reader = root_store(bao.address());
    let root = reader.list(&folder("")).await.unwrap();
    assert_eq!(root, listing(&["a", "b", "d"], &["a", "team x"]));
    let before = bao.requests().len();
    let inner = reader.list(&folder("a")).await.unwrap();
    assert_eq!(inner, listing(&[], &["inner"]));
    assert_eq!(bao.requests().len() - before, 1);
    assert_eq!(bao.count("list", "secret/metadata/a/"), 1);
    let spaced = reader.list(&folder("team x")).await.unwrap();
    assert_eq!(spaced, listing(&["agent"], &[]));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_empty() {
    let bao = OpenBao::start().await;
    let reader = root_store(bao.address());
    for name in ["", "none", "none/at/all"] {
        assert_eq!(reader.list(&folder(name)).await, Ok(Listing::default()));
    }
}

#[tokio::test]
async fn the_right_that_is_missing_is_named_and_enough() {
    let bao = OpenBao::start().await;
    bao.put("secret", "team/agent", json!({ "token": "one" }))
        .await;
    for (name, api_path) in [("team", "secret/metadata/team/"), ("", "secret/metadata/")] {
        let rules = r#"path "secret/data/*" { capabilities = ["read"] }"#;
        let reader = store(settings(bao.address(), token(&bao.token(rules).await)));
        let refusal = reader.list(&folder(name)).await;
        let Err(VaultError::Forbidden {
            api_path: named,
            capability,
            ..
        }) = refusal
        else {
            panic!("{refusal:?}");
        };
        assert_eq!((named.as_str(), capability), (api_path, "list"));
        let rules = format!(r#"path "{named}" {{ capabilities = ["{capability}"] }}"#);
        let reader = store(settings(bao.address(), token(&bao.token(&rules).await)));
        assert_ne!(reader.list(&folder(name)).await, Ok(Listing::default()));
    }
}

#[tokio::test]
async fn mounts_that_cannot_be_listed_are_told_apart() {
    let bao = OpenBao::start().await;
    let old = json!({ "type": "kv" });
    bao.must("POST", "sys/mounts/old", old).await;
    let transit = json!({ "type": "transit" });
    bao.must("POST", "sys/mounts/keys", transit).await;
    let reader = root_store(bao.address());
    let list = async |mount: &str, name: &str| {
        let folder = FolderPath::new(mount, name).unwrap();
        reader.list(&folder).await.unwrap_err()
    };
    let version_1 = VaultError::KvVersion1 {
        mount: "old".into(),
    };
    assert_eq!(list("old", "").await, version_1);
    assert_eq!(list("old", "none").await, version_1);
    assert!(matches!(
        list("keys", "").await,
        VaultError::NotKv { mount, kind } if mount == "keys" && kind == "transit"
    ));
    assert!(matches!(
        list("nowhere", "a").await,
        VaultError::MountMissing { mount } if mount == "nowhere"
    ));
}

#[tokio::test]
async fn a_list_is_asked_for_again_as_a_read_is() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let steps = [Step::CutBefore, Step::html(502), Step::Pass, Step::Pass];
    let proxy = Proxy::before(bao.address(), steps).await;
    let reader = root_store(proxy.address());
    let root = reader.list(&folder("")).await.unwrap();
    assert_eq!(root, listing(&["agent"], &[]));
    let odd = Proxy::alone([Step::json(200, r#"{"data":{"keys":{}}}"#)]).await;
    let error = root_store(odd.address()).list(&folder("")).await;
    assert!(error.is_err(), "{error:?}");
}

#[tokio::test]
async fn of_names_without_end_those_are_kept_that_a_walk_takes() {
    let keys = vec!["\"a\""; 7 << 20].join(",");
    let body = format!("{{\"data\":{{\"keys\":[{keys}]}}}}");
    let proxy = Proxy::alone([Step::json(200, &body)]).await;
    let listing = root_store(proxy.address()).list(&folder("")).await.unwrap();
    assert_eq!(
        (listing.secrets.len(), listing.is_cut),
        (MAXIMUM_NAMES, true)
    );
}

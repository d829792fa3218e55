//! Secrets that are gone, fields that hold something else, and mounts of another kind.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Stack, about};
use crate::support::openbao::OpenBao;
use crate::support::process;
use crate::support::provision;
use crate::support::secrets::token;
use crate::support::terraform::{Run, Workspace};

/// Runs the one command that a message shows, as a person would who has the `vault` command, in a
/// shell that knows no address: the provider blocks have it.
fn follow(told: &str, input: &str) -> String {
    let command = told
        .lines()
        .find(|line| line.starts_with("    ") && line.contains("vault kv "))
        .unwrap_or_else(|| panic!("no command in: {told}"))
        .to_owned();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(provision::openbao(), folder.path().join("vault")).unwrap();
    let finished = process::run(
        Command::new("/bin/bash")
            .args(["-c", command.trim()])
            .env_clear()
            .env("PATH", folder.path())
            .env("HOME", folder.path())
            .env("BAO_TOKEN", OpenBao::ROOT),
        input.as_bytes(),
        Duration::from_secs(60),
    )
    .unwrap();
    assert!(
        finished.status.success(),
        "{command}\n{}{}",
        finished.stdout,
        finished.stderr
    );
    command
}

async fn delete(bao: &OpenBao) {
    bao.must("DELETE", "secret/data/deleted", Value::Null).await;
    let versions = json!({ "versions": [1] });
    bao.must("PUT", "secret/destroy/destroyed", versions).await;
    bao.must("DELETE", "secret/metadata/never", Value::Null)
        .await;
    bao.put("secret", "no-field", json!({ "other": "field" }))
        .await;
    for (name, value) in [
        ("number", json!(7)),
        ("null", Value::Null),
        ("list", json!([token("in a list")])),
        ("object", json!({ "accessToken": token("in an object") })),
    ] {
        bao.put("secret", name, json!({ "claude_oauth_token": value }))
            .await;
    }
}

/// Each token that is gone, the status that it gets, and what is told.
const GONE: [(&str, &str, &str); 8] = [
    (
        "deleted",
        "missing",
        "Version 1 of secret/deleted was deleted",
    ),
    (
        "destroyed",
        "missing",
        "was destroyed and cannot be brought back",
    ),
    ("never", "missing", "There is no secret at secret/never"),
    (
        "no-field",
        "missing",
        "secret/no-field has no field claude_oauth_token.",
    ),
    ("number", "malformed", "holds a JSON number"),
    ("null", "malformed", "holds a JSON null"),
    ("list", "malformed", "holds a JSON array"),
    ("object", "malformed", "holds a JSON object"),
];

#[tokio::test]
async fn what_is_gone_is_a_planned_change_and_its_command_brings_it_back() {
    let stack = Stack::of(&GONE.map(|gone| gone.0)).await;
    delete(&stack.bao).await;
    let run = stack.plan();
    let told = run.exits(2).told();
    for (name, status, says) in GONE {
        let about = about(&told, name);
        let id = format!("Token secret/{name}#claude_oauth_token");
        let at = format!("(at {})", stack.bao.address());
        let found = format!("{id} is {status} {at}");
        let planned = format!("{id} must be replaced: it is {status} {at}");
        assert!(
            !about.is_empty()
                && about.iter().all(|told| {
                    !told.is_error && (told.summary == found || told.summary == planned)
                }),
            "{name}: {about:#?}"
        );
        assert!(
            about.iter().any(|told| told.detail.contains(says)),
            "{about:#?}"
        );
        assert!(
            about
                .iter()
                .any(|told| told.detail.to_lowercase().contains("an apply fails"))
        );
    }
    let failed = stack.workspace.run(["apply", "-json", "-auto-approve"]);
    let told = failed.exits(1).told();
    for (name, ..) in GONE {
        let about = about(&told, name);
        let error = about.iter().find(|told| told.is_error);
        let error = error.unwrap_or_else(|| panic!("{name}: {about:#?}"));
        let command = follow(&error.detail, &format!("{}\n", token("minted anew")));
        let verb = match name {
            "deleted" => "vault kv undelete -mount=secret -versions=1 deleted",
            "destroyed" => "vault kv put -mount=secret -cas=1 destroyed claude_oauth_token=-",
            "never" => "vault kv put -mount=secret -cas=0 never claude_oauth_token=-",
            _ => "vault kv patch -mount=secret",
        };
        assert!(command.contains(verb), "{command}");
    }
    let fields = json!({ "claude_oauth_token": token("minted anew") });
    stack.bao.put("secret", "destroyed", fields).await;
    let other = stack
        .bao
        .must("GET", "secret/data/no-field", Value::Null)
        .await;
    assert_eq!(other["data"]["data"]["other"], "field");
    stack.workspace.apply().exits(0);
    stack.plan().exits(0);
}

#[tokio::test]
async fn adoption_of_what_is_gone_fails_and_changes_nothing() {
    let stack = Stack::of(&GONE.map(|gone| gone.0)).await;
    stack.workspace.destroy().exits(0);
    delete(&stack.bao).await;
    let versions = stack.bao.requests().len();
    let run = stack.workspace.run(["apply", "-json", "-auto-approve"]);
    let told = run.exits(1).told();
    for (name, _, says) in GONE {
        let about = about(&told, name);
        let [error] = about[..] else {
            panic!("{name}: {about:#?}");
        };
        assert!(error.is_error);
        let id = format!("No token to adopt at secret/{name}#claude_oauth_token");
        assert_eq!(error.summary, id);
        assert!(error.detail.contains(says), "{error:#?}");
        assert!(error.detail.contains("Nothing was changed"), "{error:#?}");
        // Where the field is what is missing, the line of `field` is shown, or the block's.
        let blamed = if name == "no-field" {
            "resource "
        } else {
            "path "
        };
        assert!(error.code.trim_start().starts_with(blamed), "{error:#?}");
    }
    assert_eq!(stack.workspace.run(["state", "list"]).stdout, "");
    let asked = stack.bao.requests();
    let writes = asked[versions..]
        .iter()
        .filter(|request| request.operation != "read");
    assert_eq!(writes.count(), 0);
    // The same secrets cannot be imported either; a field of another kind can, as malformed.
    let imported = |name: &str| -> Run {
        let (address, id) = (
            format!("claude_oauth_token.{name}"),
            format!("secret/{name}"),
        );
        stack.workspace.run(["import", &address, &id])
    };
    for name in ["deleted", "destroyed", "never", "no-field"] {
        imported(name).exits(1).says("Error: Nothing to import at");
    }
    imported("number").exits(0);
}

#[tokio::test]
async fn mounts_of_another_kind_are_named() {
    let bao = OpenBao::start().await;
    for (mount, body) in [
        ("old", json!({ "type": "kv" })),
        ("keys", json!({ "type": "transit" })),
        (
            "team/kv",
            json!({ "type": "kv", "options": { "version": "2" } }),
        ),
    ] {
        bao.must("POST", &format!("sys/mounts/{mount}"), body).await;
    }
    bao.must(
        "POST",
        "old/agent",
        json!({ "claude_oauth_token": token("old") }),
    )
    .await;
    let cases = [
        (
            "kv1",
            "old",
            "Mount is KV version 1",
            "vault kv enable-versioning old",
        ),
        (
            "transit",
            "keys",
            "Mount is not KV version 2",
            "type `transit`",
        ),
        (
            "cubbyhole",
            "cubbyhole",
            "Mount is not KV version 2",
            "type `cubbyhole`",
        ),
        (
            "nowhere",
            "nowhere",
            "Mount does not exist",
            "no engine mounted at `nowhere`",
        ),
        (
            "above",
            "team",
            "Mount does not exist",
            "no engine mounted at `team`",
        ),
        (
            "below",
            "secret/team",
            "Mount does not exist",
            "`secret/team`",
        ),
    ];
    let mut text = String::new();
    for (name, mount, ..) in cases {
        text += &format!(
            "resource \"claude_oauth_token\" \"{name}\" {{\n  mount = \"{mount}\"\n  \
             path  = \"agent\"\n}}\n\n"
        );
    }
    let mut workspace = Workspace::new("mounts");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(&text);
    let run = workspace.run(["apply", "-json", "-auto-approve"]);
    let told = run.exits(1).told();
    for (name, mount, summary, says) in cases {
        let about = about(&told, name);
        let [error] = about[..] else {
            panic!("{name}: {about:#?}");
        };
        let id = format!("{summary}: {mount}/agent#claude_oauth_token");
        assert_eq!(error.summary, id, "{error:#?}");
        assert!(error.detail.contains(says), "{error:#?}");
    }
    // What the message says makes it work.
    bao.must(
        "POST",
        "sys/mounts/old/tune",
        json!({ "options": { "version": "2" } }),
    )
    .await;
    workspace
        .run(["apply", "-auto-approve", "-target=claude_oauth_token.kv1"])
        .exits(0);
}

#[tokio::test]
async fn a_document_near_the_limit_of_a_server_is_adopted() {
    let bao = OpenBao::start().await;
    let fields = json!({ "claude_oauth_token": token("large"), "filler": "x".repeat(1_000_000) });
    bao.put("secret", "large", fields).await;
    let mut workspace = Workspace::new("large");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure("resource \"claude_oauth_token\" \"large\" {\n  path = \"large\"\n}\n");
    workspace.apply().exits(0);
    workspace.plan().changes_nothing();
    let state = workspace.folder().join("terraform.tfstate");
    assert!(std::fs::metadata(Path::new(&state)).unwrap().len() < 10_000);
}

//! Commands of messages, pasted into a shell that knows nothing of the provider block.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::process;
use crate::support::provision;
use crate::support::secrets::token;
use crate::support::terraform::{Told, Workspace};

#[tokio::test]
async fn a_pasted_command_stores_where_the_provider_block_looks() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/namespaces/team", json!({})).await;
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    bao.must("POST", "team/sys/mounts/secret", engine).await;
    let mut workspace = Workspace::new("pasted");
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(&format!(
        "provider \"claude\" {{\n  address   = \"{}\"\n  namespace = \"team\"\n}}\n\n\
         resource \"claude_oauth_token\" \"ours\" {{\n  path = \"ours\"\n}}\n\n\
         resource \"claude_oauth_token\" \"plain\" {{\n  path = \"plain\"\n}}\n",
        bao.address()
    ));
    let run = workspace.run(["apply", "-json", "-auto-approve"]);
    let told = run.exits(1).told();
    paste(&told, "ours", "terraform-provider-claude store ");
    paste(&told, "plain", "vault kv put ");
    workspace.apply().exits(0);
    workspace.plan().changes_nothing();
    for path in ["secret/data/ours", "secret/data/plain"] {
        assert_eq!(bao.call("GET", path, Value::Null).await.0, 404, "{path}");
    }

    // What only a refresh tells says it as well.
    bao.must("DELETE", "team/secret/data/ours", Value::Null)
        .await;
    let plan = workspace.run(["plan", "-json"]);
    paste(&plan.exits(0).told(), "ours", "vault kv undelete ");
    workspace.plan().changes_nothing();
}

/// Runs the command with this program in the message about a path, and hands it a token.
fn paste(told: &[Told], path: &str, program: &str) {
    let about = format!("secret/{path}#");
    let line = told
        .iter()
        .filter(|told| told.summary.contains(&about))
        .flat_map(|told| told.detail.lines())
        .find(|line| line.starts_with("    ") && line.contains(program))
        .unwrap_or_else(|| panic!("no {program}for {path} in {told:#?}"));
    let folder = tempfile::tempdir().unwrap();
    symlink(provision::openbao(), folder.path().join("vault")).unwrap();
    let ours = env!("CARGO_BIN_EXE_terraform-provider-claude");
    symlink(ours, folder.path().join("terraform-provider-claude")).unwrap();
    let finished = process::run(
        Command::new("/bin/bash")
            .args(["-c", line.trim()])
            .env_clear()
            .env("PATH", folder.path())
            .env("HOME", folder.path())
            .env("VAULT_ADDR", "http://127.0.0.1:1")
            .env("VAULT_TOKEN", OpenBao::ROOT),
        format!("{}\n", token(path)).as_bytes(),
        Duration::from_secs(60),
    )
    .unwrap();
    let told = format!("{line}\n{}{}", finished.stdout, finished.stderr);
    assert!(finished.status.success(), "{told}");
}

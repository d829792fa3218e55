//! Versions that Vault deletes before their tokens expire: what is said, and that it helps.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, change, days, fingerprint,
    unknown, warnings,
};
use crate::support::openbao::OpenBao;
use crate::support::process;
use crate::support::provision;
use crate::support::secrets::token;

/// Runs the commands of the one warning that a plan gives, in their order, as a person would.
fn follow(stack: &Stack) {
    let plan = stack.workspace.run(["plan", "-json"]);
    let told = plan.exits(0).told();
    assert_eq!(told.len(), 1, "{told:#?}");
    let detail = &told[0].detail;
    assert!(!detail.contains("setup-token"), "{detail}");
    let folder = tempfile::tempdir().unwrap();
    symlink(provision::openbao(), folder.path().join("vault")).unwrap();
    let ours = env!("CARGO_BIN_EXE_terraform-provider-claude");
    symlink(ours, folder.path().join("terraform-provider-claude")).unwrap();
    let commands: Vec<_> = detail
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    assert_eq!(commands.len(), 3, "{detail}");
    for command in commands {
        let finished = process::run(
            Command::new("/bin/bash")
                .args(["-c", command])
                .env_clear()
                .env("PATH", folder.path())
                .env("HOME", folder.path())
                .env("VAULT_ADDR", stack.bao.address())
                .env("VAULT_TOKEN", OpenBao::ROOT),
            b"",
            Duration::from_secs(60),
        )
        .unwrap();
        let told = format!("{command}\n{}{}", finished.stdout, finished.stderr);
        assert!(finished.status.success(), "{told}");
    }
}

#[tokio::test]
async fn the_cure_for_a_setting_of_the_secret_ends_the_warning() {
    let stack = Stack::empty("deletion-secret").await;
    let settings = json!({
        "delete_version_after": "480h",
        "max_versions": 7,
        "cas_required": true,
        "custom_metadata": { "owner": "team" },
    });
    stack.set_metadata(PRIMARY, settings).await;
    let created = json!({ "data": { FIELD: token("primary") }, "options": { "cas": 0 } });
    let data = format!("secret/data/{PRIMARY}");
    stack.bao.must("POST", &data, created).await;
    stack.put(SPARES[0], json!({ FIELD: token("spare") })).await;
    let written_at = stack.written_at(PRIMARY, 1).await;
    let due = format!("Token {PRIMARY_ID} expires {}", written_at + days(20));
    let block = AGENT_BLOCK.replace("\n}", &format!("\n  spare_paths = [{:?}]\n}}", SPARES[0]));
    let apply = stack.applied(&block);
    assert_eq!(warnings(&apply), [due.as_str()]);

    // A spare would be due at once as well, so that none is planned to be promoted.
    let plan = stack.workspace.plan();
    plan.exits(2).says("Plan: 0 to add, 1 to change");
    assert_eq!(warnings(&plan), [due.as_str()], "{}", plan.transcript());
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&planned), [""; 0]);
    assert_eq!(planned["after"]["rotation_reason"], "rotation_due");
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(warnings(&apply), [due.as_str()], "{}", apply.transcript());
    assert_eq!(stack.current_version(PRIMARY).await, 1);

    follow(&stack);
    let secret = stack.everything(PRIMARY).await;
    assert_eq!(secret["metadata"]["max_versions"], 7);
    assert_eq!(secret["metadata"]["cas_required"], true);
    assert_eq!(secret["metadata"]["custom_metadata"]["owner"], "team");
    let version = &secret["versions"][1];
    assert_eq!(version["metadata"]["deletion_time"], "");
    assert_eq!(version["data"][FIELD], token("primary"));
    stack.apply();
    stack.is_quiet();
    let agent = stack.attributes(AGENT);
    assert_eq!(agent["status"], "in_date");
    assert_eq!(agent["fingerprint"], fingerprint(&token("primary")));
    assert_eq!(stack.instant(AGENT, "minted_at"), written_at);
    assert_eq!(stack.instant(AGENT, "expires_at"), written_at + days(365));
}

#[tokio::test]
async fn the_cure_for_a_setting_of_the_engine_ends_the_warning() {
    let stack = Stack::empty("deletion-engine").await;
    let settings = json!({ "delete_version_after": "1200h" });
    stack.bao.must("POST", "secret/config", settings).await;
    stack
        .put(PRIMARY, json!({ FIELD: token("primary"), "n": 1 }))
        .await;
    let written_at = stack.written_at(PRIMARY, 1).await;
    let deleted = format!(
        "Vault deletes token {PRIMARY_ID} on {}",
        written_at + days(50)
    );
    let apply = stack.applied(AGENT_BLOCK);
    assert_eq!(warnings(&apply), [deleted.as_str()]);
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [deleted.as_str()]);
    let data = format!("data \"claude_oauth_token\" \"agent\" {{\n  path = {PRIMARY:?}\n}}\n");
    stack.write(&data);
    let read = stack.workspace.command(["plan", "-refresh=false"]).run();
    assert!(warnings(&read).contains(&deleted), "{}", read.transcript());

    stack.write(AGENT_BLOCK);
    follow(&stack);
    stack.apply();
    stack.is_quiet();
    assert_eq!(stack.instant(AGENT, "minted_at"), written_at);
    assert_eq!(stack.instant(AGENT, "expires_at"), written_at + days(365));
    let versions = &stack.everything(PRIMARY).await["versions"];
    assert_eq!(versions[1]["data"], versions[0]["data"]);
}

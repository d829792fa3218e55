//! A provider block whose values come from resources that are not applied yet.

use serde_json::{Value, json};

use super::stack::{
    AGENT, AGENT_BLOCK, POOL, POOL_BLOCK, PRIMARY_ID, SECOND, Stack, actions, change, days, errors,
    unknown, warnings,
};

const POOL_ID: &str = "secret/claude-agent-service-spare-{1,2}#claude_oauth_token";

/// A resource that gives `value` out once it is applied.
fn source(value: &str) -> String {
    format!("resource \"terraform_data\" \"source\" {{\n  input = {value}\n}}\n")
}

#[tokio::test]
async fn an_address_may_come_from_a_resource() {
    let mut stack = Stack::start("unknown-address").await;
    stack.workspace.set("VAULT_ADDR", "http://127.0.0.1:1");
    let write = |address: &str, text: &str| {
        stack.write_with_provider(
            "  address = terraform_data.source.output",
            &format!("{}{text}", source(&format!("{address:?}"))),
        );
    };
    let both = format!("{AGENT_BLOCK}{POOL_BLOCK}");
    write(stack.bao.address(), &both);
    stack
        .workspace
        .plan()
        .exits(2)
        .says("Plan: 3 to add, 0 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();
    let before = [stack.attributes(AGENT), stack.attributes(POOL)];

    // The address moves: the state of the last run stands in for Vault.
    let moved = format!("{}/", stack.bao.address());
    write(&moved, &both);
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 0 to add, 1 to change, 0 to destroy.")
        .says("The provider's address is not known yet");
    let mut told = warnings(&plan);
    told.sort();
    assert_eq!(
        told,
        [
            format!("{PRIMARY_ID} was not refreshed"),
            format!("{POOL_ID} was not refreshed"),
        ]
    );
    let planned = stack.workspace.show_json("saved.tfplan");
    for address in [AGENT, POOL] {
        assert_eq!(actions(&planned, address), json!(["no-op"]));
    }

    // Its dates are compared with the clock all the same.
    let rotate_at = stack.instant(AGENT, "rotate_at");
    let plan = stack.plan_at(rotate_at - SECOND);
    plan.says("Plan: 0 to add, 1 to change, 0 to destroy.");
    let plan = stack.plan_at(rotate_at + days(1));
    plan.exits(2)
        .says("# claude_oauth_token.agent will be updated in-place")
        .says("# claude_token_spare_pool.agent will be updated in-place")
        .says("Plan: 0 to add, 3 to change, 0 to destroy.");

    stack.apply();
    assert_eq!([stack.attributes(AGENT), stack.attributes(POOL)], before);
    stack.is_quiet();

    // An import has no state to stand in.
    let import = format!(
        "{both}
import {{
  to = claude_oauth_token.other
  id = \"secret/claude-agent-service-spare-1\"
}}
resource \"claude_oauth_token\" \"other\" {{
  path = \"claude-agent-service-spare-1\"
}}
"
    );
    write(stack.bao.address(), &import);
    let plan = stack.workspace.plan();
    plan.exits(1).says("Apply that resource first (-target)");
    assert_eq!(
        errors(&plan),
        ["An import needs the provider's address, which is not known yet"]
    );
}

#[tokio::test]
async fn a_mount_may_come_from_a_resource() {
    let stack = Stack::start("unknown-mount").await;
    let write = |value: &str| {
        stack.write_with_provider(
            "  mount = terraform_data.source.output",
            &format!("{}{AGENT_BLOCK}{POOL_BLOCK}", source(value)),
        );
    };
    write("\"secret\"");
    stack.workspace.plan().exits(2);
    let planned = stack.workspace.show_json("saved.tfplan");
    for address in [AGENT, POOL] {
        let names = change(&planned, address);
        let names = unknown(&names);
        assert!(
            names.contains(&"mount") && names.contains(&"id"),
            "{names:?}"
        );
        assert!(!names.contains(&"external_secret_data"), "{names:?}");
    }
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();

    // While it is not known again it is the one that it was, whatever else changes.
    let again = |mount: &str, key: &str, instance: &str| {
        stack.write_with_provider(
            "  mount = terraform_data.source.output",
            &format!(
                "resource \"terraform_data\" \"source\" {{
  input            = {mount:?}
  triggers_replace = {instance:?}
}}
resource \"claude_oauth_token\" \"agent\" {{
  path       = \"claude-agent-service\"
  secret_key = {key:?}
}}
{}",
                POOL_BLOCK.replace("\n}\n", &format!("\n  secret_key_prefix = {key:?}\n}}\n"))
            ),
        );
    };
    again("secret", "FIRST", "one instance");
    stack
        .workspace
        .plan()
        .exits(2)
        .says("Plan: 1 to add, 2 to change, 1 to destroy.");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();

    // Another mount is for the next plan: a replacement has to be announced.
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    stack.bao.must("POST", "sys/mounts/other", engine).await;
    again("other", "FIRST", "another instance");
    stack
        .workspace
        .plan()
        .exits(2)
        .says("Plan: 1 to add, 0 to change, 1 to destroy.");
    stack.workspace.apply_saved().exits(0);
    for address in [AGENT, POOL] {
        assert_eq!(stack.attributes(address)["mount"], "secret");
    }
    stack
        .workspace
        .plan()
        .exits(2)
        .says("Plan: 2 to add, 0 to change, 2 to destroy.");
}

#[tokio::test]
async fn days_may_come_from_a_resource() {
    let stack = Stack::start("unknown-days").await;
    let write = |value: &str| {
        stack.write_with_provider(
            "  lifetime_days = terraform_data.source.output",
            &format!("{}{AGENT_BLOCK}{POOL_BLOCK}", source(value)),
        );
    };
    write("100");
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    let minted_at = stack.instant(AGENT, "minted_at");
    assert_eq!(stack.instant(AGENT, "expires_at"), minted_at + days(100));
    stack.is_quiet();

    write("200");
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 0 to add, 3 to change, 0 to destroy.");
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(
        unknown(&planned),
        [
            "expires_at",
            "expires_at_unix",
            "lifetime_days",
            "rotate_at",
            "rotation_reason",
            "status"
        ]
    );
    assert!(planned["after"]["fingerprint"].is_string());
    stack.workspace.apply_saved().exits(0);
    let applied = stack.attributes(AGENT);
    assert_eq!(applied["lifetime_days"], 200);
    assert_eq!(applied["expires_at"], (minted_at + days(200)).to_string());
    assert_eq!(applied["status"], "in_date");
    assert_eq!(applied["rotation_reason"], Value::Null);
    let spares = stack.attributes(POOL)["spares"].clone();
    assert!(
        spares
            .as_object()
            .unwrap()
            .values()
            .all(|spare| spare["status"] == "available"),
        "{spares:#}"
    );
    stack.is_quiet();
}

#[tokio::test]
async fn other_unknown_arguments_leave_what_they_cannot_alter() {
    let stack = Stack::start("unknown-arguments").await;
    let write = |choice: &str, minted_at: &str| {
        stack.write(&format!(
            "resource \"terraform_data\" \"source\" {{
  input = {{ choice = {choice:?}, minted_at = {minted_at} }}
}}
resource \"claude_oauth_token\" \"agent\" {{
  path            = \"claude-agent-service\"
  on_rotation_due = terraform_data.source.output.choice
  token_minted_at = terraform_data.source.output.minted_at
}}
"
        ));
    };
    let written_at = stack.written_at(super::stack::PRIMARY, 1).await;
    write("plan", &format!("\"{}\"", written_at - days(3)));
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    let before = stack.attributes(AGENT);
    assert_eq!(before["minted_at"], (written_at - days(3)).to_string());
    stack.is_quiet();

    write("warn", &format!("\"{}\"", written_at - days(5)));
    stack.workspace.plan().exits(2);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    let names = unknown(&planned);
    assert!(!names.contains(&"fingerprint"), "{names:?}");
    assert!(!names.contains(&"kv_version"), "{names:?}");
    assert!(names.contains(&"minted_at"), "{names:?}");
    stack.workspace.apply_saved().exits(0);
    let after = stack.attributes(AGENT);
    assert_eq!(after["minted_at"], (written_at - days(5)).to_string());
    assert_eq!(after["on_rotation_due"], "warn");
    assert_eq!(after["fingerprint"], before["fingerprint"]);
    stack.is_quiet();
}

#[tokio::test]
async fn a_path_of_a_pool_may_come_from_a_resource() {
    let stack = Stack::start("unknown-path").await;
    let write = |number: u8| {
        stack.write(&format!(
            "{}
resource \"claude_token_spare_pool\" \"agent\" {{
  paths         = [\"claude-agent-service-spare-1\", terraform_data.source.output]
  min_available = 1
}}
",
            source(&format!("\"claude-agent-service-spare-{number}\""))
        ));
    };
    write(2);
    stack.workspace.plan().exits(2);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), POOL);
    let data = &planned["after"]["external_secret_data"];
    assert_eq!(data[1]["secretKey"], "CLAUDE_CODE_OAUTH_TOKEN_SPARE_2");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();

    write(3);
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    let spares = stack.attributes(POOL)["spares"].clone();
    assert_eq!(
        spares["claude-agent-service-spare-1"]["status"],
        "available"
    );
    assert_eq!(spares["claude-agent-service-spare-3"]["status"], "missing");
    stack.workspace.plan().changes_nothing();
}

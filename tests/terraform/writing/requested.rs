//! `rotate_when_changed`: which change of it rotates, and which does not.

use serde_json::json;

use super::super::stack::{
    AGENT, FIELD, FOUND, PRIMARY, PRIMARY_ID, SPARES, Stack, change, errors, fingerprint, stamp,
    unknown, warnings,
};
use super::{BOTH, aged, agent, ago, metadata};
use crate::support::openbao::OpenBao;
use crate::support::secrets::token;

fn requesting(map: &str) -> String {
    agent(&format!("{BOTH}  rotate_when_changed = {map}\n"))
}

/// Demands that a change of the map is a plain one.
fn rotates_nothing(stack: &Stack, map: &str) {
    let before = stack.attributes(AGENT);
    stack.write(&requesting(map));
    let plan = stack.workspace.plan();
    plan.omits("(known after apply)").omits("as requested");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        before["fingerprint"]
    );
    stack.is_quiet();
}

/// Demands that a change of the map rotates, to the token of a spare.
fn rotates(stack: &Stack, map: &str, spare: &str) {
    stack.write(&requesting(map));
    let plan = stack.workspace.plan();
    plan.exits(2).says("will be rotated as requested");
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(planned["after"]["rotation_reason"], "requested");
    let mut expected = FOUND.to_vec();
    expected.retain(|name| planned["after_unknown"][name] == true);
    assert_eq!(expected, FOUND);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["rotated_from"], spare);
    stack.is_quiet();
}

#[tokio::test]
async fn only_a_change_to_something_else_rotates() {
    let stack = aged("request-rules", 10).await;
    // The plan that creates takes the values for what they are.
    stack.applied(&requesting("{ leak = \"0\" }"));
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("primary"))
    );
    stack.is_quiet();
    rotates_nothing(&stack, "{}");
    rotates_nothing(&stack, "null");
    rotates_nothing(&stack, "{}");
    rotates(&stack, "{ leak = \"1\" }", SPARES[0]);
    let key = format!("{FIELD}.requested");
    let first = metadata(&stack, PRIMARY).await[&key].clone();
    assert!(first.len() == 16 && first.bytes().all(|digit| digit.is_ascii_hexdigit()));
    rotates(&stack, "{ leak = \"2\" }", SPARES[1]);
    assert_ne!(metadata(&stack, PRIMARY).await[&key], first);
    rotates_nothing(&stack, "null");
    assert_eq!(stack.current_version(PRIMARY).await, 3);
}

#[tokio::test]
async fn an_import_takes_the_values_for_what_they_are() {
    let stack = aged("request-import", 10).await;
    stack.write(&format!(
        "import {{\n  to = {AGENT}\n  id = \"secret/{PRIMARY}\"\n}}\n{}",
        requesting("{ leak = \"0\" }")
    ));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("1 to import, 0 to add, 1 to change")
        .omits("as requested");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    stack.is_quiet();
    rotates(&stack, "{ leak = \"1\" }", SPARES[0]);
}

#[tokio::test]
async fn values_that_are_not_known_yet_leave_everything_open() {
    let stack = aged("request-unknown", 10).await;
    let data = |input: &str| {
        format!(
            "resource \"terraform_data\" \"leak\" {{\n  input = \"{input}\"\n}}\n{}",
            requesting("{ leak = terraform_data.leak.output }")
        )
    };
    stack.applied(&data("first"));
    stack.is_quiet();
    let open = |stack: &Stack| {
        let plan = stack.workspace.plan();
        plan.exits(2);
        let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
        let unknown = unknown(&planned);
        for name in FOUND.into_iter().chain(["rotation_reason"]) {
            assert!(unknown.contains(&name), "{name}: {unknown:?}");
        }
        assert!(!unknown.contains(&"external_secret_data"));
    };
    // The same value in the end rotates nothing.
    stack.write(&format!(
        "resource \"terraform_data\" \"another\" {{\n  input = \"first\"\n}}\n{}",
        requesting("{ leak = terraform_data.another.output }")
    ));
    open(&stack);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("primary"))
    );
    stack.is_quiet();
    // Another one does.
    stack.write(&data("second"));
    open(&stack);
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["rotated_from"], SPARES[0]);
    assert_eq!(state["rotation_reason"], "requested");
    stack.is_quiet();
}

#[tokio::test]
async fn a_spare_that_is_due_itself_is_good_enough_for_a_request_alone() {
    let stack = aged("request-due", 340).await;
    for (path, age) in SPARES.into_iter().zip([345, 341]) {
        stack
            .set_metadata(path, stamp(&token(path), ago(age)))
            .await;
    }
    stack.applied(&agent(BOTH));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Its token is due for rotation itself: it expires");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    // Of two, the one that lasts longer.
    stack.write(&requesting("{ leak = \"1\" }"));
    let plan = stack.workspace.plan();
    plan.exits(2).says("rotation_reason = \"requested\"");
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["rotated_from"], SPARES[1]);
    assert_eq!(state["status"], "rotation_due");
    // It is due again at once, and says so.
    let plan = stack.workspace.plan();
    plan.exits(2).says("+ rotation_reason = \"rotation_due\"");
    assert_eq!(warnings(&plan).len(), 1);
}

#[tokio::test]
async fn a_request_that_is_answered_already_is_done() {
    // The state of a crash: the promotion is in Vault, the state does not know of it.
    let stack = aged("request-answered", 10).await;
    stack.applied(&agent(BOTH));
    let state = std::fs::read(stack.workspace.folder().join("terraform.tfstate")).unwrap();
    stack.applied(&requesting("{ leak = \"1\" }"));
    assert_eq!(stack.current_version(PRIMARY).await, 2);
    std::fs::write(stack.workspace.folder().join("terraform.tfstate"), state).unwrap();
    let plan = stack.workspace.plan();
    plan.exits(2);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(stack.current_version(PRIMARY).await, 2);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token(SPARES[0])));
    assert_eq!(state["rotate_when_changed"], json!({ "leak": "1" }));
    stack.is_quiet();
}

/// May read everything, and write nothing but metadata.
const NO_UPDATE: &str = r#"
path "secret/data/*" { capabilities = ["read"] }
path "secret/metadata/*" { capabilities = ["patch"] }
"#;

#[tokio::test]
async fn a_token_stored_by_hand_answers_a_request_that_failed() {
    let mut stack = aged("requested-by-hand", 10).await;
    stack.applied(&requesting("null"));
    stack.write(&requesting("{ leak = \"1\" }"));
    let reader = stack.bao.token(NO_UPDATE).await;
    stack.workspace.set("VAULT_TOKEN", reader);
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says(&format!("promotes the spare {}", SPARES[0]));
    stack.workspace.apply_saved().exits(1);
    assert_eq!(stack.current_version(PRIMARY).await, 1);

    stack.workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    stack
        .patch(PRIMARY, json!({ FIELD: token("minted anew") }))
        .await;
    let plan = stack.workspace.plan();
    plan.exits(2)
        .omits("rotation_reason")
        .says("Plan: 0 to add, 1 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("minted anew")));
    assert_eq!(state["rotate_when_changed"]["leak"], "1");
    stack.is_quiet();
}

#[tokio::test]
async fn a_request_without_spares_is_taken_out_before_a_token_is_stored() {
    let stack = aged("requested-none", 10).await;
    let leak = "  rotate_when_changed = { leak = \"1\" }\n";
    stack.applied(&agent(""));
    stack.write(&agent(leak));
    let plan = stack.workspace.plan();
    plan.exits(1)
        .says("Undo the change to rotate_when_changed.")
        .says("terraform-provider-claude store claude-agent-service");
    assert_eq!(errors(&plan), [format!("No spare for {PRIMARY_ID}")]);

    // What the error says to do.
    stack.write(&agent(""));
    stack
        .patch(PRIMARY, json!({ FIELD: token("stored instead") }))
        .await;
    stack.apply();
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("stored instead")));
    stack.is_quiet();

    // One that comes between a saved plan and its apply is adopted.
    stack.write(&requesting("{ leak = \"2\" }"));
    stack.workspace.plan().exits(2);
    stack
        .patch(PRIMARY, json!({ FIELD: token("stored after") }))
        .await;
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("stored after")));
    stack.is_quiet();
}

#[tokio::test]
async fn a_request_that_failed_leaves_what_was_to_change_with_it() {
    let stack = Stack::start("request-failed").await;
    stack.applied(&agent(""));
    let minted_at = ago(100);
    let more = format!("  token_minted_at = \"{minted_at}\"\n  lifetime_days = 200\n");
    stack.write(&agent(&format!(
        "{more}  rotate_when_changed = {{ leak = \"1\" }}\n"
    )));
    stack.workspace.apply().exits(1);
    // The request alone is taken out again.
    stack.write(&agent(&more));
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["minted_at"], minted_at.to_string());
    assert_eq!(state["minted_at_source"], "config");
    assert_eq!(state["lifetime_days"], 200);
    stack.is_quiet();
}

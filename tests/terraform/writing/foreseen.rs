//! A rotation on request is planned only if a spare can take it: hosts destroy what depends on the
//! token before the apply could fail.

use std::fs;

use serde_json::json;

use super::super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, change, errors, fingerprint, unknown,
    warnings,
};
use super::{BOTH, aged, agent};
use crate::support::secrets::token;

/// Something that is replaced with the token.
const FOLLOWER: &str = "resource \"terraform_data\" \"follower\" {
  triggers_replace = [claude_oauth_token.agent.fingerprint]
  provisioner \"local-exec\" {
    when    = destroy
    command = \"touch destroyed\"
  }
}
";

fn requesting(map: &str) -> String {
    let agent = agent(&format!("{BOTH}  rotate_when_changed = {map}\n"));
    format!("{agent}{FOLLOWER}")
}

fn was_destroyed(stack: &Stack) -> bool {
    fs::exists(stack.workspace.folder().join("destroyed")).unwrap()
}

/// Checks that a request fails in the plan, and that nothing was destroyed for it.
#[track_caller]
fn fails_in_the_plan(stack: &Stack, reasons: &[String]) {
    let plan = stack.workspace.plan();
    plan.exits(1);
    assert_eq!(
        errors(&plan),
        [format!("No spare for {PRIMARY_ID}")],
        "{}",
        plan.transcript()
    );
    for reason in reasons {
        plan.says(reason);
    }
    stack.workspace.apply().exits(1);
    assert!(!was_destroyed(stack));
}

#[tokio::test]
async fn a_request_that_no_spare_can_serve_fails_before_anything_is_destroyed() {
    let stack = aged("foreseen-copies", 10).await;
    for path in SPARES {
        stack.put(path, json!({ FIELD: token("primary") })).await;
    }
    stack.applied(&requesting("null"));
    stack.write(&requesting("{ leak = \"1\" }"));
    let reasons = SPARES.map(|path| format!("- {path}: It holds the same token as {PRIMARY}."));
    fails_in_the_plan(&stack, &reasons);
    assert_eq!(stack.current_version(PRIMARY).await, 1);

    // Without any spare it is the same, and the message says what to do first.
    stack.write(&format!(
        "{}{FOLLOWER}",
        agent("  rotate_when_changed = { leak = \"1\" }\n")
    ));
    fails_in_the_plan(&stack, &["spare_paths is empty".to_owned()]);

    // What the message says: a new token in a spare.
    stack
        .patch(SPARES[1], json!({ FIELD: token("fresh") }))
        .await;
    stack.write(&requesting("{ leak = \"1\" }"));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says(&format!("promotes the spare {}", SPARES[1]));
    assert_eq!(
        warnings(&plan),
        [format!("Token {PRIMARY_ID} will be rotated as requested")]
    );
    stack.workspace.apply_saved().exits(0);
    assert!(was_destroyed(&stack));
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("fresh"))
    );
    stack.is_quiet();
}

#[tokio::test]
async fn the_command_of_a_request_without_a_spare_stores_a_token() {
    let stack = aged("foreseen-deleted", 10).await;
    stack.applied(&requesting("null"));
    let primary = token("primary");
    stack.put(SPARES[1], json!({ FIELD: primary })).await;
    stack.versions("delete", SPARES[0], &[1]).await;
    stack.write(&requesting("{ leak = \"1\" }"));
    // A token cannot be stored over a deleted version.
    let store = |path: &str| format!("\n    terraform-provider-claude store {path}\n");
    let plan = stack.workspace.plan();
    plan.exits(1);
    let text = format!("{}{}", plan.stdout, plan.stderr);
    assert!(text.contains(&store(SPARES[1])), "{text}");
    assert!(!text.contains(&store(SPARES[0])), "{text}");

    // Without a spare for it, the token belongs in the primary, and the request goes.
    stack.versions("delete", SPARES[1], &[2]).await;
    let plan = stack.workspace.plan();
    plan.exits(1)
        .says("Undo the change to rotate_when_changed.");
    let text = format!("{}{}", plan.stdout, plan.stderr);
    assert!(text.contains(&store(PRIMARY)), "{text}");
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack.write(&requesting("null"));
    stack.apply();
    let held = stack.attributes(AGENT);
    assert_eq!(held["fingerprint"], fingerprint(&token("fresh")));
}

#[tokio::test]
async fn a_request_that_is_unknown_at_plan_names_the_spare_or_fails() {
    let stack = aged("foreseen-unknown", 10).await;
    let with = |input: &str| {
        let source =
            format!("resource \"terraform_data\" \"leak\" {{\n  input = \"{input}\"\n}}\n");
        format!(
            "{source}{}",
            requesting("{ leak = terraform_data.leak.output }")
        )
    };
    stack.applied(&with("first"));
    stack.is_quiet();
    stack.write(&with("second"));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("rotate_when_changed is not known")
        .says(&format!("promotes the spare {}", SPARES[0]));
    assert_eq!(
        warnings(&plan),
        [format!("Token {PRIMARY_ID} may be rotated")],
        "{}",
        plan.transcript()
    );
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert!(unknown(&planned).contains(&"fingerprint"));

    for path in SPARES {
        stack.put(path, json!({ FIELD: token("primary") })).await;
    }
    let reasons = SPARES.map(|path| format!("- {path}: It holds the same token as {PRIMARY}."));
    fails_in_the_plan(&stack, &reasons);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
}

#[tokio::test]
async fn a_spare_that_is_lost_after_the_plan_fails_the_apply_before_anything_is_destroyed() {
    let stack = aged("foreseen-lost", 10).await;
    stack.applied(&requesting("null"));
    stack.write(&requesting("{ leak = \"1\" }"));
    stack.workspace.plan().exits(2);
    for path in SPARES {
        stack.versions("delete", path, &[1]).await;
    }
    let apply = stack.workspace.apply_saved();
    apply.exits(1);
    assert_eq!(errors(&apply), [format!("No spare for {PRIMARY_ID}")]);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    for path in SPARES {
        stack.versions("undelete", path, &[1]).await;
    }
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
}

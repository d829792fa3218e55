//! Actions that are refused: by their configuration, by Vault, or for the date.

use std::fmt::Write as _;

use serde_json::json;
use terraform_provider_claude::env::TF_CLAUDE_NOW;

use super::super::super::stack::{FIELD, PRIMARY, PRIMARY_ID, SPARES};
use super::super::{aged, ago, held_marks, marks, metadata, stamp_with_foreign_key, value_at};
use super::{INVOKE, action, failed_with, has_actions, invoke};
use crate::support::secrets::token;
use crate::support::terraform::{HEADER, Workspace};

#[test]
fn wrong_arguments_are_refused_where_they_stand() {
    let workspace = Workspace::new("action-wrong");
    if !has_actions() {
        return;
    }
    let good = "path = \"agent\"\nspare_paths = [\"spare\"]";
    let spares = "spare_paths = [\"spare\"]";
    let cases = [
        (
            format!("path = \"/agent\"\n{spares}"),
            "Invalid path",
            "starts with `/`",
        ),
        (format!("path = \"\"\n{spares}"), "Invalid path", "is empty"),
        (
            format!("path = \"{}\"\n{spares}", "a".repeat(500)),
            "Invalid path",
            "shorter path",
        ),
        (
            format!("path = null\n{spares}"),
            "path is required",
            "Set it",
        ),
        (
            format!("mount = \"kv/\"\n{good}"),
            "Invalid mount",
            "ends with",
        ),
        (format!("field = \"\"\n{good}"), "Invalid field", "is empty"),
        (
            "path = \"agent\"\nspare_paths = []".to_owned(),
            "Invalid spare_paths",
            "path",
        ),
        (
            "path = \"agent\"\nspare_paths = null".to_owned(),
            "spare_paths is required",
            "Set it",
        ),
        (
            "path = \"agent\"\nspare_paths = [\"spare\", \"spare\"]".to_owned(),
            "Invalid spare_paths",
            "the same as path 1",
        ),
        (
            "path = \"agent\"\nspare_paths = [\"spare\", \"agent\"]".to_owned(),
            "Invalid spare_paths",
            "primary",
        ),
        (
            "path = \"agent\"\nspare_paths = [\"spare\", null]".to_owned(),
            "Invalid spare_paths",
            "Remove it",
        ),
        (
            "path = \"agent\"\nspare_paths = [\"a/../b\"]".to_owned(),
            "Invalid spare_paths",
            "`..`",
        ),
    ];
    let mut text = HEADER.to_owned();
    for (number, (arguments, ..)) in cases.iter().enumerate() {
        writeln!(
            text,
            "action \"claude_promote_spare\" \"c{number}\" {{\n  config {{\n{arguments}\n  }}\n}}"
        )
        .unwrap();
    }
    workspace.write("main.tf", &text);
    let run = workspace.run(["validate", "-json"]);
    run.exits(1);
    let told = run.told();
    assert_eq!(told.len(), cases.len(), "{told:#?}");
    for (number, (arguments, summary, says)) in cases.iter().enumerate() {
        let address = format!("action.claude_promote_spare.c{number}");
        let told = told.iter().find(|told| told.address == address).unwrap();
        assert!(told.is_error);
        assert_eq!(told.summary, *summary, "{arguments}: {told:#?}");
        assert!(told.detail.contains(says), "{arguments}: {told:#?}");
        assert!(!told.code.is_empty(), "{told:#?}");
    }

    // What is not known yet is let through.
    workspace.write(
        "main.tf",
        &format!(
            "{HEADER}variable \"path\" {{\n  type = string\n}}\naction \"claude_promote_spare\" \
             \"agent\" {{\n  config {{\n    path = var.path\n    spare_paths = [var.path]\n  \
             }}\n}}\n"
        ),
    );
    workspace.run(["validate"]).exits(0);
}

#[tokio::test]
async fn nothing_is_promoted_while_a_date_is_rehearsed() {
    let stack = aged("action-rehearsed", 10).await;
    if !has_actions() {
        return;
    }
    stack.write(&action(""));
    let run = stack
        .workspace
        .command(["apply", "-auto-approve", INVOKE])
        .env(TF_CLAUDE_NOW, ago(-300).to_string())
        .run();
    run.exits(1)
        .says("While TF_CLAUDE_NOW is set, nothing is written to Vault. Unset it");
    failed_with(&run, &format!("No spare was promoted into {PRIMARY_ID}"));
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(marks(&stack, SPARES[0]).await, []);
}

#[tokio::test]
async fn a_primary_that_is_gone_is_not_written_over() {
    let stack = aged("action-gone", 10).await;
    if !has_actions() {
        return;
    }
    stack.write(&action(""));
    stack.versions("delete", PRIMARY, &[1]).await;
    let run = invoke(&stack);
    run.exits(1)
        .says("vault kv undelete -mount=secret -versions=1 claude-agent-service")
        .says("Then invoke the action again. Nothing was changed.");
    failed_with(&run, &format!("Token {PRIMARY_ID} cannot be replaced"));
    assert_eq!(marks(&stack, SPARES[0]).await, []);
}

#[tokio::test]
async fn rights_that_are_missing_are_named() {
    let mut stack = aged("action-rights", 10).await;
    if !has_actions() {
        return;
    }
    stack.write(&action(""));
    let read = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    let patch = r#"path "secret/metadata/*" { capabilities = ["patch"] }"#;
    let may_read = stack.bao.token(&format!("{read}\n{patch}")).await;
    stack.workspace.set("VAULT_TOKEN", may_read);
    let before = metadata(&stack, PRIMARY).await;
    let run = invoke(&stack);
    run.exits(1)
        .says("path \"secret/data/claude-agent-service\" {")
        .says("capabilities = [\"update\"]");
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    // The announcement of a token that did not come says nothing.
    let mut after = metadata(&stack, PRIMARY).await;
    assert!(after.remove(&format!("{FIELD}.next")).is_some());
    assert_eq!(after, before);
    assert_eq!(marks(&stack, SPARES[0]).await, [], "the mark is withdrawn");

    // Without rights on metadata a promotion leaves no marks, and says so.
    let write = r#"path "secret/data/claude-agent-service" { capabilities = ["read", "update"] }"#;
    let may_write = stack.bao.token(&format!("{read}\n{write}")).await;
    stack.workspace.set("VAULT_TOKEN", may_write);
    let run = invoke(&stack);
    run.exits(0)
        .says(&format!("Promotion into {PRIMARY_ID} left no marks: "))
        .says(&format!("Token {PRIMARY_ID} was not stamped: "));
    assert_eq!(value_at(&stack, PRIMARY, 0).await, token(SPARES[0]));
}

/// A copy of the leaked token and a token that has expired are no spares.
#[tokio::test]
async fn spares_that_would_not_help_are_passed_over() {
    let stack = aged("action-useless", 10).await;
    if !has_actions() {
        return;
    }
    stack.write(&action(""));
    stack
        .put(SPARES[0], json!({ FIELD: token("primary") }))
        .await;
    let expired = stamp_with_foreign_key(&token(SPARES[1]), ago(400));
    stack.set_metadata(SPARES[1], expired).await;
    let run = invoke(&stack);
    run.exits(1)
        .says("It holds the same token as claude-agent-service.")
        .says("Its token expired");
    failed_with(&run, &format!("No spare for {PRIMARY_ID}"));
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    // The copy stays out for good, as that of a leaked token must.
    assert_eq!(held_marks(&stack, SPARES[0]).await.len(), 1);
}

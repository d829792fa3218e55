//! A whole life with `-refresh=false` after each step: what an earlier run knew is never a bug in
//! the provider, and never a request.

use serde_json::json;

use super::stack::{AGENT, FIELD, PRIMARY, SPARES, Stack, fingerprint, stamp, text};
use super::writing::ago;
use crate::support::lacks;
use crate::support::secrets::token;
use crate::support::terraform::Run;

fn agent(arguments: &str) -> String {
    format!(
        "resource \"claude_oauth_token\" \"agent\" {{\n  path = \"{PRIMARY}\"\n  spare_paths = \
         [\"{}\", \"{}\"]\n{arguments}}}\n",
        SPARES[0], SPARES[1]
    )
}

#[track_caller]
fn is_no_bug(run: &Run) {
    for text in ["bug in the provider", "inconsistent", "Provider bug"] {
        run.omits(text);
    }
}

fn offline(stack: &Stack) -> [Run; 2] {
    [
        stack
            .workspace
            .run(["plan", "-refresh=false", "-detailed-exitcode"]),
        stack
            .workspace
            .run(["apply", "-refresh=false", "-auto-approve"]),
    ]
}

/// Plans and applies without a refresh, which must rotate nothing.
async fn stays(stack: &Stack) {
    let before = stack.current_version(PRIMARY).await;
    let state = stack.attributes(AGENT);
    for run in offline(stack) {
        is_no_bug(&run);
    }
    assert_eq!(stack.current_version(PRIMARY).await, before);
    assert_eq!(stack.attributes(AGENT)["fingerprint"], state["fingerprint"]);
}

#[tokio::test]
async fn a_life_without_refreshes() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("offline-life").await;
    // Created, and adopted.
    stack.write(&agent(""));
    for run in offline(&stack) {
        is_no_bug(&run);
    }
    stays(&stack).await;
    stack.workspace.plan().changes_nothing();

    // Imported, together with arguments that an import takes for no request.
    stack.workspace.run(["state", "rm", AGENT]).exits(0);
    let import = format!("import {{\n  to = {AGENT}\n  id = \"secret/{PRIMARY}\"\n}}\n");
    stack.write(&format!("{import}{}", agent("")));
    for run in offline(&stack) {
        is_no_bug(&run);
    }
    stays(&stack).await;
    stack.write(&agent(&format!("  token_minted_at = \"{}\"\n", ago(3))));
    stays(&stack).await;

    // Rotated on request, once.
    let leak = "  rotate_when_changed = { leak = \"1\" }\n";
    stack.write(&agent(leak));
    for run in offline(&stack) {
        is_no_bug(&run);
    }
    assert_eq!(stack.current_version(PRIMARY).await, 2);
    stays(&stack).await;
    stack.workspace.plan().exits(0);
    stays(&stack).await;

    // Stored.
    let store = format!(
        "{leak}  token_wo = {:?}\n  token_wo_version = 1\n",
        token("stored")
    );
    stack.write(&agent(&store));
    for run in offline(&stack) {
        is_no_bug(&run);
    }
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("stored"))
    );
    stays(&stack).await;

    // Deleted, seen so, and brought back.
    let current = stack.current_version(PRIMARY).await;
    stack.versions("delete", PRIMARY, &[current]).await;
    stays(&stack).await;
    stack
        .workspace
        .run(["apply", "-refresh-only", "-auto-approve"])
        .exits(0);
    assert_eq!(text(&stack.attributes(AGENT)["status"]), "missing");
    stays(&stack).await;
    stack.versions("undelete", PRIMARY, &[current]).await;
    stays(&stack).await;
    stack.apply();
    stays(&stack).await;
    stack.workspace.plan().changes_nothing();

    let destroy = stack
        .workspace
        .run(["destroy", "-refresh=false", "-auto-approve"]);
    destroy.exits(0);
    is_no_bug(&destroy);
    assert_eq!(stack.current_version(PRIMARY).await, current);
}

/// A due token was adopted, and no refresh has read its spares yet.
#[tokio::test]
async fn a_due_token_that_was_adopted_rotates_without_a_refresh() {
    let stack = Stack::start("offline-due").await;
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), ago(340)))
        .await;
    stack.applied(&agent(""));
    let plan = stack
        .workspace
        .run(["plan", "-refresh=false", "-detailed-exitcode"]);
    plan.exits(2)
        .says("An apply promotes the best usable spare, if any of these can be used:")
        .omits("there is no spare");
    let apply = stack
        .workspace
        .run(["apply", "-refresh=false", "-auto-approve"]);
    apply.exits(0);
    is_no_bug(&apply);
    assert_eq!(stack.current_version(PRIMARY).await, 2);
    stays(&stack).await;

    // None is usable, and no refresh has found that out either.
    let stack = Stack::start("offline-due-alone").await;
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), ago(340)))
        .await;
    for path in SPARES {
        stack.put(path, json!({ FIELD: token("primary") })).await;
    }
    stack.applied(&agent(""));
    for run in offline(&stack) {
        is_no_bug(&run);
        run.omits("there is no spare");
    }
    assert_eq!(stack.current_version(PRIMARY).await, 1);
}

//! One fact, one warning, and commands that can be pasted as they are.

use serde_json::json;

use crate::support::secrets::token;
use crate::support::terraform::Told;
use crate::terraform::stack::{FIELD, POOL, PRIMARY, SPARES, Stack};

const THIRD: &str = "claude-agent-service-spare-3";

/// Returns what a plan says.
fn told(stack: &Stack) -> Vec<Told> {
    stack.workspace.run(["plan", "-json"]).exits(0).told()
}

#[tokio::test]
async fn a_shortage_names_each_path_with_a_command_of_its_own() {
    let stack = Stack::start("pool-told").await;
    stack.put(THIRD, json!({ FIELD: token("third") })).await;
    stack
        .patch(SPARES[0], json!({ FIELD: token("primary") }))
        .await;
    stack.versions("delete", SPARES[1], &[1]).await;
    let block = |minimum: u32| {
        format!(
            "resource \"claude_token_spare_pool\" \"agent\" {{
  paths         = [{:?}, {:?}, {THIRD:?}]
  primary_path  = {PRIMARY:?}
  min_available = {minimum}
}}
",
            SPARES[0], SPARES[1]
        )
    };
    let apply = stack.applied(&block(3));
    let summary = "Spares secret/claude-agent-service-spare-{1,2,3}#claude_oauth_token: 1 \
                   available, 3 required";
    apply.says(summary);
    let told = told(&stack);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].summary, summary);
    // The last command ends the text.
    let detail = format!("{}\n", told[0].detail);
    assert!(detail.starts_with("An apply does not fix this"), "{detail}");
    for line in [
        format!(
            "- {}: it holds the same token as {PRIMARY}, so it expires and leaks together with \
             it.\n\n    terraform-provider-claude store {}\n",
            SPARES[0], SPARES[0]
        ),
        format!(
            "- {}: Version 1 of secret/{} was deleted. To bring it back, run:\n\n    vault kv \
             undelete -mount=secret -versions=1 {}",
            SPARES[1], SPARES[1], SPARES[1]
        ),
    ] {
        assert_eq!(detail.matches(&line).count(), 1, "{line}\n{detail}");
    }
    assert_eq!(detail.matches("undelete").count(), 1, "{detail}");
    assert!(!detail.contains("PATH"), "{detail}");

    // Where one spare is enough, copies are still reported.
    stack.applied(&block(1));
    let told = self::told(&stack);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].summary.ends_with("have copies"), "{told:#?}");
    let command = format!("\n    terraform-provider-claude store {}", SPARES[0]);
    assert!(told[0].detail.ends_with(&command), "{told:#?}");
    assert_eq!(stack.attributes(POOL)["available_paths"], json!([THIRD]));
}

#[tokio::test]
async fn a_spare_that_vault_deletes_is_told_what_helps() {
    let stack = Stack::empty("pool-told-deletion").await;
    let settings = json!({ "delete_version_after": "480h" });
    stack.set_metadata(SPARES[0], settings).await;
    stack.put(SPARES[0], json!({ FIELD: token("spare") })).await;
    stack.applied(&format!(
        "resource \"claude_token_spare_pool\" \"agent\" {{\n  paths = [{:?}]\n}}\n",
        SPARES[0]
    ));
    let told = told(&stack);
    assert_eq!(told.len(), 1, "{told:#?}");
    for text in [
        "-delete-version-after=0s claude-agent-service-spare-1\n",
        "vault write secret/config delete_version_after=0s\n",
        "store --repair claude-agent-service-spare-1",
    ] {
        assert!(told[0].detail.contains(text), "{text}: {told:#?}");
    }
}

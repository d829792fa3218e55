//! Which spare is taken: the one that lasts longest, then the first, and never a copy.

use serde_json::{Value, json};

use super::super::stack::{AGENT, FIELD, PRIMARY, SPARES, Stack, fingerprint, stamp, warnings};
use super::{BOTH, aged, agent, ago, held_marks, marks, short};
use crate::support::secrets::token;

fn takes(stack: &Stack, spare: &str) {
    let plan = stack.workspace.plan();
    plan.exits(2).says(&format!("promotes the spare {spare}"));
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["rotated_from"], spare);
    stack.is_quiet();
}

#[tokio::test]
async fn the_one_that_lasts_longest_is_taken() {
    let stack = aged("order-latest", 340).await;
    stack
        .set_metadata(SPARES[0], stamp(&token(SPARES[0]), ago(9)))
        .await;
    stack.applied(&agent(BOTH));
    takes(&stack, SPARES[1]);
}

#[tokio::test]
async fn among_equals_the_first_of_the_list_is_taken() {
    let stack = aged("order-list", 340).await;
    let minted_at = ago(2);
    for path in SPARES {
        stack
            .set_metadata(path, stamp(&token(path), minted_at))
            .await;
    }
    stack.applied(&agent(&format!(
        "  spare_paths = [{:?}, {:?}]\n",
        SPARES[1], SPARES[0]
    )));
    takes(&stack, SPARES[1]);
}

#[tokio::test]
async fn a_copy_of_the_primary_is_never_used_and_stays_out_for_good() {
    let stack = aged("order-copy", 10).await;
    stack
        .put(SPARES[0], json!({ FIELD: token("primary") }))
        .await;
    let versions = [
        stack.current_version(SPARES[0]).await,
        stack.current_version(SPARES[1]).await,
    ];
    stack.applied(&agent(BOTH));
    stack.applied(&agent(&format!(
        "{BOTH}  rotate_when_changed = {{ leak = \"1\" }}\n"
    )));
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[1]);
    // A mark says that the primary held it.
    let noted = held_marks(&stack, SPARES[0]).await;
    assert_eq!(noted.len(), 1, "{noted:?}");
    let parts: Vec<_> = noted[0].1.splitn(4, ' ').collect();
    assert_eq!(parts[..2], [short(&token("primary")).as_str(), "0"]);
    assert_eq!(parts[3], format!("{PRIMARY}#{FIELD}"));
    assert_eq!(
        [
            stack.current_version(SPARES[0]).await,
            stack.current_version(SPARES[1]).await
        ],
        versions
    );
    // Neither is there anything left to take.
    stack.write(&agent(&format!(
        "{BOTH}  rotate_when_changed = {{ leak = \"2\" }}\n"
    )));
    let run = stack.workspace.apply();
    run.exits(1).says("no spare can be promoted:");
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token(SPARES[1]))
    );
    assert_eq!(stack.current_version(PRIMARY).await, 2);
}

#[tokio::test]
async fn spares_named_in_the_plan_in_which_a_token_is_due_are_taken() {
    let stack = aged("order-new", 340).await;
    stack.applied(&agent(""));
    stack.write(&agent(BOTH));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("An apply promotes the best usable spare, if any of these can be used:")
        .says("+ rotation_reason = \"rotation_due\"");
    assert_eq!(warnings(&plan).len(), 1, "{}", plan.transcript());
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["rotated_from"], SPARES[0]);
    assert_eq!(state["spare_paths"], json!(SPARES));
    stack.is_quiet();
}

#[tokio::test]
async fn a_primary_that_was_promoted_to_is_no_spare() {
    let stack = aged("order-primary", 340).await;
    stack.applied(&agent(&format!("  spare_paths = [{:?}]\n", SPARES[1])));
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[1]);
    let second = format!(
        "resource \"claude_oauth_token\" \"second\" {{\n  path        = \"second\"\n  spare_paths \
         = [{PRIMARY:?}, {:?}]\n  rotate_when_changed = {{ leak = \"@\" }}\n}}\n",
        SPARES[1]
    );
    stack.put("second", json!({ FIELD: token("second") })).await;
    stack.applied(&second.replace('@', "0"));
    stack.write(&second.replace('@', "1"));
    let run = stack.workspace.apply();
    run.exits(1)
        .says(&format!("{PRIMARY}#{FIELD} holds or held its token."));
    assert_eq!(stack.current_version("second").await, 1);
    let state = stack.attributes("claude_oauth_token.second");
    assert_eq!(state["rotated_from"], Value::Null);
}

#[tokio::test]
async fn primaries_of_one_apply_take_a_spare_each() {
    let stack = aged("order-shared", 340).await;
    for path in ["second", "third"] {
        stack.put(path, json!({ FIELD: token(path) })).await;
        stack
            .set_metadata(path, stamp(&token(path), ago(341)))
            .await;
    }
    let resource = |name: &str, path: &str| {
        format!("resource \"claude_oauth_token\" \"{name}\" {{\n  path = \"{path}\"\n{BOTH}}}\n")
    };
    stack.applied(&format!(
        "{}{}{}",
        resource("agent", PRIMARY),
        resource("second", "second"),
        resource("third", "third")
    ));
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    let mut taken = Vec::new();
    let mut versions = 0;
    for (name, path) in [("agent", PRIMARY), ("second", "second"), ("third", "third")] {
        let state = stack.attributes(&format!("claude_oauth_token.{name}"));
        taken.extend(state["rotated_from"].as_str().map(str::to_owned));
        versions += stack.current_version(path).await;
    }
    taken.sort();
    assert_eq!(taken, SPARES, "{}", apply.transcript());
    assert_eq!(versions, 5);
    for path in SPARES {
        assert_eq!(marks(&stack, path).await.len(), 1);
        assert_eq!(stack.current_version(path).await, 1);
    }
    // The one that got none says so until there is another spare.
    apply.says("Warning: No spare for secret/");
    let plan = stack.workspace.plan();
    plan.exits(2);
    assert_eq!(plan.drift_lines().len(), 2, "{}", plan.transcript());
}

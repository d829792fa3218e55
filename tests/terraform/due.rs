//! From the first second on which a token is due, every plan says so until it is replaced.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, FOUND, PRIMARY, PRIMARY_ID, SECOND, Stack, change, days,
    differences, errors, fingerprint, stamp, unknown, warnings,
};
use crate::support::secrets::token;

const DRIFT: [&str; 2] = [
    "# claude_oauth_token.agent will be updated in-place",
    "Plan: 0 to add, 1 to change, 0 to destroy.",
];

/// Demands the plan of a token that nothing can replace: the reason alone changes.
#[track_caller]
fn shows(stack: &Stack, now: Timestamp, reason: &str, warning: &str) {
    let plan = stack.plan_at(now);
    plan.exits(2)
        .says(&format!("+ rotation_reason = \"{reason}\""));
    assert_eq!(plan.drift_lines(), DRIFT);
    assert_eq!(warnings(&plan), [warning], "{}", plan.transcript());
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&planned), [""; 0]);
    assert_eq!(
        differences(&planned["before"], &planned["after"]),
        ["rotation_reason"]
    );
}

#[tokio::test]
async fn a_token_is_due_and_expires_to_the_second() {
    let stack = Stack::start("due").await;
    stack.applied(AGENT_BLOCK);
    let first = stack.attributes(AGENT);
    let rotate_at = stack.instant(AGENT, "rotate_at");
    let expires_at = stack.instant(AGENT, "expires_at");
    let due = format!("Token {PRIMARY_ID} expires {expires_at}");
    let expired = format!("Token {PRIMARY_ID} expired {expires_at}");

    stack.plan_at(rotate_at - SECOND).changes_nothing();
    shows(&stack, rotate_at, "rotation_due", &due);
    shows(&stack, expires_at - SECOND, "rotation_due", &due);
    shows(&stack, expires_at, "expired", &expired);

    // It still works: the apply answers for the plan, warns, and the next plan asks again.
    let apply = stack.apply_at(rotate_at);
    apply.exits(0).says("0 added, 1 changed, 0 destroyed");
    assert!(warnings(&apply).contains(&due), "{}", apply.transcript());
    let applied = stack.attributes(AGENT);
    assert_eq!(applied["rotation_reason"], "rotation_due");
    assert_eq!(applied["status"], "rotation_due");
    assert_eq!(differences(&first, &applied), ["rotation_reason", "status"]);
    shows(&stack, rotate_at, "rotation_due", &due);

    // It does not work any more: the apply fails, and the state is as good as before.
    let apply = stack.apply_at(expires_at);
    apply
        .exits(1)
        .says("vault kv patch -mount=secret claude-agent-service claude_oauth_token=-");
    assert_eq!(errors(&apply), [expired.as_str()]);
    let applied = stack.attributes(AGENT);
    assert_eq!(applied["status"], "expired");
    assert_eq!(applied["rotation_reason"], "expired");
    assert_eq!(differences(&first, &applied), ["rotation_reason", "status"]);
    shows(&stack, expires_at, "expired", &expired);

    // Back in the present nothing is due, and the reason stays as history.
    stack.workspace.plan().changes_nothing();
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["status"], "in_date");
    assert_eq!(stack.attributes(AGENT)["rotation_reason"], "expired");
    stack.is_quiet();
}

#[tokio::test]
async fn days_of_its_own_move_the_thresholds() {
    let stack = Stack::start("due-days").await;
    stack.applied(
        "resource \"claude_oauth_token\" \"agent\" {
  path               = \"claude-agent-service\"
  lifetime_days      = 90
  rotate_before_days = 0
}
",
    );
    let minted_at = stack.written_at(PRIMARY, 1).await;
    let expires_at = minted_at + days(90);
    assert_eq!(stack.instant(AGENT, "expires_at"), expires_at);
    assert_eq!(stack.instant(AGENT, "rotate_at"), expires_at);
    stack.plan_at(expires_at - SECOND).changes_nothing();
    let expired = format!("Token {PRIMARY_ID} expired {expires_at}");
    shows(&stack, expires_at, "expired", &expired);

    // The provider's days count where the resource has none, and changing them rotates nothing.
    stack.write_with_provider(
        "  lifetime_days = 60\n  rotate_before_days = 7",
        AGENT_BLOCK,
    );
    let plan = stack.plan_at(minted_at + days(59));
    plan.exits(2).omits("rotation_reason");
    assert_eq!(plan.drift_lines(), DRIFT);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&planned), ["status"]);
    assert_eq!(
        planned["after"]["expires_at"],
        (minted_at + days(60)).to_string()
    );
    stack.apply_at(minted_at + days(59)).exits(0);
    assert_eq!(stack.attributes(AGENT)["status"], "rotation_due");
    assert_eq!(stack.attributes(AGENT)["rotation_reason"], Value::Null);
    let due = format!("Token {PRIMARY_ID} expires {}", minted_at + days(60));
    stack
        .plan_at(minted_at + days(53) - SECOND)
        .changes_nothing();
    shows(&stack, minted_at + days(53), "rotation_due", &due);
}

#[tokio::test]
async fn warn_tells_and_plans_nothing() {
    let stack = Stack::start("due-warn").await;
    let block = "resource \"claude_oauth_token\" \"agent\" {
  path            = \"claude-agent-service\"
  on_rotation_due = \"warn\"
}
";
    stack.applied(block);
    let rotate_at = stack.instant(AGENT, "rotate_at");
    let expires_at = stack.instant(AGENT, "expires_at");
    for (now, warning) in [
        (
            rotate_at,
            format!("Token {PRIMARY_ID} expires {expires_at}"),
        ),
        (
            expires_at,
            format!("Token {PRIMARY_ID} expired {expires_at}"),
        ),
    ] {
        let plan = stack.plan_at(now);
        plan.changes_nothing()
            .says("No change is planned, because on_rotation_due is \"warn\".");
        assert_eq!(warnings(&plan), [warning]);
    }
    stack.apply_at(expires_at).exits(0);
    assert_eq!(stack.attributes(AGENT)["status"], "expired");
    assert_eq!(stack.attributes(AGENT)["rotation_reason"], Value::Null);
    stack.apply();
    stack.is_quiet();
}

#[tokio::test]
async fn a_token_that_is_really_due_is_adopted_with_a_warning_and_replaced_by_hand() {
    let stack = Stack::start("due-really").await;
    let minted_at = stack.written_at(PRIMARY, 1).await - days(340);
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), minted_at))
        .await;
    let apply = stack.applied(AGENT_BLOCK);
    let due = format!("Token {PRIMARY_ID} expires {}", minted_at + days(365));
    assert_eq!(warnings(&apply), [due.as_str()]);
    let adopted = stack.attributes(AGENT);
    assert_eq!(adopted["status"], "rotation_due");
    assert_eq!(adopted["minted_at_source"], "stamp");
    assert_eq!(adopted["rotation_reason"], Value::Null);

    // Plan and apply are made of two calls that must agree, each time anew.
    for _ in 0..2 {
        let plan = stack.workspace.plan();
        plan.exits(2);
        assert_eq!(plan.drift_lines(), DRIFT);
        stack.workspace.apply_saved().exits(0);
        assert_eq!(stack.attributes(AGENT)["rotation_reason"], "rotation_due");
    }

    // Somebody follows the advice between a plan and its apply.
    stack.workspace.plan().exits(2);
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    // The plan inside the apply repeats its warning; then the apply sees what happened.
    let replaced = format!("Token {PRIMARY_ID} was replaced in the meantime");
    assert_eq!(warnings(&apply), [due, replaced]);

    stack.workspace.plan().changes_nothing();
    stack.apply();
    let renewed = stack.attributes(AGENT);
    assert_eq!(renewed["fingerprint"], fingerprint(&token("fresh")));
    assert_eq!(renewed["status"], "in_date");
    assert_eq!(renewed["kv_version"], 2);
    assert_eq!(renewed["minted_at_source"], "history");
    assert_eq!(
        renewed["minted_at"],
        stack.written_at(PRIMARY, 2).await.to_string()
    );
    assert_eq!(renewed["rotation_reason"], "rotation_due");
    stack.is_quiet();
}

#[tokio::test]
async fn status_alone_moves_at_a_threshold() {
    let stack = Stack::start("due-status").await;
    stack.applied(AGENT_BLOCK);
    let first = stack.attributes(AGENT);
    let rotate_at = stack.instant(AGENT, "rotate_at");
    let run = stack
        .workspace
        .command(["apply", "-refresh-only", "-auto-approve"])
        .env("TF_CLAUDE_NOW", rotate_at.to_string())
        .run();
    run.exits(0);
    let due = stack.attributes(AGENT);
    assert_eq!(differences(&first, &due), ["status"]);
    assert!(FOUND.iter().all(|name| due.get(*name).is_some()), "{due:#}");
}

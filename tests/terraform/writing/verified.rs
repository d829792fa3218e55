//! A token that Claude Code reported as refused is due, whatever its dates say.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::stack::{
    AGENT, FIELD, FOUND, PRIMARY, PRIMARY_ID, SPARES, Stack, change, differences, errors, unknown,
    warnings,
};
use super::{BOTH, agent, now, short, value_at};
use crate::support::secrets::token;

const DATA: &str = "data \"claude_oauth_token\" \"seen\" {\n  path = \"claude-agent-service\"\n}\n";

/// Records a verdict as `verify` does, and leaves the other metadata alone.
async fn judge(stack: &Stack, path: &str, name: &str, finding: &str, at: Timestamp) {
    let at = at.as_second();
    let verdict = format!("{} {finding} {at} revoked", short(&token(name)));
    judge_with(stack, path, verdict).await;
}

async fn judge_with(stack: &Stack, path: &str, verdict: String) {
    let body = json!({ "custom_metadata": { format!("{FIELD}.verified"): verdict } });
    let target = format!("secret/metadata/{path}");
    stack.bao.must("PATCH", &target, body).await;
}

async fn judge_primary(stack: &Stack, finding: &str, at: Timestamp) {
    judge(stack, PRIMARY, "primary", finding, at).await;
}

#[tokio::test]
async fn a_refused_token_is_replaced_by_a_spare_that_is_not() {
    let stack = Stack::start("verified-replaced").await;
    let hour = SignedDuration::from_hours(1);
    stack.applied(&agent(BOTH));
    stack.is_quiet();

    // A verdict on another token, or from the future of Vault's clock, says nothing.
    let other = format!("{} refused 1 revoked", short(&token("other")));
    judge_with(&stack, PRIMARY, other).await;
    stack.is_quiet();
    judge_primary(&stack, "refused", now() + hour).await;
    stack.is_quiet();
    judge_primary(&stack, "works", now() - hour).await;
    stack.is_quiet();

    judge_primary(&stack, "refused", now() - hour).await;
    judge(&stack, SPARES[0], SPARES[0], "refused", now() - hour).await;
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("+ rotation_reason = \"refused\"")
        .says(SPARES[1]);
    assert_eq!(warnings(&plan).len(), 1, "{}", plan.transcript());
    assert!(warnings(&plan)[0].contains(PRIMARY_ID));
    let saved = stack.workspace.show_json("saved.tfplan");
    let planned = change(&saved, AGENT);
    assert_eq!(unknown(&planned), FOUND);
    assert_eq!(planned["before"]["status"], "refused");

    // The same verdict of another night moves nothing.
    stack
        .workspace
        .run(["apply", "-refresh-only", "-auto-approve"])
        .exits(0);
    judge_primary(&stack, "refused", now()).await;
    stack.refresh_only().changes_nothing();

    stack
        .apply()
        .says("If the previous token leaked, revoke it")
        .omits("works until then");
    assert_eq!(value_at(&stack, PRIMARY, 2).await, token(SPARES[1]));
    let attributes = stack.attributes(AGENT);
    assert_eq!(attributes["status"], "in_date");
    assert_eq!(attributes["rotation_reason"], "refused");
    stack.apply();
    stack.is_quiet();
}

#[tokio::test]
async fn a_refused_token_is_adopted_with_the_spare_that_follows() {
    let stack = Stack::start("verified-adopted").await;
    judge_primary(&stack, "refused", now() - SignedDuration::from_hours(1)).await;
    let apply = stack.applied(&agent(BOTH));
    apply
        .says(&format!("The next apply promotes the spare {}.", SPARES[0]))
        .omits("claude setup-token");
    assert_eq!(warnings(&apply).len(), 1, "{}", apply.transcript());
    stack.apply();
    assert_eq!(value_at(&stack, PRIMARY, 2).await, token(SPARES[0]));
}

#[tokio::test]
async fn an_apply_judges_a_refused_token_again() {
    for (name, arguments) in [("verified-again-spares", BOTH), ("verified-again", "")] {
        let stack = Stack::start(name).await;
        let hour = SignedDuration::from_hours(1);
        stack.applied(&agent(arguments));
        judge_primary(&stack, "refused", now() - hour).await;
        stack.workspace.plan().exits(2);
        judge_primary(&stack, "works", now()).await;
        let apply = stack.workspace.apply_saved();
        apply.exits(0);
        let kept = format!("Token {PRIMARY_ID} is not due, so it was kept");
        assert!(warnings(&apply).contains(&kept), "{}", apply.transcript());
        assert_eq!(stack.current_version(PRIMARY).await, 1);
        stack.apply();
        assert_eq!(stack.attributes(AGENT)["status"], "in_date");
        stack.is_quiet();
    }
}

#[tokio::test]
async fn a_refused_token_without_a_spare_is_reported_until_it_is_replaced() {
    let stack = Stack::start("verified-alone").await;
    stack.applied(&agent(""));
    let first = stack.attributes(AGENT);
    judge_primary(&stack, "refused", now()).await;
    for _ in 0..2 {
        let plan = stack.workspace.plan();
        plan.exits(2);
        let saved = stack.workspace.show_json("saved.tfplan");
        let planned = change(&saved, AGENT);
        assert_eq!(unknown(&planned), [""; 0]);
        assert_eq!(
            differences(&planned["before"], &planned["after"]),
            ["rotation_reason"]
        );
        let apply = stack.workspace.apply_saved();
        apply
            .exits(1)
            .says(&format!("vault kv patch -mount=secret {PRIMARY} {FIELD}=-"));
        assert_eq!(errors(&apply).len(), 1);
        let attributes = stack.attributes(AGENT);
        assert_eq!(
            differences(&first, &attributes),
            ["rotation_reason", "status"]
        );
        assert_eq!(attributes["status"], "refused");
    }
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["status"], "in_date");
    stack.is_quiet();
}

#[tokio::test]
async fn data_sources_and_adoption_report_a_refused_token() {
    let stack = Stack::start("verified-data").await;
    judge_primary(&stack, "refused", now()).await;
    let all =
        "data \"claude_oauth_tokens\" \"seen\" {\n  path_prefix = \"claude-agent-service\"\n}\n";
    let apply = stack.applied(&format!("{}{DATA}{all}", agent("")));
    assert_eq!(warnings(&apply).len(), 1, "{}", apply.transcript());
    assert!(warnings(&apply)[0].contains(PRIMARY_ID));
    assert_eq!(stack.attributes(AGENT)["status"], "refused");
    assert_eq!(
        stack.attributes("claude_oauth_token.seen")["status"],
        "refused"
    );
    let tokens = &stack.attributes("claude_oauth_tokens.seen")["tokens"];
    assert_eq!(tokens[0]["status"], "refused");
    assert_eq!(tokens[1]["status"], "in_date");
}

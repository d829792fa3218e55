//! Between two thresholds nothing moves, whatever else is written beside the token.

use serde_json::json;

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, POOL, POOL_BLOCK, PRIMARY, PRIMARY_ID, SECOND, SPARES, Stack, days,
    fingerprint, warnings,
};
use crate::support::lacks;
use crate::support::secrets::token;

#[tokio::test]
async fn an_adopted_token_stays_as_it_was_when_first_seen() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("adopted").await;
    // Two writes of a sibling before anyone looks: the token itself came with version 1.
    for value in ["second", "third"] {
        stack
            .patch(PRIMARY, json!({ "api_bearer_token": value }))
            .await;
    }
    let minted_at = stack.written_at(PRIMARY, 1).await;
    stack.write(AGENT_BLOCK);
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 1 to add, 0 to change, 0 to destroy.");
    assert_eq!(warnings(&plan), [""; 0]);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(warnings(&apply), [""; 0]);

    let expires_at = minted_at + days(365);
    let first = stack.attributes(AGENT);
    assert_eq!(
        first,
        json!({
            "id": PRIMARY_ID,
            "path": PRIMARY,
            "mount": "secret",
            "field": FIELD,
            "secret_key": "CLAUDE_CODE_OAUTH_TOKEN",
            "remote_key": PRIMARY,
            "lifetime_days": 365,
            "rotate_before_days": 30,
            "token_minted_at": null,
            "token_wo": null,
            "token_wo_version": null,
            "spare_paths": [],
            "rotate_when_changed": null,
            "stamp_metadata": true,
            "on_rotation_due": "plan",
            "fingerprint": fingerprint(&token("primary")),
            "kv_version": 3,
            "minted_at": minted_at.to_string(),
            "minted_at_source": "history",
            "expires_at": expires_at.to_string(),
            "expires_at_unix": expires_at.as_second(),
            "rotate_at": (expires_at - days(30)).to_string(),
            "status": "in_date",
            "rotated_from": null,
            "rotation_reason": null,
            "external_secret_data": [{
                "secretKey": "CLAUDE_CODE_OAUTH_TOKEN",
                "remoteRef": { "key": PRIMARY, "property": FIELD },
            }],
        })
    );
    stack.is_quiet();

    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "fourth" }))
        .await;
    stack.is_quiet();
    stack
        .patch(
            PRIMARY,
            json!({ "another": [1, null], "api_bearer_token": null }),
        )
        .await;
    stack.is_quiet();
    stack.apply();
    assert_eq!(stack.attributes(AGENT), first);
}

#[tokio::test]
async fn a_pool_stays_as_it_was_when_first_seen() {
    let stack = Stack::start("pool-quiet").await;
    stack.patch(SPARES[1], json!({ "note": "a sibling" })).await;
    stack.applied(POOL_BLOCK);

    let first = stack.attributes(POOL);
    let spare = |path: &str, version: u64, minted_at: jiff::Timestamp| {
        json!({
            "fingerprint": fingerprint(&token(path)),
            "kv_version": version,
            "minted_at": minted_at.to_string(),
            "minted_at_source": "history",
            "expires_at": (minted_at + days(365)).to_string(),
            "expires_at_unix": (minted_at + days(365)).as_second(),
            "rotate_at": (minted_at + days(335)).to_string(),
            "status": "available",
            "promoted_to": null,
            "duplicate_of": null,
        })
    };
    let minted = [
        stack.written_at(SPARES[0], 1).await,
        stack.written_at(SPARES[1], 1).await,
    ];
    assert_eq!(
        first["spares"],
        json!({
            SPARES[0]: spare(SPARES[0], 1, minted[0]),
            SPARES[1]: spare(SPARES[1], 2, minted[1]),
        })
    );
    let latest = minted[0].max(minted[1]) + days(365);
    assert_eq!(first["runway_until"], latest.to_string());
    assert_eq!(first["available_count"], 2);
    assert_eq!(first["min_available"], 2);
    assert_eq!(
        first["id"],
        "secret/claude-agent-service-spare-{1,2}#claude_oauth_token"
    );
    stack.is_quiet();

    for path in SPARES {
        stack
            .patch(path, json!({ "note": "another sibling" }))
            .await;
    }
    stack.is_quiet();
    stack.apply();
    assert_eq!(stack.attributes(POOL), first);
}

#[tokio::test]
async fn nothing_counts_down() {
    let stack = Stack::start("countdown").await;
    stack.applied(&format!("{AGENT_BLOCK}{POOL_BLOCK}"));
    let first = [stack.attributes(AGENT), stack.attributes(POOL)];
    let rotate_at = stack.instant(AGENT, "rotate_at");
    let minted_at = stack.instant(AGENT, "minted_at");
    for now in [
        minted_at - days(1),
        minted_at + days(200),
        rotate_at - SECOND,
    ] {
        stack.plan_at(now).changes_nothing();
        assert_eq!(warnings(&stack.apply_at(now)), [""; 0]);
        assert_eq!([stack.attributes(AGENT), stack.attributes(POOL)], first);
    }
}

#[tokio::test]
async fn what_depends_on_the_fingerprint_stays_out_of_a_due_plan() {
    let stack = Stack::start("downstream").await;
    stack.applied(&format!(
        "{AGENT_BLOCK}
resource \"terraform_data\" \"deployment\" {{
  input = {AGENT}.fingerprint
}}
output \"token\" {{
  value = {{ fingerprint = {AGENT}.fingerprint, expires_at = {AGENT}.expires_at }}
}}
output \"whole\" {{
  value = {AGENT}.external_secret_data
}}
"
    ));
    stack.is_quiet();
    let rotate_at = stack.instant(AGENT, "rotate_at");
    let plan = stack.plan_at(rotate_at);
    plan.exits(2).omits("Changes to Outputs");
    assert_eq!(
        plan.drift_lines(),
        [
            "# claude_oauth_token.agent will be updated in-place",
            "Plan: 0 to add, 1 to change, 0 to destroy."
        ]
    );
}

/// Demands that no refresh finds what the apply before it did not leave.
#[track_caller]
fn leaves_what_a_refresh_finds(stack: &Stack, block: &str) {
    stack.applied(block);
    stack.refresh_only().changes_nothing();
    stack.workspace.plan().changes_nothing();
}

#[tokio::test]
async fn no_apply_leaves_anything_for_the_next_refresh() {
    let stack = Stack::start("quiet-applies").await;
    let minted_at = stack.written_at(PRIMARY, 1).await - days(340);
    let stamp = super::stack::stamp(&token("primary"), minted_at);
    // Deleted long after any token's end.
    let settings = json!({ "delete_version_after": "20000h" });
    stack.set_metadata(PRIMARY, settings).await;
    stack.set_metadata(PRIMARY, stamp).await;
    let block = |arguments: &str| {
        format!(
            "resource \"claude_oauth_token\" \"agent\" {{
  path        = \"{PRIMARY}\"
  spare_paths = [\"{}\"]
{arguments}
}}
",
            SPARES[0]
        )
    };
    stack.applied(&block(""));
    // There is a spare to take, and then the token is not due any more.
    leaves_what_a_refresh_finds(&stack, &block("  rotate_before_days = 5"));
    leaves_what_a_refresh_finds(&stack, &block("  on_rotation_due = \"warn\""));
    // Under `warn` no refresh has looked at the spares.
    stack.applied(&block(""));
    leaves_what_a_refresh_finds(&stack, &block(""));
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stored = format!(
        "  token_wo         = {:?}\n  token_wo_version = 1",
        token("stored")
    );
    leaves_what_a_refresh_finds(&stack, &block(&stored));
}

#[tokio::test]
async fn a_stamp_by_another_stack_moves_nothing_that_agrees_with_it() {
    let stack = Stack::start("quiet-stamp").await;
    stack.write(AGENT_BLOCK);
    stack.workspace.run(["import", AGENT, PRIMARY_ID]).exits(0);
    stack.is_quiet_after_import();
    let minted_at = stack.instant(AGENT, "minted_at");
    let stamp = super::stack::stamp(&token("primary"), minted_at);
    stack.set_metadata(PRIMARY, stamp).await;
    stack.is_quiet();
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "history");
}

//! Fewer usable spares than wanted: drift until there are enough.

use serde_json::{Value, json};

use super::stack::{
    FIELD, POOL, POOL_BLOCK, PRIMARY, SPARES, Stack, change, days, differences, stamp, unknown,
    warnings,
};
use crate::support::secrets::token;

const SHORT: &str =
    "Spares secret/claude-agent-service-spare-{1,2}#claude_oauth_token: 1 available, 2 required";
const DRIFT: [&str; 2] = [
    "# claude_token_spare_pool.agent will be updated in-place",
    "Plan: 0 to add, 1 to change, 0 to destroy.",
];

/// Demands the plan of a pool in which the second spare is lacking.
#[track_caller]
fn shows(stack: &Stack, reason: &str) {
    let plan = stack.workspace.plan();
    plan.exits(2).says(reason);
    assert_eq!(plan.drift_lines(), DRIFT);
    assert_eq!(warnings(&plan), [SHORT], "{}", plan.transcript());
    let planned = change(&stack.workspace.show_json("saved.tfplan"), POOL);
    assert_eq!(
        unknown(&planned),
        ["available_count", "available_paths", "runway_until"]
    );
    let spares = &planned["after_unknown"]["spares"];
    assert_eq!(spares[SPARES[0]], json!({}), "{spares:#}");
    assert_eq!(spares[SPARES[1]]["status"], true, "{spares:#}");
    assert_eq!(
        planned["before"]["spares"][SPARES[0]],
        planned["after"]["spares"][SPARES[0]]
    );
}

#[tokio::test]
async fn each_kind_of_shortage_is_drift_until_it_is_over() {
    let stack = Stack::start("shortage").await;
    stack.applied(POOL_BLOCK);
    stack.is_quiet();
    let now = stack.written_at(SPARES[1], 1).await;

    // Missing: the apply looks again, changes nothing and says so, as often as it is asked.
    stack.versions("delete", SPARES[1], &[1]).await;
    let deleted = "vault kv undelete -mount=secret -versions=1 claude-agent-service-spare-2";
    for _ in 0..2 {
        shows(&stack, deleted);
        let apply = stack.workspace.apply_saved();
        apply.exits(0);
        assert_eq!(warnings(&apply), [SHORT], "{}", apply.transcript());
        let spares = &stack.attributes(POOL)["spares"];
        assert_eq!(spares[SPARES[1]]["status"], "missing");
        assert_eq!(spares[SPARES[1]]["fingerprint"], Value::Null);
    }
    stack.versions("undelete", SPARES[1], &[1]).await;
    stack.workspace.plan().changes_nothing();

    // Malformed.
    stack
        .patch(SPARES[1], json!({ FIELD: &token("cut")[..80] }))
        .await;
    shows(&stack, "the first line of a wrapped token");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        stack.attributes(POOL)["spares"][SPARES[1]]["status"],
        "malformed"
    );

    // Due, then expired.
    stack.patch(SPARES[1], json!({ FIELD: token("old") })).await;
    for (age, reason) in [
        (340, "its token is due: it expires"),
        (400, "its token expired"),
    ] {
        stack
            .set_metadata(SPARES[1], stamp(&token("old"), now - days(age)))
            .await;
        shows(&stack, reason);
    }

    // Repaired between a plan and its apply.
    stack
        .patch(SPARES[1], json!({ FIELD: token("fresh") }))
        .await;
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(stack.attributes(POOL)["available_count"], 2);
    stack.is_quiet();
}

#[tokio::test]
async fn fewer_wanted_or_a_warning_alone_is_no_drift() {
    let stack = Stack::start("shortage-warn").await;
    stack.versions("delete", SPARES[1], &[1]).await;
    let block = |arguments: &str| POOL_BLOCK.replace("\n}\n", &format!("\n{arguments}\n}}\n"));
    let apply = stack.applied(&block("  on_shortage = \"warn\""));
    assert_eq!(warnings(&apply), [SHORT]);
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [SHORT]);
    stack.refresh_only().changes_nothing();

    let before = stack.attributes(POOL);
    stack.applied(&block("  min_available = 1"));
    let after = stack.attributes(POOL);
    assert_eq!(
        differences(&before, &after),
        ["min_available", "on_shortage"]
    );
    stack.is_quiet();

    // By default every declared path is wanted.
    stack.applied(POOL_BLOCK);
    shows(&stack, "was deleted");
}

#[tokio::test]
async fn an_empty_pool_has_no_runway() {
    let stack = Stack::start("shortage-empty").await;
    for path in SPARES {
        let target = format!("secret/metadata/{path}");
        stack.bao.must("DELETE", &target, Value::Null).await;
    }
    let apply = stack.applied(POOL_BLOCK);
    assert_eq!(
        warnings(&apply),
        [
            "Spares secret/claude-agent-service-spare-{1,2}#claude_oauth_token: 0 available, 2 \
             required"
        ]
    );
    let pool = stack.attributes(POOL);
    assert_eq!(pool["runway_until"], Value::Null);
    assert_eq!(pool["available_paths"], json!([]));
    assert_eq!(pool["external_secret_data"].as_array().unwrap().len(), 2);
    assert_eq!(
        stack.everything(PRIMARY).await["versions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_shortage_stamps_nothing_and_a_changed_argument_does() {
    let stack = Stack::start("shortage-stamps").await;
    stack.write(POOL_BLOCK);
    let id = "secret/claude-agent-service-spare-{1,2}";
    stack.workspace.run(["import", POOL, id]).exits(0);
    stack
        .patch(SPARES[1], json!({ FIELD: &token("cut")[..80] }))
        .await;
    let notes = async |path: &str| {
        let target = format!("secret/metadata/{path}");
        let answer = stack.bao.must("GET", &target, Value::Null).await;
        answer["data"]["custom_metadata"].clone()
    };
    shows(&stack, "the first line of a wrapped token");
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(warnings(&apply), [SHORT], "{}", apply.transcript());
    assert_eq!(notes(SPARES[0]).await, Value::Null);

    stack.applied(&POOL_BLOCK.replace("\n}\n", "\n  min_available = 1\n}\n"));
    let stamped = notes(SPARES[0]).await;
    assert!(
        stamped[format!("{FIELD}.minted_at")].is_string(),
        "{stamped:#}"
    );
    assert_eq!(notes(SPARES[1]).await, Value::Null);
}

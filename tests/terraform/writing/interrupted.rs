//! A rotation whose process was killed after it wrote the token and before it recorded it.

use serde_json::json;

use super::super::stack::{FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, warnings};
use super::{BOTH, aged, agent, ago, metadata, short};
use crate::support::secrets::token;
use crate::support::terraform::Run;

/// Leaves behind what such a process does.
async fn cut_off(stack: &Stack, replaced: &str) {
    let next = format!(
        "{} {} - {replaced} {}",
        short(&token(SPARES[0])),
        ago(1).as_second(),
        SPARES[0]
    );
    let mut entries = metadata(stack, PRIMARY).await;
    entries.insert(format!("{FIELD}.next"), next);
    let entries = json!({ "custom_metadata": entries });
    stack.set_metadata(PRIMARY, entries).await;
    let written = json!({ FIELD: token(SPARES[0]) });
    stack.patch(PRIMARY, written).await;
}

fn refresh(stack: &Stack) -> Run {
    let refresh = stack
        .workspace
        .run(["apply", "-refresh-only", "-auto-approve"]);
    refresh.exits(0);
    refresh
}

/// Refreshes, and expects the report of the rotation and nothing after it.
fn reports_once(stack: &Stack) -> Run {
    let refreshed = refresh(stack);
    let summary = format!("Token {PRIMARY_ID} was replaced by the token of a spare");
    let found = warnings(&refreshed);
    assert_eq!(found, [summary], "{}", refreshed.transcript());
    stack.is_quiet();
    refreshed
}

#[tokio::test]
async fn the_next_refresh_says_what_it_did() {
    let stack = aged("interrupted", 340).await;
    stack.applied(&agent(BOTH));
    let previous = token("primary");
    cut_off(
        &stack,
        &format!("{}:{}", short(&previous), ago(340).as_second()),
    )
    .await;
    reports_once(&stack)
        .says(&format!(
            "The token of the spare {} is now in version 2 of secret/{PRIMARY}",
            SPARES[0]
        ))
        .says("claude.ai. Before you revoke it, find every place");

    // A later apply that changes the resource records the rest.
    stack.applied(&agent(&format!("{BOTH}  lifetime_days = 300\n")));
    let entries = metadata(&stack, PRIMARY).await;
    assert!(
        !entries.contains_key(&format!("{FIELD}.next")),
        "{entries:?}"
    );
    assert_eq!(entries[&format!("{FIELD}.rotated_from")], SPARES[0]);
    let retired = &entries[&format!("{FIELD}.retired")];
    assert!(retired.starts_with(&short(&previous)), "{retired}");
    stack.is_quiet();
}

#[tokio::test]
async fn a_value_that_was_no_token_is_not_named() {
    let stack = aged("interrupted-malformed", 1).await;
    stack.applied(&agent(BOTH));
    stack
        .patch(PRIMARY, json!({ FIELD: "sk-ant-oat01-" }))
        .await;
    refresh(&stack);
    cut_off(&stack, "-").await;
    reports_once(&stack).omits("the previous token");
}

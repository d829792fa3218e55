//! A token is as old as its earliest trace, and what is around it is not part of it.

use serde_json::json;

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, POOL, POOL_BLOCK, PRIMARY, PRIMARY_ID, SPARES, Stack, errors,
    fingerprint, stamp, warnings,
};
use super::writing::ago;
use crate::support::secrets::token;

/// The token resource with both spares.
fn with_spares() -> String {
    format!(
        "resource \"claude_oauth_token\" \"agent\" {{\n  path        = \"{PRIMARY}\"\n  \
         spare_paths = {SPARES:?}\n}}\n"
    )
}

#[tokio::test]
async fn a_token_that_was_rolled_back_is_as_old_as_its_first_version() {
    let stack = Stack::start("trace-rollback").await;
    let first = stack.written_at(PRIMARY, 1).await;
    stack.applied(AGENT_BLOCK);
    stack.patch(PRIMARY, json!({ FIELD: token("newer") })).await;
    stack.workspace.run(["apply", "-auto-approve"]).exits(0);
    // What `vault kv rollback` does: the old value in a new version. The stamp is gone.
    stack
        .put(PRIMARY, json!({ FIELD: token("primary"), "n": 3 }))
        .await;
    stack
        .set_metadata(PRIMARY, json!({ "custom_metadata": {} }))
        .await;
    stack.workspace.run(["state", "rm", AGENT]).exits(0);
    stack.applied(AGENT_BLOCK);
    let adopted = stack.attributes(AGENT);
    assert_eq!(adopted["fingerprint"], fingerprint(&token("primary")));
    assert_eq!(stack.instant(AGENT, "minted_at"), first);
    assert_eq!(adopted["minted_at_source"], "history");
}

#[tokio::test]
async fn a_spare_that_is_denied_makes_the_mint_time_an_estimate() {
    let mut stack = Stack::start("trace-denied").await;
    let minted_at = ago(300);
    let copied = token("copied");
    stack.put(SPARES[0], json!({ FIELD: copied })).await;
    stack
        .set_metadata(SPARES[0], stamp(&copied, minted_at))
        .await;
    stack.patch(PRIMARY, json!({ FIELD: copied })).await;
    let rules = format!(
        "path \"secret/data/{PRIMARY}\" {{ capabilities = [\"read\"] }}\n\
         path \"secret/data/{}\" {{ capabilities = [\"read\"] }}\n\
         path \"secret/metadata/{PRIMARY}\" {{ capabilities = [\"patch\"] }}\n",
        SPARES[1]
    );
    let limited = stack.bao.token_named("limited", &rules).await;
    stack.workspace.set("VAULT_TOKEN", limited);
    stack.write(&with_spares());
    let apply = stack.workspace.apply();
    apply.exits(1).says(SPARES[0]);
    assert_eq!(
        errors(&apply),
        [format!("Mint time of {PRIMARY_ID} is unknown")]
    );

    let granted = crate::support::openbao::OpenBao::ROOT;
    stack.workspace.set("VAULT_TOKEN", granted);
    stack.applied(&with_spares());
    assert_eq!(stack.instant(AGENT, "minted_at"), minted_at);
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "history");
}

#[tokio::test]
async fn white_space_around_a_token_is_a_warning_and_no_more() {
    let stack = Stack::start("trace-padded").await;
    let padded = format!("\u{feff} {}\n", token("primary"));
    stack.patch(PRIMARY, json!({ FIELD: padded })).await;
    stack
        .patch(SPARES[0], json!({ FIELD: format!("{}\n", token("s")) }))
        .await;
    let apply = stack.applied(&format!("{AGENT_BLOCK}{POOL_BLOCK}"));
    let summary = format!("Token {PRIMARY_ID} has white space around it");
    assert!(warnings(&apply).contains(&summary), "{apply:?}");
    let adopted = stack.attributes(AGENT);
    assert_eq!(adopted["status"], "in_date");
    assert_eq!(adopted["fingerprint"], fingerprint(&token("primary")));
    assert_eq!(stack.attributes(POOL)["available_count"], 2);
    let plan = stack.workspace.plan();
    plan.changes_nothing()
        .says(&format!("store --repair {PRIMARY}"));

    // A user who was switched off is missing a token, and nobody broke one.
    stack.patch(PRIMARY, json!({ FIELD: "" })).await;
    let plan = stack.workspace.plan();
    plan.exits(2).says("is empty");
    plan.says("rotation_reason");
    plan.says("missing");
}

#[tokio::test]
async fn lengths_that_never_worked_are_malformed() {
    let stack = Stack::start("trace-lengths").await;
    let good = token("good");
    for (value, cause) in [
        (good[..90].to_owned(), "a part of the token is missing"),
        (good[..100].to_owned(), "a part of the token is missing"),
        (format!("{good}Store"), "glued to the token"),
        (format!("{good}{good}"), "pasted more than once"),
        (good[..107].to_owned(), "80-column terminal"),
    ] {
        stack.patch(SPARES[0], json!({ FIELD: value })).await;
        stack.write(POOL_BLOCK);
        stack.workspace.run(["apply", "-auto-approve"]).exits(0);
        let pool = stack.attributes(POOL);
        assert_eq!(pool["available_paths"], json!([SPARES[1]]), "{cause}");
        assert_eq!(pool["spares"][SPARES[0]]["status"], "malformed", "{cause}");
        stack.workspace.plan().exits(2).says(cause);
    }
}

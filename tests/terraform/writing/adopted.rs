//! A token that somebody put there by hand is kept, not replaced.

use serde_json::json;

use super::super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, change, errors, fingerprint, unknown,
    warnings,
};
use super::{BOTH, aged, agent, ago, marks, metadata, news, short};
use crate::support::lacks;
use crate::support::secrets::token;

#[tokio::test]
async fn a_newer_token_put_there_after_the_plan_is_kept_and_stamped() {
    let stack = aged("adopt-newer", 340).await;
    stack.applied(&agent(BOTH));
    stack.workspace.plan().exits(2);
    stack
        .patch(PRIMARY, json!({ FIELD: token("by hand") }))
        .await;
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(stack.current_version(PRIMARY).await, 2);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("by hand")));
    assert_eq!(state["kv_version"], 2);
    assert_eq!(state["rotated_from"], serde_json::Value::Null);
    assert_eq!(state["status"], "in_date");
    assert_eq!(
        state["minted_at"],
        stack.written_at(PRIMARY, 2).await.to_string()
    );
    let entries = metadata(&stack, PRIMARY).await;
    assert_eq!(
        entries[&format!("{FIELD}.fingerprint")],
        short(&token("by hand"))
    );
    assert_eq!(
        entries[&format!("{FIELD}.minted_at")],
        state["minted_at"].as_str().unwrap()
    );
    assert_eq!(entries["owner"], "team");
    for path in SPARES {
        assert_eq!(marks(&stack, path).await, []);
    }
    stack.is_quiet();
}

#[tokio::test]
async fn an_older_token_put_there_after_the_plan_does_not_stop_the_rotation() {
    let stack = aged("adopt-expired", 340).await;
    stack.applied(&agent(BOTH));
    stack.workspace.plan().exits(2);
    stack
        .patch(PRIMARY, json!({ FIELD: token("by hand") }))
        .await;
    let stamp = super::stamp_with_foreign_key(&token("by hand"), ago(400));
    stack.set_metadata(PRIMARY, stamp).await;
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(stack.current_version(PRIMARY).await, 3);
    stack.is_quiet();
}

#[tokio::test]
async fn a_copy_of_a_spare_by_hand_has_the_dates_of_the_spare() {
    let stack = aged("adopt-copy", 340).await;
    stack.applied(&agent(BOTH));
    stack.workspace.plan().exits(2);
    stack
        .patch(PRIMARY, json!({ FIELD: token(SPARES[1]) }))
        .await;
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token(SPARES[1])));
    let stamp = metadata(&stack, SPARES[1]).await;
    let key = format!("{FIELD}.minted_at");
    assert_eq!(state["minted_at"], stamp[&key]);
    assert_eq!(metadata(&stack, PRIMARY).await[&key], stamp[&key]);
    assert_eq!(stack.current_version(PRIMARY).await, 2);
    stack.is_quiet();
}

#[tokio::test]
async fn a_copy_that_the_refresh_finds_has_the_dates_of_the_spare() {
    let stack = aged("adopt-refresh", 340).await;
    stack.applied(&agent(BOTH));
    stack
        .patch(PRIMARY, json!({ FIELD: token(SPARES[1]) }))
        .await;
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [""; 0]);
    stack.apply();
    let key = format!("{FIELD}.minted_at");
    assert_eq!(
        stack.attributes(AGENT)["minted_at"],
        metadata(&stack, SPARES[1]).await[&key]
    );
    // The next apply that touches it stamps it.
    stack.write(&agent(&format!("{BOTH}  secret_key = \"OTHER\"\n")));
    stack.workspace.plan().exits(2);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&planned), [""; 0]);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        metadata(&stack, PRIMARY).await[&format!("{FIELD}.fingerprint")],
        short(&token(SPARES[1]))
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_copy_that_is_adopted_or_stored_has_the_dates_of_the_spare() {
    let key = format!("{FIELD}.minted_at");
    let stack = aged("adopt-create", 10).await;
    stack
        .patch(PRIMARY, json!({ FIELD: token(SPARES[1]) }))
        .await;
    let minted_at = metadata(&stack, SPARES[1]).await[&key].clone();
    let apply = stack.applied(&agent(BOTH));
    assert_eq!(warnings(&apply), [""; 0]);
    assert_eq!(stack.attributes(AGENT)["minted_at"], minted_at);
    assert_eq!(metadata(&stack, PRIMARY).await[&key], minted_at);
    stack.is_quiet();
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let minted_at = metadata(&stack, SPARES[0]).await[&key].clone();
    stack.applied(&agent(&format!(
        "{BOTH}  token_wo = {:?}\n  token_wo_version = 1\n",
        token(SPARES[0])
    )));
    assert_eq!(stack.attributes(AGENT)["minted_at"], minted_at);
    assert_eq!(metadata(&stack, PRIMARY).await[&key], minted_at);
    stack.is_quiet();
}

#[tokio::test]
async fn a_copy_of_a_spare_of_unknown_age_asks_for_the_mint_time() {
    let stack = Stack::start("adopt-estimate").await;
    let copy = token(SPARES[0]);
    stack.put(SPARES[0], json!({ FIELD: copy, "n": 2 })).await;
    stack.versions("destroy", SPARES[0], &[1]).await;
    stack.patch(PRIMARY, json!({ FIELD: copy })).await;
    stack.write(&agent(BOTH));
    let apply = stack.workspace.apply();
    apply
        .exits(1)
        .says("The token may have been copied from a spare whose history cannot be read");
    assert_eq!(
        errors(&apply),
        [format!("Mint time of {PRIMARY_ID} is unknown")]
    );
    let import = stack.workspace.run(["import", AGENT, PRIMARY_ID]);
    import.exits(0);
    stack.workspace.plan().exits(2);
    assert_eq!(metadata(&stack, PRIMARY).await, [].into());
}

#[tokio::test]
async fn an_estimate_that_an_apply_adopts_is_told_and_not_stamped() {
    let stack = aged("adopt-untold", 340).await;
    stack.applied(&agent(BOTH));
    let before = metadata(&stack, PRIMARY).await;
    stack.workspace.plan().exits(2);
    stack
        .patch(PRIMARY, json!({ FIELD: token("by hand") }))
        .await;
    stack.patch(PRIMARY, json!({ "sibling": "new" })).await;
    stack.versions("destroy", PRIMARY, &[2]).await;
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(
        news(&apply),
        [format!("Mint time of {PRIMARY_ID} is an estimate")]
    );
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "estimated");
    let mut after = metadata(&stack, PRIMARY).await;
    let retired = after.remove(&format!("{FIELD}.retired")).unwrap();
    assert!(retired.starts_with(&short(&token("primary"))), "{retired}");
    assert_eq!(after, before);
    stack.is_quiet();
}

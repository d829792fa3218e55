//! When a token was minted, by every account that there may be of it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, PRIMARY, PRIMARY_ID, SECOND, Stack, change, days, differences,
    errors, fingerprint, stamp, unknown, warnings,
};
use crate::support::secrets::token;

/// The token resource with a mint time.
fn minted(at: Timestamp) -> String {
    format!(
        "resource \"claude_oauth_token\" \"agent\" {{
  path            = \"{PRIMARY}\"
  token_minted_at = \"{at}\"
}}
"
    )
}

#[tokio::test]
async fn a_configured_mint_time_dates_the_token_that_is_adopted() {
    let stack = Stack::start("mint-config").await;
    let written_at = stack.written_at(PRIMARY, 1).await;
    // As of a later day the instant itself is not in the future any more.
    stack.write(&minted(written_at + days(1) + SECOND * 2));
    let apply = stack.apply_at(written_at + days(5));
    apply.exits(1);
    assert_eq!(errors(&apply), ["Mint time is later than the token"]);

    let minted_at = written_at - days(20);
    let apply = stack.applied(&minted(minted_at));
    assert_eq!(warnings(&apply), [""; 0]);
    let adopted = stack.attributes(AGENT);
    assert_eq!(adopted["minted_at"], minted_at.to_string());
    assert_eq!(adopted["minted_at_source"], "config");
    assert_eq!(adopted["expires_at"], (minted_at + days(365)).to_string());
    stack.is_quiet();

    // A sibling's write does not unbind it; taking it out of the configuration neither.
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.is_quiet();
    stack.write(AGENT_BLOCK);
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    let unset = stack.attributes(AGENT);
    assert_eq!(differences(&adopted, &unset), ["token_minted_at"]);
    stack.is_quiet();
}

#[tokio::test]
async fn a_changed_mint_time_moves_the_dates_and_rotates_nothing() {
    let stack = Stack::start("mint-changed").await;
    stack.applied(AGENT_BLOCK);
    let written_at = stack.written_at(PRIMARY, 1).await;
    let minted_at = written_at - days(360);
    stack.write(&minted(minted_at));
    let plan = stack.workspace.plan();
    plan.exits(2).omits("rotation_reason");
    assert_eq!(warnings(&plan), [""; 0]);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&planned), ["status"]);
    let after = &planned["after"];
    assert_eq!(after["minted_at"], minted_at.to_string());
    assert_eq!(after["minted_at_source"], "config");
    assert_eq!(after["expires_at"], (minted_at + days(365)).to_string());
    assert_eq!(
        after["expires_at_unix"],
        (minted_at + days(365)).as_second()
    );
    stack.workspace.apply_saved().exits(0);
    let applied = stack.attributes(AGENT);
    assert_eq!(applied["status"], "rotation_due");
    assert_eq!(applied["rotation_reason"], Value::Null);
    // Only the plan after that shows what it means.
    let plan = stack.workspace.plan();
    plan.exits(2).says("+ rotation_reason = \"rotation_due\"");

    stack.write(&minted(written_at + days(2)));
    let plan = stack.plan_at(written_at + days(5));
    plan.exits(1);
    assert_eq!(errors(&plan), ["Mint time is later than the token"]);

    // The mint time was that token's: the next one is dated by itself.
    stack.write(&minted(minted_at));
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack.workspace.plan().changes_nothing();
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "history");
    assert_eq!(
        stack.instant(AGENT, "minted_at"),
        stack.written_at(PRIMARY, 2).await
    );
    // It would date another token if the state were lost.
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(
        warnings(&plan),
        [format!("token_minted_at is outdated for {PRIMARY_ID}")]
    );
    stack.write(AGENT_BLOCK);
    stack.workspace.run(["apply", "-auto-approve"]).exits(0);
    stack.is_quiet();
}

#[tokio::test]
async fn a_mint_time_is_outdated_by_a_later_token_with_a_stamp_and_not_by_a_stamp() {
    let stack = Stack::start("mint-outdated").await;
    let written_at = stack.written_at(PRIMARY, 1).await;
    let minted_at = written_at - days(30);
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), minted_at + SECOND))
        .await;
    stack.applied(&minted(minted_at));
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "stamp");
    stack.is_quiet();

    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack
        .set_metadata(PRIMARY, stamp(&token("fresh"), written_at))
        .await;
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "stamp");
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(
        warnings(&plan),
        [format!("token_minted_at is outdated for {PRIMARY_ID}")]
    );

    // A mint time that is set for this token is its own, whatever stamp follows.
    let minted_at = written_at - days(1);
    stack.applied(&minted(minted_at));
    let metadata = format!("secret/metadata/{PRIMARY}");
    let stamp = stamp(&token("fresh"), written_at);
    stack.bao.must("PATCH", &metadata, stamp).await;
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "stamp");
    stack.is_quiet();
}

#[tokio::test]
async fn a_stamp_counts_for_its_own_token_alone() {
    let stack = Stack::start("mint-stamp").await;
    let written_at = stack.written_at(PRIMARY, 1).await;
    let stamped_at = written_at - days(30);
    stack
        .set_metadata(PRIMARY, stamp(&token("another"), stamped_at))
        .await;
    stack.applied(AGENT_BLOCK);
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "history");
    assert_eq!(stack.instant(AGENT, "minted_at"), written_at);

    // Somebody stamps the token afterwards: the dates move, nothing is planned.
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), stamped_at))
        .await;
    stack.workspace.plan().changes_nothing();
    stack.apply();
    let stamped = stack.attributes(AGENT);
    assert_eq!(stamped["minted_at_source"], "stamp");
    assert_eq!(stamped["minted_at"], stamped_at.to_string());
    assert_eq!(stamped["kv_version"], 1);
    stack.is_quiet();

    // A change of the configuration outranks the stamp, then and later.
    stack.write(&minted(stamped_at - days(5)));
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "config");
    stack.is_quiet();
}

#[tokio::test]
async fn a_first_mint_time_yields_to_a_stamp_and_says_so() {
    let stack = Stack::start("mint-both").await;
    let stamped_at = stack.written_at(PRIMARY, 1).await - days(30);
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), stamped_at))
        .await;
    let apply = stack.applied(&minted(stamped_at - days(2)));
    let doubt = format!("Mint time of {PRIMARY_ID} is in doubt");
    assert_eq!(warnings(&apply), [doubt]);
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "stamp");
    assert_eq!(stack.instant(AGENT, "minted_at"), stamped_at);
    stack.is_quiet();

    // Within a day they agree.
    let other = Stack::start("mint-agree").await;
    let stamped_at = other.written_at(PRIMARY, 1).await - days(30);
    other
        .set_metadata(PRIMARY, stamp(&token("primary"), stamped_at))
        .await;
    let apply = other.applied(&minted(stamped_at - days(1)));
    assert_eq!(warnings(&apply), [""; 0]);
    assert_eq!(other.instant(AGENT, "minted_at"), stamped_at);
    other.is_quiet();
}

#[tokio::test]
async fn a_stamp_from_the_future_does_not_count() {
    let stack = Stack::start("mint-future").await;
    let written_at = stack.written_at(PRIMARY, 1).await;
    stack
        .set_metadata(PRIMARY, stamp(&token("primary"), written_at + days(2)))
        .await;
    let apply = stack.applied(AGENT_BLOCK);
    let doubt = format!("Mint time of {PRIMARY_ID} is in doubt");
    assert_eq!(warnings(&apply), [doubt]);
    assert_eq!(stack.instant(AGENT, "minted_at"), written_at);
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "history");
}

#[tokio::test]
async fn a_history_that_was_pruned_asks_for_the_mint_time() {
    let stack = Stack::start("mint-pruned").await;
    stack
        .set_metadata(PRIMARY, json!({ "max_versions": 2 }))
        .await;
    for value in ["second", "third", "fourth"] {
        stack
            .patch(PRIMARY, json!({ "api_bearer_token": value }))
            .await;
    }
    stack.write(AGENT_BLOCK);
    let apply = stack.workspace.apply();
    apply
        .exits(1)
        .says("Set token_minted_at to the date on which you ran `claude setup-token`");
    assert_eq!(
        errors(&apply),
        [format!("Mint time of {PRIMARY_ID} is unknown")]
    );

    // An import has nothing to ask, so it warns.
    let oldest = stack.written_at(PRIMARY, 3).await;
    let import = stack.workspace.run(["import", AGENT, PRIMARY_ID]);
    import.exits(0);
    assert_eq!(
        warnings(&import),
        [format!("Mint time of {PRIMARY_ID} is an estimate")]
    );
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "estimated");
    assert_eq!(stack.instant(AGENT, "minted_at"), oldest);
    stack.is_quiet_after_import();

    // More versions are pruned, and what was known of the token stays.
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "fifth" }))
        .await;
    stack.is_quiet();
    assert_eq!(stack.instant(AGENT, "minted_at"), oldest);

    let minted_at = oldest - days(3);
    stack.write(&minted(minted_at));
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "config");
    assert_eq!(stack.instant(AGENT, "minted_at"), minted_at);
    stack.is_quiet();
}

#[tokio::test]
async fn the_answer_to_a_pruned_history_lets_the_adoption_through() {
    let stack = Stack::start("mint-asked").await;
    let minted_at = stack.written_at(PRIMARY, 1).await - days(3);
    for value in ["second", "third"] {
        stack
            .patch(PRIMARY, json!({ "api_bearer_token": value }))
            .await;
    }
    for (verb, version) in [("destroy", 1), ("delete", 2)] {
        stack.versions(verb, PRIMARY, &[version]).await;
        stack.write(AGENT_BLOCK);
        stack.workspace.apply().exits(1);
    }
    let apply = stack.applied(&minted(minted_at));
    assert_eq!(warnings(&apply), [""; 0]);
    assert_eq!(stack.instant(AGENT, "minted_at"), minted_at);
    stack.is_quiet();
}

#[tokio::test]
async fn a_gap_behind_the_token_makes_it_an_estimate() {
    let stack = Stack::start("mint-gap").await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.applied(AGENT_BLOCK);
    // A new token by hand, and the version before it is gone before anyone looks.
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack.versions("destroy", PRIMARY, &[2]).await;
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    let estimate = format!("Mint time of {PRIMARY_ID} is an estimate");
    assert_eq!(warnings(&plan), [estimate.as_str()]);
    stack.apply();
    let renewed = stack.attributes(AGENT);
    assert_eq!(renewed["minted_at_source"], "estimated");
    assert_eq!(renewed["fingerprint"], fingerprint(&token("fresh")));
    assert_eq!(
        renewed["minted_at"],
        stack.written_at(PRIMARY, 3).await.to_string()
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_new_token_is_dated_by_its_own_version() {
    let stack = Stack::start("mint-new").await;
    stack.applied(&format!(
        "{AGENT_BLOCK}
output \"fingerprint\" {{
  value = {AGENT}.fingerprint
}}
"
    ));
    let first_minted_at = stack.instant(AGENT, "minted_at");
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "third" }))
        .await;
    let plan = stack.workspace.plan();
    plan.exits(2).says("Changes to Outputs");
    assert_eq!(plan.drift_lines(), [""; 0]);
    assert_eq!(warnings(&plan), [""; 0]);
    stack.workspace.apply_saved().exits(0);
    let renewed = stack.attributes(AGENT);
    assert_eq!(renewed["fingerprint"], fingerprint(&token("fresh")));
    assert_eq!(renewed["kv_version"], 4);
    assert_eq!(
        renewed["minted_at"],
        stack.written_at(PRIMARY, 3).await.to_string()
    );
    stack.is_quiet();

    // The old one comes back, as after `vault kv rollback`: its stamp is still there.
    stack
        .patch(PRIMARY, json!({ FIELD: token("primary") }))
        .await;
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.instant(AGENT, "minted_at"), first_minted_at);
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    let older = format!("Token {PRIMARY_ID} is an older token that came back");
    assert_eq!(warnings(&plan), [older]);
}

#[tokio::test]
async fn a_version_that_deletes_itself_ends_the_token_earlier() {
    let stack = Stack::empty("mint-deletion").await;
    let hours = 24 * 50;
    let settings = json!({ "delete_version_after": format!("{hours}h") });
    stack.set_metadata(PRIMARY, settings).await;
    stack.put(PRIMARY, json!({ FIELD: token("primary") })).await;
    stack.applied(AGENT_BLOCK);
    let written_at = stack.written_at(PRIMARY, 1).await;
    let adopted = stack.attributes(AGENT);
    assert_eq!(adopted["minted_at"], written_at.to_string());
    assert_eq!(adopted["expires_at"], (written_at + days(50)).to_string());
    assert_eq!(adopted["rotate_at"], (written_at + days(20)).to_string());
    stack.refresh_only().changes_nothing();
    stack
        .plan_at(written_at + days(20) - SECOND)
        .changes_nothing();
    stack.plan_at(written_at + days(20)).exits(2);
}

#[tokio::test]
async fn a_deletion_after_the_end_of_the_token_moves_nothing() {
    let stack = Stack::empty("mint-deletion-late").await;
    let settings = json!({ "delete_version_after": "10000h" });
    stack.set_metadata(PRIMARY, settings).await;
    stack.put(PRIMARY, json!({ FIELD: token("primary") })).await;
    stack.applied(AGENT_BLOCK);
    let adopted = stack.attributes(AGENT);
    // Each write pushes the deletion further away.
    stack.patch(PRIMARY, json!({ "sibling": "new" })).await;
    stack.is_quiet();
    stack.apply();
    assert_eq!(stack.attributes(AGENT), adopted);
}

#[tokio::test]
async fn a_version_that_has_deleted_itself_is_missing() {
    let stack = Stack::empty("mint-deleted").await;
    let settings = json!({ "delete_version_after": "4s" });
    stack.set_metadata(PRIMARY, settings).await;
    stack.put(PRIMARY, json!({ FIELD: token("primary") })).await;
    let apply = stack.applied(AGENT_BLOCK);
    assert_eq!(warnings(&apply).len(), 1, "{}", apply.transcript());
    assert_eq!(stack.attributes(AGENT)["status"], "rotation_due");
    let target = format!("secret/data/{PRIMARY}");
    while stack.bao.call("GET", &target, Value::Null).await.0 == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("vault kv undelete -mount=secret -versions=1 claude-agent-service");
    stack.workspace.apply_saved().exits(1);
    assert_eq!(stack.attributes(AGENT)["status"], "missing");
}

#[tokio::test]
async fn a_longer_lifetime_ends_at_the_deletion_and_siblings_do_not_move_it() {
    let stack = Stack::empty("mint-deletion-longer").await;
    let settings = json!({ "delete_version_after": "480h" });
    stack.set_metadata(PRIMARY, settings).await;
    stack.put(PRIMARY, json!({ FIELD: token("primary") })).await;
    let block = |lifetime: u32| {
        format!(
            "resource \"claude_oauth_token\" \"agent\" {{
  path               = \"{PRIMARY}\"
  lifetime_days      = {lifetime}
  rotate_before_days = 1
}}
"
        )
    };
    let written_at = stack.written_at(PRIMARY, 1).await;
    stack.applied(&block(10));
    assert_eq!(stack.instant(AGENT, "expires_at"), written_at + days(10));
    stack.is_quiet();
    stack.write(&block(30));
    stack.workspace.plan().exits(2);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    let deleted_at = (written_at + days(20)).to_string();
    assert_eq!(planned["after"]["expires_at"], deleted_at);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["expires_at"], deleted_at);
    stack.workspace.plan().changes_nothing();
    stack.refresh_only().changes_nothing();

    // A sibling's version is deleted later, which tells once the token is due.
    stack.patch(PRIMARY, json!({ "sibling": "new" })).await;
    stack.workspace.plan().changes_nothing();
    stack.refresh_only().changes_nothing();
    assert_eq!(stack.attributes(AGENT)["expires_at"], deleted_at);
    let plan = stack.plan_at(written_at + days(19) - SECOND);
    plan.changes_nothing();
    stack.apply_at(written_at + days(19)).exits(0);
    assert_eq!(
        stack.instant(AGENT, "expires_at"),
        stack.written_at(PRIMARY, 2).await + days(20)
    );
}

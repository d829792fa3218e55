//! Stamps in the metadata of a secret: what they say, and when they are written.

use serde_json::{Value, json};

use super::super::stack::{
    AGENT, AGENT_BLOCK, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, days, instant, warnings,
};
use super::{agent, ago, metadata, short, stamp_with_foreign_key};
use crate::support::openbao::OpenBao;
use crate::support::secrets::token;

fn key(name: &str) -> String {
    format!("{FIELD}.{name}")
}

#[tokio::test]
async fn an_adopted_token_is_stamped_beside_foreign_keys() {
    let stack = Stack::start("stamp-adopt").await;
    let foreign = json!({ "custom_metadata": { "owner": "team", "other.fingerprint": "x" } });
    stack.set_metadata(PRIMARY, foreign).await;
    let apply = stack.applied(AGENT_BLOCK);
    assert_eq!(warnings(&apply), [""; 0]);
    let state = stack.attributes(AGENT);
    let text = |name: &str| state[name].as_str().unwrap().to_owned();
    let expected = [
        (key("expires_at"), text("expires_at")),
        (key("fingerprint"), short(&token("primary"))),
        (key("minted_at"), text("minted_at")),
        ("other.fingerprint".to_owned(), "x".to_owned()),
        ("owner".to_owned(), "team".to_owned()),
    ];
    assert_eq!(metadata(&stack, PRIMARY).await, expected.into());
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    stack.is_quiet();

    // A mint time that is set later moves the stamp, and the refresh after it moves nothing.
    let minted_at = ago(20);
    stack.applied(&agent(&format!("  token_minted_at = \"{minted_at}\"\n")));
    let entries = metadata(&stack, PRIMARY).await;
    assert_eq!(entries[&key("minted_at")], minted_at.to_string());
    assert_eq!(
        entries[&key("expires_at")],
        (minted_at + days(365)).to_string()
    );
    assert_eq!(entries["owner"], "team");
    stack.is_quiet();

    // So do other days, and a mint time that is taken out again changes nothing.
    stack.applied(&agent("  lifetime_days = 100\n"));
    let entries = metadata(&stack, PRIMARY).await;
    assert_eq!(entries[&key("minted_at")], minted_at.to_string());
    assert_eq!(
        entries[&key("expires_at")],
        (minted_at + days(100)).to_string()
    );
    stack.is_quiet();
    assert_eq!(stack.current_version(PRIMARY).await, 1);
}

#[tokio::test]
async fn an_import_is_stamped_by_the_next_apply_that_touches_it() {
    let stack = Stack::start("stamp-import").await;
    stack.write(&format!(
        "import {{\n  to = {AGENT}\n  id = \"secret/{PRIMARY}\"\n}}\n{AGENT_BLOCK}"
    ));
    let plan = stack.workspace.plan();
    plan.says("1 to import, 0 to add, 0 to change");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(metadata(&stack, PRIMARY).await, [].into());
    stack.workspace.plan().changes_nothing();
    stack.applied(&agent("  secret_key = \"OTHER\"\n"));
    let entries = metadata(&stack, PRIMARY).await;
    assert_eq!(entries[&key("fingerprint")], short(&token("primary")));
    assert_eq!(
        entries[&key("minted_at")],
        stack.attributes(AGENT)["minted_at"].as_str().unwrap()
    );
    stack.is_quiet();

    // So is a token that somebody rotated by hand.
    stack
        .patch(PRIMARY, json!({ FIELD: token("by hand") }))
        .await;
    stack.apply();
    assert_eq!(metadata(&stack, PRIMARY).await, entries);
    stack.applied(AGENT_BLOCK);
    let entries = metadata(&stack, PRIMARY).await;
    assert_eq!(entries[&key("fingerprint")], short(&token("by hand")));
    assert_eq!(
        entries[&key("minted_at")],
        stack.attributes(AGENT)["minted_at"].as_str().unwrap()
    );
    stack.is_quiet();
}

#[tokio::test]
async fn an_estimate_is_never_stamped() {
    let stack = Stack::start("stamp-estimate").await;
    stack
        .put(PRIMARY, json!({ FIELD: token("primary"), "n": 2 }))
        .await;
    stack.versions("destroy", PRIMARY, &[1]).await;
    stack.write(&format!(
        "import {{\n  to = {AGENT}\n  id = \"secret/{PRIMARY}\"\n}}\n{}",
        agent("  secret_key = \"OTHER\"\n")
    ));
    stack.workspace.apply().exits(0);
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "estimated");
    assert_eq!(metadata(&stack, PRIMARY).await, [].into());
    stack.write(&agent("  secret_key = \"ANOTHER\"\n"));
    stack.apply();
    assert_eq!(metadata(&stack, PRIMARY).await, [].into());
    // Once somebody says when, it is.
    let minted_at = ago(50);
    stack.applied(&agent(&format!("  token_minted_at = \"{minted_at}\"\n")));
    assert_eq!(
        metadata(&stack, PRIMARY).await[&key("minted_at")],
        minted_at.to_string()
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_refusal_is_a_warning_and_false_is_silent() {
    let mut stack = Stack::start("stamp-refused").await;
    let rules = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    let reader = stack.bao.token(rules).await;
    stack.workspace.set("VAULT_TOKEN", reader);
    let apply = stack.applied(AGENT_BLOCK);
    assert_eq!(
        warnings(&apply),
        [format!("Token {PRIMARY_ID} was not stamped")]
    );
    apply
        .says("Vault denied `patch` on `secret/metadata/claude-agent-service`")
        .says("path \"secret/metadata/claude-agent-service\" { capabilities = [\"patch\"] }")
        .says("set stamp_metadata = false");
    assert_eq!(metadata(&stack, PRIMARY).await, [].into());
    assert_eq!(stack.attributes(AGENT)["status"], "in_date");
    stack.is_quiet();

    stack.workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    let seen = stack.bao.requests().len();
    let apply = stack.applied(&agent("  stamp_metadata = false\n"));
    assert_eq!(warnings(&apply), [""; 0]);
    stack.applied(&agent("  stamp_metadata = false\n  lifetime_days = 90\n"));
    assert_eq!(metadata(&stack, PRIMARY).await, [].into());
    let requests = stack.bao.requests();
    let about = |path: &str| {
        requests[seen..]
            .iter()
            .filter(|seen| seen.path == path)
            .count()
    };
    // One of them is this test's own look.
    assert_eq!(about(&format!("secret/metadata/{PRIMARY}")), 1);
    // Turned on again, it is stamped in that apply.
    stack.applied(&agent(""));
    let entries = metadata(&stack, PRIMARY).await;
    assert_eq!(
        instant(&Value::from(entries[&key("expires_at")].as_str())),
        stack.instant(AGENT, "expires_at")
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_pool_stamps_its_spares() {
    let stack = Stack::start("stamp-pool").await;
    let foreign = json!({ "custom_metadata": { "owner": "team" } });
    stack.set_metadata(SPARES[0], foreign).await;
    stack.applied(super::super::stack::POOL_BLOCK);
    for path in SPARES {
        let entries = metadata(&stack, path).await;
        assert_eq!(entries[&key("fingerprint")], short(&token(path)));
        assert_eq!(
            entries[&key("minted_at")],
            stack.written_at(path, 1).await.to_string()
        );
        assert_eq!(stack.current_version(path).await, 1);
    }
    assert_eq!(metadata(&stack, SPARES[0]).await["owner"], "team");
    stack.is_quiet();
}

#[tokio::test]
async fn a_saved_plan_leaves_the_stamp_of_a_token_that_came_after_it() {
    for (name, change) in [
        ("stamp-saved-key", "  secret_key = \"OTHER\"\n"),
        ("stamp-saved-days", "  lifetime_days = 300\n"),
    ] {
        let stack = Stack::start(name).await;
        stack.applied(AGENT_BLOCK);
        stack.write(&agent(change));
        stack.workspace.plan().exits(2);
        let next = token("next");
        stack.patch(PRIMARY, json!({ FIELD: next })).await;
        let minted_at = ago(200);
        let mut stamp = stamp_with_foreign_key(&next, minted_at);
        stamp["custom_metadata"][key("rotated_from")] = json!("another-spare");
        stamp["custom_metadata"][key("requested")] = json!("0123456789abcdef");
        stack.set_metadata(PRIMARY, stamp).await;
        let before = metadata(&stack, PRIMARY).await;
        stack.workspace.apply_saved().exits(0);
        assert_eq!(metadata(&stack, PRIMARY).await, before);
        stack.apply();
        let state = stack.attributes(AGENT);
        assert_eq!(state["minted_at"], minted_at.to_string());
        assert_eq!(state["rotated_from"], "another-spare");
        stack.is_quiet();
    }
}

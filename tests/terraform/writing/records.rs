//! What is recorded about tokens: what private state may hold, stamps that are wiped or corrected,
//! and retired tokens that come back.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, fingerprint, warnings,
};
use super::{BOTH, aged, agent, ago, metadata, short};
use crate::support::secrets::token;

/// Returns the private state of every resource.
fn private(stack: &Stack) -> Vec<Value> {
    let state = fs::read(stack.workspace.folder().join("terraform.tfstate")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    let resources = state["resources"].as_array().unwrap().iter();
    resources
        .flat_map(|resource| resource["instances"].as_array().unwrap())
        .map(|instance| {
            let private = instance["private"].as_str().unwrap();
            serde_json::from_slice(&STANDARD.decode(private).unwrap()).unwrap()
        })
        .collect()
}

/// Checks that no text in a value is more than a word: an enum, a date, a path, or a fingerprint.
fn has_no_sentence(value: &Value) {
    match value {
        Value::String(text) => assert!(!text.contains([' ', '\n', '`']), "{text:?}"),
        Value::Array(items) => items.iter().for_each(has_no_sentence),
        Value::Object(members) => members.values().for_each(has_no_sentence),
        _ => {}
    }
}

/// A release that changes a word would otherwise be drift in every refresh.
#[tokio::test]
async fn private_state_holds_facts_and_no_sentence() {
    let stack = aged("records-private", 340).await;
    let check = |stack: &Stack| {
        stack
            .workspace
            .run(["apply", "-refresh-only", "-auto-approve"])
            .exits(0);
        let private = private(stack);
        assert_eq!(private.len(), 1);
        private.iter().for_each(has_no_sentence);
    };
    stack.applied(&agent(BOTH));
    check(&stack);
    // No spare can be promoted, each for another reason.
    stack
        .put(SPARES[0], json!({ FIELD: token("primary") }))
        .await;
    stack
        .patch(SPARES[1], json!({ FIELD: "sk-ant-api03-x" }))
        .await;
    check(&stack);
    for value in [
        json!("a word"),
        json!("\"quoted\""),
        json!(7),
        json!(""),
        Value::Null,
    ] {
        stack.patch(PRIMARY, json!({ FIELD: value })).await;
        check(&stack);
    }
    let current = stack.current_version(PRIMARY).await;
    stack.versions("delete", PRIMARY, &[current]).await;
    check(&stack);
    stack.versions("destroy", PRIMARY, &[current]).await;
    check(&stack);
}

#[tokio::test]
async fn wiped_records_are_reported_until_they_are_restored() {
    for (name, arguments) in [
        ("records-adopted", String::new()),
        (
            "records-dated",
            format!("  token_minted_at = \"{}\"\n", ago(20)),
        ),
    ] {
        let stack = Stack::start(name).await;
        stack.applied(&agent(&arguments));
        stack.is_quiet();
        let state = stack.attributes(AGENT);
        let before = metadata(&stack, PRIMARY).await;
        assert_eq!(
            before[&format!("{FIELD}.fingerprint")],
            short(&token("primary"))
        );

        // What `vault kv metadata put` sends: the whole map.
        let owner = json!({ "custom_metadata": { "owner": "team" } });
        stack.set_metadata(PRIMARY, owner).await;
        let plan = stack.workspace.plan();
        plan.changes_nothing();
        assert_eq!(
            warnings(&plan),
            [format!("Records about token {PRIMARY_ID} are missing")],
            "{}",
            plan.transcript()
        );
        let mut command = "vault kv metadata patch -mount=secret".to_owned();
        for (key, value) in &before {
            command.push_str(&format!(" -custom-metadata='{key}={value}'"));
        }
        plan.says(&format!("{command} {PRIMARY}"));
        assert_eq!(stack.attributes(AGENT), state);

        // The next apply that writes to the secret restores them, next to the other entry.
        let days = "  lifetime_days = 300\n";
        stack.applied(&agent(&format!("{arguments}{days}")));
        let after = metadata(&stack, PRIMARY).await;
        for key in ["fingerprint", "minted_at"] {
            let key = format!("{FIELD}.{key}");
            assert_eq!(after[&key], before[&key]);
        }
        assert_eq!(after["owner"], "team");
        stack.is_quiet();
    }
}

#[tokio::test]
async fn a_live_stamp_outranks_the_date_in_state() {
    let stack = Stack::start("records-corrected").await;
    stack.applied(&agent(&format!("  token_minted_at = \"{}\"\n", ago(20))));
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "config");
    stack.is_quiet();
    let earlier = ago(200);
    let body = json!({ "custom_metadata": { format!("{FIELD}.minted_at"): earlier.to_string() } });
    let target = format!("secret/metadata/{PRIMARY}");
    stack.bao.must("PATCH", &target, body).await;
    stack.apply();
    let state = stack.attributes(AGENT);
    assert_eq!(state["minted_at"], earlier.to_string());
    assert_eq!(state["minted_at_source"], "stamp");
    let key = format!("{FIELD}.minted_at");
    assert_eq!(metadata(&stack, PRIMARY).await[&key], earlier.to_string());
    stack.workspace.plan().changes_nothing();
}

#[tokio::test]
async fn a_retired_token_that_comes_back_is_reported_in_every_plan() {
    let stack = aged("records-returned", 10).await;
    let block = |leak: &str| agent(&format!("{BOTH}  rotate_when_changed = {leak}\n"));
    stack.applied(&block("null"));
    stack.is_quiet();
    stack.applied(&block("{ leak = \"1\" }"));
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    stack.is_quiet();

    // A rollback of the leaked token.
    stack
        .patch(PRIMARY, json!({ FIELD: token("primary") }))
        .await;
    let leaked = format!("Token {PRIMARY_ID} was rotated away on request and is current again");
    for _ in 0..2 {
        let plan = stack.workspace.plan();
        assert_eq!(warnings(&plan), [leaked.as_str()], "{}", plan.transcript());
        plan.says(&fingerprint(&token("primary"))["sha256:".len()..][..8]);
        stack.apply();
    }
    let data = "data \"claude_oauth_token\" \"seen\" {\n  path = \"claude-agent-service\"\n}\n";
    stack.write(data);
    assert!(warnings(&stack.workspace.plan()).contains(&leaked));

    // The other one was not leaked.
    stack.write(&block("{ leak = \"1\" }"));
    stack
        .patch(PRIMARY, json!({ FIELD: token(SPARES[0]) }))
        .await;
    let older = format!("Token {PRIMARY_ID} is an older token that came back");
    for _ in 0..2 {
        let plan = stack.workspace.plan();
        assert_eq!(warnings(&plan), [older.as_str()], "{}", plan.transcript());
        stack.apply();
    }
    // One that is new says nothing.
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack.apply();
    stack.is_quiet();
}

#[tokio::test]
async fn a_token_that_comes_back_after_a_wipe_is_as_old_as_state_remembers() {
    let stack = aged("records-wiped-back", 200).await;
    stack.applied(&agent(""));
    let minted_at = stack.instant(AGENT, "minted_at");
    stack.patch(PRIMARY, json!({ FIELD: token("fresh") })).await;
    stack.apply();
    // A client that replaces the whole map, then a paste.
    stack
        .set_metadata(PRIMARY, json!({ "custom_metadata": { "owner": "team" } }))
        .await;
    stack
        .patch(PRIMARY, json!({ FIELD: token("primary") }))
        .await;
    stack.apply();
    assert_eq!(stack.instant(AGENT, "minted_at"), minted_at);
}

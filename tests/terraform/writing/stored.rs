//! A token of the configuration becomes the field's value, and nothing else changes.

use serde_json::{Value, json};

use super::super::stack::{
    AGENT, AGENT_BLOCK, FIELD, FOUND, PRIMARY, PRIMARY_ID, SPARES, Stack, change, differences,
    errors, fingerprint, text, unknown, warnings,
};
use super::{BOTH, aged, agent, metadata, put_text, short, spoken, text_of, value_at};
use crate::support::lacks;
use crate::support::secrets::{letters, token};

/// Fields that a careless client would change, in the order in which the server shows them.
const SIBLINGS: &str = r#"{"a.key.with.dots":"x","empty":"","escaped":"quote \" slash \\ tab \t é \u0001 \u2028","float":1.0,"large":1234567890123456789012345,"list":[1,null,"",[],{},2.50],"nested":{"a":12345678901234567890,"b":{"a":null,"claude_oauth_token":"inner"}},"no":false,"null":null,"precise":9007199254740993,"tiny":5e-324}"#;

/// Returns the token resource that stores a value.
fn storing(value: &str, version: u32) -> String {
    agent(&format!(
        "  token_wo         = {value:?}\n  token_wo_version = {version}\n"
    ))
}

/// Returns [`SIBLINGS`], as the server shows them, with a token among them.
fn with_token(shown: &str, value: &str) -> String {
    let with = shown.replacen(
        r#","empty":"#,
        &format!(r#","{FIELD}":"{value}","empty":"#),
        1,
    );
    assert_ne!(with, shown);
    with
}

#[tokio::test]
async fn the_first_token_of_a_path_is_stored() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::empty("store-first").await;
    stack.put("other", json!({ FIELD: token("other") })).await;
    let other = stack.everything("other").await;
    stack.write(&storing(&token("new"), 1));
    let plan = stack.workspace.plan();
    plan.exits(2);
    assert_eq!(
        plan.drift_lines(),
        [
            "# claude_oauth_token.agent will be created",
            "Plan: 1 to add, 0 to change, 0 to destroy."
        ]
    );
    assert_eq!(warnings(&plan), [""; 0]);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(warnings(&apply), [format!("Token {PRIMARY_ID} was stored")]);
    assert_eq!(
        text_of(&stack, PRIMARY).await,
        format!("{{\"{FIELD}\":\"{}\"}}", token("new"))
    );
    let state = stack.attributes(AGENT);
    let said = spoken(&apply);
    let expected = format!(
        "The token of token_wo is now in version 1 of secret/{PRIMARY} and expires {}. The expiry \
         counts from this write. If the token was minted well before, set token_minted_at.",
        text(&state["expires_at"])
    );
    assert!(said.contains(&expected), "{said}");
    assert_eq!(state["fingerprint"], fingerprint(&token("new")));
    assert_eq!(state["kv_version"], 1);
    assert_eq!(state["status"], "in_date");
    assert_eq!(state["minted_at_source"], "history");
    assert_eq!(
        state["minted_at"],
        stack.written_at(PRIMARY, 1).await.to_string()
    );
    assert_eq!(state["token_wo"], Value::Null);
    assert_eq!(state["token_wo_version"], 1);
    let stamp = metadata(&stack, PRIMARY).await;
    assert_eq!(stamp[&format!("{FIELD}.fingerprint")], short(&token("new")));
    stack.is_quiet();
    // The value alone is no reason to write: nobody can compare it.
    stack.write(&storing(&token("another"), 1));
    stack.is_quiet();
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(stack.everything("other").await, other);
}

#[tokio::test]
async fn siblings_stay_to_the_byte() {
    let stack = Stack::empty("store-siblings").await;
    put_text(&stack, PRIMARY, SIBLINGS).await;
    let shown = text_of(&stack, PRIMARY).await;
    stack.write(&storing(&token("new"), 1));
    stack.workspace.plan().exits(2);
    // Somebody writes a sibling after the plan.
    let changed = shown.replace(r#""no":false"#, r#""no":true"#);
    put_text(&stack, PRIMARY, &changed).await;
    let shown = text_of(&stack, PRIMARY).await;
    assert!(shown.contains(r#""no":true"#), "{shown}");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        text_of(&stack, PRIMARY).await,
        with_token(&shown, &token("new"))
    );
    assert_eq!(stack.current_version(PRIMARY).await, 3);

    // The same once more, over a token.
    stack.applied(&storing(&token("newer"), 2));
    assert_eq!(
        text_of(&stack, PRIMARY).await,
        with_token(&shown, &token("newer"))
    );
    assert_eq!(value_at(&stack, PRIMARY, 3).await, token("new"));
    stack.is_quiet();
}

#[tokio::test]
async fn a_document_near_the_limit_and_one_under_cas_are_written() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::empty("store-large").await;
    let filler = letters("filler", 1024 * 1024 - 400);
    let document = format!("{{\"{FIELD}\":\"\",\"filler\":\"{filler}\"}}");
    put_text(&stack, PRIMARY, &document).await;
    let settings = json!({ "cas_required": true });
    stack.set_metadata(PRIMARY, settings.clone()).await;
    stack.set_metadata("fresh", settings).await;
    let large = token("large");
    stack.applied(&format!(
        "{}resource \"claude_oauth_token\" \"fresh\" {{\n  path = \"fresh\"\n  token_wo = {:?}\n  \
         token_wo_version = 1\n}}\n",
        storing(&large, 1),
        token("fresh"),
    ));
    let expected = format!("{{\"{FIELD}\":\"{large}\",\"filler\":\"{filler}\"}}");
    assert!(text_of(&stack, PRIMARY).await == expected);
    assert_eq!(value_at(&stack, "fresh", 1).await, token("fresh"));
}

#[tokio::test]
async fn a_token_that_is_there_already_is_not_written_again() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("store-same").await;
    let before = text_of(&stack, PRIMARY).await;
    let adopted = stack.applied(&storing(&token("primary"), 1));
    assert_eq!(warnings(&adopted), [""; 0]);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(text_of(&stack, PRIMARY).await, before);
    let kept = stack.applied(&storing(&token("primary"), 2));
    assert_eq!(warnings(&kept), [""; 0]);
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    let state = stack.attributes(AGENT);
    assert_eq!(state["token_wo_version"], 2);
    assert_eq!(state["kv_version"], 1);
    stack.is_quiet();
}

#[tokio::test]
async fn a_new_version_rotates_what_was_adopted_or_imported() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("store-rotate").await;
    let other = stack.everything(SPARES[0]).await;
    stack.applied(AGENT_BLOCK);
    stack.write(&storing(&token("second"), 1));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("fingerprint = \"sha256:")
        .says("-> (known after apply)");
    assert_eq!(
        plan.drift_lines(),
        [
            "# claude_oauth_token.agent will be updated in-place",
            "Plan: 0 to add, 1 to change, 0 to destroy."
        ]
    );
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&planned), FOUND);
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("second")));
    assert_eq!(state["kv_version"], 2);
    assert_eq!(state["rotation_reason"], Value::Null);
    assert_eq!(state["rotated_from"], Value::Null);
    assert_eq!(value_at(&stack, PRIMARY, 1).await, token("primary"));
    assert_eq!(value_at(&stack, PRIMARY, 2).await, token("second"));
    stack.is_quiet();

    // A value that is taken out again changes nothing while the version stays.
    stack.write(&agent("  token_wo_version = 1\n"));
    stack.is_quiet();

    // Neither does the import of what is there; a version with it stores.
    stack.workspace.run(["state", "rm", AGENT]).exits(0);
    stack.write(&format!(
        "import {{\n  to = {AGENT}\n  id = \"secret/{PRIMARY}\"\n}}\n{}",
        storing(&token("third"), 7)
    ));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token("third")));
    assert_eq!(state["kv_version"], 3);
    assert_eq!(value_at(&stack, PRIMARY, 3).await, token("third"));
    assert!(text_of(&stack, PRIMARY).await.contains("api_bearer_token"));
    stack.is_quiet();
    assert_eq!(stack.everything(SPARES[0]).await, other);

    // A version that is taken out stores nothing either.
    let before = stack.attributes(AGENT);
    stack.write(AGENT_BLOCK);
    let plan = stack.workspace.plan();
    plan.exits(2).omits("(known after apply)");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        differences(&before, &stack.attributes(AGENT)),
        ["token_wo_version"]
    );
    assert_eq!(stack.current_version(PRIMARY).await, 3);
}

#[tokio::test]
async fn a_store_reports_what_it_replaced_and_a_token_that_was_rotated_away() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = aged("store-told", 10).await;
    let block =
        |leak: &str, store: &str| agent(&format!("{BOTH}  rotate_when_changed = {leak}\n{store}"));
    let storing = |name: &str, version: u32| {
        let value = token(name);
        let store = format!("  token_wo = {value:?}\n  token_wo_version = {version}\n");
        block("{ leak = \"1\" }", &store)
    };
    stack.applied(&block("null", ""));
    stack.applied(&block("{ leak = \"1\" }", ""));
    stack.is_quiet();

    stack.write(&storing("new", 1));
    let plan = stack.workspace.plan();
    assert_eq!(warnings(&plan), [""; 0], "{}", plan.transcript());
    let apply = stack.workspace.apply_saved();
    let replaced = format!("Token {PRIMARY_ID} was replaced");
    assert_eq!(warnings(&apply), [replaced.as_str()]);
    let find = &fingerprint(&token(SPARES[0]))["sha256:".len()..][..8];
    apply
        .says("is now in version 3 of secret/claude-agent-service and expires")
        .says(&format!("find --fingerprint {find}"));
    stack.is_quiet();

    // The token that leaked.
    stack.write(&storing("primary", 2));
    let planned = format!(
        "Token {PRIMARY_ID} is about to be replaced with one that was rotated away on request"
    );
    let plan = stack.workspace.plan();
    assert_eq!(warnings(&plan), [planned], "{}", plan.transcript());
    let apply = stack.workspace.apply_saved();
    let told = warnings(&apply);
    let leaked = format!("Token {PRIMARY_ID} was rotated away on request and is current again");
    assert!(told.contains(&leaked), "{}", apply.transcript());
    assert!(told.contains(&replaced), "{}", apply.transcript());
    assert_eq!(warnings(&stack.workspace.plan()), [leaked]);
}

#[tokio::test]
async fn white_space_around_a_token_is_taken_off_and_told() {
    let stack = Stack::empty("store-trim").await;
    stack.write(&storing(&format!(" \t{}\n", token("new")), 1));
    let apply = stack.apply();
    assert_eq!(
        warnings(&apply),
        [
            format!("Token for {PRIMARY_ID} was trimmed"),
            format!("Token {PRIMARY_ID} was stored")
        ]
    );
    assert_eq!(value_at(&stack, PRIMARY, 1).await, token("new"));
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("new"))
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_mint_time_beside_the_token_dates_it() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("store-minted").await;
    let first = super::ago(40);
    let second = super::ago(3);
    let dated = |value: &str, version: u32, at| {
        agent(&format!(
            "  token_wo         = {value:?}\n  token_wo_version = {version}\n  \
             token_minted_at  = \"{at}\"\n"
        ))
    };
    stack.applied(AGENT_BLOCK);
    stack.applied(&dated(&token("first"), 1, first));
    let state = stack.attributes(AGENT);
    assert_eq!(state["minted_at"], first.to_string());
    assert_eq!(state["minted_at_source"], "config");
    let key = format!("{FIELD}.minted_at");
    assert_eq!(metadata(&stack, PRIMARY).await[&key], first.to_string());
    stack.is_quiet();
    stack.applied(&dated(&token("second"), 2, second));
    let state = stack.attributes(AGENT);
    assert_eq!(state["minted_at"], second.to_string());
    assert_eq!(metadata(&stack, PRIMARY).await[&key], second.to_string());
    stack.is_quiet();

    // A mint time that stays is the other token's.
    stack.applied(&dated(&token("third"), 3, second));
    let state = stack.attributes(AGENT);
    assert_eq!(state["minted_at_source"], "history");
    assert_eq!(
        state["minted_at"],
        stack.written_at(PRIMARY, 4).await.to_string()
    );
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan).len(), 1, "{}", plan.transcript());
}

#[tokio::test]
async fn a_token_just_written_is_dated_where_one_version_alone_is_kept() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::empty("store-pruned").await;
    stack.put(PRIMARY, json!({ "other": "field" })).await;
    stack
        .set_metadata(PRIMARY, json!({ "max_versions": 1 }))
        .await;
    for (label, number) in [("first", 1), ("second", 2)] {
        let apply = stack.applied(&storing(&token(label), number));
        let done = ["stored", "replaced"][usize::from(number == 2)];
        let told = format!("Token {PRIMARY_ID} was {done}");
        assert_eq!(warnings(&apply), [told], "{}", apply.transcript());
        let is_pruned = spoken(&apply).contains("because max_versions is 1.");
        assert_eq!(is_pruned, number == 2, "{}", apply.transcript());
        let state = stack.attributes(AGENT);
        assert_eq!(state["fingerprint"], fingerprint(&token(label)));
        assert_eq!(state["minted_at_source"], "history");
        let version = u64::from(number) + 1;
        assert_eq!(
            state["minted_at"],
            stack.written_at(PRIMARY, version).await.to_string()
        );
        let stamp = metadata(&stack, PRIMARY).await;
        assert_eq!(stamp[&format!("{FIELD}.fingerprint")], short(&token(label)));
        stack.is_quiet();
    }

    // A stamp that the token has already still comes first.
    let minted_at = super::ago(40);
    let stamp = super::super::stack::stamp(&token("third"), minted_at);
    stack.set_metadata(PRIMARY, stamp).await;
    stack.applied(&storing(&token("third"), 3));
    let state = stack.attributes(AGENT);
    assert_eq!(state["minted_at_source"], "stamp");
    assert_eq!(state["minted_at"], minted_at.to_string());
    stack.is_quiet();
}

#[tokio::test]
async fn an_ephemeral_value_is_stored() {
    let mut stack = Stack::empty("store-ephemeral").await;
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    stack.workspace.set("TF_VAR_token", token("new"));
    stack.write(&format!(
        "variable \"token\" {{\n  type      = string\n  ephemeral = true\n}}\n{}",
        agent("  token_wo         = var.token\n  token_wo_version = 1\n")
    ));
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(value_at(&stack, PRIMARY, 1).await, token("new"));
    stack.is_quiet();
}

#[tokio::test]
async fn a_version_that_is_not_known_yet_leaves_everything_open() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("store-unknown").await;
    let configuration = |number: u32| {
        format!(
            "resource \"terraform_data\" \"version\" {{\n  input = {number}\n}}\n{}",
            agent(&format!(
                "  token_wo = {:?}\n  token_wo_version = terraform_data.version.output\n",
                token(&format!("new {number}"))
            ))
        )
    };
    stack.applied(AGENT_BLOCK);
    for number in [1, 2] {
        stack.write(&configuration(number));
        stack.workspace.plan().exits(2);
        let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
        let unknown = unknown(&planned);
        for name in FOUND.into_iter().chain(["rotation_reason"]) {
            assert!(unknown.contains(&name), "{name}: {unknown:?}");
        }
        stack.workspace.apply_saved().exits(0);
        let state = stack.attributes(AGENT);
        assert_eq!(
            state["fingerprint"],
            fingerprint(&token(&format!("new {number}")))
        );
        assert_eq!(state["rotation_reason"], Value::Null);
        stack.is_quiet();
    }
    assert_eq!(stack.current_version(PRIMARY).await, 3);
}

#[tokio::test]
async fn an_error_after_a_store_says_that_the_token_is_stored() {
    let mut stack = Stack::start("store-then-error").await;
    stack.put("fresh", json!({ "other": "field" })).await;
    let rules = format!(
        "path \"secret/data/fresh\" {{ capabilities = [\"read\", \"update\"] }}\n\
         path \"secret/metadata/*\" {{ capabilities = [\"read\", \"patch\"] }}\n\
         path \"secret/data/{}\" {{ capabilities = [\"read\"] }}",
        SPARES[0]
    );
    let user = stack.bao.token(&rules).await;
    stack.workspace.set("VAULT_TOKEN", user);
    // A spare that cannot be read may hold the same token with an earlier date.
    stack.write(&format!(
        "resource \"claude_oauth_token\" \"agent\" {{\n  path = \"fresh\"\n{BOTH}  token_wo = \
         {:?}\n  token_wo_version = 1\n  stamp_metadata = false\n}}\n",
        token("new")
    ));
    let run = stack.workspace.apply();
    run.exits(1);
    assert_eq!(errors(&run).len(), 1, "{}", run.transcript());
    let said = spoken(&run);
    let stored = format!("These tokens are already stored: secret/fresh#{FIELD}.");
    assert!(said.contains(&stored), "{said}");
    assert_eq!(value_at(&stack, "fresh", 2).await, token("new"));
}

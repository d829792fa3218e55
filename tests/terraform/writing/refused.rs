//! Stores that are refused: nothing is written, and no value is quoted.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::stack::{
    AGENT, AGENT_BLOCK, FIELD, PRIMARY, PRIMARY_ID, Stack, errors, fingerprint,
};
use super::{agent, spoken};
use crate::support::lacks;
use crate::support::secrets::{LeakSearch, malformed, token};

/// What is told of each value that is no token; the line break at an end is trimmed.
const TOLD: [(&str, &str); 10] = [
    ("refresh token", "is a refresh token"),
    ("API key", "is an API key"),
    ("credentials JSON", "is Claude Code's credentials JSON"),
    ("other prefix", "does not begin as an OAuth token does"),
    ("space inside", "white space inside"),
    ("line break inside", "Treat it as leaked"),
    ("quotes", "quotes in or around it"),
    ("wrapped at 80 columns", "80 characters"),
    ("one character lost", "107"),
    ("foreign character", "character"),
];

fn storing(value: &str) -> String {
    agent(&format!(
        "  token_wo         = {value:?}\n  token_wo_version = 1\n"
    ))
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_its_line() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("refuse-malformed").await;
    let values = malformed("to be refused");
    let mut text = String::new();
    let mut search = LeakSearch::new();
    for (number, (kind, value)) in values.iter().enumerate() {
        search.plant(kind, value);
        write!(
            text,
            "resource \"claude_oauth_token\" \"t{number}\" {{\n  path = \"t{number}\"\n  \
             token_wo = {value:?}\n  token_wo_version = 1\n}}\n"
        )
        .unwrap();
    }
    stack.write(&text);
    for arguments in [
        &["validate"][..],
        &["validate", "-json"],
        &["plan"],
        &["apply", "-auto-approve"],
    ] {
        let run = stack.workspace.run(arguments.iter().copied());
        run.exits(1);
        run.search(&mut search);
        search.assert_clean();
        if arguments == ["validate"] {
            assert_eq!(errors(&run), ["Invalid token_wo"; 10]);
            let told = spoken(&run);
            for ((kind, _), (expected, words)) in values.iter().zip(TOLD) {
                assert_eq!(*kind, expected);
                assert!(told.contains(words), "{kind}: {}", run.transcript());
            }
        }
    }
    for number in 0..values.len() {
        let target = format!("secret/metadata/t{number}");
        assert_eq!(stack.bao.call("GET", &target, Value::Null).await.0, 404);
    }

    // The same for a value that only the apply knows.
    let bad = &values[8].1;
    stack.write(&format!(
        "resource \"terraform_data\" \"late\" {{\n  input = {bad:?}\n}}\n{}",
        agent("  token_wo         = terraform_data.late.output\n  token_wo_version = 1\n")
    ));
    let run = stack.workspace.apply();
    run.exits(1)
        .says("Error: Invalid token_wo")
        .says("107 of 108 characters");
    search.text("stderr", &run.stderr);
    search.assert_clean();
    assert_eq!(stack.current_version(PRIMARY).await, 1);
}

#[tokio::test]
async fn another_token_there_has_to_be_imported_first() {
    let stack = Stack::start("refuse-another").await;
    let before = stack.everything(PRIMARY).await;
    stack.write(&storing(&token("new")));
    let run = stack.workspace.apply();
    run.exits(1)
        .says("Import that token into this resource first, with this id, then apply again:");
    assert_eq!(
        errors(&run),
        [format!("Secret {PRIMARY_ID} holds another token")]
    );
    assert_eq!(stack.everything(PRIMARY).await, before);
    let state = stack.workspace.run(["state", "list"]);
    assert_eq!(state.exits(0).stdout.trim(), "");

    // As the message says.
    let id = format!("secret/{PRIMARY}#{FIELD}");
    stack.workspace.run(["import", AGENT, id.as_str()]).exits(0);
    stack.apply();
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("new"))
    );
}

#[tokio::test]
async fn a_value_that_is_no_token_is_not_overwritten_by_a_new_resource() {
    let stack = Stack::empty("refuse-foreign").await;
    for value in [json!("hunter2"), json!("sk-ant-api03-abc"), json!(7)] {
        stack.put(PRIMARY, json!({ FIELD: value })).await;
        let before = stack.everything(PRIMARY).await;
        let pool = format!(
            "resource \"claude_token_spare_pool\" \"agent\" {{\n  paths = [{PRIMARY:?}]\n  \
             tokens_wo = {{ {PRIMARY:?} = {:?} }}\n  tokens_wo_version = 1\n}}\n",
            token("new")
        );
        for configuration in [storing(&token("new")), pool] {
            stack.write(&configuration);
            let run = stack.workspace.apply();
            run.exits(1)
                .says("If nothing needs it, store the token with this command");
            let summary = format!("Secret {PRIMARY_ID} holds a value that is not a token");
            assert_eq!(errors(&run), [summary]);
            assert_eq!(stack.everything(PRIMARY).await, before);
        }
    }
}

#[tokio::test]
async fn a_token_that_somebody_changed_meanwhile_stays() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("refuse-meanwhile").await;
    stack.applied(AGENT_BLOCK);
    stack.write(&storing(&token("new")));
    stack.workspace.plan().exits(2);
    stack
        .patch(PRIMARY, json!({ FIELD: token("by hand") }))
        .await;
    let before = stack.everything(PRIMARY).await;
    let run = stack.workspace.apply_saved();
    run.exits(1)
        .says("another client replaced it in the meantime");
    assert_eq!(
        errors(&run),
        [format!("Secret {PRIMARY_ID} holds another token")]
    );
    assert_eq!(stack.everything(PRIMARY).await, before);
    let state = stack.attributes(AGENT);
    assert_eq!(state["token_wo_version"], Value::Null);
    assert_eq!(state["fingerprint"], fingerprint(&token("primary")));
    // Planned with knowledge of it, it is replaced.
    stack.workspace.plan().exits(2);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("new"))
    );
}

#[tokio::test]
async fn a_version_and_a_value_go_together() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("refuse-alone").await;
    let before = stack.everything(PRIMARY).await;
    stack.write(&agent("  token_wo_version = 1\n"));
    let run = stack.workspace.apply();
    run.exits(1)
        .says("token_wo_version asks for a token to be stored, but token_wo is null");
    assert_eq!(errors(&run), ["Missing token_wo"]);
    stack.write(&agent(&format!("  token_wo = {:?}\n", token("primary"))));
    let run = stack.workspace.apply();
    run.exits(1).says("Set token_wo_version (for example to 1");
    assert_eq!(errors(&run), ["Missing token_wo_version"]);
    assert!(!run.stderr.contains("sk-ant-oat01-"), "{}", run.stderr);
    assert_eq!(stack.everything(PRIMARY).await, before);

    stack.applied(AGENT_BLOCK);
    let before = stack.everything(PRIMARY).await;
    stack.write(&agent("  token_wo_version = 1\n"));
    let run = stack.workspace.apply();
    run.exits(1);
    assert_eq!(errors(&run), ["Missing token_wo"]);
    assert_eq!(stack.everything(PRIMARY).await, before);
    let state = stack.attributes(AGENT);
    assert_eq!(state["token_wo_version"], Value::Null);
    stack.write(AGENT_BLOCK);
    stack.is_quiet();
}

#[tokio::test]
async fn nothing_is_stored_over_a_version_that_is_gone() {
    let stack = Stack::start("refuse-gone").await;
    stack.applied(AGENT_BLOCK);
    stack.write(&storing(&token("new")));
    stack.workspace.plan().exits(2);
    stack.versions("delete", PRIMARY, &[1]).await;
    let run = stack.workspace.apply_saved();
    run.exits(1).says(&format!(
        "vault kv undelete -mount=secret -versions=1 {PRIMARY}"
    ));
    assert_eq!(
        errors(&run),
        [format!("Token was not stored at {PRIMARY_ID}")]
    );
    let run = stack.workspace.apply();
    run.exits(1);
    stack.versions("destroy", PRIMARY, &[1]).await;
    let command = format!("vault kv put -mount=secret -cas=1 {PRIMARY} {FIELD}=-");
    stack.workspace.apply().exits(1).says(&command);
    assert_eq!(stack.current_version(PRIMARY).await, 1);

    // The same where nothing is in the state yet.
    stack.workspace.run(["state", "rm", AGENT]).exits(0);
    let run = stack.workspace.apply();
    run.exits(1);
    assert_eq!(
        errors(&run),
        [format!("Token was not stored at {PRIMARY_ID}")]
    );
    assert_eq!(stack.current_version(PRIMARY).await, 1);
}

/// A replacement without the token at hand would destroy first and fail then.
#[tokio::test]
async fn a_replacement_without_its_token_is_refused_before_anything_is_destroyed() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::empty("refuse-replace").await;
    stack.applied(&agent(&format!(
        "  token_wo = {:?}\n  token_wo_version = 1\n",
        token("first")
    )));
    let before = stack.attributes(AGENT);
    stack.write(&agent("  token_wo_version = 1\n"));
    let run = stack
        .workspace
        .run(["apply", "-auto-approve", "-replace", AGENT]);
    run.exits(1).omits("Destroying...");
    assert_eq!(errors(&run), ["Missing token_wo"]);
    assert_eq!(stack.attributes(AGENT), before);
    stack.is_quiet();
}

/// A tracked resource is no exception: nothing would be stored, and nobody would be told.
#[tokio::test]
async fn a_token_without_a_version_is_refused_at_validate() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("refuse-versionless").await;
    stack.applied(AGENT_BLOCK);
    stack.write(&agent(&format!("  token_wo = {:?}\n", token("new"))));
    let run = stack.workspace.run(["validate"]);
    run.exits(1);
    assert_eq!(errors(&run), ["Missing token_wo_version"]);
    assert!(!run.stderr.contains("sk-ant-oat01-"), "{}", run.stderr);
}

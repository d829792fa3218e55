//! Queries that are refused, and places that may not be looked at.

use serde_json::json;

use super::super::stack::{FIELD, PRIMARY, SPARES, Stack, errors};
use super::{ask, has_queries, names, query};
use crate::support::secrets::token;
use crate::support::terraform::HEADER;

#[tokio::test]
async fn wrong_arguments_are_refused() {
    let stack = Stack::empty("query-wrong").await;
    if !has_queries() {
        return;
    }
    stack.workspace.write("main.tf", HEADER);
    let before = stack.bao.requests().len();
    for (config, summary, says) in [
        ("mount = \"/kv\"", "Invalid mount", "The mount starts with"),
        ("mount = \"\"", "Invalid mount", "The mount is empty"),
        ("field = \"\"", "Invalid field", "is empty"),
        ("path_prefix = \"/a\"", "Invalid path_prefix", "starts with"),
        ("path_prefix = \"a//\"", "Invalid path_prefix", "ends with"),
        ("path_prefix = \"a/../b\"", "Invalid path_prefix", "`..`"),
        ("path_prefix = \"a*\"", "Invalid path_prefix", "`*`"),
        ("path = \"a\"", "Unsupported argument", "path"),
    ] {
        ask(&stack, "", config);
        let run = stack.workspace.run(["query"]);
        run.exits(1).says(says);
        assert_eq!(errors(&run), [summary], "{}", run.transcript());
    }
    assert_eq!(stack.bao.requests().len(), before, "nothing was asked");
}

#[tokio::test]
async fn what_may_not_be_seen_is_told_and_left_out() {
    let mut stack = Stack::start("query-rights").await;
    if !has_queries() {
        return;
    }
    stack.workspace.write("main.tf", HEADER);
    for path in ["team/a", "closed/b"] {
        stack.put(path, json!({ FIELD: token(path) })).await;
    }
    let rules = format!(
        "path \"secret/metadata/\" {{ capabilities = [\"list\"] }}
path \"secret/metadata/team/\" {{ capabilities = [\"list\"] }}
path \"secret/data/{PRIMARY}\" {{ capabilities = [\"read\"] }}
path \"secret/data/team/*\" {{ capabilities = [\"read\"] }}
path \"secret/data/{}\" {{ capabilities = [\"read\"] }}
",
        SPARES[0]
    );
    let few = stack.bao.token(&rules).await;
    stack.workspace.set("VAULT_TOKEN", few);
    ask(&stack, "include_resource = true", "");
    let run = query(&stack);
    let seen = [PRIMARY, SPARES[0], "team/a"].map(|path| format!("secret/{path}#{FIELD}"));
    assert_eq!(names(&run), seen);
    let told = run.told();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(!told[0].is_error);
    let said = format!("{} {}", told[0].summary, told[0].detail);
    for part in [
        "2 places of secret/* could not be read",
        "secret/closed/: Vault denied list",
        &format!("secret/{}: Vault denied read", SPARES[1]),
        "path \"secret/metadata/closed/\" {",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }

    // Where not even the first folder may be listed, there is nothing to tell of.
    ask(&stack, "", "path_prefix = \"closed/\"");
    let run = stack.workspace.run(["query"]);
    run.exits(1)
        .says("path \"secret/metadata/closed/\" {")
        .says("capabilities = [\"list\"]");
}

#[tokio::test]
async fn a_mount_that_is_none_is_an_error() {
    let stack = Stack::empty("query-mount").await;
    if !has_queries() {
        return;
    }
    stack.workspace.write("main.tf", HEADER);
    stack
        .bao
        .must("POST", "sys/mounts/old", json!({ "type": "kv" }))
        .await;
    for mount in ["nowhere", "old"] {
        ask(&stack, "", &format!("mount = \"{mount}\""));
        let run = stack.workspace.run(["query"]);
        run.exits(1);
        assert_eq!(errors(&run).len(), 1, "{}", run.transcript());
    }
}

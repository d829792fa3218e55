//! Tokens are found by a query, and written down as configuration that imports without a change.

mod refused;
mod walk;

use std::fs;

use serde_json::{Value, json};

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, fingerprint, stamp, warnings,
};
use crate::support::lacks;
use crate::support::secrets::{LeakSearch, letters, token};
use crate::support::terraform::{HEADER, Run};

/// Returns whether the command line has queries, and reports if it has none.
fn has_queries() -> bool {
    !lacks("queries", |host| host.query)
}

/// Writes a query of one list with these arguments, and lines beside its `config` block.
fn ask(stack: &Stack, beside: &str, config: &str) {
    stack.workspace.write(
        "tokens.tfquery.hcl",
        &format!(
            "list \"claude_oauth_token\" \"found\" {{\n  provider = claude\n  {beside}\n  config \
             {{\n    {config}\n  }}\n}}\n"
        ),
    );
}

/// Returns what a query found, as `-json` tells it.
fn found(run: &Run) -> Vec<Value> {
    run.stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["type"] == "list_resource_found")
        .map(|line| line["list_resource_found"].clone())
        .collect()
}

/// Returns the ids of what a query found.
fn names(run: &Run) -> Vec<String> {
    let found = found(run);
    let names = found.iter().map(|one| one["display_name"].as_str());
    names.map(|name| name.unwrap().to_owned()).collect()
}

#[track_caller]
fn query(stack: &Stack) -> Run {
    let run = stack.workspace.run(["query", "-json"]);
    run.exits(0);
    run
}

#[tokio::test]
async fn what_is_found_is_imported_without_a_change() {
    let mut stack = Stack::start("query").await;
    if !has_queries() {
        return;
    }
    let sibling = letters("sibling", 40);
    let mut search = LeakSearch::new();
    search.plant("sibling", &sibling);
    for seed in ["primary", SPARES[0], SPARES[1], "team", "second"] {
        search.plant(seed, &token(seed));
    }
    stack
        .put(
            "team/agents/one",
            json!({ FIELD: token("team"), "other": sibling }),
        )
        .await;
    stack
        .put("second", json!({ "second_token": token("second") }))
        .await;
    stack.workspace.write("main.tf", HEADER);
    stack.workspace.write(
        "tokens.tfquery.hcl",
        "list \"claude_oauth_token\" \"found\" {\n  provider = claude\n}\nlist \
         \"claude_oauth_token\" \"second\" {\n  provider = claude\n  config {\n    field = \
         \"second_token\"\n  }\n}\n",
    );
    stack.workspace.trace();
    let run = stack
        .workspace
        .run(["query", "-generate-config-out", "generated.tf"]);
    run.exits(0)
        .says(PRIMARY_ID)
        .says("secret/second#second_token")
        .search(&mut search);
    assert_eq!(warnings(&run), [""; 0], "{}", run.transcript());
    let generated = fs::read_to_string(stack.workspace.folder().join("generated.tf")).unwrap();
    search.text("the generated configuration", &generated);
    // What is as the defaults have it needs no line.
    let set: Vec<_> = generated
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| !value.ends_with("null") && !value.contains("claude_oauth_token."))
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, value)| *name != "provider" && *name != "identity" && *value != "{")
        .filter(|(name, _)| !["mount", "path"].contains(name))
        .collect();
    // Each identity names its field; one resource has another than the default.
    let others: Vec<_> = set
        .iter()
        .filter(|line| **line != ("field", "\"claude_oauth_token\""))
        .collect();
    assert_eq!(
        others,
        [
            &("field", "\"second_token\""),
            &("field", "\"second_token\"")
        ],
        "{generated}"
    );

    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 5 to import, 0 to add, 0 to change, 0 to destroy.")
        .search(&mut search);
    stack.workspace.apply_saved().exits(0).search(&mut search);
    stack.is_quiet_after_import();
    stack.workspace.search(&mut search);
    search.assert_clean();
}

/// A token that has been imported has the state that its query showed.
#[tokio::test]
async fn the_resource_object_is_the_state_of_an_import() {
    let stack = Stack::start("query-object").await;
    if !has_queries() {
        return;
    }
    stack
        .set_metadata(
            PRIMARY,
            stamp(&token("primary"), "2026-02-03T04:05:06Z".parse().unwrap()),
        )
        .await;
    stack.write(AGENT_BLOCK);
    ask(
        &stack,
        "include_resource = true",
        &format!("path_prefix = \"{PRIMARY}\""),
    );
    let run = query(&stack);
    let found = found(&run);
    assert_eq!(found.len(), 3);
    let object = &found[0]["resource_object"];
    assert_eq!(object["fingerprint"], fingerprint(&token("primary")));
    assert_eq!(object["minted_at"], "2026-02-03T04:05:06Z");
    assert_eq!(
        found[0]["identity"],
        json!({ "mount": "secret", "path": PRIMARY, "field": FIELD })
    );
    stack.workspace.run(["import", AGENT, PRIMARY_ID]).exits(0);
    let mut imported = stack.attributes(AGENT);
    // An import leaves an empty reason, which is as good as none.
    imported["rotation_reason"] = Value::Null;
    assert_eq!(*object, imported);
    // Without states an identity is enough, and no history is read.
    ask(&stack, "", "");
    let run = query(&stack);
    assert!(run.stdout.contains(PRIMARY_ID));
    assert!(!run.stdout.contains("fingerprint"), "{}", run.stdout);
}

/// The provider block and what differs from it decide what needs a line.
#[tokio::test]
async fn only_what_differs_from_the_provider_is_written_down() {
    let stack = Stack::empty("query-mounts").await;
    if !has_queries() {
        return;
    }
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    stack.bao.must("POST", "sys/mounts/team/kv", engine).await;
    let body = json!({ "data": { "second_token": token("kv") } });
    while stack
        .bao
        .call("POST", "team/kv/data/agents/one", body.clone())
        .await
        .0
        == 400
    {
        tokio::task::yield_now().await;
    }
    stack
        .put("agents/two", json!({ "second_token": token("two") }))
        .await;
    stack.write_with_provider("  mount = \"team/kv\"\n  lifetime_days = 200\n", "");
    stack.workspace.write(
        "tokens.tfquery.hcl",
        "list \"claude_oauth_token\" \"own\" {
  provider = claude
  config {
    field = \"second_token\"
  }
}
list \"claude_oauth_token\" \"other\" {
  provider = claude
  config {
    mount       = \"secret\"
    path_prefix = \"agents/\"
    field       = \"second_token\"
  }
}
",
    );
    let run = stack
        .workspace
        .run(["query", "-generate-config-out", "generated.tf"]);
    run.exits(0);
    let generated = fs::read_to_string(stack.workspace.folder().join("generated.tf")).unwrap();
    let resource = |name: &str| {
        let start = format!("resource \"claude_oauth_token\" \"{name}\" {{\n");
        let (_, rest) = generated.split_once(&start).unwrap();
        let (block, _) = rest.split_once("\n}").unwrap();
        block
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .filter(|(_, value)| *value != "null")
            .map(|(name, _)| name.trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(resource("own_0"), ["provider", "field", "path"]);
    assert_eq!(resource("other_0"), ["provider", "field", "mount", "path"]);
    stack
        .workspace
        .plan()
        .exits(2)
        .says("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet_after_import();
}

/// Configuration for both resources by an import block alone, as `terraform plan` writes it.
#[tokio::test]
async fn a_plan_writes_down_what_differs_from_the_defaults() {
    let stack = Stack::start("query-plan").await;
    if !has_queries() {
        return;
    }
    stack.write(&format!(
        "import {{\n  to = {AGENT}\n  id = \"{PRIMARY_ID}\"\n}}\nimport {{\n  to = \
         claude_token_spare_pool.agent\n  id = \"secret/{}\"\n}}\n",
        "claude-agent-service-spare-{1,2}"
    ));
    let plan = stack.workspace.run([
        "plan",
        "-generate-config-out",
        "generated.tf",
        "-out",
        "saved.tfplan",
    ]);
    plan.exits(0)
        .says("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy.");
    let generated = fs::read_to_string(stack.workspace.folder().join("generated.tf")).unwrap();
    let mut set: Vec<_> = generated
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| *value != "null")
        .map(|(name, _)| name.trim())
        .collect();
    set.sort_unstable();
    assert_eq!(set, ["path", "paths"], "{generated}");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet_after_import();
}

//! The mapping for an ExternalSecret is known when everything else is not.

use serde_json::{Value, json};

use super::stack::{AGENT, AGENT_BLOCK, FIELD, POOL, POOL_BLOCK, PRIMARY, SPARES, Stack, change};

/// A manifest that holds the entries in `data`, as `kubernetes_manifest` would.
fn manifest(data: &str) -> String {
    format!(
        "resource \"terraform_data\" \"manifest\" {{
  input = {{
    kind = \"ExternalSecret\"
    spec = {{ data = {data} }}
  }}
}}
"
    )
}

const HAND_WRITTEN: &str = "{
  secretKey = \"API_BEARER_TOKEN\"
  remoteRef = { key = \"claude-agent-service\", property = \"api_bearer_token\" }
}";

const TOKEN_BY_HAND: &str = "{
  secretKey = \"CLAUDE_CODE_OAUTH_TOKEN\"
  remoteRef = { key = \"claude-agent-service\", property = \"claude_oauth_token\" }
}";

fn entry(key: &str, path: &str, property: &str) -> Value {
    json!({ "secretKey": key, "remoteRef": { "key": path, "property": property } })
}

/// Tells whether anything inside is left to the apply.
fn has_unknown(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_unknown),
        Value::Object(items) => items.values().any(has_unknown),
        value => *value == true,
    }
}

#[tokio::test]
async fn the_mapping_is_known_in_the_plan_that_creates() {
    let stack = Stack::start("mapping").await;
    stack.write(&format!(
        "{AGENT_BLOCK}{POOL_BLOCK}{}",
        manifest(&format!(
            "concat([{HAND_WRITTEN}], {AGENT}.external_secret_data, {POOL}.external_secret_data)"
        ))
    ));
    stack.workspace.plan().exits(2);
    let plan = stack.workspace.show_json("saved.tfplan");
    let token = entry("CLAUDE_CODE_OAUTH_TOKEN", PRIMARY, FIELD);
    let spares = [
        entry("CLAUDE_CODE_OAUTH_TOKEN_SPARE_1", SPARES[0], FIELD),
        entry("CLAUDE_CODE_OAUTH_TOKEN_SPARE_2", SPARES[1], FIELD),
    ];
    for (address, expected) in [(AGENT, json!([token])), (POOL, json!(spares))] {
        let planned = change(&plan, address);
        assert_eq!(planned["after"]["external_secret_data"], expected);
        let unknown = &planned["after_unknown"]["external_secret_data"];
        assert!(!has_unknown(unknown), "{unknown}");
        assert!(planned["after"]["id"].is_string());
    }
    let planned = change(&plan, "terraform_data.manifest");
    assert_eq!(
        planned["after"]["input"]["spec"]["data"],
        json!([
            entry("API_BEARER_TOKEN", PRIMARY, "api_bearer_token"),
            token,
            spares[0],
            spares[1]
        ])
    );
    assert!(!has_unknown(&planned["after_unknown"]["input"]));
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();
}

#[tokio::test]
async fn an_entry_written_by_hand_is_replaced_without_a_change() {
    let stack = Stack::start("mapping-adopted").await;
    stack.applied(&manifest(&format!("[{HAND_WRITTEN}, {TOKEN_BY_HAND}]")));
    let replaced = manifest(&format!(
        "[{HAND_WRITTEN}, {AGENT}.external_secret_data[0]]"
    ));
    stack.write(&format!("{AGENT_BLOCK}{replaced}"));
    let plan = stack.workspace.plan();
    plan.exits(2);
    assert_eq!(
        plan.drift_lines(),
        [
            "# claude_oauth_token.agent will be created",
            "Plan: 1 to add, 0 to change, 0 to destroy."
        ]
    );
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();

    // In either direction.
    stack.write(&format!(
        "{AGENT_BLOCK}{}",
        manifest(&format!("[{HAND_WRITTEN}, {TOKEN_BY_HAND}]"))
    ));
    stack.workspace.plan().changes_nothing();
}

#[tokio::test]
async fn what_is_not_known_leaves_the_rest_known() {
    let stack = Stack::start("mapping-unknown").await;
    stack.write(
        "resource \"terraform_data\" \"name\" {
  input = \"AGENT_TOKEN\"
}
resource \"claude_oauth_token\" \"agent\" {
  path       = \"claude-agent-service\"
  secret_key = terraform_data.name.output
}
",
    );
    stack.workspace.plan().exits(2);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(
        planned["after_unknown"]["external_secret_data"],
        json!([{ "secretKey": true, "remoteRef": {} }])
    );
    assert_eq!(
        planned["after"]["external_secret_data"],
        json!([{ "remoteRef": { "key": PRIMARY, "property": FIELD } }])
    );
    stack.workspace.apply_saved().exits(0);
    assert_eq!(
        stack.attributes(AGENT)["external_secret_data"],
        json!([entry("AGENT_TOKEN", PRIMARY, FIELD)])
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_change_of_the_mapping_is_a_change_of_nothing_else() {
    let stack = Stack::start("mapping-changed").await;
    stack.applied(AGENT_BLOCK);
    let before = stack.everything(PRIMARY).await;
    stack.write(
        "resource \"claude_oauth_token\" \"agent\" {
  path       = \"claude-agent-service\"
  secret_key = \"AGENT_TOKEN\"
  remote_key = \"secret/claude-agent-service\"
}
",
    );
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 0 to add, 1 to change, 0 to destroy.");
    let planned = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert!(!has_unknown(&planned["after_unknown"]));
    assert_eq!(
        planned["after"]["external_secret_data"],
        json!([entry("AGENT_TOKEN", "secret/claude-agent-service", FIELD)])
    );
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();
    assert_eq!(stack.everything(PRIMARY).await, before);
}

#[tokio::test]
async fn a_prefix_leads_a_store_to_the_spares() {
    let stack = Stack::start("mapping-prefix").await;
    let pool = |prefix: &str| {
        POOL_BLOCK.replace("\n}", &format!("\n  remote_key_prefix = {prefix:?}\n}}"))
    };
    stack.write(&pool("secret/data/"));
    stack.workspace.plan().exits(2);
    let planned = change(&stack.workspace.show_json("saved.tfplan"), POOL);
    let keys = |after: &Value| {
        let entries = after["external_secret_data"].as_array().unwrap().iter();
        let key = |entry: &Value| entry["remoteRef"]["key"].as_str().unwrap().to_owned();
        entries.map(key).collect::<Vec<_>>()
    };
    let prefixed = SPARES.map(|path| format!("secret/data/{path}"));
    assert_eq!(keys(&planned["after"]), prefixed);
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet();
    // Without one, the keys are the paths.
    stack.applied(&pool(""));
    assert_eq!(keys(&stack.attributes(POOL)), SPARES);
    stack.applied(POOL_BLOCK);
    stack.is_quiet();
}

#[tokio::test]
async fn a_data_source_maps_a_token_as_its_arguments_say() {
    let stack = Stack::start("mapping-data").await;
    let block = |arguments: &str| {
        format!("data \"claude_oauth_token\" \"agent\" {{\n  path = {PRIMARY:?}\n{arguments}\n}}\n")
    };
    stack.applied(&block(""));
    let told = stack.attributes(AGENT);
    assert_eq!(told["secret_key"], "CLAUDE_CODE_OAUTH_TOKEN");
    assert_eq!(told["remote_key"], PRIMARY);
    let token = entry("CLAUDE_CODE_OAUTH_TOKEN", PRIMARY, FIELD);
    assert_eq!(told["external_secret_data"], json!([token]));

    stack.applied(&block(
        "  secret_key = \"AGENT_TOKEN\"\n  remote_key = \"kv/claude-agent-service\"",
    ));
    let told = stack.attributes(AGENT);
    let token = entry("AGENT_TOKEN", "kv/claude-agent-service", FIELD);
    assert_eq!(told["external_secret_data"], json!([token]));

    stack.write(&block("  secret_key = \"not a key\""));
    let plan = stack.workspace.plan();
    plan.exits(1).says("secret_key");
}

//! `data "claude_oauth_tokens"`: every token below a prefix.

use serde_json::{Value, json};

use super::super::stack::{
    FIELD, PRIMARY, SPARES, Stack, differences, fingerprint, stamp, warnings,
};
use super::super::writing::ago;
use super::{READER, asked, limited};
use crate::support::secrets::{LeakSearch, token};

const ALL: &str = "claude_oauth_tokens.all";

fn block(arguments: &str) -> String {
    format!("data \"claude_oauth_tokens\" \"all\" {{\n{arguments}\n}}\n")
}

fn below(prefix: &str) -> String {
    block(&format!("  path_prefix = \"{prefix}\""))
}

/// Returns the paths of the tokens that were found.
fn paths(stack: &Stack, address: &str) -> Vec<String> {
    let state = stack.attributes(address);
    let tokens = state["tokens"].as_array().unwrap().iter();
    tokens
        .map(|token| token["path"].as_str().unwrap().to_owned())
        .collect()
}

/// A deployment with folders, names that begin alike, and secrets that count for nothing.
async fn forest(name: &str) -> Stack {
    let stack = Stack::start(name).await;
    for path in [
        "claude-agents/a",
        "claude-agents/deep/b",
        "other/claude-agent",
    ] {
        stack.put(path, json!({ FIELD: token(path) })).await;
    }
    for path in [PRIMARY, SPARES[0], SPARES[1], "claude-agents/a"] {
        let seed = if path == PRIMARY { "primary" } else { path };
        stack.set_metadata(path, stamp(&token(seed), ago(10))).await;
    }
    stack
        .put("claude-agent-without", json!({ "password": "x" }))
        .await;
    stack
        .put("claude-agents/wrong", json!({ FIELD: "x" }))
        .await;
    stack
        .put("claude-agents/gone", json!({ FIELD: token("gone") }))
        .await;
    stack.versions("delete", "claude-agents/gone", &[1]).await;
    stack
}

#[tokio::test]
async fn a_prefix_is_a_folder_the_beginning_of_a_name_or_nothing() {
    let stack = forest("tokens").await;
    let agents = [
        "claude-agents/a",
        "claude-agents/deep/b",
        "claude-agents/wrong",
    ];
    let named = [PRIMARY, SPARES[0], SPARES[1]];
    let both = [&named[..], &agents[..]].concat();
    let all = [&both[..], &["other/claude-agent"]].concat();
    let prefixes = [
        ("claude-agent", &both[..]),
        ("claude-agent-service", &named[..]),
        ("claude-agent-service-spare-", &named[1..]),
        ("claude-agents/", &agents[..]),
        ("claude-agents/d", &agents[1..2]),
        ("none/", &[]),
        ("", &all[..]),
    ];
    let names: Vec<_> = prefixes.iter().map(|(prefix, _)| *prefix).collect();
    let passwords = "data \"claude_oauth_tokens\" \"passwords\" {\n  field = \"password\"\n}\n";
    let each = format!("  for_each    = toset({names:?})\n  path_prefix = each.key");
    let apply = stack.applied(&format!("{}{passwords}", block(&each)));
    assert_eq!(warnings(&apply), [""; 0], "{}", apply.transcript());
    for (prefix, expected) in prefixes {
        let address = format!("{ALL}[\"{prefix}\"]");
        assert_eq!(paths(&stack, &address), expected, "{prefix}");
    }
    let passwords = paths(&stack, "claude_oauth_tokens.passwords");
    assert_eq!(passwords, ["claude-agent-without"]);
    stack.workspace.plan().changes_nothing();
}

#[tokio::test]
async fn each_folder_is_listed_and_each_secret_read_once() {
    let mut stack = forest("tokens-requests").await;
    let rules = format!("{READER}\npath \"secret/metadata/*\" {{ capabilities = [\"list\"] }}");
    limited(&mut stack, &rules).await;
    stack.workspace.trace();
    let one = "data \"claude_oauth_token\" \"agent\" {\n  path = \"claude-agent-service\"\n}\n";
    stack.write(&format!("{}{one}", below("claude-agent")));
    let before = stack.bao.requests().len();
    let plan = stack.workspace.plan();
    plan.exits(0);
    assert_eq!(
        asked(&stack, before),
        [
            "list secret/metadata/",
            "list secret/metadata/claude-agents/",
            "list secret/metadata/claude-agents/deep/",
            "read secret/data/claude-agent-service",
            "read secret/data/claude-agent-service-spare-1",
            "read secret/data/claude-agent-service-spare-2",
            "read secret/data/claude-agent-without",
            "read secret/data/claude-agents/a",
            "read secret/data/claude-agents/deep/b",
            "read secret/data/claude-agents/gone",
            "read secret/data/claude-agents/wrong",
        ]
    );
    stack.apply();

    // Each entry tells what the data source of one token tells, but for its arguments.
    let state = stack.attributes(ALL);
    let single = stack.attributes("claude_oauth_token.agent");
    let entry = &state["tokens"][0];
    assert_eq!(differences(entry, &single), [""; 0]);
    let wrong = &state["tokens"][5];
    assert_eq!(wrong["status"], "malformed");
    assert_eq!(wrong["fingerprint"], Value::Null);
    let deep = &state["tokens"][4];
    assert_eq!(deep["minted_at_source"], "history");
    assert_eq!(
        deep["fingerprint"],
        fingerprint(&token("claude-agents/deep/b"))
    );
    assert_eq!(
        deep["external_secret_data"][0]["remoteRef"]["key"],
        "claude-agents/deep/b"
    );

    let mut search = LeakSearch::new();
    for seed in ["primary", SPARES[0], SPARES[1], "claude-agents/a"] {
        search.plant(seed, &token(seed));
    }
    plan.search(&mut search);
    stack.workspace.search(&mut search);
    search.assert_clean();
}

#[tokio::test]
async fn what_may_not_be_seen_is_left_out_and_named_once() {
    let mut stack = forest("tokens-rights").await;
    let rules = format!(
        "{READER}\npath \"secret/data/{}\" {{ capabilities = [\"deny\"] }}\n\
         path \"secret/metadata/\" {{ capabilities = [\"list\"] }}\n\
         path \"secret/metadata/claude-agents/\" {{ capabilities = [\"list\"] }}",
        SPARES[0]
    );
    limited(&mut stack, &rules).await;
    let apply = stack.applied(&below("claude-agent"));
    assert_eq!(
        warnings(&apply),
        ["2 places of secret/claude-agent* could not be read"]
    );
    apply
        .says(&format!("secret/{}: Vault denied read", SPARES[0]))
        .says("secret/claude-agents/deep/: Vault denied list")
        .says("path \"secret/metadata/claude-agents/deep/\" { capabilities = [\"list\"] }")
        .says(&format!(
            "path \"secret/data/{}\" {{ capabilities = [\"read\"] }}",
            SPARES[0]
        ));
    assert_eq!(
        paths(&stack, ALL),
        [PRIMARY, SPARES[1], "claude-agents/a", "claude-agents/wrong"]
    );
}

//! `data "claude_oauth_token"`: one token, dated by its stamp or its history.

use serde_json::{Value, json};

use super::super::stack::{
    AGENT, FIELD, FOUND, PRIMARY, PRIMARY_ID, SECOND, Stack, days, differences, errors,
    fingerprint, instant, stamp, warnings,
};
use super::super::writing::ago;
use super::{READER, asked, is_quiet, limited, nulls};
use crate::support::secrets::{LeakSearch, malformed, token};

const DATA: &str =
    "data \"claude_oauth_token\" \"agent\" {\n  path = \"claude-agent-service\"\n}\n";

/// What another stack makes of a token: an object of any type in the place of a manifest.
const MANIFEST: &str = "resource \"terraform_data\" \"manifest\" {
  input = {
    annotations = { \"claude/fingerprint\" = data.claude_oauth_token.agent.fingerprint }
    data        = data.claude_oauth_token.agent.external_secret_data
  }
}
";

fn entry(path: &str) -> Value {
    json!([{
        "secretKey": "CLAUDE_CODE_OAUTH_TOKEN",
        "remoteRef": { "key": path, "property": FIELD },
    }])
}

#[tokio::test]
async fn a_stamped_token_is_told_by_one_read_and_stays_as_it_is() {
    let mut stack = Stack::start("data").await;
    let minted_at = ago(100);
    let mut metadata = stamp(&token("primary"), minted_at);
    metadata["custom_metadata"][format!("{FIELD}.rotated_from")] = json!("a-spare");
    stack.set_metadata(PRIMARY, metadata).await;
    limited(&mut stack, READER).await;
    stack.workspace.trace();
    stack.write(&format!("{DATA}{MANIFEST}"));

    let before = stack.bao.requests().len();
    let plan = stack.workspace.plan();
    plan.exits(2);
    let read = format!("read secret/data/{PRIMARY}");
    assert_eq!(asked(&stack, before), [read.as_str()]);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    assert_eq!(asked(&stack, before), [read]);

    let state = stack.attributes(AGENT);
    let expires_at = minted_at + days(365);
    assert_eq!(
        state,
        json!({
            "id": PRIMARY_ID,
            "path": PRIMARY,
            "mount": "secret",
            "field": FIELD,
            "lifetime_days": 365,
            "rotate_before_days": 30,
            "secret_key": "CLAUDE_CODE_OAUTH_TOKEN",
            "remote_key": PRIMARY,
            "fingerprint": fingerprint(&token("primary")),
            "kv_version": 1,
            "minted_at": minted_at.to_string(),
            "minted_at_source": "stamp",
            "expires_at": expires_at.to_string(),
            "rotate_at": (expires_at - days(30)).to_string(),
            "expires_at_unix": expires_at.as_second(),
            "status": "in_date",
            "rotated_from": "a-spare",
            "external_secret_data": entry(PRIMARY),
        })
    );
    is_quiet(&stack);

    // Nothing counts down, and a threshold moves nothing but the status.
    let rotate_at = expires_at - days(30);
    for (now, status) in [
        (rotate_at - SECOND, "in_date"),
        (rotate_at, "rotation_due"),
        (expires_at, "expired"),
    ] {
        stack.plan_at(now).changes_nothing();
        let plan = stack.workspace.show_json("saved.tfplan");
        let data = &plan["prior_state"]["values"]["root_module"]["resources"];
        let data = data.as_array().unwrap().iter();
        let mut data = data.filter(|resource| resource["mode"] == "data");
        let told = data.next().unwrap()["values"].clone();
        assert_eq!(told["status"], status, "{now}");
        let moved = differences(&state, &told);
        assert_eq!(
            moved,
            if status == "in_date" {
                vec![]
            } else {
                vec!["status"]
            }
        );
    }

    // A write beside the token moves the version alone, and nothing that is built on the rest.
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "x" }))
        .await;
    stack.workspace.plan().changes_nothing();
    stack.apply();
    let after = stack.attributes(AGENT);
    assert_eq!(differences(&state, &after), ["kv_version"]);

    let mut search = LeakSearch::new();
    search.plant("primary", &token("primary"));
    plan.search(&mut search);
    apply.search(&mut search);
    stack.workspace.search(&mut search);
    search.assert_clean();
}

#[tokio::test]
async fn without_a_stamp_the_history_dates_the_token() {
    let mut stack = Stack::start("data-history").await;
    let old = json!({ FIELD: token("older"), "api_bearer_token": "x" });
    stack.put(PRIMARY, old).await;
    stack.put(PRIMARY, json!({ FIELD: token("primary") })).await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "y" }))
        .await;
    // A stamp of another token says nothing.
    stack
        .set_metadata(PRIMARY, stamp(&token("older"), ago(200)))
        .await;
    limited(&mut stack, READER).await;
    let before = stack.bao.requests().len();
    let apply = stack.applied(DATA);
    assert_eq!(warnings(&apply), [""; 0]);
    assert_eq!(asked(&stack, before).len(), 4);
    let state = stack.attributes(AGENT);
    assert_eq!(state["minted_at_source"], "history");
    // The first version held it already: it is no younger for having come back.
    let first = stack.written_at(PRIMARY, 1).await;
    assert_eq!(instant(&state["minted_at"]), first);
    assert_eq!(state["kv_version"], 4);

    stack
        .set_metadata(PRIMARY, json!({ "max_versions": 2 }))
        .await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "z" }))
        .await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "0" }))
        .await;
    let apply = stack.apply();
    assert_eq!(
        warnings(&apply),
        [format!("Mint time of {PRIMARY_ID} is an estimate")]
    );
    assert_eq!(stack.attributes(AGENT)["minted_at_source"], "estimated");
}

#[tokio::test]
async fn days_mount_and_field_are_those_of_the_block_or_the_provider() {
    let stack = Stack::start("data-days").await;
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    stack.bao.must("POST", "sys/mounts/team/kv", engine).await;
    let fields = json!({ "other": token("other") });
    stack.bao.put("team/kv", "ci/agent", fields).await;
    let own = "data \"claude_oauth_token\" \"agent\" {
  path               = \"ci/agent\"
  mount              = \"team/kv\"
  field              = \"other\"
  lifetime_days      = 90
  rotate_before_days = 0
}
";
    stack.applied(own);
    let state = stack.attributes(AGENT);
    assert_eq!(state["id"], "team/kv/ci/agent#other");
    assert_eq!(state["rotate_at"], state["expires_at"]);
    let life = instant(&state["expires_at"]).duration_since(instant(&state["minted_at"]));
    assert_eq!(life, days(90));
    let provider = "  mount = \"team/kv\"\n  lifetime_days = 60\n  rotate_before_days = 10";
    let block =
        "data \"claude_oauth_token\" \"agent\" {\n  path  = \"ci/agent\"\n  field = \"other\"\n}\n";
    stack.write_with_provider(provider, block);
    stack.apply();
    let state = stack.attributes(AGENT);
    assert_eq!(state["id"], "team/kv/ci/agent#other");
    assert_eq!(state["lifetime_days"], 60);
    assert_eq!(state["rotate_before_days"], 10);
}

#[tokio::test]
async fn a_token_that_is_not_there_is_told_by_status_and_a_warning() {
    let stack = Stack::empty("data-missing").await;
    stack
        .put("deleted", json!({ FIELD: token("deleted") }))
        .await;
    stack.versions("delete", "deleted", &[1]).await;
    stack.put("no-field", json!({ "other": "x" })).await;
    stack.put("number", json!({ FIELD: 7 })).await;
    let (_, wrapped) = malformed("wrapped").swap_remove(0);
    stack.put("wrong", json!({ FIELD: wrapped })).await;
    stack.put("fine", json!({ FIELD: token("fine") })).await;
    let cases = [
        ("absent", "missing"),
        ("deleted", "missing"),
        ("no-field", "missing"),
        ("number", "malformed"),
        ("wrong", "malformed"),
    ];
    let paths: Vec<_> = cases
        .iter()
        .map(|(path, _)| *path)
        .chain(["fine"])
        .collect();
    let block = format!(
        "data \"claude_oauth_token\" \"agent\" {{\n  for_each = toset({paths:?})\n  path     = each.key\n}}\n"
    );
    let apply = stack.applied(&block);
    let mut told = warnings(&apply);
    told.sort();
    let mut expected =
        cases.map(|(path, status)| format!("Token secret/{path}#{FIELD} is {status}"));
    expected.sort();
    assert_eq!(told, expected);
    apply.says("vault kv undelete -mount=secret -versions=1 deleted");
    for (path, status) in cases {
        let state = stack.attributes(&format!("{AGENT}[\"{path}\"]"));
        assert_eq!(state["status"], status, "{path}");
        assert_eq!(state["external_secret_data"], entry(path));
        let found = FOUND.into_iter().filter(|name| *name != "status");
        assert_eq!(nulls(&state), found.collect::<Vec<_>>());
    }
    let mut search = LeakSearch::new();
    search.plant("wrong", &wrapped);
    apply.search(&mut search);
    stack.workspace.search(&mut search);
    search.assert_clean();

    let strict = block.replace(
        "each.key\n",
        "each.key\n  lifecycle {\n    postcondition {\n      condition     = self.fingerprint != null\n      error_message = \"No token.\"\n    }\n  }\n",
    );
    stack.write(&strict);
    let plan = stack.workspace.plan();
    plan.exits(1);
    assert_eq!(errors(&plan).len(), cases.len());
}

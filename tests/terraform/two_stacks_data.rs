//! One stack owns a token, another one delivers it and looks it up.

use serde_json::{Value, json};

use super::stack::{
    AGENT, FIELD, PRIMARY, SPARES, Stack, actions, change, differences, fingerprint, warnings,
};
use crate::support::secrets::{LeakSearch, token};
use crate::support::terraform::Workspace;

const MANIFEST: &str = "terraform_data.manifest";

/// The consumer: an object of any type, as a `kubernetes_manifest` takes, with a part of it that
/// only the apply of `generation` tells.
fn consumer(generation: u32) -> String {
    format!(
        "data \"claude_oauth_token\" \"agent\" {{
  path = \"{PRIMARY}\"
}}
resource \"terraform_data\" \"neighbour\" {{
  input            = \"unknown until applied\"
  triggers_replace = {generation}
}}
resource \"terraform_data\" \"manifest\" {{
  input = {{
    kind = \"ExternalSecret\"
    metadata = {{
      annotations = {{
        \"claude/fingerprint\" = data.claude_oauth_token.agent.fingerprint
        \"neighbour\"          = terraform_data.neighbour.id
      }}
    }}
    spec = {{
      data = concat(
        [
          {{
            secretKey = \"API_BEARER_TOKEN\"
            remoteRef = {{ key = \"{PRIMARY}\", property = \"api_bearer_token\" }}
          }},
        ],
        data.claude_oauth_token.agent.external_secret_data,
      )
    }}
  }}
}}
"
    )
}

fn owner(reason: &str) -> String {
    format!(
        "resource \"claude_oauth_token\" \"agent\" {{
  path                = \"{PRIMARY}\"
  spare_paths         = {SPARES:?}
  rotate_when_changed = {{ reason = {reason} }}
}}
"
    )
}

#[tokio::test]
async fn a_promotion_in_one_stack_is_the_fingerprint_in_the_other() {
    let owned = Stack::start("owner").await;
    owned.applied(&owner("\"none\""));
    let rules = format!("path \"secret/data/{PRIMARY}\" {{ capabilities = [\"read\"] }}");
    let mut workspace = Workspace::new("consumer");
    workspace.set("VAULT_ADDR", owned.bao.address());
    workspace.set(
        "VAULT_TOKEN",
        owned.bao.token_named("consumer", &rules).await,
    );
    let mut search = LeakSearch::new();
    for seed in ["primary", SPARES[0], SPARES[1]] {
        search.plant(seed, &token(seed));
    }

    // What the data source tells is known, whatever stands beside it.
    workspace.configure(&consumer(1));
    let plan = workspace.plan();
    plan.exits(2).search(&mut search);
    let planned = change(&workspace.show_json("saved.tfplan"), MANIFEST);
    let spec = json!({ "data": [
        { "secretKey": "API_BEARER_TOKEN",
          "remoteRef": { "key": PRIMARY, "property": "api_bearer_token" } },
        { "secretKey": "CLAUDE_CODE_OAUTH_TOKEN",
          "remoteRef": { "key": PRIMARY, "property": FIELD } },
    ] });
    let input = &planned["after"]["input"];
    assert_eq!(input["spec"], spec);
    let annotation = &input["metadata"]["annotations"]["claude/fingerprint"];
    assert_eq!(*annotation, fingerprint(&token("primary")));
    assert_eq!(
        planned["after_unknown"]["input"]["metadata"]["annotations"],
        json!({ "neighbour": true })
    );
    workspace.apply_saved().exits(0).search(&mut search);
    let quiet = workspace.plan();
    quiet.changes_nothing();
    assert_eq!(warnings(&quiet), [""; 0]);

    // The owner's own bookkeeping and its sibling fields move nothing here.
    owned
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    workspace.plan().changes_nothing();

    owned.applied(&owner("\"leaked\"")).says("1 changed");
    let state = owned.attributes(AGENT);
    assert_eq!(state["rotated_from"], SPARES[0]);
    owned.is_quiet();

    let plan = workspace.plan();
    plan.exits(2).search(&mut search);
    assert_eq!(
        plan.drift_lines(),
        [
            "# terraform_data.manifest will be updated in-place",
            "Plan: 0 to add, 1 to change, 0 to destroy."
        ]
    );
    let show = workspace.show_json("saved.tfplan");
    assert_eq!(actions(&show, "terraform_data.neighbour"), json!(["no-op"]));
    let planned = change(&show, MANIFEST);
    let (before, mut after) = (
        planned["before"]["input"].clone(),
        planned["after"]["input"].clone(),
    );
    assert_eq!(differences(&before, &after), ["metadata"]);
    let annotations = &mut after["metadata"]["annotations"];
    assert_eq!(annotations["claude/fingerprint"], state["fingerprint"]);
    annotations["claude/fingerprint"] =
        before["metadata"]["annotations"]["claude/fingerprint"].clone();
    assert_eq!(before, after);

    // Both stacks tell the same of the token, the consumer by what the owner stamped.
    workspace.apply_saved().exits(0).search(&mut search);
    let told = data(&workspace);
    for attribute in [
        "fingerprint",
        "minted_at",
        "expires_at",
        "rotate_at",
        "status",
        "rotated_from",
    ] {
        assert_eq!(told[attribute], state[attribute], "{attribute}");
    }
    assert_eq!(told["minted_at_source"], "stamp");
    workspace.plan().changes_nothing();
    owned.is_quiet();
    workspace.search(&mut search);
    search.assert_clean();
}

/// Returns what the data source told in the last apply.
fn data(workspace: &Workspace) -> Value {
    let state = workspace.state_json();
    let resources = state["values"]["root_module"]["resources"]
        .as_array()
        .unwrap();
    let mut resources = resources.iter();
    let data = resources.find(|resource| resource["mode"] == "data");
    data.unwrap()["values"].clone()
}

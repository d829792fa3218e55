//! Import: by id, by command, by identity, with and without further arguments.

use serde_json::{Value, json};

use jiff::Timestamp;
use terraform_provider_claude::clock;

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, POOL, POOL_BLOCK, PRIMARY, PRIMARY_ID, SPARES, Stack, actions,
    change, days, errors, fingerprint, stamp, unknown, warnings,
};
use crate::support::lacks;
use crate::support::secrets::token;

const BY_ID: &str = "import {
  to = claude_oauth_token.agent
  id = \"secret/claude-agent-service\"
}
import {
  to = claude_token_spare_pool.agent
  id = \"secret/claude-agent-service-spare-{1,2}\"
}
";

#[tokio::test]
async fn blocks_with_ids_import_and_change_nothing() {
    let stack = Stack::start("import").await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    stack.write(&format!("{BY_ID}{AGENT_BLOCK}{POOL_BLOCK}"));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy.");
    assert_eq!(warnings(&plan), [""; 0]);
    let planned = stack.workspace.show_json("saved.tfplan");
    for address in [AGENT, POOL] {
        assert_eq!(actions(&planned, address), json!(["no-op"]));
    }
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet_after_import();

    let imported = [stack.attributes(AGENT), stack.attributes(POOL)];
    assert_eq!(imported[0]["fingerprint"], fingerprint(&token("primary")));
    assert_eq!(imported[0]["kv_version"], 2);
    assert_eq!(
        imported[0]["minted_at"],
        stack.written_at(PRIMARY, 1).await.to_string()
    );
    assert_eq!(imported[1]["available_count"], 2);

    // What import knows of a token is what adoption knows.
    let other = Stack::start("import-twin").await;
    other
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    other.applied(&format!("{AGENT_BLOCK}{POOL_BLOCK}"));
    let mut adopted = [other.attributes(AGENT), other.attributes(POOL)];
    let mut imported = imported;
    for attributes in adopted.iter_mut().chain(&mut imported) {
        forget_instants(attributes);
    }
    assert_eq!(imported, adopted);
}

/// Replaces what differs from server to server.
fn forget_instants(value: &mut Value) {
    let Some(attributes) = value.as_object_mut() else {
        return;
    };
    for (name, value) in attributes {
        if name.ends_with("_at") || name.ends_with("_unix") || name.ends_with("_until") {
            *value = json!("some time");
        }
        // Which of two spares lasts longer depends on the second in which they were written.
        if name == "available_paths"
            && let Some(paths) = value.as_array_mut()
        {
            paths.sort_by_key(ToString::to_string);
        }
        forget_instants(value);
    }
}

#[tokio::test]
async fn the_command_imports_too() {
    let stack = Stack::start("import-command").await;
    stack.write(&format!("{AGENT_BLOCK}{POOL_BLOCK}"));
    stack
        .workspace
        .run(["import", AGENT, PRIMARY_ID])
        .exits(0)
        .says("Import successful!");
    stack
        .workspace
        .run(["import", POOL, "secret/claude-agent-service-spare-{1..2}"])
        .exits(0)
        .says("Import successful!");
    stack.is_quiet_after_import();
}

#[tokio::test]
async fn blocks_with_identities_import_too() {
    let stack = Stack::start("import-identity").await;
    if lacks("imports by identity", |host| host.import_by_identity) {
        return;
    }
    stack
        .put("other", json!({ "second_token": token("other") }))
        .await;
    stack.write(&format!(
        "import {{
  to       = {AGENT}
  identity = {{ path = \"{PRIMARY}\" }}
}}
import {{
  to       = {POOL}
  identity = {{ mount = \"secret\", paths = [\"{}\", \"{}\"] }}
}}
import {{
  to       = claude_oauth_token.other
  identity = {{ mount = \"secret\", path = \"other\", field = \"second_token\" }}
}}
{AGENT_BLOCK}{POOL_BLOCK}
resource \"claude_oauth_token\" \"other\" {{
  path  = \"other\"
  field = \"second_token\"
}}
",
        SPARES[0], SPARES[1]
    ));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 3 to import, 0 to add, 0 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet_after_import();
}

#[tokio::test]
async fn fields_and_mounts_with_slashes_are_told_apart() {
    let stack = Stack::start("import-mount").await;
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    stack
        .bao
        .must("POST", "sys/mounts/team/one/kv", engine)
        .await;
    for path in ["agents/primary", "agents/spare-1", "agents/spare-2"] {
        let fields = json!({ "second_token": token(path) });
        // A new engine answers 400 until it has upgraded itself.
        let target = format!("team/one/kv/data/{path}");
        let body = json!({ "data": fields });
        while stack.bao.call("POST", &target, body.clone()).await.0 == 400 {
            tokio::task::yield_now().await;
        }
    }
    stack.write(
        "import {
  to = claude_oauth_token.agent
  id = \"team/one/kv/agents/primary#second_token\"
}
import {
  to = claude_token_spare_pool.agent
  id = \"team/one/kv/agents/spare-{1..2}#second_token\"
}
resource \"claude_oauth_token\" \"agent\" {
  mount = \"team/one/kv\"
  path  = \"agents/primary\"
  field = \"second_token\"
}
resource \"claude_token_spare_pool\" \"agent\" {
  mount = \"team/one/kv\"
  paths = [\"agents/spare-1\", \"agents/spare-2\"]
  field = \"second_token\"
}
",
    );
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    stack.is_quiet_after_import();
    let attributes = stack.attributes(AGENT);
    assert_eq!(attributes["id"], "team/one/kv/agents/primary#second_token");
    assert_eq!(attributes["mount"], "team/one/kv");
    assert_eq!(
        attributes["external_secret_data"][0]["remoteRef"],
        json!({ "key": "agents/primary", "property": "second_token" })
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_imported() {
    let stack = Stack::start("import-missing").await;
    stack.versions("delete", SPARES[1], &[1]).await;
    stack.write(&format!("{BY_ID}{AGENT_BLOCK}{POOL_BLOCK}"));
    let plan = stack.workspace.plan();
    plan.exits(1)
        .says("- claude-agent-service-spare-1: available")
        .says(
            "- claude-agent-service-spare-2: Version 1 of secret/claude-agent-service-spare-2 was deleted.",
        )
        .says("vault kv undelete -mount=secret -versions=1 claude-agent-service-spare-2");
    assert_eq!(
        errors(&plan),
        [
            "Nothing to import at some paths of secret/claude-agent-service-spare-{1,2}#claude_oauth_token"
        ]
    );

    for (id, summary, detail) in [
        (
            "secret/nowhere",
            "Nothing to import at secret/nowhere#claude_oauth_token",
            "There is no secret at secret/nowhere.",
        ),
        (
            "secret/claude-agent-service#token",
            "Nothing to import at secret/claude-agent-service#token",
            "The secret has api_bearer_token, claude_oauth_token.",
        ),
        (
            "secret/data/claude-agent-service",
            "Nothing to import at secret/data/claude-agent-service#claude_oauth_token",
            "with the mount only once and without data/. This one would be:",
        ),
        (
            "claude-agent-service",
            "Invalid import id",
            "The id has no mount. Write it as <mount>/<path>[#field], such as \
             secret/claude-agent-service.",
        ),
    ] {
        let run = stack.workspace.run(["import", AGENT, id]);
        run.exits(1).says(detail);
        assert_eq!(errors(&run), [summary]);
    }
    assert!(!stack.workspace.folder().join("terraform.tfstate").exists());
}

#[tokio::test]
async fn a_path_with_its_mount_or_data_is_in_doubt_before_anything_is_created() {
    let stack = Stack::start("path-in-doubt").await;
    stack.write(
        "resource \"claude_oauth_token\" \"agent\" {\n  path = \
         \"secret/data/claude-agent-service\"\n}\nresource \"claude_token_spare_pool\" \
         \"agent\" {\n  paths = [\"data/claude-agent-service-spare-1\"]\n}\n",
    );
    let plan = stack.workspace.plan();
    plan.exits(2).says(
        "This one would be claude-agent-service, which is the secret secret/claude-agent-service.",
    );
    let mut told = warnings(&plan);
    told.sort();
    assert_eq!(
        told,
        [
            "Path of secret/data/claude-agent-service-spare-1#claude_oauth_token may be wrong",
            "Path of secret/secret/data/claude-agent-service#claude_oauth_token may be wrong",
        ]
    );
}

#[tokio::test]
async fn further_arguments_are_one_change_of_the_state() {
    let stack = Stack::start("import-more").await;
    let minted_at = stack.written_at(PRIMARY, 1).await;
    let before = [
        stack.everything(PRIMARY).await,
        stack.everything(SPARES[0]).await,
    ];
    stack.write(&format!(
        "{BY_ID}
resource \"claude_oauth_token\" \"agent\" {{
  path               = \"claude-agent-service\"
  secret_key         = \"AGENT_TOKEN\"
  remote_key         = \"secret/claude-agent-service\"
  rotate_before_days = 14
  on_rotation_due    = \"warn\"
}}
resource \"claude_token_spare_pool\" \"agent\" {{
  paths             = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]
  min_available     = 1
  on_shortage       = \"warn\"
  secret_key_prefix = \"SPARE_\"
}}
"
    ));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 2 to import, 0 to add, 2 to change, 0 to destroy.");
    let planned = stack.workspace.show_json("saved.tfplan");
    let agent = change(&planned, AGENT);
    assert_eq!(agent["actions"], json!(["update"]));
    // The status alone needs a clock; the token itself is known.
    assert_eq!(unknown(&agent), ["status"]);
    assert_eq!(
        agent["after"]["rotate_at"],
        (minted_at + days(351)).to_string()
    );
    assert_eq!(
        agent["after"]["fingerprint"],
        fingerprint(&token("primary"))
    );
    let pool = change(&planned, POOL);
    assert_eq!(unknown(&pool), [""; 0]);
    assert_eq!(
        pool["after"]["external_secret_data"][1]["secretKey"],
        "SPARE_2"
    );

    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["status"], "in_date");
    stack.is_quiet();
    let after = [
        stack.everything(PRIMARY).await,
        stack.everything(SPARES[0]).await,
    ];
    assert_eq!(before, after);
}

/// An import of the primary that brings a mint time along.
fn import_minted_at(minted_at: Timestamp) -> String {
    format!(
        "import {{
  to = {AGENT}
  id = \"secret/{PRIMARY}\"
}}
resource \"claude_oauth_token\" \"agent\" {{
  path            = \"{PRIMARY}\"
  token_minted_at = \"{minted_at}\"
}}
"
    )
}

#[tokio::test]
async fn a_mint_time_in_the_configuration_is_bound_at_import() {
    let stack = Stack::start("import-minted").await;
    let minted_at = stack.written_at(PRIMARY, 1).await - days(10);
    stack.write(&import_minted_at(minted_at));
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.");
    let agent = change(&stack.workspace.show_json("saved.tfplan"), AGENT);
    assert_eq!(unknown(&agent), ["status"]);
    assert_eq!(agent["after"]["minted_at_source"], "config");
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.instant(AGENT, "minted_at"), minted_at);
    assert_eq!(stack.instant(AGENT, "expires_at"), minted_at + days(365));
    stack.is_quiet();
}

#[tokio::test]
async fn configuration_is_generated() {
    let stack = Stack::start("import-generated").await;
    stack.write(BY_ID);
    let plan = stack.workspace.run([
        "plan",
        "-generate-config-out",
        "generated.tf",
        "-out",
        "saved.tfplan",
    ]);
    plan.exits(0)
        .says("Plan: 2 to import, 0 to add, 0 to change, 0 to destroy.");
    stack.workspace.apply_saved().exits(0);
    let generated = std::fs::read_to_string(stack.workspace.folder().join("generated.tf")).unwrap();
    let names: Vec<_> = generated
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.trim())
        .collect();
    // What is computed alone is not written down.
    for name in ["id", "fingerprint", "external_secret_data", "spares"] {
        assert!(!names.contains(&name), "{generated}");
    }
    stack.is_quiet_after_import();
}

#[tokio::test]
async fn a_mint_time_at_import_yields_to_a_stamp_and_says_so() {
    let stack = Stack::start("import-stamped").await;
    let stamped_at = stack.written_at(PRIMARY, 1).await - days(300);
    let stamp = stamp(&token("primary"), stamped_at);
    let key = format!("{FIELD}.minted_at");
    stack.set_metadata(PRIMARY, stamp).await;
    for (minted_at, doubts) in [
        (
            stamped_at + days(280),
            vec![format!("Mint time of {PRIMARY_ID} is in doubt")],
        ),
        (stamped_at + days(1), Vec::new()),
    ] {
        stack.write(&import_minted_at(minted_at));
        let plan = stack.workspace.plan();
        plan.exits(2)
            .says("Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.");
        assert_eq!(warnings(&plan), doubts);
        if !doubts.is_empty() {
            plan.says("the stamp takes precedence");
        }
        stack.workspace.apply_saved().exits(0);
        assert_eq!(stack.instant(AGENT, "minted_at"), stamped_at);
        assert_eq!(stack.attributes(AGENT)["minted_at_source"], "stamp");
        let target = format!("secret/metadata/{PRIMARY}");
        let metadata = stack.bao.must("GET", &target, Value::Null).await;
        let stamped = &metadata["data"]["custom_metadata"][&key];
        assert_eq!(*stamped, json!(stamped_at.to_string()));
        stack.is_quiet();
        stack.workspace.run(["state", "rm", AGENT]).exits(0);
    }
}

/// The run that imports takes no argument for a request, with or without a refresh, and a host
/// that plans twice gets one answer.
#[tokio::test]
async fn arguments_that_follow_an_import_without_a_refresh_request_nothing() {
    for (name, more) in [
        (
            "import-then-request",
            format!(
                "  spare_paths = [{:?}]\n  rotate_when_changed = {{ leak = \"1\" }}\n",
                SPARES[0]
            ),
        ),
        (
            "import-then-mint",
            "  token_minted_at = \"2026-01-01T00:00:00Z\"\n".to_owned(),
        ),
    ] {
        let stack = Stack::start(name).await;
        let at = clock::now() - days(100);
        stack
            .set_metadata(PRIMARY, stamp(&token("primary"), at))
            .await;
        stack.write(&format!(
            "import {{\n  to = {AGENT}\n  id = {PRIMARY_ID:?}\n}}\n{AGENT_BLOCK}"
        ));
        stack.workspace.plan().exits(2);
        stack.workspace.apply_saved().exits(0);
        let fingerprint = stack.attributes(AGENT)["fingerprint"].clone();
        stack.write(&format!(
            "resource \"claude_oauth_token\" \"agent\" {{\n  path = \"{PRIMARY}\"\n{more}}}\n"
        ));
        for _ in 0..2 {
            let apply = stack
                .workspace
                .run(["apply", "-refresh=false", "-auto-approve"]);
            apply.exits(0).omits("Provider produced");
            assert_eq!(stack.attributes(AGENT)["fingerprint"], fingerprint);
        }
        stack.is_quiet();
    }
}

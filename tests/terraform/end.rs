//! What is destroyed or replaced in Terraform stays in Vault.

use serde_json::{Value, json};

use super::stack::{
    AGENT, AGENT_BLOCK, FIELD, POOL_BLOCK, PRIMARY, PRIMARY_ID, SPARES, Stack, fingerprint,
    warnings,
};
use crate::support::secrets::token;

#[tokio::test]
async fn destroying_leaves_every_byte_in_vault() {
    let stack = Stack::start("destroy").await;
    stack
        .set_metadata(PRIMARY, json!({ "custom_metadata": { "owner": "agents" } }))
        .await;
    stack
        .patch(PRIMARY, json!({ "api_bearer_token": "second" }))
        .await;
    let everything = async || {
        [
            stack.everything(PRIMARY).await,
            stack.everything(SPARES[0]).await,
            stack.everything(SPARES[1]).await,
        ]
    };
    let before = everything().await;
    stack.applied(&format!("{AGENT_BLOCK}{POOL_BLOCK}"));
    let expires_at = stack.instant(AGENT, "expires_at");

    let stays = [
        format!("Spares secret/claude-agent-service-spare-{{1,2}}#{FIELD} stay in Vault"),
        format!("Token {PRIMARY_ID} stays in Vault"),
    ];
    let plan = stack
        .workspace
        .run(["plan", "-destroy", "-detailed-exitcode"]);
    plan.exits(2).says(&format!(
        "It works until {expires_at} for everyone who has it."
    ));
    let mut told = warnings(&plan);
    told.sort();
    assert_eq!(told, stays, "{}", plan.transcript());

    let destroy = stack.workspace.destroy();
    destroy
        .exits(0)
        .says("Destroy complete! Resources: 2 destroyed.");
    let mut told = warnings(&destroy);
    told.sort();
    assert_eq!(told, stays, "{}", destroy.transcript());
    assert_eq!(everything().await, before);

    // Adopted again, it is the token that it was.
    stack.apply();
    assert_eq!(stack.instant(AGENT, "expires_at"), expires_at);
    stack.is_quiet();

    // A resource that leaves the configuration is forgotten as well.
    let apply = stack.applied(POOL_BLOCK);
    apply.says(&stays[1]);
    assert_eq!(everything().await, before);
}

#[tokio::test]
async fn a_secret_that_is_gone_does_not_stay_in_vault() {
    let stack = Stack::start("destroy-gone").await;
    stack.applied(AGENT_BLOCK);
    let metadata = format!("secret/metadata/{PRIMARY}");
    stack.bao.must("DELETE", &metadata, Value::Null).await;
    let destroy = stack.workspace.destroy();
    destroy.exits(0);
    let told = warnings(&destroy);
    assert!(
        !told.iter().any(|told| told.contains("stays in Vault")),
        "{told:?}"
    );
}

#[tokio::test]
async fn another_path_forgets_one_token_and_adopts_another() {
    let stack = Stack::start("replace").await;
    stack.applied(AGENT_BLOCK);
    let before = [
        stack.everything(PRIMARY).await,
        stack.everything(SPARES[0]).await,
    ];
    stack.write(&AGENT_BLOCK.replace(PRIMARY, SPARES[0]));
    let plan = stack.workspace.plan();
    plan.exits(2);
    assert_eq!(
        plan.drift_lines(),
        [
            "# claude_oauth_token.agent must be replaced",
            "Plan: 1 to add, 0 to change, 1 to destroy."
        ]
    );
    assert_eq!(
        warnings(&plan),
        [format!("Token {PRIMARY_ID} stays in Vault")]
    );
    stack.workspace.apply_saved().exits(0);
    let replaced = stack.attributes(AGENT);
    assert_eq!(replaced["fingerprint"], fingerprint(&token(SPARES[0])));
    assert_eq!(replaced["kv_version"], 1);
    assert_eq!(replaced["remote_key"], SPARES[0]);
    stack.is_quiet();
    let after = [
        stack.everything(PRIMARY).await,
        stack.everything(SPARES[0]).await,
    ];
    assert_eq!(after, before);
}

#[tokio::test]
async fn another_field_replaces_too() {
    let stack = Stack::start("replace-field").await;
    stack
        .patch(PRIMARY, json!({ "second_token": token("second") }))
        .await;
    stack.applied(AGENT_BLOCK);
    stack.write(
        "resource \"claude_oauth_token\" \"agent\" {
  path  = \"claude-agent-service\"
  field = \"second_token\"
}
",
    );
    let plan = stack.workspace.plan();
    plan.exits(2)
        .says("# claude_oauth_token.agent must be replaced");
    stack.workspace.apply_saved().exits(0);
    let replaced = stack.attributes(AGENT);
    assert_eq!(replaced["fingerprint"], fingerprint(&token("second")));
    assert_eq!(
        replaced["minted_at"],
        stack.written_at(PRIMARY, 2).await.to_string()
    );
    stack.is_quiet();
}

#[tokio::test]
async fn a_token_that_is_gone_already_can_be_forgotten() {
    let stack = Stack::start("destroy-gone").await;
    stack.applied(&format!("{AGENT_BLOCK}{POOL_BLOCK}"));
    for path in [PRIMARY, SPARES[0], SPARES[1]] {
        let target = format!("secret/metadata/{path}");
        stack
            .bao
            .must("DELETE", &target, serde_json::Value::Null)
            .await;
    }
    stack
        .workspace
        .destroy()
        .exits(0)
        .says("Destroy complete! Resources: 2 destroyed.");
}

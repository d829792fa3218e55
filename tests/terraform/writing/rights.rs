//! Rights that are missing: what goes on without them, and what is told.

use super::super::stack::{
    AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, errors, fingerprint, stamp,
};
use super::{BOTH, aged, agent, ago, marks, metadata, news, short};
use crate::support::lacks;
use crate::support::openbao::OpenBao;
use crate::support::secrets::token;

const DATA: &str = r#"
path "secret/data/*" { capabilities = ["read"] }
path "secret/data/claude-agent-service" { capabilities = ["read", "update"] }
"#;
const PRIMARY_METADATA: &str =
    r#"path "secret/metadata/claude-agent-service" { capabilities = ["patch"] }"#;
const SPARE_METADATA: &str =
    r#"path "secret/metadata/claude-agent-service-spare-*" { capabilities = ["patch"] }"#;

/// A token that is due, in the state, and a user who has these rights alone from now on.
async fn with_rights(name: &str, rules: &[&str]) -> Stack {
    let mut stack = aged(name, 340).await;
    stack.applied(&agent(BOTH));
    let user = stack.bao.token(&rules.concat()).await;
    stack.workspace.set("VAULT_TOKEN", user);
    stack
}

fn requesting(request: u32) -> String {
    agent(&format!(
        "{BOTH}  rotate_when_changed = {{ leak = \"{request}\" }}\n"
    ))
}

#[tokio::test]
async fn the_documented_rights_are_enough() {
    let stack = with_rights("rights-enough", &[DATA, PRIMARY_METADATA, SPARE_METADATA]).await;
    let apply = stack.apply();
    assert_eq!(news(&apply), [""; 0], "{}", apply.transcript());
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(marks(&stack, SPARES[0]).await.len(), 1);
    stack.is_quiet();
}

#[tokio::test]
async fn a_spare_that_cannot_be_marked_is_used_with_a_warning() {
    let stack = with_rights("rights-marks", &[DATA, PRIMARY_METADATA]).await;
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply
        .exits(0)
        .says("Make sure that no other primary uses these spares")
        .says("Vault denied `patch` on `secret/metadata/claude-agent-service-spare-1`")
        .says(
            "path \"secret/metadata/claude-agent-service-spare-1\" { capabilities = [\"patch\"] }",
        );
    assert_eq!(
        news(&apply),
        [format!("Promotion into {PRIMARY_ID} left no marks")]
    );
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(marks(&stack, SPARES[0]).await, []);
    // Its own metadata can be written, so the stamp tells of the new token.
    let entries = metadata(&stack, PRIMARY).await;
    assert_eq!(
        entries[&format!("{FIELD}.fingerprint")],
        short(&token(SPARES[0]))
    );
    assert_eq!(entries[&format!("{FIELD}.rotated_from")], SPARES[0]);
    stack.is_quiet();
}

#[tokio::test]
async fn without_any_metadata_rights_it_goes_on_with_warnings() {
    let stack = with_rights("rights-metadata", &[DATA]).await;
    let before = metadata(&stack, PRIMARY).await;
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply
        .exits(0)
        .says(
            "path \"secret/metadata/claude-agent-service-spare-1\" { capabilities = [\"patch\"] }",
        )
        .says("path \"secret/metadata/claude-agent-service\" { capabilities = [\"patch\"] }");
    assert_eq!(
        news(&apply)[0],
        format!("Promotion into {PRIMARY_ID} left no marks")
    );
    let state = stack.attributes(AGENT);
    assert_eq!(state["rotated_from"], SPARES[0]);
    assert_eq!(state["minted_at_source"], "promotion");
    assert_eq!(metadata(&stack, PRIMARY).await, before);
    stack.is_quiet();
}

#[tokio::test]
async fn a_primary_that_cannot_be_stamped_is_promoted_with_a_warning() {
    let stack = with_rights("rights-stamp", &[DATA, SPARE_METADATA]).await;
    let before = metadata(&stack, PRIMARY).await;
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply
        .exits(0)
        .says("Vault denied `patch` on `secret/metadata/claude-agent-service`")
        .says(&format!(
            "--stamp-only --minted-at={}",
            stack.instant(AGENT, "minted_at")
        ));
    assert_eq!(
        news(&apply),
        [format!("Token {PRIMARY_ID} was not stamped")],
        "{}",
        apply.transcript()
    );
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    assert_eq!(metadata(&stack, PRIMARY).await, before);
    assert_eq!(marks(&stack, SPARES[0]).await.len(), 1);
    stack.is_quiet();
}

#[tokio::test]
async fn a_primary_that_cannot_be_written_takes_everything_back() {
    let read = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    let mut stack = with_rights("rights-write", &[read, PRIMARY_METADATA, SPARE_METADATA]).await;
    let before = [
        metadata(&stack, PRIMARY).await,
        metadata(&stack, SPARES[0]).await,
        metadata(&stack, SPARES[1]).await,
    ];
    let state = stack.attributes(AGENT);
    let refusal = |run: &crate::support::terraform::Run| {
        run.says("Vault denied `update` on `secret/data/claude-agent-service`")
            .says("path \"secret/data/claude-agent-service\" { capabilities = [\"update\"] }");
    };
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply
        .exits(0)
        .says("The current token has not expired, so it was kept.");
    refusal(&apply);
    assert_eq!(news(&apply), [format!("Vault denied access: {PRIMARY_ID}")]);
    let after = stack.attributes(AGENT);
    assert_eq!(after["fingerprint"], state["fingerprint"]);
    assert_eq!(after["rotation_reason"], "rotation_due");
    stack.workspace.plan().exits(2);

    // Asked for by name, it fails, until the right is granted.
    stack.write(&requesting(1));
    let apply = stack.workspace.apply();
    apply.exits(1);
    refusal(&apply);
    assert_eq!(
        errors(&apply),
        [format!("Vault denied access: {PRIMARY_ID}")]
    );
    stack
        .workspace
        .plan()
        .exits(2)
        .says("rotation_reason = \"requested\"");
    // The announcement of a token that did not come says nothing.
    let mut primary = metadata(&stack, PRIMARY).await;
    assert!(primary.remove(&format!("{FIELD}.next")).is_some());
    assert_eq!(
        [
            primary,
            metadata(&stack, SPARES[0]).await,
            metadata(&stack, SPARES[1]).await,
        ],
        before
    );
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    stack.workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    stack.apply();
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    stack.is_quiet();
}

/// Nothing was promoted, so that nothing is said of what a promotion would have been without.
#[tokio::test]
async fn a_refused_promotion_tells_of_nothing_that_did_not_happen() {
    let read = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    let stack = with_rights("rights-read", &[read]).await;
    stack.write(&requesting(1));
    let apply = stack.workspace.apply();
    apply
        .exits(1)
        .says("Vault denied `update` on `secret/data/claude-agent-service`");
    assert_eq!(
        errors(&apply),
        [format!("Vault denied access: {PRIMARY_ID}")]
    );
    let told = apply.transcript();
    for consequence in ["left no marks", "was not stamped"] {
        assert!(!told.contains(consequence), "{told}");
    }
}

/// The lines that grant it are there once, and each spare is named.
#[tokio::test]
async fn spares_that_cannot_be_read_are_listed_with_what_grants_it() {
    let deny = r#"path "secret/data/claude-agent-service-spare-*" { capabilities = ["deny"] }"#;
    let stack = with_rights("rights-spares", &[DATA, PRIMARY_METADATA, deny]).await;
    let refusal = |run: &crate::support::terraform::Run| {
        run.says("- claude-agent-service-spare-1: Vault denied `read` on")
            .says("path \"secret/data/claude-agent-service-spare-1\" { capabilities = [\"read\"] }")
            .says("- claude-agent-service-spare-2: Vault denied access:");
    };
    let plan = stack.workspace.plan();
    plan.exits(2).says("no spare can be used:");
    refusal(&plan);
    stack.write(&requesting(1));
    let apply = stack.workspace.apply();
    apply.exits(1).says("no spare can be promoted:");
    refusal(&apply);
    assert_eq!(errors(&apply), [format!("No spare for {PRIMARY_ID}")]);
}

#[tokio::test]
async fn an_expired_token_that_cannot_be_written_fails_the_apply() {
    let mut stack = aged("rights-expired", 366).await;
    stack.applied(&agent(BOTH));
    let rules = r#"
path "secret/data/*" { capabilities = ["read"] }
path "secret/metadata/*" { capabilities = ["patch"] }
"#;
    let user = stack.bao.token(rules).await;
    stack.workspace.set("VAULT_TOKEN", user);
    let apply = stack.workspace.apply();
    apply.exits(1);
    assert_eq!(
        errors(&apply),
        [format!("Vault denied access: {PRIMARY_ID}")]
    );
    assert_eq!(stack.current_version(PRIMARY).await, 1);
    assert_eq!(marks(&stack, SPARES[0]).await, []);
}

#[tokio::test]
async fn where_a_merge_is_refused_metadata_is_read_and_written_back() {
    let rules = r#"path "secret/metadata/*" { capabilities = ["read", "create", "update"] }"#;
    let stack = with_rights("rights-replace", &[DATA, rules]).await;
    stack.workspace.plan().exits(2);
    let apply = stack.workspace.apply_saved();
    apply
        .exits(0)
        .says("That is safe while only one primary uses these spares.")
        .says("path \"secret/metadata/*\" { capabilities = [\"patch\"] }");
    let told = news(&apply);
    let summary = format!("Metadata for {PRIMARY_ID} was written back as a whole");
    assert!(
        !told.is_empty() && told.iter().all(|told| *told == summary),
        "{told:?}"
    );
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[0]);
    let spare = metadata(&stack, SPARES[0]).await;
    assert_eq!(spare["owner"], "team");
    assert_eq!(
        spare[&format!("{FIELD}.fingerprint")],
        short(&token(SPARES[0]))
    );
    assert_eq!(marks(&stack, SPARES[0]).await.len(), 1);
    let primary = metadata(&stack, PRIMARY).await;
    assert_eq!(primary["owner"], "team");
    assert_eq!(primary[&format!("{FIELD}.rotated_from")], SPARES[0]);
    stack.is_quiet();
}

#[tokio::test]
async fn without_stamps_no_metadata_is_written_at_all() {
    let stack = aged("rights-none", 340).await;
    let configuration = agent(&format!("{BOTH}  stamp_metadata = false\n"));
    let before = [
        metadata(&stack, PRIMARY).await,
        metadata(&stack, SPARES[0]).await,
    ];
    stack.applied(&configuration);
    let plan = stack.workspace.plan();
    plan.exits(2);
    let apply = stack.workspace.apply_saved();
    apply.exits(0).says("stamp_metadata is false.");
    assert_eq!(
        news(&apply),
        [format!("Promotion into {PRIMARY_ID} left no marks")]
    );
    let state = stack.attributes(AGENT);
    assert_eq!(state["fingerprint"], fingerprint(&token(SPARES[0])));
    assert_eq!(state["rotated_from"], SPARES[0]);
    assert_eq!(
        [
            metadata(&stack, PRIMARY).await,
            metadata(&stack, SPARES[0]).await
        ],
        before
    );
    stack.is_quiet();
    // A token that was used is not used again, mark or not.
    stack
        .set_metadata(SPARES[1], stamp(&token(SPARES[1]), ago(400)))
        .await;
    stack.write(&agent(&format!(
        "{BOTH}  stamp_metadata = false\n  rotate_when_changed = {{ leak = \"1\" }}\n"
    )));
    stack
        .workspace
        .apply()
        .exits(1)
        .says("no spare can be promoted:");
}

#[tokio::test]
async fn a_spare_that_cannot_be_read_is_passed_over() {
    let rules = r#"
path "secret/data/claude-agent-service-spare-1" { capabilities = ["deny"] }
"#;
    let stack = with_rights(
        "rights-spare",
        &[DATA, PRIMARY_METADATA, SPARE_METADATA, rules],
    )
    .await;
    stack.workspace.plan().exits(2).says(SPARES[1]);
    stack.workspace.apply_saved().exits(0);
    assert_eq!(stack.attributes(AGENT)["rotated_from"], SPARES[1]);
}

#[tokio::test]
async fn a_store_without_rights_says_which() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let mut stack = Stack::start("rights-store").await;
    let user = stack
        .bao
        .token(r#"path "secret/data/*" { capabilities = ["read"] }"#)
        .await;
    stack.workspace.set("VAULT_TOKEN", user);
    stack.write(&format!(
        "resource \"claude_oauth_token\" \"new\" {{\n  path = \"new\"\n  token_wo = {:?}\n  \
         token_wo_version = 1\n}}\n",
        token("new")
    ));
    let apply = stack.workspace.apply();
    apply
        .exits(1)
        .says("path \"secret/data/new\" { capabilities = [\"")
        .says("Nothing was changed.");
    assert_eq!(
        errors(&apply),
        ["Vault denied access: secret/new#claude_oauth_token"]
    );
}

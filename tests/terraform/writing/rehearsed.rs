//! With `TF_CLAUDE_NOW` set nothing is written, whatever is asked for.

use serde_json::Value;
use terraform_provider_claude::env::TF_CLAUDE_NOW;

use super::super::stack::{
    AGENT, AGENT_BLOCK, PRIMARY, PRIMARY_ID, SECOND, SPARES, Stack, errors, fingerprint, warnings,
};
use super::{BOTH, agent, news, now};
use crate::support::lacks;
use crate::support::secrets::token;

async fn all(stack: &Stack) -> Vec<Value> {
    let mut all = Vec::new();
    for path in [PRIMARY, SPARES[0], SPARES[1]] {
        all.push(stack.everything(path).await);
    }
    all
}

#[tokio::test]
async fn creation_writes_nothing() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("rehearse-create").await;
    let now = now();
    let before = all(&stack).await;
    stack.write(&format!("{AGENT_BLOCK}{}", super::super::stack::POOL_BLOCK));
    let apply = stack.apply_at(now + super::days(1));
    apply.exits(0).says("TF_CLAUDE_NOW sets the date");
    assert_eq!(warnings(&apply), [""; 0]);
    assert_eq!(all(&stack).await, before);

    // A token to store is refused by name.
    stack.write(&format!(
        "resource \"claude_oauth_token\" \"new\" {{\n  path = \"new\"\n  token_wo = {:?}\n  \
         token_wo_version = 1\n}}\nresource \"claude_token_spare_pool\" \"new\" {{\n  paths = \
         [\"new-1\"]\n  tokens_wo = {{ \"new-1\" = {:?} }}\n  tokens_wo_version = 1\n}}\n{AGENT_BLOCK}",
        token("new"),
        token("new-1"),
    ));
    let apply = stack.apply_at(now + super::days(1));
    apply.exits(1).says("Unset it and run this again.");
    let mut told = errors(&apply);
    told.sort();
    assert_eq!(
        told,
        [
            "Token was not stored at secret/new#claude_oauth_token",
            "Token was not stored at secret/new-1#claude_oauth_token"
        ]
    );
    for path in ["new", "new-1"] {
        let target = format!("secret/metadata/{path}");
        assert_eq!(stack.bao.call("GET", &target, Value::Null).await.0, 404);
    }
    assert_eq!(all(&stack).await, before);
}

#[tokio::test]
async fn rotations_write_nothing() {
    let stack = Stack::start("rehearse-rotate").await;
    stack.applied(&agent(BOTH));
    let before = all(&stack).await;
    let rotate_at = stack.instant(AGENT, "rotate_at");
    let expires_at = stack.instant(AGENT, "expires_at");
    let summary = format!("Token {PRIMARY_ID} was not rotated");

    // Spares of the same day are due themselves by then; longer lives are for this test alone.
    let longer = agent(&format!(
        "{BOTH}  rotate_when_changed = {{ leak = \"1\" }}\n"
    ));
    stack.write(&longer);
    let apply = stack.apply_at(rotate_at);
    apply.exits(1).says("TF_CLAUDE_NOW is set");
    assert_eq!(errors(&apply), [summary.as_str()]);
    assert_eq!(all(&stack).await, before);
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("primary"))
    );

    // For a date's sake it is a warning while the token works.
    stack.write(&agent(
        &BOTH.replace("spare_paths = [", "spare_paths = [\"young\", "),
    ));
    let young = stack
        .put("young", serde_json::json!({ super::FIELD: token("young") }))
        .await;
    assert_eq!(young, 1);
    let apply = stack.apply_at(rotate_at);
    apply.exits(0);
    assert_eq!(news(&apply), [summary.as_str()], "{}", apply.transcript());
    apply.says("The current token has not expired, so it was kept.");
    let apply = stack.apply_at(expires_at - SECOND);
    apply.exits(0);
    let apply = stack.apply_at(expires_at);
    apply.exits(1);
    assert_eq!(all(&stack).await, before);
    assert_eq!(
        stack.everything("young").await["metadata"]["custom_metadata"],
        Value::Null
    );
    assert_eq!(
        stack.attributes(AGENT)["fingerprint"],
        fingerprint(&token("primary"))
    );
}

#[tokio::test]
async fn other_changes_write_nothing() {
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let stack = Stack::start("rehearse-change").await;
    stack.applied(AGENT_BLOCK);
    let before = all(&stack).await;
    let now = now() + super::days(1);
    let minted_at = super::ago(20);
    stack.write(&agent(&format!(
        "  token_minted_at = \"{minted_at}\"\n  lifetime_days = 90\n"
    )));
    let apply = stack.apply_at(now);
    apply.exits(0);
    assert_eq!(warnings(&apply), [""; 0]);
    assert_eq!(
        stack.instant(AGENT, "expires_at"),
        minted_at + super::days(90)
    );
    assert_eq!(all(&stack).await, before);
    stack.write(&agent(&format!(
        "  token_wo = {:?}\n  token_wo_version = 1\n",
        token("new")
    )));
    let apply = stack.apply_at(now);
    apply.exits(1);
    assert_eq!(
        errors(&apply),
        [format!("Token was not stored at {PRIMARY_ID}")]
    );
    assert_eq!(all(&stack).await, before);
    assert_eq!(stack.attributes(AGENT)["token_wo_version"], Value::Null);
}

/// A plan, or a refresh, that was made for another date, and an apply of the present.
#[tokio::test]
async fn what_was_rehearsed_spends_no_spare() {
    let stack = Stack::start("rehearse-old").await;
    let minted_at = now() - super::days(300);
    let stamp = super::super::stack::stamp(&token("primary"), minted_at);
    stack.set_metadata(PRIMARY, stamp).await;
    stack.applied(&agent(BOTH));
    let before = all(&stack).await;
    let later = now() + super::days(40);
    stack.plan_at(later).exits(2);
    let apply = stack.workspace.apply_saved();
    apply.exits(0);
    let kept = format!("Token {PRIMARY_ID} is not due, so it was kept");
    assert!(news(&apply).contains(&kept), "{}", apply.transcript());
    assert_eq!(all(&stack).await, before);

    let refresh = stack
        .workspace
        .command(["apply", "-refresh-only", "-auto-approve"]);
    refresh.env(TF_CLAUDE_NOW, later.to_string()).run().exits(0);
    assert_eq!(stack.attributes(AGENT)["status"], "rotation_due");
    let apply = stack
        .workspace
        .run(["apply", "-refresh=false", "-auto-approve"]);
    apply.exits(0);
    assert!(news(&apply).contains(&kept), "{}", apply.transcript());
    assert_eq!(all(&stack).await, before);
    stack.workspace.plan().changes_nothing();
}

//! Tokens that a stack looks up and does not manage.

mod many;
mod one;
mod refused;

use serde_json::Value;

use super::stack::{Stack, warnings};

/// A policy that reads every secret and nothing else.
const READER: &str = r#"path "secret/data/*" { capabilities = ["read"] }"#;

/// Has the stack use a Vault token with these rules.
async fn limited(stack: &mut Stack, rules: &str) {
    let token = stack.bao.token_named("limited", rules).await;
    stack.workspace.set("VAULT_TOKEN", token);
}

/// Demands that a plan neither changes nor warns of anything. Of `-refresh-only` only the words
/// count: Terraform 1.15 answers 2 for every configuration with a data source, its own
/// `terraform_remote_state` among them.
#[track_caller]
fn is_quiet(stack: &Stack) {
    let plan = stack.workspace.plan();
    plan.changes_nothing();
    assert_eq!(warnings(&plan), [""; 0], "{}", plan.transcript());
    stack.refresh_only().says("No changes.");
}

/// Returns the requests for secrets and folders since `before`, in order.
fn asked(stack: &Stack, before: usize) -> Vec<String> {
    let requests = stack.bao.requests().split_off(before);
    let mut asked: Vec<_> = requests
        .into_iter()
        .filter(|request| request.path.starts_with("secret/"))
        .map(|request| format!("{} {}", request.operation, request.path))
        .collect();
    asked.sort();
    asked
}

/// Returns the names of the attributes that are null.
fn nulls(attributes: &Value) -> Vec<&str> {
    let attributes = attributes.as_object().unwrap().iter();
    let nulls = attributes.filter(|(_, value)| value.is_null());
    nulls.map(|(name, _)| name.as_str()).collect()
}

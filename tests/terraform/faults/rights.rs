//! Missing rights, and the lines that grant them.

use serde_json::json;

use super::{Stack, about};
use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::terraform::Workspace;

const AGENT: &str = r#"
resource "claude_oauth_token" "agent" {
  path = "team/agent"
}

resource "claude_token_spare_pool" "spares" {
  paths        = ["team/spare-1", "team/spare-2"]
  primary_path = "team/agent"
}
"#;

async fn server() -> (OpenBao, Workspace) {
    let bao = OpenBao::start().await;
    for path in ["team/agent", "team/spare-1", "team/spare-2"] {
        // Another field was written first and last, so that dating needs older versions.
        for fields in [
            json!({ "other": "first" }),
            json!({ "other": "first", "claude_oauth_token": token(path) }),
            json!({ "other": "last", "claude_oauth_token": token(path) }),
        ] {
            bao.put("secret", path, fields).await;
        }
    }
    let mut workspace = Workspace::new("rights");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.configure(AGENT);
    (bao, workspace)
}

#[tokio::test]
async fn reading_the_data_is_all_the_right_that_is_needed() {
    let (bao, mut workspace) = server().await;
    let rules = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    workspace.set("VAULT_TOKEN", bao.token_named("reader", rules).await);
    workspace.plan().exits(2);
    workspace.apply_saved().exits(0).omits("Warning: Mint time");
    workspace
        .plan()
        .changes_nothing()
        .omits("Warning: Vault")
        .omits("Warning: Mint time");
    workspace
        .run(["plan", "-refresh-only", "-detailed-exitcode"])
        .changes_nothing();
    workspace
        .run(["state", "rm", "claude_oauth_token.agent"])
        .exits(0);
    workspace
        .run(["import", "claude_oauth_token.agent", "secret/team/agent"])
        .exits(0);
    workspace.plan().changes_nothing();
    workspace.destroy().exits(0);
}

#[tokio::test]
async fn the_lines_that_a_refusal_shows_are_all_that_is_missing() {
    let (bao, mut workspace) = server().await;
    let nothing = r#"path "secret/data/other" { capabilities = ["read"] }"#;
    workspace.set("VAULT_TOKEN", bao.token_named("growing", nothing).await);
    let run = workspace.apply();
    run.exits(1)
        .says("Error: Vault denied access: secret/team/agent#claude_oauth_token")
        .says("Vault denied `read` on `secret/data/team/agent`.")
        .says("add these lines to the policy:");
    // Exactly as a person would copy them from the screen.
    let lines: Vec<_> = run.stderr.lines().collect();
    let rules: Vec<_> = lines
        .windows(3)
        .filter(|lines| lines[0].starts_with("  path \""))
        .map(|lines| lines.join("\n"))
        .collect();
    bao.policy("growing", &rules.join("\n")).await;
    workspace.apply().exits(0).says("Apply complete!");
    for path in ["team/agent", "team/spare-1", "team/spare-2"] {
        let line = format!("path \"secret/data/{path}\" {{");
        assert!(rules.iter().any(|rule| rule.contains(&line)), "{rules:?}");
    }
}

#[tokio::test]
async fn a_right_that_was_taken_away_fails_the_plan_and_keeps_the_state() {
    let (bao, mut workspace) = server().await;
    let rules = r#"path "secret/data/*" { capabilities = ["read"] }"#;
    workspace.set("VAULT_TOKEN", bao.token_named("shrinking", rules).await);
    workspace.apply().exits(0);
    let before = workspace.state_json();
    bao.policy(
        "shrinking",
        "path \"secret/data/team/spare-1\" {\n  capabilities = [\"read\"]\n}\n",
    )
    .await;
    let run = workspace.run(["plan", "-json"]);
    let told = run.exits(1).told();
    let expected = [
        ("claude_oauth_token.agent", "team/agent"),
        ("claude_token_spare_pool.spares", "team/agent"),
        ("claude_token_spare_pool.spares", "team/spare-2"),
    ];
    for (address, path) in expected {
        let line = format!("path \"secret/data/{path}\"");
        let found = told
            .iter()
            .any(|told| told.is_error && told.address == address && told.detail.contains(&line));
        assert!(found, "{address}, {path}: {told:#?}");
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    assert_eq!(workspace.state_json(), before);
}

#[tokio::test]
async fn a_token_that_is_missing_or_refused_is_told_apart_from_a_missing_right() {
    let stack = Stack::of(&["agent", "other"]).await;
    stack.point(|name| match name {
        "agent" => "token = \"s.unknown-to-this-server\"".to_owned(),
        _ => String::new(),
    });
    let plan = stack
        .workspace
        .command(["plan", "-json"])
        .without("VAULT_TOKEN")
        .run();
    let told = plan.exits(1).told();
    for (name, summary, says) in [
        (
            "agent",
            "Vault did not accept the Vault token",
            "The Vault token in the provider's argument token has expired",
        ),
        (
            "other",
            "No Vault token",
            "VAULT_TOKEN and BAO_TOKEN are not set",
        ),
    ] {
        let about = about(&told, name);
        assert_eq!(about.len(), 1, "{told:#?}");
        assert_eq!(
            about[0].summary,
            format!("{summary}: secret/{name}#claude_oauth_token")
        );
        assert!(about[0].detail.contains(says), "{told:#?}");
    }
}

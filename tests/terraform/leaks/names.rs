//! A token that somebody stored as a name: of a field, of a secret, of a folder, or in metadata.

use serde_json::json;

use super::Stage;
use crate::support::secrets::{letters, token};

const LIST: &str = r#"
path "secret/data/*" { capabilities = ["read"] }
path "secret/metadata/*" { capabilities = ["list"] }
"#;

const CONFIGURATION: &str = r#"
resource "claude_oauth_token" "swapped" {
  path            = "swapped"
  stamp_metadata = false
}

resource "claude_oauth_token" "promoted" {
  path           = "team/promoted"
  stamp_metadata = false
}

resource "claude_token_spare_pool" "spares" {
  paths          = ["team/spare"]
  stamp_metadata = false
}

data "claude_oauth_tokens" "all" {
  path_prefix = "team/"
}

output "all" {
  value = data.claude_oauth_tokens.all
}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn names_leak_nothing() {
    let mut stage = Stage::set().await;
    let reader = stage.bao.token_named("lister", LIST).await;
    stage.search.plant("token of the environment", &reader);
    stage.workspace.set("VAULT_TOKEN", reader);
    let mut name = |label: &str| {
        let name = token(label);
        stage.search.plant(label, &name);
        name
    };
    let (field, assignment) = (name("name of a field"), name("assignment as a field"));
    let (secret, folder) = (name("name of a secret"), name("name of a folder"));
    let (origin, mark) = (name("origin"), name("primary of a mark"));
    let vault_token = format!("hvs.{}", letters("vault token as a field", 90));
    stage.search.plant("Vault token as a field", &vault_token);
    let swapped = json!({
        field: "claude_oauth_token",
        format!("CLAUDE_CODE_OAUTH_TOKEN={assignment}"): "",
        vault_token: "x",
        "other": "x",
    });
    stage.bao.put("secret", "swapped", swapped).await;
    for path in [secret, format!("{folder}/inside")] {
        stage.store(&format!("team/{path}"), &token(&path)).await;
    }
    for (path, key, value) in [
        ("team/promoted", "rotated_from", origin),
        ("team/spare", "promoted_to.00c0ffee", mark),
    ] {
        stage.store(path, &token(path)).await;
        let short = crate::support::secrets::digest(&token(path))[..16].to_owned();
        let value = match key {
            "rotated_from" => value,
            _ => format!("{short} 7 1772366400 {value}#claude_oauth_token"),
        };
        let notes = json!({
            "claude_oauth_token.fingerprint": short,
            "claude_oauth_token.minted_at": "2026-10-01T00:00:00Z",
            format!("claude_oauth_token.{key}"): value,
        });
        let notes = json!({ "custom_metadata": notes });
        let at = format!("secret/metadata/{path}");
        stage.bao.must("POST", &at, notes).await;
    }
    stage.workspace.configure(CONFIGURATION);
    stage
        .run(&["apply", "-auto-approve"], 1)
        .says("No token to adopt at secret/swapped")
        .says("The secret has ")
        .says("(hidden)")
        .says("other")
        .says("2 places of secret/team/* could not be read")
        .says("secret/team/(hidden): this secret has a token in its name")
        .says("secret/team/(hidden)/: this folder has a token in its name");
    stage
        .run(
            &["import", "claude_oauth_token.swapped", "secret/swapped"],
            1,
        )
        .says("Nothing to import at secret/swapped");
    stage
        .run(&["show", "-json"], 0)
        .says(r#""rotated_from":"(hidden)""#);
    stage.run(&["plan", "-out", "names.tfplan"], 0);
    stage.run(&["show", "-json", "names.tfplan"], 0);
    stage.run(&["state", "pull"], 0);
    stage.strike();
}

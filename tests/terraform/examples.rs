//! Each example that the documentation shows is applied, plans empty and is destroyed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::stack::{FIELD, PRIMARY, SPARES, Stack};
use crate::support::lacks;
use crate::support::process;
use crate::support::secrets::{LeakSearch, token};

/// What a module needs beside an example that does not name the provider.
const NAMES_PROVIDER: &str = "terraform {\n  required_providers {\n    claude = {\n      source = \"terraform.local/claude-ops/claude\"\n    }\n  }\n}\n";

/// The token that an example stores.
const NEW: &str = "new token of an example";

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    fs::read_to_string(path).unwrap()
}

/// Starts a server with the secrets that examples name, and a workspace that holds one of them.
async fn stack(name: &str, file: &str) -> Stack {
    let mut stack = Stack::start(name).await;
    if !example(file).contains("required_providers") {
        stack.workspace.write("versions.tf", NAMES_PROVIDER);
    }
    stack.workspace.write("main.tf", &example(file));
    stack.workspace.set("TF_VAR_new_token", token(NEW));
    stack
}

/// Applies, plans and destroys what the workspace holds, and searches what was written.
fn lives(stack: &Stack) {
    let mut search = LeakSearch::new();
    search.plant("new token", &token(NEW));
    for seed in ["primary", SPARES[0], SPARES[1]] {
        search.plant(seed, &token(seed));
    }
    let apply = stack.workspace.apply();
    apply.exits(0).search(&mut search);
    // The token is given to the run that stores it, and left out afterwards.
    let plan = stack.workspace.command(["plan", "-detailed-exitcode"]);
    let plan = plan.without("TF_VAR_new_token").run();
    plan.changes_nothing().search(&mut search);
    stack.workspace.search(&mut search);
    search.assert_clean();
    let destroy = stack.workspace.destroy();
    destroy.exits(0).says("Destroy complete!");
}

#[tokio::test]
async fn the_provider_block_works() {
    let stack = stack("example-provider", "provider/provider.tf").await;
    lives(&stack);
}

#[tokio::test]
async fn each_resource_works() {
    for name in ["claude_oauth_token", "claude_token_spare_pool"] {
        let stack = stack(name, &format!("resources/{name}/resource.tf")).await;
        if !lacks("write-only arguments", |host| host.write_only) {
            lives(&stack);
        }
    }
}

#[tokio::test]
async fn each_function_works() {
    for name in ["external_secret", "external_secret_data", "token_check"] {
        let stack = stack(name, &format!("functions/{name}/function.tf")).await;
        if !lacks("ephemeral resources", |host| host.ephemeral_resources) {
            lives(&stack);
        }
    }
}

#[tokio::test]
async fn each_data_source_works() {
    for name in ["claude_oauth_token", "claude_oauth_tokens"] {
        lives(&stack(name, &format!("data-sources/{name}/data-source.tf")).await);
    }
}

#[tokio::test]
async fn each_ephemeral_resource_works() {
    let name = "claude_oauth_token";
    let file = format!("ephemeral-resources/{name}/ephemeral-resource.tf");
    let stack = stack("ephemeral-example", &file).await;
    if !lacks("ephemeral resources", |host| host.ephemeral_resources) {
        lives(&stack);
    }
}

#[tokio::test]
async fn the_query_finds_tokens() {
    let name = "claude_oauth_token";
    let stack = Stack::start("example-query").await;
    if lacks("queries", |host| host.query) {
        return;
    }
    stack
        .put("team/agent", json!({ FIELD: token("team") }))
        .await;
    stack.workspace.write("main.tf", NAMES_PROVIDER);
    let query = example(&format!("list-resources/{name}/list-resource.tfquery.hcl"));
    stack.workspace.write("tokens.tfquery.hcl", &query);
    stack
        .workspace
        .run(["query", "-generate-config-out", "generated.tf"])
        .exits(0)
        .says("secret/team/agent#claude_oauth_token");
    stack
        .workspace
        .plan()
        .exits(2)
        .says("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.");
}

#[tokio::test]
async fn each_action_can_be_invoked() {
    let name = "claude_promote_spare";
    let stack = Stack::start("example-action").await;
    if lacks("actions", |host| host.actions) {
        return;
    }
    stack.workspace.write("versions.tf", NAMES_PROVIDER);
    let text = example(&format!("actions/{name}/action.tf"));
    stack.workspace.write("main.tf", &text);
    // The command is the one that the example shows.
    let command = text.lines().find_map(|line| line.strip_prefix("#   "));
    let mut arguments = words(command.unwrap());
    arguments.push("-auto-approve".to_owned());
    stack
        .workspace
        .run(arguments.iter().map(String::as_str))
        .exits(0)
        .says("Actions: 1 invoked.");
    assert_eq!(stack.current_version(PRIMARY).await, 2);
}

#[tokio::test]
async fn each_import_takes_what_is_there() {
    let blocks = [
        (
            "claude_oauth_token",
            format!("resource \"claude_oauth_token\" \"agent\" {{\n  path = \"{PRIMARY}\"\n}}\n"),
        ),
        (
            "claude_token_spare_pool",
            format!(
                "resource \"claude_token_spare_pool\" \"agent\" {{\n  paths = [\"{}\", \"{}\"]\n}}\n",
                SPARES[0], SPARES[1]
            ),
        ),
    ];
    for (name, block) in &blocks {
        let stack = Stack::start(name).await;
        stack.write(block);
        for file in ["import-by-string-id.tf", "import-by-identity.tf"] {
            if file.contains("identity")
                && lacks("imports by identity", |host| host.import_by_identity)
            {
                continue;
            }
            let import = example(&format!("resources/{name}/{file}"));
            stack.workspace.write("import.tf", &import);
            let plan = stack.workspace.plan();
            plan.exits(2)
                .says("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.");
        }
        stack.workspace.write("import.tf", "");
        let arguments = words(&example(&format!("resources/{name}/import.sh")));
        stack
            .workspace
            .run(arguments.iter().map(String::as_str))
            .exits(0)
            .says("Import successful!");
        stack.workspace.plan().changes_nothing();
    }
}

/// Returns the arguments that a shell gives to the Terraform of a script.
fn words(script: &str) -> Vec<String> {
    let script = format!("terraform() {{ printf '%s\\n' \"$@\"; }}\n{script}");
    let finished = process::run(
        Command::new("bash").args(["-c", &script]),
        &[],
        Duration::from_secs(30),
    );
    let finished = finished.unwrap();
    assert!(finished.status.success(), "{}", finished.stderr);
    finished.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_shell_leaves_quoted_braces_alone() {
    assert_eq!(
        words("# no word\nterraform import a 'b-{1,2}'\n"),
        ["import", "a", "b-{1,2}"]
    );
    assert_eq!(words("terraform b-{1,2}"), ["b-1", "b-2"]);
}

#[tokio::test]
async fn the_token_that_an_example_stores_is_in_vault() {
    let stack = stack("example-store", "resources/claude_oauth_token/resource.tf").await;
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    stack.apply();
    let stored = stack
        .bao
        .must("GET", "secret/data/claude-review-service", json!(null))
        .await;
    assert_eq!(stored["data"]["data"], json!({ FIELD: token(NEW) }));
}

//! Every command that a message prints or a page documents, run with nothing typed: none of them
//! empties a field.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::{markdown, process, provision};

use super::program::{BINARY, FIELD, Program};

const LIMIT: Duration = Duration::from_secs(60);
/// Where the pages keep their tokens.
const DOCUMENTED: [&str; 4] = [
    "claude-agent-service",
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
    "claude-review-service",
];

/// Tells whether a command waits for a person or a pipe, and could store what comes.
fn takes_a_token(command: &str) -> bool {
    let first = command.split_whitespace().next().unwrap_or_default();
    !first.contains("://")
        && (command.contains("read -") || command.contains("=-") || command.contains(" store "))
}

/// Returns the commands of the pages, those of outputs among them.
fn documented() -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    for (page, path) in markdown::pages() {
        let text = fs::read_to_string(path).unwrap();
        for code in markdown::codes(&page, &text) {
            if !["console", "text", "sh", "shell", "bash"].contains(&code.language.as_str()) {
                continue;
            }
            let typed = code.commands().replace("\\\n", " ");
            let shown = code.outputs();
            let printed = shown.iter().filter_map(|line| line.strip_prefix("    "));
            commands.extend(
                typed
                    .lines()
                    .chain(printed)
                    .map(|line| line.trim().to_owned()),
            );
        }
    }
    commands
}

/// Returns the commands that messages print about a field that needs a token.
fn printed(program: &Program) -> BTreeSet<String> {
    let mut text = String::new();
    for arguments in [
        &["status", "malformed", "absent", "deleted"][..],
        &["store", "data/malformed"],
        &["store", "malformed"],
        &["exec", "malformed", "--", "true"],
    ] {
        let ran = program.run(arguments);
        text.push_str(&ran.stderr);
    }
    text.lines()
        .filter_map(|line| line.strip_prefix("      "))
        .map(|line| line.trim().to_owned())
        .collect()
}

async fn field(bao: &OpenBao, path: &str) -> Value {
    bao.must("GET", &format!("secret/data/{path}"), Value::Null)
        .await["data"]["data"]
        .clone()
}

#[tokio::test]
async fn nothing_typed_changes_nothing() {
    let bao = OpenBao::start().await;
    for path in DOCUMENTED {
        bao.put("secret", path, json!({ FIELD: token(path), "other": 1 }))
            .await;
    }
    bao.put("secret", "malformed", json!({ FIELD: "changeme" }))
        .await;
    bao.put("secret", "deleted", json!({ FIELD: token("deleted") }))
        .await;
    bao.must("DELETE", "secret/data/deleted", Value::Null).await;
    let program = Program::at(&bao);
    let printed = printed(&program);
    let all: Vec<String> = documented()
        .union(&printed)
        .filter(|command| takes_a_token(command))
        .cloned()
        .collect();
    assert!(
        printed
            .iter()
            .any(|command| command.contains("vault kv patch"))
            && printed
                .iter()
                .any(|command| command.contains("vault kv put")),
        "{printed:#?}"
    );
    assert!(all.len() > 8, "{all:#?}");

    let tools = tempfile::tempdir().unwrap();
    symlink(provision::openbao(), tools.path().join("vault")).unwrap();
    symlink(BINARY, tools.path().join("terraform-provider-claude")).unwrap();
    for shell in ["bash", "dash"] {
        if !Path::new("/bin").join(shell).exists() {
            crate::support::leave_out(&format!("commands in {shell}, which is not installed"));
            continue;
        }
        for input in ["", "\n", " \n"] {
            for command in &all {
                run(&bao, tools.path(), shell, command, input);
                for path in DOCUMENTED {
                    let expected = json!({ FIELD: token(path), "other": 1 });
                    assert_eq!(field(&bao, path).await, expected, "{shell}: {command}");
                }
                let expected = json!({ FIELD: "changeme" });
                assert_eq!(
                    field(&bao, "malformed").await,
                    expected,
                    "{shell}: {command}"
                );
                let absent = bao.call("GET", "secret/data/absent", Value::Null).await;
                assert_eq!(absent.0, 404, "{shell}: {command}");
            }
        }
    }
}

/// Runs a command in a folder of its own, with nothing that it could reach but this server.
fn run(bao: &OpenBao, tools: &Path, shell: &str, command: &str, input: &str) {
    let home = tempfile::tempdir().unwrap();
    let path = format!("{}:/usr/bin:/bin", tools.display());
    process::run(
        Command::new(format!("/bin/{shell}"))
            .args(["-c", command])
            .current_dir(home.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", home.path())
            .env("VAULT_ADDR", bao.address())
            .env("VAULT_TOKEN", OpenBao::ROOT),
        input.as_bytes(),
        LIMIT,
    )
    .unwrap();
}

//! The repository of stacks in the examples: kept by hand, then adopted, then watched by night.
//!
//! Lays out what Terragrunt would: a stack's own files, and those that its includes generate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::json;

use super::stack::{AGENT, FIELD, PRIMARY, Stack, days};
use crate::support::hcl;
use crate::support::process::{self, Finished};
use crate::support::provision;
use crate::support::secrets::token;
use crate::support::terraform::{Run, Workspace};

/// Every stack of the repository.
const STACKS: [&str; 4] = ["claude-tokens", "agent", "reports", "chat"];

const BY_HAND: &str = "examples/stacks-by-hand";
const ADOPTED: &str = "examples/stacks";

const GUIDE: &str = "docs/guides/adoption.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files of a folder and below it by their names.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(folder.join(&below)).unwrap() {
            let entry = entry.unwrap();
            let name = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(name);
            } else {
                let text = fs::read_to_string(entry.path()).unwrap();
                files.insert(name.display().to_string(), text);
            }
        }
    }
    files
}

/// Returns what Terragrunt would have in the folder of a stack.
fn laid_out(repository: &str, stack: &str) -> BTreeMap<String, String> {
    let repository = root().join(repository);
    let mut laid_out = files(&repository.join(stack));
    let includes = laid_out.remove("terragrunt.hcl").unwrap();
    for include in includes.split("find_in_parent_folders(\"").skip(1) {
        let (name, _) = include.split_once('"').unwrap();
        let included = fs::read_to_string(repository.join(name)).unwrap();
        for block in hcl::blocks(&included) {
            if block.kind == "generate" {
                let path = block.argument("path").unwrap();
                let made = laid_out.insert(path, block.argument("contents").unwrap());
                assert_eq!(made, None, "generated twice");
            }
        }
    }
    laid_out
        .into_iter()
        .map(|(name, text)| (name, hcl::with_stand_ins(&hcl::blocks(&text))))
        .collect()
}

/// Puts each stack of a repository into a folder of its own, in the place of what was there.
fn lay_out(stack: &Stack, repository: &str) {
    for name in STACKS {
        let folder = stack.workspace.folder().join(name);
        fs::create_dir_all(&folder).unwrap();
        for (file, _) in files(&folder) {
            if file.ends_with(".tf") {
                fs::remove_file(folder.join(file)).unwrap();
            }
        }
        for (file, text) in laid_out(repository, name) {
            fs::write(folder.join(file), text).unwrap();
        }
    }
}

fn run(stack: &Stack, name: &str, arguments: &[&str]) -> Run {
    let folder = format!("-chdir={name}");
    stack
        .workspace
        .run([&[folder.as_str()], arguments].concat())
}

fn plan(stack: &Stack, name: &str) -> Run {
    run(stack, name, &["plan", "-detailed-exitcode"])
}

fn apply(stack: &Stack, name: &str) {
    run(stack, name, &["apply", "-auto-approve"]).exits(0);
}

/// Runs the script for the night with variables of its own.
fn nightly(stack: &Stack, variables: &[(&str, &str)]) -> Finished {
    let provider = env!("CARGO_BIN_EXE_terraform-provider-claude");
    let finished = process::run(
        Command::new(root().join(ADOPTED).join("nightly.sh"))
            .args(STACKS)
            .current_dir(stack.workspace.folder())
            .envs(stack.workspace.environment())
            .env("TERRAFORM", provision::terraform())
            .env("PROVIDER", provider)
            .envs(variables.iter().copied()),
        &[],
        Duration::from_secs(120),
    );
    finished.unwrap()
}

/// Listens for one request, answers it as a Pushgateway does and returns its text.
fn pushgateway() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let (mut text, mut piece) = (String::new(), [0; 4096]);
        loop {
            let count = connection.read(&mut piece).unwrap();
            text += &String::from_utf8_lossy(&piece[..count]);
            let lower = text.to_lowercase();
            let length = lower.split_once("content-length: ").map(|(_, rest)| rest);
            let length = length.and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
            let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
            if count == 0 || body.is_some_and(|body| Some(body) >= length) {
                break;
            }
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        connection.write_all(answer.as_bytes()).unwrap();
        // The test may have ended in an error before.
        let _ = sender.send(text);
    });
    (address, received)
}

#[tokio::test]
async fn what_was_kept_by_hand_is_adopted_and_watched() {
    let stack = Stack::start("stacks").await;
    lay_out(&stack, BY_HAND);
    for name in STACKS {
        apply(&stack, name);
        plan(&stack, name).changes_nothing();
    }

    lay_out(&stack, ADOPTED);
    let adoption = plan(&stack, "claude-tokens");
    let adoption = adoption.exits(2).drift_lines();
    let takes_over = [
        "# claude_oauth_token.agent will be updated in-place",
        "# claude_token_spare_pool.agent will be updated in-place",
        "# terraform_data.kubernetes_manifest_expiry will be destroyed",
        "# terraform_data.kubernetes_manifest_expiry_monitor will be destroyed",
        "Plan: 2 to import, 0 to add, 2 to change, 2 to destroy.",
    ];
    assert_eq!(adoption, takes_over);
    let guide = fs::read_to_string(root().join(GUIDE)).unwrap();
    for line in takes_over {
        let line = line.replace(
            "terraform_data.kubernetes_manifest_",
            "kubernetes_manifest.",
        );
        assert!(guide.contains(&line), "{GUIDE} lacks {line}");
    }
    let consumer = [
        "# terraform_data.kubernetes_deployment_v1_agent will be updated in-place",
        "# terraform_data.kubernetes_manifest_secret will be updated in-place",
        "Plan: 0 to add, 2 to change, 0 to destroy.",
    ];
    assert_eq!(plan(&stack, "agent").exits(2).drift_lines(), consumer);
    for name in ["reports", "chat"] {
        plan(&stack, name).changes_nothing();
    }
    for name in STACKS {
        apply(&stack, name);
    }

    let quiet = nightly(&stack, &[]);
    assert!(quiet.status.success(), "{quiet:?}");
    // Overrides are how the tests bring the provider.
    let said: Vec<_> = quiet
        .stdout
        .lines()
        .filter(|line| !line.ends_with("Provider development overrides are in effect"))
        .collect();
    assert_eq!((said, quiet.stderr.as_str()), (Vec::new(), ""));

    let expires_at = token_expires_at(&stack);
    let later = (expires_at - days(20)).to_string();
    let (address, pushed) = pushgateway();
    let due = nightly(
        &stack,
        &[("TF_CLAUDE_NOW", &later), ("PUSHGATEWAY", &address)],
    );
    assert_eq!(due.status.code(), Some(2), "{due:?}");
    let title = format!("Warning: Token secret/{PRIMARY}#claude_oauth_token expires");
    assert!(due.stdout.contains(&title), "{}", due.stdout);
    let planned: String = due
        .stdout
        .split_inclusive('\n')
        .filter(|line| !line.contains("Warning: "))
        .collect();
    assert_eq!(
        planned,
        "claude-tokens:\n  # claude_oauth_token.agent will be updated in-place\n  \
         # claude_token_spare_pool.agent will be updated in-place\n\
         Plan: 0 to add, 2 to change, 0 to destroy.\n"
    );
    let pushed = pushed.recv_timeout(Duration::from_secs(30)).unwrap();
    assert!(pushed.starts_with("POST /metrics/job/claude-token-expiry HTTP/1.1"));
    let expiry = expires_at.as_second().to_string();
    let is_pushed = |line: &str| {
        line.starts_with("claude_oauth_token_expiry_timestamp{")
            && line.contains(PRIMARY)
            && line.ends_with(&expiry)
    };
    assert!(pushed.lines().any(is_pushed), "{pushed}");

    // A new token restarts the pods of the stack that has its fingerprint, and of no other.
    stack.patch(PRIMARY, json!({ FIELD: token("next") })).await;
    assert_eq!(plan(&stack, "agent").exits(2).drift_lines(), consumer);
    for name in ["reports", "chat"] {
        plan(&stack, name).changes_nothing();
    }

    fs::write(stack.workspace.folder().join("chat/main.tf"), "none").unwrap();
    let failed = nightly(&stack, &[]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert!(failed.stdout.contains("chat: no plan\n"), "{failed:?}");
}

/// Returns when the token in the state of its stack expires.
fn token_expires_at(stack: &Stack) -> jiff::Timestamp {
    let state = run(stack, "claude-tokens", &["show", "-json"]).json();
    let resources = state["values"]["root_module"]["resources"].clone();
    let mut resources = resources.as_array().cloned().unwrap().into_iter();
    let found = resources.find(|resource| resource["address"] == AGENT);
    let expires_at = found.unwrap()["values"]["expires_at"].clone();
    expires_at.as_str().unwrap().parse().unwrap()
}

/// Returns how many lines are removed and how many added on the shortest way between two texts.
fn changed(before: &str, after: &str) -> (usize, usize) {
    let before: Vec<_> = before.lines().collect();
    let after: Vec<_> = after.lines().collect();
    let mut common = vec![0; after.len() + 1];
    for line in &before {
        let mut diagonal = 0;
        for (index, other) in after.iter().enumerate() {
            let above = common[index + 1];
            common[index + 1] = match line == other {
                true => diagonal + 1,
                false => above.max(common[index]),
            };
            diagonal = above;
        }
    }
    let common = common[after.len()];
    (before.len() - common, after.len() - common)
}

#[test]
fn examples_are_formatted() {
    let workspace = Workspace::new("format");
    let examples = root().join("examples").display().to_string();
    let fmt = ["fmt", "-check", "-recursive", examples.as_str()];
    workspace.run(fmt).exits(0);
}

#[test]
fn changed_lines_are_counted() {
    assert_eq!(changed("a\nb\nc\n", "a\nc\nd\ne\n"), (1, 2));
    assert_eq!(changed("", "a\n"), (0, 1));
    assert_eq!(changed("a\n", "a\n"), (0, 0));
}

#[test]
fn the_guide_counts_every_line_that_adoption_changes() {
    let [before, after] = [BY_HAND, ADOPTED].map(|folder| files(&root().join(folder)));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let (mut table, mut total) = (String::new(), (0, 0));
    for name in names {
        if name.ends_with(".md") {
            continue;
        }
        let text = |files: &BTreeMap<String, String>| files.get(name).cloned().unwrap_or_default();
        let (removed, added) = changed(&text(&before), &text(&after));
        if (removed, added) != (0, 0) {
            table += &format!("| `{name}` | {removed} | {added} |\n");
            total = (total.0 + removed, total.1 + added);
        }
    }
    table += &format!("| all | {} | {} |\n", total.0, total.1);
    let guide = fs::read_to_string(root().join(GUIDE)).unwrap();
    assert!(guide.contains(&table), "{GUIDE} lacks the count\n{table}");
}

//! What the pages show as output is what the commands print, but for dates and digests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use terraform_provider_claude::clock;

use super::stack::{AGENT, AGENT_BLOCK, FIELD, PRIMARY, SPARES, Stack, days, stamp};
use crate::support::lacks;
use crate::support::markdown::{self, alike};
use crate::support::process;
use crate::support::secrets::token;
use crate::support::terraform::Run;

/// Lines of outputs that are made elsewhere: by the quickstart, and by the test of the stacks.
const ELSEWHERE: [&str; 2] = ["What is in state", "# kubernetes_manifest.expiry"];

/// A page whose outputs are compared where the command line is tested.
const COMMAND_LINE: &str = "docs/guides/command-line.md";

/// The action that a page invokes, and how.
const ACTION: &str = "examples/actions/claude_promote_spare/action.tf";
const INVOKE: [&str; 3] = [
    "apply",
    "-invoke=action.claude_promote_spare.agent",
    "-auto-approve",
];

/// Marks what is left out of an output.
const LEFT_OUT: &str = "…";

/// What the policies allow to those who plan.
const READ: &str = "path \"secret/data/*\" {\n  capabilities = [\"read\"]\n}\n";

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Everything that was printed so far: as it is, and each line as [`alike`] makes it.
#[derive(Default)]
struct Printed {
    text: String,
    lines: BTreeSet<String>,
}

impl Printed {
    fn text(&mut self, text: &str) {
        self.text += text;
        self.lines.extend(text.lines().map(alike));
    }

    fn run(&mut self, run: &Run, code: i32) {
        run.exits(code);
        self.text(&run.stdout);
        self.text(&run.stderr);
    }

    /// Runs the provider's own command line.
    fn command(&mut self, stack: &Stack, arguments: &[&str]) {
        let finished = process::run(
            Command::new(env!("CARGO_BIN_EXE_terraform-provider-claude"))
                .args(arguments)
                .env_clear()
                .envs(stack.workspace.environment()),
            &[],
            Duration::from_secs(60),
        );
        let finished = finished.unwrap();
        assert!(finished.status.success(), "{arguments:?} {finished:?}");
        self.text(&finished.stdout);
    }
}

fn now() -> Timestamp {
    let seconds = clock::now().as_second();
    Timestamp::from_second(seconds).unwrap()
}

/// Stores a token that was minted 340 days ago, as far as its stamp tells.
async fn put_aged(stack: &Stack, seed: &str) {
    let minted_at = now() - days(340);
    let aged = token(seed);
    stack.set_metadata(PRIMARY, stamp(&aged, minted_at)).await;
    stack.patch(PRIMARY, json!({ FIELD: aged })).await;
}

/// Does once what the pages tell of, and returns what was printed.
async fn printed(stack: &mut Stack) -> Printed {
    let mut printed = Printed::default();
    let guided = file("examples/stacks/claude-tokens/main.tf");
    let imports = file("examples/stacks/claude-tokens/imports.tf");
    let targets = [PRIMARY, "claude-agent-service-spare-{1,2}"];

    printed.command(stack, &["install"]);
    let copy = json!({ FIELD: token("primary") });
    stack.put(SPARES[1], copy).await;
    printed.command(stack, &[&["status"], &targets[..]].concat());
    stack
        .put(SPARES[1], json!({ FIELD: token(SPARES[1]) }))
        .await;

    let import = &imports[..imports.rfind("import {").unwrap()];
    stack.write(&format!("{import}{AGENT_BLOCK}"));
    printed.run(&stack.workspace.plan(), 2);
    printed.run(&stack.workspace.apply(), 0);
    printed.run(&stack.workspace.plan(), 0);
    // The guide to adoption begins where nothing is imported yet.
    stack.workspace.run(["state", "rm", AGENT]).exits(0);
    stack.write(&format!("{imports}{guided}"));
    printed.run(&stack.workspace.plan(), 2);
    let minted_at = now() - days(40);
    stack
        .set_metadata(SPARES[1], stamp(&token(SPARES[1]), minted_at))
        .await;
    stack.apply();
    printed.run(&stack.workspace.plan(), 0);
    printed.run(&stack.plan_at(now() + days(345)), 2);

    stack.write(&format!("{guided}{}", file(ACTION)));
    printed.run(&stack.workspace.run(INVOKE), 0);
    stack.apply();
    let leaked = guided.replace(
        ".agent.paths\n",
        ".agent.paths\n  rotate_when_changed = { leak = \"2026-11-24\" }\n",
    );
    printed.run(&stack.applied(&leaked), 0);
    printed.run(&stack.workspace.plan(), 2);
    let metadata = format!("secret/metadata/{PRIMARY}");
    let metadata = stack.bao.must("GET", &metadata, Value::Null).await;
    let stamps = &metadata["data"]["custom_metadata"];
    printed.text(&serde_json::to_string_pretty(stamps).unwrap());

    // One spare is older than the other, so that it is known which one is taken.
    let older = token("spare 1, refilled");
    let minted_at = now() - days(40);
    stack.put(SPARES[0], json!({ FIELD: older })).await;
    stack
        .set_metadata(SPARES[0], stamp(&older, minted_at))
        .await;
    let newer = token("spare 2, refilled");
    stack.put(SPARES[1], json!({ FIELD: newer })).await;
    stack.apply();
    put_aged(stack, "primary, aged").await;
    let root = stack.workspace.environment()["VAULT_TOKEN"].clone();
    let reader = stack.bao.token(READ).await;
    stack.workspace.set("VAULT_TOKEN", reader);
    printed.run(&stack.workspace.apply(), 0);
    stack.workspace.set("VAULT_TOKEN", root);
    printed.run(&stack.workspace.plan(), 2);
    printed.command(stack, &[&["status"], &targets[..]].concat());
    printed.command(stack, &[&["status", "--metrics"], &targets[..]].concat());
    printed.run(&stack.workspace.apply(), 0);
    printed.run(&stack.workspace.plan(), 2);

    stack.applied(AGENT_BLOCK);
    put_aged(stack, "primary, aged again").await;
    printed.run(&stack.workspace.plan(), 2);
    printed.run(&stack.workspace.apply(), 0);
    let mut broken = token("broken");
    broken.pop();
    stack.patch(PRIMARY, json!({ FIELD: broken })).await;
    printed.run(&stack.workspace.plan(), 2);
    let version = stack.current_version(PRIMARY).await;
    stack.versions("delete", PRIMARY, &[version]).await;
    printed.run(&stack.workspace.plan(), 2);
    printed
}

#[tokio::test]
async fn outputs_are_printed_like_that() {
    let mut stack = Stack::start("outputs").await;
    if lacks("actions, which the pages show", |host| host.actions) {
        return;
    }
    let printed = printed(&mut stack).await;
    let mut wrong = Vec::new();
    for (name, path) in markdown::pages() {
        let is_told = name == "README.md" || name.starts_with("docs/guides/");
        if !is_told || name == COMMAND_LINE {
            continue;
        }
        for code in markdown::codes(&name, &fs::read_to_string(path).unwrap()) {
            if ELSEWHERE.iter().any(|line| code.text.contains(line)) {
                continue;
            }
            for line in code.outputs() {
                if line != LEFT_OUT && !printed.lines.contains(&alike(&line)) {
                    wrong.push(format!("{}: {line}", code.place));
                }
            }
        }
    }
    let transcript = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outputs.txt");
    fs::write(&transcript, printed.text).unwrap();
    assert!(
        wrong.is_empty(),
        "{}\nall that was printed is in {}",
        wrong.join("\n"),
        transcript.display()
    );
}

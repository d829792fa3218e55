//! The Terragrunt repositories of the examples, and the texts that their page promises.
//!
//! `TERRAGRUNT_PATH` names the Terragrunt that runs them. Without one, Terraform applies the modules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use terraform_provider_claude::clock;
use terraform_provider_claude::env::{Environment as _, ProcessEnvironment};

use super::stack::{FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, days, stamp};
use crate::support::hcl;
use crate::support::leave_out;
use crate::support::markdown;
use crate::support::process::{self, Finished};
use crate::support::provision;
use crate::support::secrets::token;

const FOLDER: &str = "examples/terragrunt";
const STACKS: &str = "examples/stacks";

/// What `root.hcl` of the stacks says about providers that no registry offers to a test.
const OTHERS: [&str; 2] = [
    "        kubernetes = {
          source = \"hashicorp/kubernetes\"
        }
        vault = {
          source = \"hashicorp/vault\"
        }
",
    "    provider \"kubernetes\" {
      config_path = \"~/.kube/config\"
    }

    provider \"vault\" {}
",
];

const PROVIDER: &str = env!("CARGO_BIN_EXE_terraform-provider-claude");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Copies the stack, with a local backend and stand-ins for the resources of other providers.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
            continue;
        }
        let text = fs::read_to_string(entry.path()).unwrap();
        let text = match target.extension().and_then(|name| name.to_str()) {
            Some("tf") => hcl::with_stand_ins(&hcl::blocks(&text)),
            _ => text.replace("backend = \"pg\"", "backend = \"local\"").replace(
                "schema_name = path_relative_to_include()",
                "path = \"${get_parent_terragrunt_dir(\"root\")}/state/${path_relative_to_include(\"root\")}.tfstate\"",
            ),
        };
        let text = OTHERS
            .iter()
            .fold(text, |text, other| text.replace(other, ""));
        fs::write(target, text).unwrap();
    }
}

/// Returns the Terragrunt to test with, or reports that there is none.
fn terragrunt() -> Option<PathBuf> {
    let program = ProcessEnvironment.get("TERRAGRUNT_PATH");
    if program.is_none() {
        leave_out("Terragrunt: TERRAGRUNT_PATH is not set, so Terraform applies the modules");
    }
    program.map(PathBuf::from)
}

/// Terragrunt in a home of its own, in which only `install` was run.
struct Terragrunt<'s> {
    program: PathBuf,
    stack: &'s Stack,
    folder: PathBuf,
}

impl<'s> Terragrunt<'s> {
    fn installed(program: PathBuf, stack: &'s Stack, folder: PathBuf) -> Self {
        let terragrunt = Self {
            program,
            stack,
            folder,
        };
        let mut install = Command::new(PROVIDER);
        let installed = terragrunt.start(install.args(["install", "--packed"]));
        assert!(installed.status.success(), "{installed:?}");
        terragrunt
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.start(Command::new(&self.program).args(arguments))
    }

    /// Runs the script that the page about monitoring shows.
    fn nightly(&self) -> Finished {
        let page = fs::read_to_string(root().join("docs/guides/monitoring.md")).unwrap();
        let mut codes = markdown::codes("monitoring.md", &page).into_iter();
        let script = codes.find(|code| code.text.contains("--json-out-dir"));
        let script = script
            .unwrap()
            .text
            .replace("terragrunt", &self.program.display().to_string());
        self.start(Command::new("bash").args(["-c", &script]))
    }

    fn start(&self, command: &mut Command) -> Finished {
        let provider = Path::new(PROVIDER).parent().unwrap();
        let path = ProcessEnvironment.get("PATH").unwrap_or_default();
        command
            .current_dir(&self.folder)
            .envs(self.stack.workspace.environment())
            .env_remove("TF_CLI_CONFIG_FILE")
            .env("PATH", format!("{}:{path}", provider.display()))
            .env("TG_TF_PATH", provision::terraform())
            .env("TG_NON_INTERACTIVE", "true");
        process::run(command, &[], Duration::from_secs(240)).unwrap()
    }

    #[track_caller]
    fn exits(&self, code: i32, arguments: &[&str]) {
        let run = self.run(arguments);
        assert_eq!(run.status.code(), Some(code), "{run:#?}");
    }
}

#[tokio::test]
async fn the_stack_is_applied_and_shows_a_due_day() {
    let stack = Stack::start("terragrunt").await;
    let copied = stack.workspace.folder().join("stack");
    copy(&root().join(FOLDER), &copied);
    let Some(program) = terragrunt() else {
        let spares = json!(SPARES).to_string();
        for module in ["claude-tokens", "agent"] {
            let chdir = format!("-chdir=stack/modules/{module}");
            let run = |arguments: &[&str]| {
                let arguments = [&[chdir.as_str()], arguments].concat();
                let command = stack.workspace.command(arguments);
                command
                    .env("TF_VAR_path", PRIMARY)
                    .env("TF_VAR_spare_paths", spares.as_str())
                    .run()
            };
            run(&["apply", "-auto-approve"]).exits(0);
            run(&["plan", "-detailed-exitcode"]).changes_nothing();
        }
        return;
    };
    let terragrunt = Terragrunt::installed(program, &stack, copied.join("live"));
    terragrunt.exits(0, &["stack", "generate"]);
    let apply = [
        "run",
        "--all",
        "--parallelism",
        "1",
        "--",
        "apply",
        "-auto-approve",
    ];
    terragrunt.exits(0, &apply);
    let plan = [
        "run",
        "--all",
        "--",
        "plan",
        "-detailed-exitcode",
        "-lock=false",
    ];
    terragrunt.exits(0, &plan);
    let primary = token("primary");
    let minted_at = clock::now() - days(340);
    stack
        .set_metadata(PRIMARY, stamp(&primary, minted_at))
        .await;
    // Before 1.0, exit codes of units with a source are lost.
    let version = terragrunt.run(&["--version"]).stdout;
    let due = if version.contains(" v0.") { 0 } else { 2 };
    terragrunt.exits(due, &plan);
    let reported = format!("{PRIMARY_ID}: rotation_due");
    let night = terragrunt.nightly();
    assert_eq!(night.status.code(), Some(due), "{night:#?}");
    assert!(night.stdout.contains(&reported), "{night:#?}");
    terragrunt.exits(0, &apply);
    let target = format!("secret/data/{PRIMARY}");
    let promoted = stack.bao.must("GET", &target, Value::Null).await;
    assert!(promoted["data"]["data"][FIELD] == token(SPARES[0]));
    // The spare is refilled, and all is quiet again.
    stack
        .patch(SPARES[0], json!({ FIELD: token("refill") }))
        .await;
    terragrunt.exits(0, &apply);
    terragrunt.exits(0, &plan);
    let night = terragrunt.nightly();
    assert_eq!(night.status.code(), Some(0), "{night:#?}");
    assert!(!night.stdout.contains(&reported), "{night:#?}");
}

#[tokio::test]
async fn the_stacks_are_applied_and_watched_at_night() {
    let stack = Stack::start("terragrunt-stacks").await;
    let Some(program) = terragrunt() else {
        return;
    };
    let copied = stack.workspace.folder().join("stacks");
    copy(&root().join(STACKS), &copied);
    let terragrunt = Terragrunt::installed(program, &stack, copied);
    terragrunt.exits(0, &["run", "--all", "--", "apply", "-auto-approve"]);
    let night = |now: Option<&str>| {
        let mut script = Command::new("bash");
        script
            .args(["nightly.sh", "claude-tokens", "agent", "reports", "chat"])
            .env("TERRAFORM", &terragrunt.program)
            .env("PROVIDER", PROVIDER)
            .envs(now.map(|now| ("TF_CLAUDE_NOW", now)));
        terragrunt.start(&mut script)
    };
    let quiet = night(None);
    assert_eq!(quiet.status.code(), Some(0), "{quiet:#?}");
    let later = clock::now() + days(350);
    let due = night(Some(&later.to_string()));
    assert_eq!(due.status.code(), Some(2), "{due:#?}");
    let planned = "claude-tokens:\n  # claude_oauth_token.agent will be updated in-place\n";
    assert!(due.stdout.contains(planned), "{due:#?}");
}

#[tokio::test]
async fn the_guarded_secret_is_applied() {
    let stack = Stack::start("guarded").await;
    let text = fs::read_to_string(root().join("examples/guarded-secret/main.tf")).unwrap();
    stack
        .workspace
        .write("main.tf", &hcl::with_stand_ins(&hcl::blocks(&text)));
    stack.apply();
    stack.workspace.plan().changes_nothing();
}

/// People match these texts, so they are part of the interface.
#[test]
fn texts_to_retry_on_are_those_of_the_messages() {
    let page = fs::read_to_string(root().join("docs/guides/terragrunt.md")).unwrap();
    let messages = fs::read_to_string(root().join("src/provider/diagnose/vault.rs")).unwrap();
    let (_, listed) = page.split_once("retryable_errors = [").unwrap();
    let (listed, _) = listed.split_once(']').unwrap();
    let mut count = 0;
    for text in listed.lines().map(|line| line.trim().trim_end_matches(',')) {
        if !text.is_empty() {
            assert!(messages.contains(text), "no message says {text}");
            count += 1;
        }
    }
    assert!(count >= 5, "{count} texts");
}

//! Runs the real Terraform in private folders, with the provider that was just built.
//!
//! A workspace sees none of the caller's settings: its own home, its own CLI configuration, and
//! no variable but the search path. Nothing is installed (`dev_overrides`), so no `init` is needed
//! and nothing asks the network.

#![allow(
    dead_code,
    reason = "tests and examples share this file, and no one of them uses all of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot run Terraform fails, with the transcript"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use terraform_provider_claude::env::{Environment, ProcessEnvironment};

use super::process::{self, Finished, Interruption};
use super::provision;
use super::secrets::LeakSearch;

/// Source address of the provider.
pub(crate) const SOURCE: &str = "terraform.local/claude-ops/claude";

/// What every configuration begins with that uses the provider.
pub(crate) const HEADER: &str = "terraform {\n  required_providers {\n    claude = {\n      source = \"terraform.local/claude-ops/claude\"\n    }\n  }\n}\n\n";

/// File name of the plan that [`Workspace::plan`] saves.
pub(crate) const PLAN: &str = "saved.tfplan";

/// The binary that Cargo built for the integration tests; it names none to an example.
const BUILT: Option<&str> = option_env!("CARGO_BIN_EXE_terraform-provider-claude");

const BINARY: &str = "terraform-provider-claude";
const LIMIT: Duration = Duration::from_secs(120);

/// A folder with a configuration and its state.
pub(crate) struct Workspace {
    root: TempDir,
    terraform: PathBuf,
    environment: BTreeMap<String, String>,
    traced: bool,
    runs: Cell<u32>,
}

impl Workspace {
    /// Makes an empty workspace for the provider of this build; `name` shows in its path.
    #[track_caller]
    pub(crate) fn new(name: &str) -> Self {
        let provider = BUILT.expect("Cargo names the binary to integration tests");
        Self::with(name, provision::terraform(), Path::new(provider))
            .expect("a temporary folder takes a few small files")
    }

    /// Makes an empty workspace for any Terraform and any build of the provider.
    pub(crate) fn with(name: &str, terraform: &Path, provider: &Path) -> std::io::Result<Self> {
        let root = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir()?;
        let folder = |name: &str| {
            let folder = root.path().join(name);
            fs::create_dir(&folder).map(|()| folder)
        };
        let (home, plugins) = (folder("home")?, folder("plugins")?);
        folder("stack")?;
        folder("logs")?;
        std::os::unix::fs::symlink(provider, plugins.join(BINARY))?;
        let settings = root.path().join("cli.tfrc");
        fs::write(
            &settings,
            format!(
                "disable_checkpoint = true\nprovider_installation {{\n  dev_overrides {{\n    {SOURCE:?} = {plugins:?}\n  }}\n}}\n"
            ),
        )?;
        let mut environment = BTreeMap::from(
            [
                ("HOME", home.display().to_string()),
                ("TF_CLI_CONFIG_FILE", settings.display().to_string()),
                ("TF_CLI_ARGS", "-no-color".to_owned()),
                ("TF_IN_AUTOMATION", "1".to_owned()),
                ("TF_INPUT", "0".to_owned()),
                ("CHECKPOINT_DISABLE", "1".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        for name in ["PATH", "TMPDIR"] {
            if let Some(value) = ProcessEnvironment.get(name) {
                environment.insert(name.to_owned(), value);
            }
        }
        Ok(Self {
            root,
            terraform: terraform.to_owned(),
            environment,
            traced: false,
            runs: Cell::new(0),
        })
    }

    /// Returns the folder with the configuration, the state and the saved plan.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.path().join("stack")
    }

    /// Returns the home folder, where `.vault-token` would be.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Returns the variables of every run.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Writes a file of the configuration.
    #[track_caller]
    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.folder().join(file), text).expect("the workspace takes a small file");
    }

    /// Writes `main.tf`: [`HEADER`], then the text.
    #[track_caller]
    pub(crate) fn configure(&self, text: &str) {
        self.write("main.tf", &format!("{HEADER}{text}"));
    }

    /// Sets a variable for every later run.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    /// Logs every later run at TRACE, as [`Invocation::traced`] does one.
    pub(crate) fn trace(&mut self) {
        self.traced = true;
    }

    /// Prepares a run: the subcommand, then its arguments.
    pub(crate) fn command<'a>(
        &'a self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Invocation<'a> {
        Invocation {
            workspace: self,
            arguments: arguments.into_iter().map(str::to_owned).collect(),
            environment: self.environment.clone(),
            input: String::new(),
            limit: LIMIT,
            interruption: None,
            traced: self.traced,
        }
    }

    /// Runs a subcommand with its arguments.
    #[track_caller]
    pub(crate) fn run<'a>(&'a self, arguments: impl IntoIterator<Item = &'a str>) -> Run {
        self.command(arguments).run()
    }

    /// Plans and saves the plan as [`PLAN`]; exit code 2 means changes.
    #[track_caller]
    pub(crate) fn plan(&self) -> Run {
        self.run(["plan", "-detailed-exitcode", "-out", PLAN])
    }

    /// Plans anew and applies that at once.
    #[track_caller]
    pub(crate) fn apply(&self) -> Run {
        self.run(["apply", "-auto-approve"])
    }

    /// Applies the plan that [`Workspace::plan`] saved.
    #[track_caller]
    pub(crate) fn apply_saved(&self) -> Run {
        self.run(["apply", PLAN])
    }

    /// Destroys everything in the state.
    #[track_caller]
    pub(crate) fn destroy(&self) -> Run {
        self.run(["destroy", "-auto-approve"])
    }

    /// Returns the plan in `file` as `terraform show -json` writes it.
    #[track_caller]
    pub(crate) fn show_json(&self, file: &str) -> Value {
        self.run(["show", "-json", file]).exits(0).json()
    }

    /// Returns the state as `terraform show -json` writes it.
    #[track_caller]
    pub(crate) fn state_json(&self) -> Value {
        self.run(["show", "-json"]).exits(0).json()
    }

    /// Asks the command line itself what it is and what it can do.
    #[track_caller]
    pub(crate) fn capabilities(&self) -> Capabilities {
        let version = self.run(["version", "-json"]).exits(0).json();
        let product = self.run(["version"]).exits(0).stdout.clone();
        let help = self.run(["-help"]).stdout;
        // Each construct that is unknown is an error that names it; those that are known end in
        // the provider that is not there.
        let probe = tempfile::tempdir().expect("the system has a folder for temporary files");
        fs::write(
            probe.path().join("main.tf"),
            "ephemeral \"none_none\" \"probe\" {}\naction \"none_none\" \"probe\" {}\n\
             import {\n  to = none_none.probe\n  identity = {}\n}\n",
        )
        .expect("a temporary folder takes a small file");
        let chdir = format!("-chdir={}", probe.path().display());
        let refused = self.run([chdir.as_str(), "validate"]);
        let refused = words(&format!("{}{}", refused.stdout, refused.stderr));
        Capabilities {
            write_only: self.takes_write_only_arguments(),
            is_terraform: product.starts_with("Terraform "),
            version: version["terraform_version"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            ephemeral_resources: !refused.contains("Blocks of type \"ephemeral\""),
            actions: !refused.contains("Blocks of type \"action\""),
            import_by_identity: !refused.contains("named \"identity\" is not expected"),
            query: help
                .lines()
                .any(|line| line.trim_start().starts_with("query ")),
        }
    }

    /// Asks by a configuration whose argument the provider refuses where it would be stored.
    #[track_caller]
    fn takes_write_only_arguments(&self) -> bool {
        let probe = tempfile::tempdir().expect("the system has a folder for temporary files");
        let resource = "resource \"claude_oauth_token\" \"probe\" {\n  path = \"probe\"\n  token_wo = \"\"\n}\n";
        fs::write(probe.path().join("main.tf"), format!("{HEADER}{resource}"))
            .expect("a temporary folder takes a small file");
        let chdir = format!("-chdir={}", probe.path().display());
        let refused = self.run([chdir.as_str(), "validate"]);
        !words(&refused.transcript()).contains("Write-only attributes are not supported")
    }

    /// Searches all that was written here, configuration apart: state, plans, logs, home.
    pub(crate) fn search(&self, search: &mut LeakSearch) {
        search.folder(self.root.path(), &["tf", "tfvars", "tfrc", "hcl"]);
    }
}

/// What a command line can do, by its own account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Terraform rather than OpenTofu.
    pub(crate) is_terraform: bool,
    /// Version of the command line.
    pub(crate) version: String,
    /// `ephemeral` blocks.
    pub(crate) ephemeral_resources: bool,
    /// Arguments that are in no state; they came one release after `ephemeral` blocks.
    pub(crate) write_only: bool,
    /// `action` blocks.
    pub(crate) actions: bool,
    /// `identity` in `import` blocks.
    pub(crate) import_by_identity: bool,
    /// The `query` command and `list` blocks.
    pub(crate) query: bool,
}

/// A run that has not started yet.
pub(crate) struct Invocation<'a> {
    workspace: &'a Workspace,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    input: String,
    limit: Duration,
    interruption: Option<Interruption>,
    traced: bool,
}

impl Invocation<'_> {
    /// Sets a variable for this run alone.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a variable from this run.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Gives this run something to read.
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = text.to_owned();
        self
    }

    /// Ends this run after another time than two minutes.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Presses Ctrl-C once `moment` returns.
    pub(crate) fn interrupted(mut self, moment: impl FnOnce() + Send + 'static) -> Self {
        self.interruption = Some((Signal::INT, Box::new(moment)));
        self
    }

    /// Kills the command and the plugins that it started once `moment` returns.
    pub(crate) fn killed(mut self, moment: impl FnOnce() + Send + 'static) -> Self {
        self.interruption = Some((Signal::KILL, Box::new(moment)));
        self
    }

    /// Logs at TRACE into a file of its own, see [`Run::log`].
    pub(crate) fn traced(mut self) -> Self {
        self.traced = true;
        self
    }

    /// Runs it, however it ends.
    ///
    /// # Panics
    ///
    /// If Terraform cannot be started or does not end in time.
    #[track_caller]
    pub(crate) fn run(self) -> Run {
        let run = self
            .start()
            .unwrap_or_else(|error| panic!("terraform cannot be started: {error}"));
        assert!(
            !run.timed_out,
            "terraform did not end in time\n{}",
            run.transcript()
        );
        run
    }

    /// Runs it, and leaves it to the caller what to do where it cannot be started.
    pub(crate) fn start(mut self) -> std::io::Result<Run> {
        let number = self.workspace.runs.get() + 1;
        self.workspace.runs.set(number);
        let name = self
            .arguments
            .iter()
            .find(|argument| !argument.starts_with('-'));
        let log = self
            .workspace
            .root
            .path()
            .join("logs")
            .join(format!("{number:02}-{}.log", name.map_or("run", |n| n)));
        if self.traced {
            self.environment.insert("TF_LOG".into(), "TRACE".into());
            self.environment
                .insert("TF_LOG_PATH".into(), log.display().to_string());
        }
        let Finished {
            status,
            stdout,
            stderr,
            elapsed,
            timed_out,
        } = process::run_interrupted(
            Command::new(&self.workspace.terraform)
                .args(&self.arguments)
                .current_dir(self.workspace.folder())
                .env_clear()
                .envs(&self.environment),
            self.input.as_bytes(),
            self.limit,
            self.interruption,
        )?;
        Ok(Run {
            command: format!("terraform {}", self.arguments.join(" ")),
            folder: self.workspace.folder(),
            code: status.code(),
            stdout,
            stderr,
            log: self
                .traced
                .then(|| fs::read_to_string(log).unwrap_or_default()),
            elapsed,
            timed_out,
        })
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// Command line, for messages.
    pub(crate) command: String,
    folder: PathBuf,
    /// Exit code, or `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// The TRACE log, where one was asked for.
    pub(crate) log: Option<String>,
    /// Time from start to end.
    pub(crate) elapsed: Duration,
    /// Whether the time limit ended it.
    pub(crate) timed_out: bool,
}

impl Run {
    /// Demands an exit code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert!(
            self.code == Some(code),
            "expected exit code {code}\n{}",
            self.transcript()
        );
        self
    }

    /// Demands a text on either stream, however Terraform broke its lines.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(
            self.words().contains(&words(text)),
            "expected to read: {text}\n{}",
            self.transcript()
        );
        self
    }

    /// Demands that a text is on neither stream, however Terraform broke its lines.
    #[track_caller]
    pub(crate) fn omits(&self, text: &str) -> &Self {
        assert!(
            !self.words().contains(&words(text)),
            "expected not to read: {text}\n{}",
            self.transcript()
        );
        self
    }

    /// Demands that the plan changes nothing, neither resources nor outputs.
    #[track_caller]
    pub(crate) fn changes_nothing(&self) -> &Self {
        self.exits(0).says("No changes.")
    }

    /// Returns the errors and warnings of a run with `-json`, but for those about the override.
    #[track_caller]
    pub(crate) fn told(&self) -> Vec<Told> {
        let documents: Vec<Value> = if self.stdout.starts_with("{\n") {
            self.json()["diagnostics"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        } else {
            self.stdout
                .lines()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .map(|line| line["diagnostic"].clone())
                .filter(|diagnostic| !diagnostic.is_null())
                .collect()
        };
        documents
            .iter()
            .map(Told::of)
            .filter(|told| !told.summary.starts_with("Provider development overrides"))
            .collect()
    }

    /// Returns the lines of a plan that a drift job keeps: `# … will be`, `# … must be`, `Plan:`.
    pub(crate) fn drift_lines(&self) -> Vec<&str> {
        self.stdout
            .lines()
            .map(str::trim)
            .filter(|line| {
                line.starts_with("Plan:")
                    || line.starts_with("# ")
                        && (line.contains(" will be") || line.contains(" must be"))
            })
            .collect()
    }

    /// Returns standard output without the notice that a development build is in use.
    pub(crate) fn output(&self) -> String {
        const NOTICE: &str = "Warning: Provider development overrides are in effect";
        let Some(start) = self.stdout.find(NOTICE) else {
            return self.stdout.clone();
        };
        let (before, notice) = self.stdout.split_at(start);
        // The notice ends with the paragraph on published releases, wherever its lines break.
        let after = notice
            .split_once("published")
            .and_then(|(_, rest)| rest.split_once("releases."))
            .map_or("", |(_, after)| after);
        format!("{}{}", before.trim_end(), after)
    }

    /// Reads standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("expected JSON: {error}\n{}", self.transcript()))
    }

    /// Searches both streams and the log.
    pub(crate) fn search(&self, search: &mut LeakSearch) {
        search.text(&format!("stdout of {}", self.command), &self.stdout);
        search.text(&format!("stderr of {}", self.command), &self.stderr);
        if let Some(log) = &self.log {
            search.text(&format!("log of {}", self.command), log);
        }
    }

    /// Returns all there is to know about the run, for a message.
    pub(crate) fn transcript(&self) -> String {
        let mut text = format!(
            "$ {}   (exit code {}, {:.2} s)\n--- stdout\n{}\n--- stderr\n{}\n",
            self.command,
            self.code
                .map_or_else(|| "none".to_owned(), |code| code.to_string()),
            self.elapsed.as_secs_f64(),
            self.stdout.trim_end(),
            self.stderr.trim_end(),
        );
        if let Ok(configuration) = fs::read_to_string(self.folder.join("main.tf")) {
            let _ = writeln!(text, "--- main.tf\n{}", configuration.trim_end());
        }
        text
    }

    fn words(&self) -> String {
        words(&format!("{}\n{}", self.stdout, self.stderr))
    }
}

/// An error or a warning as `-json` has it: what a person reads, without the line breaks.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// An error rather than a warning.
    pub(crate) is_error: bool,
    /// The resource, empty where it is about none.
    pub(crate) address: String,
    /// The first line.
    pub(crate) summary: String,
    /// The text below.
    pub(crate) detail: String,
    /// The lines of the configuration that are quoted.
    pub(crate) code: String,
}

impl Told {
    fn of(diagnostic: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            is_error: diagnostic["severity"] == "error",
            address: text(&diagnostic["address"]),
            summary: text(&diagnostic["summary"]),
            detail: text(&diagnostic["detail"]),
            code: text(&diagnostic["snippet"]["code"]),
        }
    }
}

/// Joins the words of a text with single spaces: Terraform wraps what it says at 78 columns.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

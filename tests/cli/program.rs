//! Runs the program as a person does, in a home of its own.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::Value;

use terraform_provider_claude::clock;

use crate::support::openbao::OpenBao;
use crate::support::process;
use crate::support::secrets::LeakSearch;

/// The signals that end a program.
pub(super) const ENDING: [Signal; 5] = [
    Signal::INT,
    Signal::TERM,
    Signal::HUP,
    Signal::QUIT,
    Signal::ALARM,
];
/// Field that tokens are in.
pub(super) const FIELD: &str = "claude_oauth_token";
/// The binary that Cargo built.
pub(super) const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-claude");
const LIMIT: Duration = Duration::from_secs(90);

/// The program and its environment.
pub(super) struct Program {
    binary: PathBuf,
    home: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    limit: Duration,
}

impl Program {
    /// Knows of no server.
    pub(super) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let environment = [("HOME", home.path().to_str().unwrap()), ("PATH", "")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            binary: BINARY.into(),
            environment: environment.into(),
            home,
            limit: LIMIT,
        }
    }

    /// Speaks to a server as root.
    pub(super) fn at(bao: &OpenBao) -> Self {
        Self::new()
            .with("VAULT_ADDR", bao.address())
            .with("VAULT_TOKEN", OpenBao::ROOT)
    }

    /// Sets a variable.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Gives each run more or less time.
    pub(super) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs another file in the place of the one that Cargo built.
    pub(super) fn file(mut self, binary: &Path) -> Self {
        binary.clone_into(&mut self.binary);
        self
    }

    /// Returns the home folder.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Prepares a run.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .envs(&self.environment);
        command
    }

    /// Runs it with nothing on standard input.
    #[track_caller]
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.fed(arguments, "")
    }

    /// Runs it with a text on standard input.
    #[track_caller]
    pub(super) fn fed(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let finished = process::run(&mut self.command(arguments), input.as_ref(), self.limit)
            .expect("the binary starts");
        assert!(!finished.timed_out, "{arguments:?} did not end");
        Ran {
            line: arguments.join(" "),
            code: finished.status.code(),
            stdout: finished.stdout,
            stderr: finished.stderr,
        }
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(super) struct Ran {
    line: String,
    code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ran {
    /// Demands an exit code.
    #[track_caller]
    pub(super) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Demands a text on standard output, however its lines are broken.
    #[track_caller]
    pub(super) fn prints(&self, text: &str) -> &Self {
        assert!(
            words(&self.stdout).contains(&words(text)),
            "{text}\n{}",
            self.shown()
        );
        self
    }

    /// Demands a text on standard error, however its lines are broken.
    #[track_caller]
    pub(super) fn tells(&self, text: &str) -> &Self {
        assert!(
            words(&self.stderr).contains(&words(text)),
            "{text}\n{}",
            self.shown()
        );
        self
    }

    /// Demands that standard error is empty.
    #[track_caller]
    pub(super) fn is_quiet(&self) -> &Self {
        assert_eq!(self.stderr, "", "{}", self.shown());
        self
    }

    /// Demands that standard output is empty.
    #[track_caller]
    pub(super) fn prints_nothing(&self) -> &Self {
        assert_eq!(self.stdout, "", "{}", self.shown());
        self
    }

    /// Reads standard output as JSON.
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.shown()))
    }

    /// Searches both streams.
    pub(super) fn search(&self, search: &mut LeakSearch) {
        search.text(&format!("stdout of {}", self.line), &self.stdout);
        search.text(&format!("stderr of {}", self.line), &self.stderr);
    }

    fn shown(&self) -> String {
        format!(
            "$ {} ({:?})\n--- stdout\n{}\n--- stderr\n{}",
            self.line, self.code, self.stdout, self.stderr
        )
    }
}

/// Writes a text with single spaces in the place of breaks.
pub(super) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes an instant so many days from now.
pub(super) fn in_days(days: i64) -> String {
    let at = clock::now() + SignedDuration::from_hours(24 * days);
    Timestamp::from_second(at.as_second()).unwrap().to_string()
}

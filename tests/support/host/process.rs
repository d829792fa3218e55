//! The binary as a child process, with all that it writes.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::BOUND;

/// A running binary; it is killed when dropped.
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
    errors: JoinHandle<String>,
    folder: TempDir,
}

/// What is left of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Standard output after the first line, if that was read before.
    pub(crate) output: String,
    /// All of standard error.
    pub(crate) errors: String,
    /// Holds what the process left behind, for as long as a test looks.
    _folder: TempDir,
}

impl Process {
    /// Starts the binary with these arguments and variables, and a folder for temporary files that
    /// vanishes with the process unless one is named.
    pub(crate) fn start(arguments: &[&str], environment: &[(String, String)]) -> Self {
        let built = Path::new(env!("CARGO_BIN_EXE_terraform-provider-claude"));
        Self::start_program(built, arguments, environment)
    }

    /// Starts another provider as [`Process::start`] does.
    pub(crate) fn start_program(
        program: &Path,
        arguments: &[&str],
        environment: &[(String, String)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("TMPDIR", folder.path())
            .envs(environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let errors = tokio::spawn(async move {
            let mut text = String::new();
            errors.read_to_string(&mut text).await.unwrap();
            text
        });
        Self {
            child,
            output,
            errors,
            folder,
        }
    }

    /// Reads the first line of standard output, without its line break.
    pub(crate) async fn first_line(&mut self) -> String {
        let mut line = String::new();
        timeout(BOUND, self.output.read_line(&mut line))
            .await
            .expect("no line on standard output")
            .unwrap();
        assert!(line.ends_with('\n'), "standard output ended: {line:?}");
        line.pop();
        line
    }

    /// Number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.id().try_into().unwrap()).unwrap();
        kill_process(process, signal).unwrap();
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = timeout(BOUND, self.child.wait())
            .await
            .expect("the process does not end")
            .unwrap();
        let mut output = String::new();
        self.output.read_to_string(&mut output).await.unwrap();
        Ended {
            status,
            output,
            errors: self.errors.await.unwrap(),
            _folder: self.folder,
        }
    }
}

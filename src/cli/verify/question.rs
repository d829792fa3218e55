//! The request to the user's own `claude` that shows whether a token works.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Finding, Output};
use super::cause::Cause;
use super::folders::Folders;
use super::process::{self, End};
use crate::cli::inherited;
use crate::secret::Secret;

/// Time limit for a process.
const LIMIT: Duration = Duration::from_secs(120);

/// The smallest possible request: no tools, no settings, no session.
const ARGUMENTS: [&str; 15] = [
    "-p",
    "ok",
    "--model",
    "haiku",
    "--max-turns",
    "1",
    "--tools",
    "",
    "--no-session-persistence",
    "--setting-sources",
    "",
    "--strict-mcp-config",
    "--output-format",
    "stream-json",
    "--verbose",
];

/// The program to run, and how.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The program, or `None` if it is not found.
    program: Option<PathBuf>,
    arguments: Vec<OsString>,
    /// Whether the program prints Claude Code's events.
    has_events: bool,
    /// Variables that are removed from its environment.
    removed: Vec<OsString>,
}

impl Question {
    /// Runs `claude`, or the program with the name or path that the user sets.
    pub(super) fn to_claude(program: &OsStr, names: &[OsString], keep: &[String]) -> Self {
        let arguments = ARGUMENTS.iter().map(OsString::from).collect();
        Self::new(program, arguments, true, names, keep)
    }

    /// Runs a command of the user.
    pub(super) fn to_command(command: &[OsString], names: &[OsString], keep: &[String]) -> Self {
        let (program, arguments) = match command {
            [program, arguments @ ..] => (program.as_os_str(), arguments.to_vec()),
            [] => (OsStr::new(""), Vec::new()),
        };
        Self::new(program, arguments, false, names, keep)
    }

    fn new(
        program: &OsStr,
        arguments: Vec<OsString>,
        has_events: bool,
        names: &[OsString],
        keep: &[String],
    ) -> Self {
        let removed = inherited::private(names, keep);
        Self {
            program: find(program),
            arguments,
            has_events,
            removed: removed.into_iter().map(OsStr::to_owned).collect(),
        }
    }

    /// Returns the program that is run, if there is one.
    pub(super) fn program(&self) -> Option<&Path> {
        self.program.as_deref()
    }

    /// Finds out whether a token works. `None` if the user stopped this program in the meantime.
    ///
    /// # Errors
    ///
    /// Fails if the two folders cannot be created.
    pub(super) async fn ask(
        &self,
        token: &Secret,
        stop: &CancellationToken,
    ) -> io::Result<Option<Answer>> {
        let no_claude = Answer::silent(Finding::Unclear(Cause::NoClaude));
        let Some(program) = &self.program else {
            return Ok(Some(no_claude));
        };
        let folders = Folders::create()?;
        let mut command = Command::new(program);
        command.args(&self.arguments).current_dir(folders.work());
        for name in &self.removed {
            command.env_remove(name);
        }
        command
            .envs(inherited::FOR_A_QUESTION)
            .env("CLAUDE_CONFIG_DIR", folders.config())
            // Its temporary files are removed as well.
            .env("CLAUDE_CODE_TMPDIR", folders.config())
            .env(inherited::TOKEN, token.expose());
        let Ok(ended) = process::run(&mut command, LIMIT, stop).await else {
            return Ok(Some(no_claude));
        };
        // This also drops its copy of the token.
        drop(command);
        let status = match ended.end {
            End::Exited(status) => status,
            End::OutOfTime => {
                return Ok(Some(Answer::silent(Finding::Unclear(Cause::NoAnswer))));
            }
            End::Stopped => return Ok(None),
        };
        let (stdout, stderr) = (
            String::from_utf8_lossy(&ended.stdout),
            String::from_utf8_lossy(&ended.stderr),
        );
        let output = Output {
            code: status.code(),
            stdout: &stdout,
            stderr: &stderr,
        };
        Ok(Some(if self.has_events {
            Answer::of_claude(output, token)
        } else {
            Answer::of_command(output, token)
        }))
    }
}

/// Looks up a program like a shell, before the working directory changes.
fn find(program: &OsStr) -> Option<PathBuf> {
    if program.is_empty() {
        return None;
    }
    if Path::new(program).components().count() > 1 {
        return std::path::absolute(program)
            .ok()
            .filter(|path| can_run(path));
    }
    let folders = crate::env::search_path();
    folders
        .into_iter()
        .filter_map(|folder| std::path::absolute(folder.join(program)).ok())
        .find(|path| can_run(path))
}

fn can_run(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

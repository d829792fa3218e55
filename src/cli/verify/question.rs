//! The question whether a token works, as it is put to the user's own `claude`.

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

/// How long a process may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The smallest request that there is. No tools, no settings, no session.
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

/// Who is asked, and how.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The program, `None` where it is not found.
    program: Option<PathBuf>,
    arguments: Vec<OsString>,
    /// Whether the program answers with the events of Claude Code.
    has_events: bool,
    /// Variables that it does not get.
    removed: Vec<OsString>,
}

impl Question {
    /// Asks `claude`, or the program of that name or path that the user names.
    pub(super) fn to_claude(program: &OsStr, names: &[OsString], keep: &[String]) -> Self {
        let arguments = ARGUMENTS.iter().map(OsString::from).collect();
        Self::new(program, arguments, true, names, keep)
    }

    /// Runs a command of the user, which asks in its own way.
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

    /// Asks whether a token works. `None` where the user stopped this program meanwhile.
    ///
    /// # Errors
    ///
    /// Fails where the two folders cannot be created.
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
            // What it leaves behind in its folder for temporary files goes as well.
            .env("CLAUDE_CODE_TMPDIR", folders.config())
            .env(inherited::TOKEN, token.expose());
        let Ok(ended) = process::run(&mut command, LIMIT, stop).await else {
            return Ok(Some(no_claude));
        };
        // Its copy of the token goes with it.
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

/// Finds a program as a shell does, before the working directory changes.
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

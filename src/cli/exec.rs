//! The command `exec`: replaces this process with another program that has a token in its
//! environment.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use super::arguments::Exec;
use super::failure::Failure;
use super::{inherited, output, run_to_end};
use crate::env::{self, Environment};
use crate::provider::operations::{HandedOut, Operations};

/// Exit code if a program is not found, as in shells.
const EXIT_NOT_FOUND: u8 = 127;
/// Exit code if a program cannot be run, as in shells.
const EXIT_CANNOT_RUN: u8 = 126;

/// Runs the command. It returns only if the program could not be started.
pub(super) fn run(arguments: Exec, environment: &Arc<dyn Environment>) -> ExitCode {
    let environment = &**environment;
    let Exec {
        scope,
        path,
        variable,
        command,
    } = arguments;
    let outcome = run_to_end(async {
        let (operations, warnings) = Operations::new(scope, environment)?;
        output::diagnostics(&warnings, environment);
        let handed_out = operations.for_one_secret().hand_out(&path).await;
        // The program that follows cannot do this.
        operations.close().await;
        Ok::<_, Failure>(handed_out?)
    });
    let HandedOut { token, notes } = match outcome {
        Ok(handed_out) => handed_out,
        Err(failure) => return failure.report(true, environment),
    };
    let names = env::names();
    let removed = inherited::shadowing(&names);
    for note in notes.into_iter().chain(note(&names, &removed)) {
        output::note(&format!(
            "{}: {}\n",
            env!("CARGO_PKG_NAME"),
            output::plain(&note)
        ));
    }
    let [program, rest @ ..] = &command[..] else {
        return ExitCode::FAILURE;
    };
    let mut command = Command::new(program);
    command.args(rest);
    for name in removed {
        command.env_remove(name);
    }
    command.env(
        variable.as_deref().unwrap_or(inherited::TOKEN),
        token.expose(),
    );
    let error = command.exec();
    let (code, what) = if error.kind() == io::ErrorKind::NotFound {
        (EXIT_NOT_FOUND, "COMMAND was not found")
    } else {
        (EXIT_CANNOT_RUN, "COMMAND cannot be run")
    };
    output::fail(what, &format!("{error}. Nothing was run."), environment);
    ExitCode::from(code)
}

/// Lists the variables that do not reach the program, and reports one that does and that matters.
fn note(names: &[std::ffi::OsString], removed: &[&OsStr]) -> Option<String> {
    let mut parts = Vec::new();
    if !removed.is_empty() {
        let list: Vec<_> = removed.iter().map(|name| name.to_string_lossy()).collect();
        parts.push(format!(
            "removed from the environment of COMMAND: {}",
            list.join(", ")
        ));
    }
    if inherited::has_gateway(names) {
        parts.push("ANTHROPIC_BASE_URL is set, so the token is sent to that address".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

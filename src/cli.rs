//! The command line: what hosts start, and what people run in a terminal.
//!
//! A host gives no arguments, and then none are parsed. Logic is in the provider's operations;
//! here are arguments, terminals, and programs and files of the user.

mod arguments;
mod exec;
mod failure;
mod find;
mod help;
mod inherited;
mod input;
mod install;
mod output;
mod promote;
mod serve;
mod signals;
mod status;
mod store;
mod verify;

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use crate::env::Environment;
use crate::hardening;
use crate::log;
use arguments::{Command, Problem, Topic, UsageError};

pub use status::METRICS;

const VERSION: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n");

/// Exit code for invalid arguments.
const EXIT_USAGE: u8 = 2;

/// Runs the program and returns its exit code: 0, 1 for a failure, 2 for invalid arguments. Where
/// 2 is the answer to what was asked, such as a token that is due or refused, 1 stands for both.
///
/// `arguments` do not include the program's name.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Arc<dyn Environment>,
) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.is_empty() {
        return serve::serve(false, environment);
    }
    let command = match arguments::parse(arguments) {
        Ok(command) => command,
        Err(error) => return refuse(error),
    };
    if !matches!(command, Command::Debug) {
        log::install_panic_hook();
        hardening::hide_memory();
    }
    match command {
        Command::Version => output::print(VERSION),
        Command::Help(topic) => output::print(help::text(topic)),
        Command::Install(arguments) => install::run(&arguments, &**environment),
        Command::Store(arguments) => store::run(arguments, environment),
        Command::Status(arguments) => status::run(arguments, environment),
        Command::Find(arguments) => find::run(arguments, environment),
        Command::Promote(arguments) => promote::run(arguments, environment),
        Command::Verify(arguments) => verify::run(arguments, environment),
        Command::Exec(arguments) => exec::run(arguments, environment),
        Command::Debug => serve::serve(true, environment),
    }
}

/// Says what is wrong with a command line without repeating any of it.
fn refuse(error: UsageError) -> ExitCode {
    let program = env!("CARGO_PKG_NAME");
    let program = match error.topic {
        Topic::Program => program.to_owned(),
        topic => format!("{program} {}", topic.as_str()),
    };
    let problem = error.problem.to_string();
    let end = if problem.ends_with('?') { "" } else { "." };
    let mut text = format!("{program}: {problem}{end}\n");
    if error.problem == Problem::Token {
        text.push_str(&help::tokens_by_input(error.topic));
    }
    text.push_str(&format!("See `{program} --help`.\n"));
    output::note(&text);
    ExitCode::from(if error.two_is_taken { 1 } else { EXIT_USAGE })
}

/// Runs the work of the provider or of a command on this one thread.
///
/// A call is a tenth of a millisecond of work and then waits for Vault: more threads would cost each
/// start more than they give a plan.
///
/// # Errors
///
/// Fails as the work does, and where the system refuses what a runtime needs.
fn run_to_end<T, E: From<io::Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(work);
    // A thread may still wait for a key, or for the address of a server; nobody waits for it.
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn nobody_waits_for_a_thread_that_still_does() {
        let (key, pressed) = mpsc::channel::<()>();
        let outcome = run_to_end(async {
            let (started, has_started) = tokio::sync::oneshot::channel();
            tokio::task::spawn_blocking(move || {
                let _ = started.send(());
                pressed.recv()
            });
            io::Result::Ok(has_started.await)
        });
        assert_eq!(outcome.unwrap(), Ok(()));
        drop(key);
    }
}

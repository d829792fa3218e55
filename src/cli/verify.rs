//! The command `verify`: reports whether tokens work, according to the user's own `claude`.
//!
//! None of our code contacts Anthropic. Each token is passed only to the environment of one
//! process, and only the verdict is kept.

mod answer;
mod cause;
mod control;
mod folders;
mod process;
mod question;
mod report;
mod run;

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::arguments::Verify;
use super::failure::Failure;
use super::signals::Interrupts;
use super::{input, output, run_to_end};
use crate::env::{self, Environment};
use crate::provider::operations::Operations;
use crate::secret::Secret;
use answer::Finding;
use question::Question;
use run::{Control, Row, Run};

/// Exit code for a token that is refused.
pub(super) const EXIT_REFUSED: u8 = 2;
/// Wait before the second request about a refused token.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Time limit for all work after an interrupt.
const END_LIMIT: Duration = Duration::from_secs(6);

/// Runs the command.
pub(super) fn run(arguments: Verify, environment: &Arc<dyn Environment>) -> ExitCode {
    let environment = &**environment;
    let json = arguments.json;
    let outcome = run_to_end(async {
        let mut interrupts = Interrupts::catch()?;
        let stop = CancellationToken::new();
        let work = verify(arguments, environment, &stop);
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            () = interrupts.come() => {
                stop.cancel();
                // Programs are ended and their folders removed first, because Vault may hang.
                let _ = timeout(END_LIMIT, work).await;
                Err(Failure::Stopped)
            }
        }
    });
    match outcome {
        Ok((verified, is_incomplete)) => {
            let printed = output::print(&if json {
                report::json(&verified)
            } else {
                report::text(&verified, environment)
            });
            verified.exit_code(is_incomplete, printed)
        }
        Err(failure) => failure.report(true, environment),
    }
}

/// The results of a run.
struct Verified {
    /// The result for the made-up token, or `None` if it was not tried.
    control: Option<Finding>,
    /// One row for each token.
    rows: Vec<Row>,
    /// The mount that they are in.
    mount: String,
}

impl Verified {
    fn exit_code(&self, is_incomplete: bool, otherwise: ExitCode) -> ExitCode {
        let any = |is: fn(&Row) -> bool| self.rows.iter().any(is);
        if any(Row::is_refused) {
            ExitCode::from(EXIT_REFUSED)
        } else if is_incomplete || !self.rows.iter().all(Row::works) {
            ExitCode::FAILURE
        } else {
            otherwise
        }
    }
}

async fn verify(
    arguments: Verify,
    environment: &dyn Environment,
    stop: &CancellationToken,
) -> Result<(Verified, bool), Failure> {
    let names = env::names();
    let question = match &arguments.command {
        Some(command) => Question::to_command(command, &names, &arguments.keep_env),
        None => Question::to_claude(
            arguments.claude.as_deref().unwrap_or(OsStr::new("claude")),
            &names,
            &arguments.keep_env,
        ),
    };
    if question.program().is_none() {
        no_program(&arguments, environment);
    }
    let (operations, warnings) = Operations::new(arguments.scope, environment)?;
    output::diagnostics(&warnings, environment);
    let stamps = !arguments.no_stamp;
    let run = Run {
        operations: &operations,
        question: &question,
        control: if arguments.command.is_none() || arguments.control {
            Control::Needed
        } else {
            Control::Unwanted
        },
        if_older_than: arguments.if_older_than,
        stamps,
        ask_again_after: ask_again_after(environment),
        environment,
        stop,
    };
    if arguments.targets == ["-"] {
        let token = input::token(None).await;
        let token = token.map_err(|error| Failure::input(error, "No token was verified."))?;
        let verified = run.given(&token).await?.ok_or(Failure::Stopped)?;
        return Ok((verified, false));
    }
    if stamps {
        operations.check_stamping()?;
    }
    let outcome = stored(&run, &arguments.targets).await;
    operations.close().await;
    outcome
}

/// Verifies the tokens in Vault.
async fn stored(run: &Run<'_>, targets: &[String]) -> Result<(Verified, bool), Failure> {
    let candidates = tokio::select! {
        candidates = run.operations.candidates(targets) => candidates?,
        () = run.stop.cancelled() => return Err(Failure::Stopped),
    };
    output::diagnostics(&candidates.diagnostics, run.environment);
    if io::stderr().is_terminal() && !candidates.places.is_empty() {
        output::note(
            "Verifying. Each token takes a few seconds, and a refused one about half a minute.\n",
        );
    }
    let verified = run.stored(candidates.places).await?;
    Ok((verified.ok_or(Failure::Stopped)?, candidates.is_incomplete))
}

/// Verifies one token before it is stored. `None` if the user stopped the program in the meantime.
pub(super) async fn ask_before_storing(
    token: &Secret,
    claude: Option<&OsString>,
    environment: &dyn Environment,
    stop: &CancellationToken,
) -> io::Result<Option<Asked>> {
    let names = env::names();
    let question = Question::to_claude(
        claude.map_or(OsStr::new("claude"), OsString::as_os_str),
        &names,
        &[],
    );
    let made_up = control::made_up();
    let (control, answer) = tokio::join!(
        question.ask(&made_up, stop),
        run::ask(&question, token, ask_again_after(environment), stop)
    );
    let (Some(control), Some(answer)) = (control?, answer?) else {
        return Ok(None);
    };
    let finding = control::judged(&answer, Some(&control));
    Ok(Some(Asked {
        is_refused: matches!(finding, Finding::Refused(_)),
        finding,
        said: answer.said,
    }))
}

/// The finding about a token that is about to be stored.
pub(super) struct Asked {
    /// Whether it was refused.
    pub(super) is_refused: bool,
    finding: Finding,
    said: Option<String>,
}

impl Asked {
    /// Returns why the token is not known to work, or `None` if it works.
    pub(super) fn problem(&self) -> Option<String> {
        let cause = self.finding.cause()?.as_str();
        let said = self
            .said
            .as_ref()
            .map_or_else(String::new, |said| format!(": {said}"));
        Some(if self.is_refused {
            format!("The token was refused ({cause}){said}")
        } else {
            format!("It is unclear whether the token works ({cause}){said}")
        })
    }
}

fn ask_again_after(environment: &dyn Environment) -> Duration {
    environment
        .get(env::TF_CLAUDE_ASK_AGAIN_AFTER)
        .and_then(|seconds| seconds.parse().ok())
        .map_or(ASK_AGAIN_AFTER, Duration::from_secs)
}

fn no_program(arguments: &Verify, environment: &dyn Environment) {
    let advice = if arguments.command.is_some() {
        "COMMAND was not found, or is not executable."
    } else if arguments.claude.is_some() {
        "The file that --claude names does not exist, or is not executable."
    } else {
        "There is no `claude` on PATH. Install Claude Code, or set --claude to its file."
    };
    output::fail("No program to verify tokens with", advice, environment);
}

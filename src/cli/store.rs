//! The command `store`: stores a token from the terminal or a pipe in Vault.

mod report;

use std::ffi::OsString;
use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::arguments::{Source, Store};
use super::failure::Failure;
use super::input::{self, InputError};
use super::signals::{EXIT_INTERRUPTED, Interrupts};
use super::verify::{self, EXIT_REFUSED};
use super::{output, run_to_end};
use crate::env::Environment;
use crate::provider::operations::{Details, Operations, Refusal, Repair, Stored};
use crate::sdk::{Command, Text};
use crate::secret::Secret;

/// How to pass a token safely, for people who did not pass one.
const RECIPE: &str = "Mint one with `claude setup-token` in a terminal at least 300 columns wide, \
     run this, paste it, and press Enter:";

/// Time limit for a write in progress after an interrupt.
const END_LIMIT: Duration = Duration::from_secs(2);
/// Additional time limit if `claude` was started.
const CLAUDE_LIMIT: Duration = Duration::from_secs(6);

/// Runs the command.
pub(super) fn run(arguments: Store, environment: &Arc<dyn Environment>) -> ExitCode {
    let environment = &**environment;
    let (source, verify) = (arguments.source, arguments.verify);
    let has_begun = AtomicBool::new(false);
    let outcome = run_to_end(async {
        let mut interrupts = Interrupts::catch()?;
        let work = Work {
            environment,
            stop: CancellationToken::new(),
            has_begun: &has_begun,
        };
        let stop = work.stop.clone();
        let storing = work.store(arguments);
        tokio::pin!(storing);
        tokio::select! {
            outcome = &mut storing => outcome,
            () = interrupts.come() => {
                stop.cancel();
                let limit = if verify { CLAUDE_LIMIT } else { END_LIMIT };
                timeout(limit, storing).await.unwrap_or(Err(Failure::Stopped))
            }
        }
    });
    match outcome {
        Ok(stored) => {
            output::diagnostics(&stored.warnings, environment);
            printed(&report::text(&stored, source))
        }
        Err(Failure::Stopped) => {
            output::note(if has_begun.load(Ordering::Relaxed) {
                "Interrupted. The token may have been stored: run the same command again, which \
                 checks first.\n"
            } else {
                "Interrupted. Nothing was stored.\n"
            });
            ExitCode::from(EXIT_INTERRUPTED)
        }
        Err(failure) => failure.report(verify, environment),
    }
}

/// Prints what was done, or writes it to standard error if standard output is closed.
fn printed(report: &str) -> ExitCode {
    let printed = output::print(report);
    if printed != ExitCode::SUCCESS {
        output::note(report);
    }
    printed
}

/// One run of the command.
struct Work<'a> {
    environment: &'a dyn Environment,
    /// Cancelled when the user wants it to end.
    stop: CancellationToken,
    /// Whether something may have been written.
    has_begun: &'a AtomicBool,
}

impl Work<'_> {
    async fn store(&self, arguments: Store) -> Result<Stored, Failure> {
        let (operations, warnings) = Operations::new(arguments.scope, self.environment)?;
        output::diagnostics(&warnings, self.environment);
        let path = arguments.path.as_str();
        let mut details = Details {
            minted_at: arguments.minted_at,
            account: arguments.account,
            any_length: arguments.any_length,
        };
        operations.check_request(path, &details)?;
        let token = match arguments.source {
            Source::Current => None,
            Source::Inside => Some(self.repaired(&operations, path, &mut details).await?),
            Source::Input => Some(self.asked_for(&operations, path, &details).await?),
        };
        if let Some(token) = token.as_ref().filter(|_| arguments.verify) {
            Operations::check_token(token)?;
            self.verify(token, arguments.claude.as_ref()).await?;
        }
        if self.stop.is_cancelled() {
            return Err(Failure::Stopped);
        }
        self.has_begun.store(true, Ordering::Relaxed);
        let operations = operations.for_one_secret();
        let outcome = match &token {
            None => operations.stamp_only(path, &details).await,
            Some(token) => operations.store(path, token, &details).await,
        };
        operations.close().await;
        Ok(outcome?)
    }

    /// Prompts for the token. It reads the secret first, so that nobody pastes a token in vain.
    async fn asked_for(
        &self,
        operations: &Operations,
        path: &str,
        details: &Details,
    ) -> Result<Secret, Failure> {
        let command = command(operations, path, details)?;
        let reads = operations.for_one_secret();
        if !self.unless_stopped(reads.is_there(path)).await?? {
            let name = operations.secret_name(path);
            output::note(&format!(
                "{} does not exist yet: this creates it.\n",
                output::plain(&name)
            ));
        }
        input::token(Some(&operations.name(path)))
            .await
            .map_err(|error| {
                let advice = advice(&error, command);
                Failure::input(error, advice)
            })
    }

    /// Extracts the token from the field. It keeps its mint time.
    async fn repaired(
        &self,
        operations: &Operations,
        path: &str,
        details: &mut Details,
    ) -> Result<Secret, Failure> {
        let reads = operations.for_one_secret();
        let repair = self.unless_stopped(reads.repair(path, details)).await?;
        let Repair { token, minted_at } = repair?;
        details.minted_at = Some(minted_at);
        Ok(token)
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            outcome = work => Ok(outcome),
            () = self.stop.cancelled() => Err(Failure::Stopped),
        }
    }

    /// Verifies the token with `claude`. If the verdict is unclear, the user decides whether to
    /// store it.
    async fn verify(&self, token: &Secret, claude: Option<&OsString>) -> Result<(), Failure> {
        let asked = verify::ask_before_storing(token, claude, self.environment, &self.stop)
            .await?
            .ok_or(Failure::Stopped)?;
        let Some(found) = asked.problem() else {
            return Ok(());
        };
        if !asked.is_refused && io::stdin().is_terminal() {
            output::note(&format!("{found}.\n"));
            let answer = self
                .unless_stopped(input::yes("Store it anyway?"))
                .await??;
            if answer {
                return Ok(());
            }
        }
        output::fail(&found, "Nothing was stored.", self.environment);
        let code = if asked.is_refused { EXIT_REFUSED } else { 1 };
        Err(Failure::Reported(ExitCode::from(code)))
    }
}

/// Explains how to pass a token, where none was read.
fn advice(error: &InputError, command: Command) -> Text {
    let cause = match error {
        InputError::Empty | InputError::NotEntered | InputError::Interrupted => String::new(),
        InputError::TooLong | InputError::NotText => {
            "A token is one line of 108 characters: letters, digits, `-`, and `_`. ".to_owned()
        }
        InputError::Unreadable(cause) => format!("{cause}. "),
    };
    Text::from(format!("{cause}{RECIPE}")) + command + "Nothing was stored."
}

/// Returns the command that repeats this one.
fn command(operations: &Operations, path: &str, details: &Details) -> Result<Command, Refusal> {
    let options = [
        ("--minted-at", &details.minted_at),
        ("--account", &details.account),
    ];
    let command = operations.store_command(path)?;
    Ok(options
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_ref()?)))
        .fold(command, |command, (name, value)| {
            command.option(name, value)
        }))
}

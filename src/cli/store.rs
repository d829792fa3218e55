//! The command `store`: a token from the terminal or a pipe into Vault.

mod input;

use std::process::ExitCode;
use std::sync::Arc;

use super::arguments::Store;
use super::{EXIT_USAGE, output, run_to_end};
use crate::clock::SystemClock;
use crate::env::Environment;
use crate::provider::operations::{Before, Operations, Refusal, Stamping, Stored, shell};
use input::InputError;

/// Exit code of a program that Ctrl-C ended, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;

/// How a token gets here safely, for whoever gave none.
const RECIPE: &str = "Mint one with `claude setup-token` in a terminal at least 300 columns wide, \
     run this, paste it and press Enter:";

/// Why nothing was stored.
enum Failure {
    /// There is no token; the command takes one.
    Input(InputError, String),
    Refused(Refusal),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Runs the command.
pub(super) fn run(arguments: Store, environment: &Arc<dyn Environment>) -> ExitCode {
    let environment = &**environment;
    let stamp_only = arguments.stamp_only;
    let outcome = match run_to_end(store(arguments, environment)) {
        Ok(outcome) => outcome,
        Err(error) => return output::cannot_run(&error, environment),
    };
    match outcome {
        Ok(stored) => {
            output::tell(&stored.warnings, environment);
            output::print(&report(&stored, stamp_only))
        }
        Err(Failure::Refused(refusal)) => {
            output::tell(refusal.diagnostics(), environment);
            match refusal {
                Refusal::Arguments(_) => ExitCode::from(EXIT_USAGE),
                Refusal::Failed(_) => ExitCode::FAILURE,
            }
        }
        Err(Failure::Input(error, command)) => {
            let recipe = format!("{RECIPE}\n\n    {command}\n\n");
            let advice = match error {
                InputError::Interrupted => {
                    output::note("Interrupted. Nothing was stored.\n");
                    return ExitCode::from(EXIT_INTERRUPTED);
                }
                InputError::Empty => recipe,
                InputError::TooLong | InputError::NotText => format!(
                    "A token is one line of 108 characters: letters, digits, `-` and `_`. {recipe}"
                ),
                InputError::Unreadable(ref cause) => format!("{cause}. {recipe}"),
            };
            output::fail(
                &error.to_string(),
                &format!("{advice}Nothing was stored."),
                environment,
            )
        }
    }
}

async fn store(arguments: Store, environment: &dyn Environment) -> Result<Stored, Failure> {
    let (operations, warnings) =
        Operations::new(arguments.scope, environment, Arc::new(SystemClock))?;
    output::tell(&warnings, environment);
    let path = arguments.path.as_str();
    let minted_at = arguments.minted_at.as_deref();
    operations.check_request(path, minted_at)?;
    let outcome = if arguments.stamp_only {
        operations
            .for_one_secret()
            .stamp_only(path, minted_at)
            .await
            .map_err(Failure::from)
    } else {
        ask_and_store(&operations, path, minted_at).await
    };
    operations.close().await;
    outcome
}

/// Looks first, so that nobody pastes a token for nothing.
async fn ask_and_store(
    operations: &Operations,
    path: &str,
    minted_at: Option<&str>,
) -> Result<Stored, Failure> {
    let command = command(operations, path, minted_at)?;
    if !operations.for_one_secret().is_there(path).await? {
        let name = operations.secret_name(path);
        output::note(&format!(
            "{} is not there yet: this makes a new secret.\n",
            output::plain(&name)
        ));
    }
    let token = input::token(&operations.name(path))
        .await
        .map_err(|error| Failure::Input(error, command))?;
    Ok(operations
        .for_one_secret()
        .store(path, &token, minted_at)
        .await?)
}

/// Returns the command that asks for what is asked for now.
fn command(
    operations: &Operations,
    path: &str,
    minted_at: Option<&str>,
) -> Result<String, Refusal> {
    let minted_at = minted_at.map_or_else(String::new, |at| format!(" --minted-at={}", shell(at)));
    Ok(format!("{}{minted_at}", operations.store_command(path)?))
}

/// Says what was done, where the token is, what was there before, and until when it lasts.
fn report(stored: &Stored, stamp_only: bool) -> String {
    let now = stored.fingerprint.short();
    let version = stored.version;
    let mut text = if stored.is_new {
        let before = match stored.before {
            Before::Nothing if stored.version == 1 => "nothing: the secret is new".to_owned(),
            Before::Nothing => "nothing".to_owned(),
            Before::Token(fingerprint) => {
                format!("token {} (it stays in the KV history)", fingerprint.short())
            }
            Before::NoToken => "a value that is no token (it stays in the KV history)".to_owned(),
        };
        format!(
            "Stored at {}\n\n  before   {before}\n  now      token {now}, version {version}\n",
            stored.name
        )
    } else {
        let done = match stored.stamping {
            Stamping::Written if stamp_only => "Dated the token at",
            _ if stamp_only => "Nothing to do: the token has this date already, at",
            _ => "Nothing to store: the token is there already, at",
        };
        let name = &stored.name;
        format!("{done} {name}\n\n  token    {now}, version {version}\n")
    };
    let stamp = match stored.stamping {
        Stamping::Written => "stamped",
        Stamping::Kept => "stamped already",
        Stamping::Missing => "not stamped",
    };
    text.push_str(&format!(
        "  minted   {} ({stamp})\n  expires  {}\n",
        stored.minted_at, stored.expires_at
    ));
    if stored.is_new {
        text.push_str(
            "\nThe next plan takes it up. Processes read it when they start: restart them once\n\
             the Secret has it.\n",
        );
    }
    output::plain_lines(&text)
}

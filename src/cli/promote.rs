//! The command `promote`: promotes a spare into a primary now.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::arguments::Promote;
use super::failure::Failure;
use super::signals::{EXIT_INTERRUPTED, Interrupts};
use super::{output, run_to_end};
use crate::env::Environment;
use crate::provider::operations::Operations;

/// Time limit for a promotion to end safely after an interrupt.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Runs the command.
pub(super) fn run(arguments: Promote, environment: &Arc<dyn Environment>) -> ExitCode {
    let environment = &**environment;
    let dry_run = arguments.dry_run;
    let outcome = run_to_end(async {
        let mut interrupts = Interrupts::catch()?;
        let cancelled = CancellationToken::new();
        let work = promote(arguments, environment, cancelled.clone());
        tokio::pin!(work);
        tokio::select! {
            promoted = &mut work => promoted,
            () = interrupts.come() => {
                cancelled.cancel();
                timeout(END_LIMIT, work).await.unwrap_or(Err(Failure::Stopped))
            }
        }
    });
    match outcome {
        Ok(done) => {
            let next = if dry_run {
                "Nothing was changed."
            } else {
                "The next plan picks it up. Restart the workloads that use the token once the \
                 Secret has it."
            };
            output::print(&output::plain_lines(&format!("{done}.\n\n{next}\n")))
        }
        Err(Failure::Stopped) => {
            output::note(
                "Interrupted. The write may still take effect. Check the version of the primary \
                 before you run this again.\n",
            );
            ExitCode::from(EXIT_INTERRUPTED)
        }
        Err(failure) => failure.report(false, environment),
    }
}

async fn promote(
    arguments: Promote,
    environment: &dyn Environment,
    cancelled: CancellationToken,
) -> Result<String, Failure> {
    let (operations, warnings) = Operations::new(arguments.scope, environment)?;
    output::diagnostics(&warnings, environment);
    let promoted = operations
        .for_one_secret()
        .promote(
            &arguments.path,
            &arguments.spares,
            arguments.dry_run,
            cancelled,
        )
        .await;
    operations.close().await;
    let promotion = promoted?;
    output::diagnostics(&promotion.warnings, environment);
    Ok(promotion.done)
}

//! The command `status`: how tokens stand.

mod json;
mod metrics;
mod table;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;

pub use metrics::METRICS;

use super::arguments::{Format, Status};
use super::failure::Failure;
use super::{output, run_to_end};
use crate::env::Environment;
use crate::provider::operations::{Operations, Overview};

/// Exit code that says that something is due, where that was asked for.
const EXIT_DUE: u8 = 2;

/// Where the tokens of an overview are and how long they live.
struct Context {
    mount: String,
    field: String,
    lifetime_days: u32,
    rotate_before_days: u32,
}

/// Runs the command.
pub(super) fn run(arguments: Status, environment: &Arc<dyn Environment>) -> ExitCode {
    let environment = &**environment;
    let Status {
        scope,
        targets,
        format,
        detailed_exitcode,
    } = arguments;
    let outcome = run_to_end(async {
        let (operations, warnings) = Operations::new(scope, environment)?;
        output::diagnostics(&warnings, environment);
        let overview = operations.overview(&targets).await;
        operations.close().await;
        let (lifetime_days, rotate_before_days) = operations.days();
        let context = Context {
            mount: operations.mount().to_owned(),
            field: operations.fields().to_owned(),
            lifetime_days,
            rotate_before_days,
        };
        Ok::<_, Failure>((overview?, context))
    });
    match outcome {
        Ok((overview, context)) => {
            let printed = output::print(&text(&overview, &context, format, environment));
            output::diagnostics(&overview.diagnostics, environment);
            if overview.is_incomplete {
                ExitCode::FAILURE
            } else if detailed_exitcode && overview.is_due() {
                ExitCode::from(EXIT_DUE)
            } else {
                printed
            }
        }
        Err(failure) => {
            let two_is_taken = detailed_exitcode || format == Format::Metrics;
            failure.report(two_is_taken, environment)
        }
    }
}

fn text(
    overview: &Overview,
    context: &Context,
    format: Format,
    environment: &dyn Environment,
) -> String {
    match format {
        Format::Json => json::text(overview, context),
        Format::Metrics => metrics::text(overview, context),
        Format::Table => {
            let columns = columns();
            let colors = output::colors(environment, io::stdout().is_terminal());
            table::text(overview, context, columns, colors)
        }
    }
}

/// Returns the width of the terminal; a pipe has none.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    pub(super) mod samples;
}

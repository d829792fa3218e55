//! Why a command did not do its work, and its exit code then.

use std::io;
use std::process::ExitCode;

use super::input::InputError;
use super::signals::EXIT_INTERRUPTED;
use super::{EXIT_USAGE, output};
use crate::env::Environment;
use crate::provider::operations::Refusal;
use crate::sdk::Text;

/// Why a command did not do its work.
pub(super) enum Failure {
    /// The provider's operations refused it, or failed.
    Refused(Refusal),
    /// No token was read. The text is advice.
    Input(InputError, Text),
    /// The system denies something that the program needs in order to run.
    System(io::Error),
    /// The user stopped the program.
    Stopped,
    /// The command has reported it already.
    Reported(ExitCode),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Failure {
    /// Converts the reason why no token was read.
    pub(super) fn input(error: InputError, advice: impl Into<Text>) -> Self {
        match error {
            InputError::Interrupted => Self::Stopped,
            error => Self::Input(error, advice.into()),
        }
    }

    /// Reports the failure and returns the exit code.
    pub(super) fn report(self, two_is_taken: bool, environment: &dyn Environment) -> ExitCode {
        match self {
            Self::Refused(refusal) => {
                output::diagnostics(refusal.diagnostics(), environment);
                match refusal {
                    Refusal::Arguments(_) if !two_is_taken => ExitCode::from(EXIT_USAGE),
                    Refusal::Arguments(_) | Refusal::Failed(_) => ExitCode::FAILURE,
                }
            }
            Self::Input(error, advice) => {
                output::fail(&error.to_string(), &advice.to_string(), environment)
            }
            Self::System(error) => output::cannot_run(&error, environment),
            Self::Stopped => {
                output::note("Interrupted.\n");
                ExitCode::from(EXIT_INTERRUPTED)
            }
            Self::Reported(code) => code,
        }
    }
}

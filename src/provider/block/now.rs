//! The time by which tokens are judged: the machine's clock, or a rehearsed date.

use jiff::Timestamp;

use crate::clock;
use crate::env::{self, Environment};
use crate::protocol::Diagnostic;
use crate::token::instant::{InstantError, format_instant, parse_instant};

/// The source of the current time.
pub(in crate::provider) struct Now {
    rehearsed: Result<Option<Timestamp>, InstantError>,
}

impl Now {
    /// Uses the rehearsed date if the environment sets one, and otherwise the clock.
    pub(in crate::provider) fn new(environment: &dyn Environment) -> Self {
        let rehearsed = environment
            .get(env::TF_CLAUDE_NOW)
            .map(|text| parse_instant(&text))
            .transpose();
        Self { rehearsed }
    }

    /// Returns the time by which tokens are judged.
    pub(in crate::provider) fn now(&self) -> Timestamp {
        self.rehearsed.ok().flatten().unwrap_or_else(clock::now)
    }

    /// Returns the later of the machine's time and a rehearsed one, because something that has
    /// already happened may be later than a rehearsed date.
    pub(in crate::provider) fn latest(&self) -> Timestamp {
        self.now().max(clock::now())
    }

    /// Reports whether a date is rehearsed.
    pub(in crate::provider) fn is_rehearsed(&self) -> bool {
        matches!(self.rehearsed, Ok(Some(_)))
    }

    /// Reports a rehearsed date.
    ///
    /// # Errors
    ///
    /// Fails if the date cannot be read.
    pub(in crate::provider) fn check(&self) -> Result<Option<Diagnostic>, Diagnostic> {
        match &self.rehearsed {
            Ok(None) => Ok(None),
            Ok(Some(now)) => Ok(Some(Diagnostic::warning(
                format!("TF_CLAUDE_NOW sets the date to {}", format_instant(*now)),
                "Tokens are judged as of that time, and nothing is written to Vault. Unset \
                 TF_CLAUDE_NOW to use the real time.",
            ))),
            Err(error) => Err(Diagnostic::error(
                "Invalid date in TF_CLAUDE_NOW",
                format!(
                    "{}. Unset the variable to use the real time.",
                    crate::provider::diagnose::refuse::capital(error)
                ),
            )),
        }
    }
}

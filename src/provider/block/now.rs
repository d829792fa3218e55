//! The time by which tokens are judged: the machine's clock, or a rehearsed date.

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::env::{self, Environment};
use crate::protocol::Diagnostic;
use crate::token::instant::{InstantError, format_instant, parse_instant};

/// The source of the current time.
pub(in crate::provider) struct Now {
    clock: Arc<dyn Clock>,
    rehearsed: Result<Option<Timestamp>, InstantError>,
}

impl Now {
    /// Uses the clock, and the rehearsed date if the environment sets one.
    pub(in crate::provider) fn new(environment: &dyn Environment, clock: Arc<dyn Clock>) -> Self {
        let rehearsed = environment
            .get(env::TF_CLAUDE_NOW)
            .map(|text| parse_instant(&text))
            .transpose();
        Self { clock, rehearsed }
    }

    /// Returns the time by which tokens are judged.
    pub(in crate::provider) fn now(&self) -> Timestamp {
        self.rehearsed
            .ok()
            .flatten()
            .unwrap_or_else(|| self.clock.now())
    }

    /// Returns the later of the machine's time and a rehearsed one, because something that has
    /// already happened may be later than a rehearsed date.
    pub(in crate::provider) fn latest(&self) -> Timestamp {
        self.now().max(self.machine())
    }

    /// Reports whether a date is rehearsed.
    pub(in crate::provider) fn is_rehearsed(&self) -> bool {
        matches!(self.rehearsed, Ok(Some(_)))
    }

    /// Returns the time of this machine, even if a date is rehearsed.
    pub(in crate::provider) fn machine(&self) -> Timestamp {
        self.clock.now()
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

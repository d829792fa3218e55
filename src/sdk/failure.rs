//! The result of a call that did not succeed.

use crate::protocol::{Diagnostic, Severity};

/// Diagnostics in the order in which they were added.
pub type Diagnostics = Vec<Diagnostic>;

/// The outcome of a failed call: its diagnostics, and the state that was reached.
///
/// The state is returned with the error because the host stores it. A partial change that is not
/// returned would be lost.
#[derive(Debug)]
pub struct Failure<S = ()> {
    /// At least one error, and the warnings that came before it.
    pub diagnostics: Diagnostics,
    /// The state to record; `None` keeps the prior one.
    pub state: Option<Box<S>>,
}

impl<S> Failure<S> {
    /// Adds the state that was reached before the failure.
    #[must_use]
    pub fn with_state(mut self, state: S) -> Self {
        self.state = Some(Box::new(state));
        self
    }
}

impl<S> From<Diagnostics> for Failure<S> {
    fn from(diagnostics: Diagnostics) -> Self {
        debug_assert!(has_error(&diagnostics), "a failure without an error");
        Self {
            diagnostics,
            state: None,
        }
    }
}

impl<S> From<Diagnostic> for Failure<S> {
    fn from(diagnostic: Diagnostic) -> Self {
        vec![diagnostic].into()
    }
}

/// Reports whether any diagnostic is an error.
pub(super) fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

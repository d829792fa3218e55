//! What the provider tells the person at the host.

use super::path::AttributePath;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed.
    Error,
    /// The operation goes on.
    Warning,
}

/// One message to the person at the host, in plain text.
///
/// Hosts redact nothing, so no secret may be in either text. A path makes the host quote the source
/// line of the attribute: leave it out where that line may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// The short text. Hosts merge warnings whose summaries are equal.
    pub summary: String,
    /// The full text; may be empty.
    pub detail: String,
    /// The attribute that it is about, or none for the whole block.
    pub path: Option<AttributePath>,
}

impl Diagnostic {
    /// Makes an error about the whole block.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            path: None,
        }
    }

    /// Makes a warning about the whole block.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// Says which attribute the message is about.
    #[must_use]
    pub fn at(mut self, path: AttributePath) -> Self {
        self.path = Some(path);
        self
    }

    /// Reports whether the operation failed.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

//! Messages from the provider to the user.

use super::path::AttributePath;
use super::text::Text;

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The operation failed.
    Error,
    /// The operation continues.
    Warning,
}

/// One message to the user.
///
/// Hosts redact nothing, so neither text may contain a secret. A path makes the host quote the
/// attribute's source line, so omit it if that line may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// The short text. Hosts merge warnings whose summaries are equal.
    pub summary: String,
    /// The full text; may be empty.
    pub detail: Text,
    /// The attribute that the message is about, or none for the whole block.
    pub path: Option<AttributePath>,
}

/// The server that a provider block names, for readers outside the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// The variables with which a command in a message reaches it from a shell, and their values.
    pub variables: Vec<(&'static str, String)>,
    /// What is added to the summary of a warning, because two servers may have the same path; empty
    /// if nothing is added.
    pub place: String,
}

impl Diagnostic {
    /// Creates an error about the whole block.
    pub fn error(summary: impl Into<String>, detail: impl Into<Text>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            path: None,
        }
    }

    /// Creates a warning about the whole block.
    pub fn warning(summary: impl Into<String>, detail: impl Into<Text>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// Sets the attribute that the message is about.
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

//! The interface of a function.

mod erased;

pub(super) use erased::ErasedFunction;
pub(super) use erased::to_wire;

use super::model::{AttributeValue, Model};
use crate::protocol::Diagnostic;

/// A function: the same result for the same arguments, without configuration, network, or clock.
///
/// Hosts call functions at any time, even before the provider is configured, and compare the
/// results of plan and apply.
pub trait Function: Send + Sync + 'static {
    /// The parameters in order, as attributes. A required one does not accept null; an optional one
    /// does. Texts in a sensitive one are secrets.
    type Arguments: Model;
    /// The result.
    type Result: AttributeValue;

    /// The name after `provider::NAME::`.
    const NAME: &'static str;
    /// A summary: one sentence in plain text.
    const SUMMARY: &'static str;
    /// The description, in Markdown. Lists show only its first sentence.
    const DESCRIPTION: &'static str;
    /// Whether it is called while an argument, or a part of one, is unknown. Otherwise, the whole
    /// result is unknown.
    const TAKES_UNKNOWN: bool = false;

    /// Computes the result, which may be unknown only if an argument is.
    ///
    /// # Errors
    ///
    /// An error whose path begins with the parameter that it is about; without a path, it is about
    /// the call. Hosts write their own summary, so the detail must be complete.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Result, Diagnostic>;
}

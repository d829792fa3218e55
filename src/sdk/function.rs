//! What a function must be able to do.

mod erased;

pub use erased::AnyFunction;
pub(super) use erased::to_wire;

use super::model::{AttributeValue, Model};
use crate::protocol::Diagnostic;

/// A function: the same result for the same arguments, without configuration, network or clock.
///
/// Hosts call functions at any time, before the provider is configured too, and compare the
/// results of plan and apply.
pub trait Function: Send + Sync + 'static {
    /// The parameters in their order, as attributes: a required one takes no null, an optional one
    /// does, and texts in a sensitive one are secrets.
    type Arguments: Model;
    /// The result.
    type Result: AttributeValue;

    /// The name after `provider::NAME::`.
    const NAME: &'static str;
    /// What it does, in one sentence in plain text.
    const SUMMARY: &'static str;
    /// What it does, in Markdown; the first sentence stands in for the whole in lists.
    const DESCRIPTION: &'static str;
    /// Whether it is called while an argument, or a part of one, is unknown. The result is unknown
    /// as a whole otherwise.
    const TAKES_UNKNOWN: bool = false;

    /// Computes the result. It may be unknown only where an argument is.
    ///
    /// # Errors
    ///
    /// An error whose path begins with the parameter that it is about; without a path it is about
    /// the call. Hosts have a summary of their own, so that the detail must do by itself.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Result, Diagnostic>;
}

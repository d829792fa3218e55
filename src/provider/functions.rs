//! The functions, one module for each. None of them contacts Vault or reads the clock.

pub(super) mod data_entry;
mod external_secret;
mod external_secret_data;
mod token_check;

use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::sdk::Registry;

/// Adds every function.
pub(super) fn register(registry: Registry<Configured>) -> Registry<Configured> {
    registry
        .function(external_secret::ExternalSecret)
        .function(external_secret_data::ExternalSecretData)
        .function(token_check::TokenCheck)
}

/// Returns the first refusal as the error, if there is one.
fn none_of(refusals: impl IntoIterator<Item = Option<Diagnostic>>) -> Result<(), Diagnostic> {
    match refusals.into_iter().flatten().next() {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

//! What an ephemeral resource must be able to do.

use async_trait::async_trait;

use super::data_source::Found;
use super::failure::{Diagnostics, Failure};
use super::model::Model;
use super::resource::Context;

/// An ephemeral resource type: values that hosts hand on and keep nowhere.
///
/// What is opened here holds nothing outside this process, so that it is neither renewed nor
/// closed.
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
    /// What the provider made of its configuration.
    type Configured: Send + Sync + 'static;
    /// Configuration and answer.
    type Model: Model;

    /// Name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// First paragraph of the type's documentation.
    const DESCRIPTION: &'static str;

    /// Checks a configuration without network; unknown values are let through.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Reads the real thing and changes nothing. A host opens in the plan and again in the apply.
    /// The answer is wholly known: OpenTofu takes anything else for a bug in the provider.
    async fn open(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Model,
    ) -> Result<Found<Self::Model>, Failure>;
}

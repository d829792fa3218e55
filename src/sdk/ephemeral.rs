//! The interface of an ephemeral resource.

use async_trait::async_trait;

use super::data_source::Found;
use super::failure::{Diagnostics, Failure};
use super::model::Model;
use super::resource::Context;

/// An ephemeral resource type: values that hosts pass on and never store.
///
/// An open instance holds nothing outside this process, so it is neither renewed nor closed.
#[async_trait]
pub trait EphemeralResource: Send + Sync + 'static {
    /// The configured provider.
    type Configured: Send + Sync + 'static;
    /// Configuration and result.
    type Model: Model;

    /// Name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// First paragraph of the type's documentation.
    const DESCRIPTION: &'static str;

    /// Validates a configuration without network access. Unknown values are accepted.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Reads the real object and changes nothing. A host opens it in the plan and again in the
    /// apply. The result is fully known, because OpenTofu reports anything else as a provider bug.
    async fn open(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Model,
    ) -> Result<Found<Self::Model>, Failure>;
}

//! The interface of a data source.

use async_trait::async_trait;

use super::failure::{Diagnostics, Failure};
use super::model::Model;
use super::resource::Context;

/// A data source type.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
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

    /// Reads the real object and changes nothing. A host reads it in the plan if it can, and may
    /// read it again in the apply, so the result must not depend on when it is read.
    async fn read(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Model,
    ) -> Result<Found<Self::Model>, Failure>;
}

/// The response of a data source.
#[derive(Debug)]
pub struct Found<M> {
    /// The configuration, and the values that were read.
    pub object: M,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

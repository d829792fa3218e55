//! What a data source must be able to do.

use async_trait::async_trait;

use super::failure::{Diagnostics, Failure};
use super::model::Model;
use super::resource::Context;

/// A data source type.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
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

    /// Reads the real thing; it changes nothing. A host reads in the plan where it can, and
    /// may read again in the apply, so an answer must not depend on when it is given.
    async fn read(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Model,
    ) -> Result<Found<Self::Model>, Failure>;
}

/// The answer of a data source.
#[derive(Debug)]
pub struct Found<M> {
    /// The configuration, and what was found.
    pub object: M,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

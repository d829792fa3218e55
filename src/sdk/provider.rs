//! What a provider must be able to do.

use std::sync::Arc;

use async_trait::async_trait;

use super::erased::AnyResource;
use super::failure::{Diagnostics, Failure};
use super::model::Model;
use super::resource::Resource;

/// A provider: its configuration and its resource types.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The provider block.
    type Config: Model;
    /// What the configuration becomes, shared by all calls.
    type Configured: Send + Sync + 'static;

    /// First paragraph of the provider's documentation.
    const DESCRIPTION: &'static str;

    /// The resource types.
    fn resources(&self) -> Vec<AnyResource<Self::Configured>>;

    /// Checks a provider block without network; unknown values are let through.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Makes the shared context. It may be called again in the same process, and then replaces
    /// what was made before. It must not use the network: the host waits for it.
    async fn configure(
        &self,
        config: Self::Config,
        host: Host,
    ) -> Result<(Arc<Self::Configured>, Diagnostics), Failure>;

    /// Lets go of what `configured` holds outside this process, at its end.
    async fn close(&self, configured: &Self::Configured);
}

/// What is known of the program that calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Version that the host gives as its own; nothing tells one product from another.
    pub version: String,
}

/// Puts a resource type into the form in which the service holds it.
pub fn resource<R: Resource>(resource: R) -> AnyResource<R::Configured> {
    AnyResource::new(resource)
}

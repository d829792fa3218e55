//! The interface of a provider.

use std::sync::Arc;

use async_trait::async_trait;

use super::action::{Action, AnyAction};
use super::data_source::DataSource;
use super::ephemeral::EphemeralResource;
use super::erased::{AnyDataSource, AnyEphemeralResource, AnyResource};
use super::failure::{Diagnostics, Failure};
use super::function::{AnyFunction, Function};
use super::guard::Retell;
use super::list_resource::{AnyListResource, ListResource};
use super::model::Model;
use super::resource::Resource;
use crate::deadline::Deadline;

/// A provider: its configuration, its types, and its functions.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The provider block.
    type Config: Model;
    /// The configured provider, shared by all calls.
    type Configured: Send + Sync + 'static;

    /// First paragraph of the provider's documentation.
    const DESCRIPTION: &'static str;

    /// The resource types.
    fn resources(&self) -> Vec<AnyResource<Self::Configured>>;

    /// The functions. They have no access to the configuration or the network.
    fn functions(&self) -> Vec<AnyFunction> {
        Vec::new()
    }

    /// The data source types.
    fn data_sources(&self) -> Vec<AnyDataSource<Self::Configured>> {
        Vec::new()
    }

    /// The ephemeral resource types.
    fn ephemeral_resources(&self) -> Vec<AnyEphemeralResource<Self::Configured>> {
        Vec::new()
    }

    /// The resource types whose instances can be listed. Each one is also a resource type.
    fn list_resources(&self) -> Vec<AnyListResource<Self::Configured>> {
        Vec::new()
    }

    /// The actions.
    fn actions(&self) -> Vec<AnyAction<Self::Configured>> {
        Vec::new()
    }

    /// Validates a provider block without network access. Unknown values are accepted.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Builds the shared context. It may be called again in the same process, and then replaces the
    /// earlier context. It must not use the network, because the host waits for it.
    async fn configure(
        &self,
        config: Self::Config,
    ) -> Result<(Arc<Self::Configured>, Diagnostics), Failure>;

    /// Returns the context of one request, which must finish by the deadline, and warnings for its
    /// response.
    ///
    /// # Errors
    ///
    /// Fails if something is invalid that requests need but functions do not.
    fn begin(
        &self,
        configured: &Arc<Self::Configured>,
        deadline: Deadline,
    ) -> Result<(Arc<Self::Configured>, Diagnostics), Diagnostics> {
        let _ = deadline;
        Ok((Arc::clone(configured), Diagnostics::new()))
    }

    /// Returns the transformation of every message's details while `configured` is in use, because
    /// the code that writes them knows little of the configuration.
    fn retell(&self, configured: &Self::Configured) -> Option<Retell> {
        let _ = configured;
        None
    }

    /// Releases what `configured` holds outside this process, when the process ends.
    async fn close(&self, configured: &Self::Configured);
}

/// Wraps a function for the service.
pub fn function<F: Function>(function: F) -> AnyFunction {
    AnyFunction::new(function)
}

/// Wraps a resource type for the service.
pub fn resource<R: Resource>(resource: R) -> AnyResource<R::Configured> {
    AnyResource::new(resource)
}

/// Wraps a data source type for the service.
pub fn data_source<D: DataSource>(data_source: D) -> AnyDataSource<D::Configured> {
    AnyDataSource::new(data_source)
}

/// Wraps an ephemeral resource type for the service.
pub fn ephemeral_resource<E: EphemeralResource>(
    ephemeral_resource: E,
) -> AnyEphemeralResource<E::Configured> {
    AnyEphemeralResource::new(ephemeral_resource)
}

/// Wraps a type that can be listed for the service.
pub fn list_resource<L: ListResource>(
    list: L,
) -> AnyListResource<<L::Resource as Resource>::Configured> {
    AnyListResource::new(list)
}

/// Wraps an action for the service.
pub fn action<A: Action>(action: A) -> AnyAction<A::Configured> {
    AnyAction::new(action)
}

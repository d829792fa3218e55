//! What a provider must be able to do.

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

/// A provider: its configuration, its types and its functions.
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

    /// The functions. They see neither configuration nor network.
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

    /// The resource types whose instances can be listed; each is a resource type as well.
    fn list_resources(&self) -> Vec<AnyListResource<Self::Configured>> {
        Vec::new()
    }

    /// The actions.
    fn actions(&self) -> Vec<AnyAction<Self::Configured>> {
        Vec::new()
    }

    /// Checks a provider block without network; unknown values are let through.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Makes the shared context. It may be called again in the same process, and then replaces
    /// what was made before. It must not use the network: the host waits for it.
    async fn configure(
        &self,
        config: Self::Config,
    ) -> Result<(Arc<Self::Configured>, Diagnostics), Failure>;

    /// Returns the context of one request, which must be over by the deadline, and warnings for
    /// its answer.
    ///
    /// # Errors
    ///
    /// Fails where something is wrong that only requests need, and functions do not.
    fn begin(
        &self,
        configured: &Arc<Self::Configured>,
        deadline: Deadline,
    ) -> Result<(Arc<Self::Configured>, Diagnostics), Diagnostics> {
        let _ = deadline;
        Ok((Arc::clone(configured), Diagnostics::new()))
    }

    /// Returns what the details of all messages pass through while `configured` is in use: they
    /// are made where little is known of it.
    fn retell(&self, configured: &Self::Configured) -> Option<Retell> {
        let _ = configured;
        None
    }

    /// Lets go of what `configured` holds outside this process, at its end.
    async fn close(&self, configured: &Self::Configured);
}

/// Puts a function into the form in which the service holds it.
pub fn function<F: Function>(function: F) -> AnyFunction {
    AnyFunction::new(function)
}

/// Puts a resource type into the form in which the service holds it.
pub fn resource<R: Resource>(resource: R) -> AnyResource<R::Configured> {
    AnyResource::new(resource)
}

/// Puts a data source type into the form in which the service holds it.
pub fn data_source<D: DataSource>(data_source: D) -> AnyDataSource<D::Configured> {
    AnyDataSource::new(data_source)
}

/// Puts an ephemeral resource type into the form in which the service holds it.
pub fn ephemeral_resource<E: EphemeralResource>(
    ephemeral_resource: E,
) -> AnyEphemeralResource<E::Configured> {
    AnyEphemeralResource::new(ephemeral_resource)
}

/// Puts a type that can be listed into the form in which the service holds it.
pub fn list_resource<L: ListResource>(
    list: L,
) -> AnyListResource<<L::Resource as Resource>::Configured> {
    AnyListResource::new(list)
}

/// Puts an action into the form in which the service holds it.
pub fn action<A: Action>(action: A) -> AnyAction<A::Configured> {
    AnyAction::new(action)
}

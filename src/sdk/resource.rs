//! The interface of a managed resource, and its optional capabilities.

mod apply;
mod coding;
mod erased;
mod generate;
mod import;
mod plan;
mod upgrade;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::Context;
use super::failure::{Diagnostics, Failure};
use super::model::Model;

pub(super) use erased::ErasedResource;
pub use generate::GenerateConfig;
pub use import::{ImportRequest, ImportState, Imported};
pub use upgrade::{StoredState, Upgrade, UpgradeState};

/// A managed resource type.
///
/// Calls receive and return whole models. The layer below decodes, encodes, checks the response
/// against the host's rules, and returns the prior state if a call fails.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// The configured provider.
    type Configured: Send + Sync + 'static;
    /// Configuration, plan, and state.
    type Model: Model;
    /// The identity of an instance. Its required attributes are required for import.
    type Identity: Model;
    /// Private state, which the user never sees. It must not hold a secret.
    type Private: Serialize + DeserializeOwned + Clone + Default + Send + Sync;

    /// Name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// First paragraph of the type's documentation.
    const DESCRIPTION: &'static str;
    /// Whether an instance's identity may change while it remains the same instance.
    const MUTABLE_IDENTITY: bool = false;

    /// Derives the identity from a state or plan.
    fn identity(model: &Self::Model) -> Self::Identity;

    /// Validates a configuration without network access. Unknown values are accepted.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Reads the real object. If it is gone, the returned state says so; no response removes the
    /// resource from state.
    async fn read(
        &self,
        context: &Context<Self::Configured>,
        request: ReadRequest<Self>,
    ) -> Result<Read<Self>, Failure>;

    /// Decides what an apply will do, from the request alone, because a host calls this twice and
    /// compares. Only diagnostics may depend on the real object.
    async fn plan(
        &self,
        context: &Context<Self::Configured>,
        request: PlanRequest<Self>,
    ) -> Result<Planned<Self>, Failure>;

    /// Describes the effect of a destroy, which only removes the instance from state.
    fn plan_destroy(&self, state: &Self::Model) -> Diagnostics;

    /// Creates the object, or adopts it.
    async fn create(
        &self,
        context: &Context<Self::Configured>,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure>;

    /// Carries out a planned change. `prior` is the state before it.
    async fn update(
        &self,
        context: &Context<Self::Configured>,
        prior: Self::Model,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure<Applied<Self>>>;
}

/// A refresh.
#[derive(Debug)]
pub struct ReadRequest<R: Resource + ?Sized> {
    /// The last recorded state.
    pub state: R::Model,
    /// The private data stored with it.
    pub private: R::Private,
}

/// The response to a refresh.
#[derive(Debug)]
pub struct Read<R: Resource + ?Sized> {
    /// The current state.
    pub state: R::Model,
    /// The private data to store with it.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// A plan for an instance that will exist.
#[derive(Debug)]
pub struct PlanRequest<R: Resource + ?Sized> {
    /// The configuration, write-only values included.
    pub config: R::Model,
    /// The prior state, or `None` for a create.
    pub prior: Option<R::Model>,
    /// The private data from the last refresh or apply.
    pub private: R::Private,
}

/// The response to a plan.
#[derive(Debug)]
pub struct Planned<R: Resource + ?Sized> {
    /// The state after the apply, unknown where the apply decides.
    pub planned: R::Model,
    /// The private data for the apply.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// A planned change to carry out.
#[derive(Debug)]
pub struct ApplyRequest<R: Resource + ?Sized> {
    /// The configuration, fully known. Only this has write-only values.
    pub config: R::Model,
    /// The planned state.
    pub planned: R::Model,
    /// The private data from the plan.
    pub private: R::Private,
}

/// The response to a create or an update.
#[derive(Debug)]
pub struct Applied<R: Resource + ?Sized> {
    /// The new state. Planned values are unchanged, and unknown ones are known.
    pub state: R::Model,
    /// The private data to store with it.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

//! What a managed resource must be able to do.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use tokio_util::sync::CancellationToken;

use super::failure::{Diagnostics, Failure};
use super::model::Model;
use crate::protocol::Diagnostic;

/// What every call of a configured provider gets.
#[derive(Debug)]
pub struct Context<C> {
    /// What the provider made of its configuration, with the deadline of this call.
    pub configured: Arc<C>,
    /// Cancelled when the host asks the provider to stop. A create, update or delete may then
    /// still come back by itself, within 10 s; every other call is dropped at once.
    pub cancelled: CancellationToken,
    /// Keeps the configuration open while the call runs.
    pub(super) _in_use: Arc<C>,
}

/// A state as it was stored: JSON in the shape of the schema version that wrote it, with numbers
/// of any length.
pub type StoredState = Map<String, Json>;

/// A managed resource type.
///
/// The calls take and return whole models; the layer below decodes, encodes, compares the
/// answer with the host's rules and answers with the prior state where a call fails.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// What the provider made of its configuration.
    type Configured: Send + Sync + 'static;
    /// Configuration, plan and state.
    type Model: Model;
    /// What identifies an instance. Required attributes are required for import.
    type Identity: Model;
    /// Private state, which the user never sees. It must hold no secret.
    type Private: Serialize + DeserializeOwned + Clone + Default + Send + Sync;

    /// Name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// First paragraph of the type's documentation.
    const DESCRIPTION: &'static str;
    /// Whether the identity of an instance may change while it stays the same instance.
    const MUTABLE_IDENTITY: bool = false;
    /// Version of the schema in which states are written: counts the changes of shape that
    /// [`Resource::upgrade`] takes stored states over.
    const SCHEMA_VERSION: i64 = 0;

    /// Derives the identity from a state or plan.
    fn identity(model: &Self::Model) -> Self::Identity;

    /// Checks a configuration without network; unknown values are let through.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Brings a stored state from version `from` into the shape of the version after it. It is
    /// called once for each version between the stored one and [`Resource::SCHEMA_VERSION`].
    ///
    /// Attributes that are missing afterwards are null, and those that the schema does not have
    /// are read over, so that only what moves or changes its meaning needs a line here.
    ///
    /// # Errors
    ///
    /// `None` where there never was such a version. A diagnostic must quote no value.
    fn upgrade(from: i64, state: StoredState) -> Result<StoredState, Option<Diagnostic>> {
        let _ = (from, state);
        Err(None)
    }

    /// Reads the real thing. A thing that is gone is a state that says so: there is no
    /// answer that drops the resource.
    async fn read(
        &self,
        context: &Context<Self::Configured>,
        request: ReadRequest<Self>,
    ) -> Result<Read<Self>, Failure>;

    /// Decides what an apply will do, from the request alone: a host calls this twice and
    /// compares. Only a diagnostic may follow from the real thing.
    async fn plan(
        &self,
        context: &Context<Self::Configured>,
        request: PlanRequest<Self>,
    ) -> Result<Planned<Self>, Failure>;

    /// Describes what a destruction will mean; it changes nothing.
    fn plan_destroy(&self, state: &Self::Model) -> Diagnostics;

    /// Brings the thing into being, or adopts it.
    async fn create(
        &self,
        context: &Context<Self::Configured>,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure>;

    /// Carries out a planned change; `prior` is the state before it.
    async fn update(
        &self,
        context: &Context<Self::Configured>,
        prior: Self::Model,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure<Applied<Self>>>;

    /// Forgets or removes the thing.
    async fn delete(
        &self,
        context: &Context<Self::Configured>,
        state: Self::Model,
    ) -> Result<Diagnostics, Failure>;

    /// Turns a state into the configuration that a person would write for it, so that an import
    /// with it changes nothing: what is null is left out. What is computed or write-only is left
    /// out in any case.
    fn configuration(configured: &Self::Configured, state: Self::Model) -> Self::Model {
        let _ = configured;
        state
    }

    /// Finds a thing that exists; the host reads it next, and must find the same identity then.
    async fn import(
        &self,
        context: &Context<Self::Configured>,
        request: ImportRequest<Self>,
    ) -> Result<Imported<Self>, Failure>;
}

/// A refresh.
#[derive(Debug)]
pub struct ReadRequest<R: Resource + ?Sized> {
    /// The state as it was last recorded.
    pub state: R::Model,
    /// What was stored beside it.
    pub private: R::Private,
}

/// The answer to a refresh.
#[derive(Debug)]
pub struct Read<R: Resource + ?Sized> {
    /// The state now.
    pub state: R::Model,
    /// What to store beside it.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// A plan for an instance that is to exist.
#[derive(Debug)]
pub struct PlanRequest<R: Resource + ?Sized> {
    /// The configuration, write-only values included.
    pub config: R::Model,
    /// The state before, `None` for an instance to create.
    pub prior: Option<R::Model>,
    /// The host's merge of configuration and prior state, without write-only values.
    pub proposed: R::Model,
    /// What the last refresh or apply stored.
    pub private: R::Private,
}

/// The answer to a plan.
#[derive(Debug)]
pub struct Planned<R: Resource + ?Sized> {
    /// The state that an apply will bring about, unknown where it decides.
    pub planned: R::Model,
    /// What to hand to the apply.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// A planned change to carry out.
#[derive(Debug)]
pub struct ApplyRequest<R: Resource + ?Sized> {
    /// The configuration, wholly known: the one place with write-only values.
    pub config: R::Model,
    /// What was planned.
    pub planned: R::Model,
    /// What the plan handed over.
    pub private: R::Private,
}

/// The answer to a creation or an update.
#[derive(Debug)]
pub struct Applied<R: Resource + ?Sized> {
    /// The state now: planned values as planned, unknown ones decided.
    pub state: R::Model,
    /// What to store beside it.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// How the user names the thing to import.
#[derive(Debug)]
pub enum ImportRequest<R: Resource + ?Sized> {
    /// By the text of an `id`.
    Id(String),
    /// By an `identity` object, with the optional attributes null where they are left out.
    Identity(R::Identity),
}

/// The answer to an import.
#[derive(Debug)]
pub struct Imported<R: Resource + ?Sized> {
    /// The attributes that name the thing, and whatever else is known already.
    pub state: R::Model,
    /// What to store beside it.
    pub private: R::Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

//! The typed layer between the wire and a product: models, resources, a provider, and the gRPC
//! service that drives them.
//!
//! It owns what is the same for every resource: decoding by schema, the order of a plan, the check
//! of each response against the host's rules, cancellation, and the guard against panics. It does
//! not depend on the product and does no I/O of its own.

mod action;
mod block;
mod check;
mod coding;
mod data_source;
mod dynamic;
mod ephemeral;
mod erased;
mod failure;
mod field;
mod function;
mod guard;
mod list_resource;
mod model;
mod provider;
mod resource;
mod service;

pub use crate::protocol::acts_on_terminals;
pub use action::{Action, AnyAction, Progress};
pub use data_source::{DataSource, Found};
pub use dynamic::Dynamic;
pub use ephemeral::EphemeralResource;
pub use erased::{AnyDataSource, AnyEphemeralResource, AnyResource};
pub use failure::{Diagnostics, Failure};
pub use field::Field;
pub use function::{AnyFunction, Function};
pub use guard::Retell;
pub use list_resource::{AnyListResource, Ended, ListRequest, ListResource, Listed, Results};
pub use model::{AttributeValue, Model, ModelError};
pub use provider::{
    Provider, action, data_source, ephemeral_resource, function, list_resource, resource,
};
pub use resource::{
    Applied, ApplyRequest, Context, ImportRequest, Imported, PlanRequest, Planned, Read,
    ReadRequest, Resource, StoredState,
};
pub use service::ProviderService;

pub(crate) use model::{mismatch, model, object, object_conversions, plain_type, take};

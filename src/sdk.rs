//! The typed layer between the wire and a product: models, resources, a provider and the gRPC
//! service that drives them.
//!
//! It owns what is the same for every resource: decoding by schema, the order of a plan, the
//! check of each answer against the host's rules, cancellation and the guard against panics.
//! It knows no product and does no I/O of its own.

mod check;
mod erased;
mod failure;
mod field;
mod guard;
mod model;
mod provider;
mod resource;
mod service;

pub use erased::AnyResource;
pub use failure::{Diagnostics, Failure};
pub use field::Field;
pub use model::{AttributeValue, Model, ModelError};
pub use provider::{Host, Provider, resource};
pub use resource::{
    Applied, ApplyRequest, Context, ImportRequest, Imported, PlanRequest, Planned, Read,
    ReadRequest, Resource,
};
pub use service::ProviderService;

pub(crate) use model::{mismatch, model, object, object_conversions, plain_type, take};

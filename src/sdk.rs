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
mod context;
mod dynamic;
mod failure;
mod field;
mod function;
mod guard;
mod list_resource;
mod lookup;
mod model;
mod provider;
mod registry;
mod resource;
mod service;
mod typed;

pub use crate::protocol::wire::printable_line;
pub use crate::protocol::{Command, Text, acts_on_terminals};
pub use action::{Action, Progress};
pub use context::Context;
pub use dynamic::Dynamic;
pub use failure::{Diagnostics, Failure};
pub use field::Field;
pub use function::Function;
pub use list_resource::{Ended, ListRequest, ListResource, Listed, Results};
pub use lookup::{Found, Lookup};
pub use model::{AttributeValue, Model, ModelError};
pub use provider::Provider;
pub use registry::Registry;
pub use resource::{
    Applied, ApplyRequest, GenerateConfig, ImportRequest, ImportState, Imported, PlanRequest,
    Planned, Read, ReadRequest, Resource, StoredState, Upgrade, UpgradeState,
};
pub use service::ProviderService;

pub(crate) use model::{mismatch, model, object, object_conversions, take};

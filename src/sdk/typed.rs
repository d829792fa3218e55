//! A type or function of a provider with its schema or signature.

use std::sync::LazyLock;

use crate::protocol::{Attribute, Schema};

/// A type or function, and the description that hosts receive, which is built on first use.
pub(super) struct Typed<T, D = Schema> {
    /// What does the work.
    pub(super) inner: T,
    description: LazyLock<D>,
}

impl<T, D> Typed<T, D> {
    pub(super) fn new(inner: T, description: fn() -> D) -> Self {
        Self {
            inner,
            description: LazyLock::new(description),
        }
    }

    pub(super) fn description(&self) -> &D {
        &self.description
    }
}

impl<T> Typed<T> {
    pub(super) fn attributes(&self) -> &[Attribute] {
        &self.description.attributes
    }
}

/// A type of any kind, as hosts see it.
pub trait Described: Send + Sync {
    /// Returns the schema, built on first use.
    fn schema(&self) -> &Schema;
}

impl<T: Send + Sync> Described for Typed<T> {
    fn schema(&self) -> &Schema {
        self.description()
    }
}

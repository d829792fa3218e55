//! Read-only types: data sources and ephemeral resources behind object-safe interfaces.

use std::sync::OnceLock;

use async_trait::async_trait;

use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Attribute, Schema, wire as codec};
use crate::sdk::block;
use crate::sdk::check::{self, Violation};
use crate::sdk::coding::{Outcome, to_wire};
use crate::sdk::data_source::{DataSource, Found};
use crate::sdk::ephemeral::EphemeralResource;
use crate::sdk::failure::{Diagnostics, Failure};
use crate::sdk::model::{AttributeValue as _, Model};
use crate::sdk::resource::Context;

/// Declares a type that hides the model of a lookup.
macro_rules! face {
    ($(#[$meta:meta])* $name:ident of $role:ident by $lookup:ident) => {
        $(#[$meta])*
        pub struct $name<C>(Box<dyn ErasedLookup<C>>);

        impl<C: Send + Sync + 'static> $name<C> {
            pub(in crate::sdk) fn new<T: $role<Configured = C>>(one: T) -> Self {
                Self(Box::new(Typed {
                    lookup: $lookup(one),
                    schema: OnceLock::new(),
                }))
            }

            /// Returns the name with the provider's prefix.
            pub fn type_name(&self) -> &'static str {
                self.0.type_name()
            }

            /// Returns the schema, built on first use.
            pub fn schema(&self) -> &Schema {
                self.0.schema()
            }

            pub(in crate::sdk) fn calls(&self) -> &dyn ErasedLookup<C> {
                &*self.0
            }
        }
    };
}

face!(
    /// A data source type whose model is hidden.
    AnyDataSource of DataSource by Reading
);

face!(
    /// An ephemeral resource type whose model is hidden.
    AnyEphemeralResource of EphemeralResource by Opening
);

/// The response of a lookup, ready to send.
pub(in crate::sdk) struct Looked {
    pub(in crate::sdk) object: wire::DynamicValue,
    pub(in crate::sdk) diagnostics: Vec<wire::Diagnostic>,
}

#[async_trait]
pub(in crate::sdk) trait ErasedLookup<C>: Send + Sync {
    fn type_name(&self) -> &'static str;
    fn schema(&self) -> &Schema;
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Vec<wire::Diagnostic>>;
    async fn look(
        &self,
        context: Context<C>,
        config: Option<&wire::DynamicValue>,
    ) -> Outcome<Looked>;
}

/// What data sources and ephemeral resources have in common.
#[async_trait]
trait Lookup: Send + Sync {
    type Configured: Send + Sync + 'static;
    type Model: Model;

    const TYPE_NAME: &'static str;
    const DESCRIPTION: &'static str;
    /// The name of the call in errors.
    const CALL: &'static str;

    fn validate(&self, config: &Self::Model) -> Diagnostics;

    async fn look(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Model,
    ) -> Result<Found<Self::Model>, Failure>;
}

struct Reading<D>(D);

#[async_trait]
impl<D: DataSource> Lookup for Reading<D> {
    type Configured = D::Configured;
    type Model = D::Model;

    const TYPE_NAME: &'static str = D::TYPE_NAME;
    const DESCRIPTION: &'static str = D::DESCRIPTION;
    const CALL: &'static str = "read";

    fn validate(&self, config: &D::Model) -> Diagnostics {
        self.0.validate(config)
    }

    async fn look(
        &self,
        context: &Context<D::Configured>,
        config: D::Model,
    ) -> Result<Found<D::Model>, Failure> {
        self.0.read(context, config).await
    }
}

struct Opening<E>(E);

#[async_trait]
impl<E: EphemeralResource> Lookup for Opening<E> {
    type Configured = E::Configured;
    type Model = E::Model;

    const TYPE_NAME: &'static str = E::TYPE_NAME;
    const DESCRIPTION: &'static str = E::DESCRIPTION;
    const CALL: &'static str = "open";

    fn validate(&self, config: &E::Model) -> Diagnostics {
        self.0.validate(config)
    }

    async fn look(
        &self,
        context: &Context<E::Configured>,
        config: E::Model,
    ) -> Result<Found<E::Model>, Failure> {
        self.0.open(context, config).await
    }
}

struct Typed<L> {
    lookup: L,
    schema: OnceLock<Schema>,
}

impl<L: Lookup> Typed<L> {
    fn attributes(&self) -> &[Attribute] {
        &self.schema().attributes
    }
}

#[async_trait]
impl<L: Lookup> ErasedLookup<L::Configured> for Typed<L> {
    fn type_name(&self) -> &'static str {
        L::TYPE_NAME
    }

    fn schema(&self) -> &Schema {
        self.schema
            .get_or_init(|| Schema::new(L::Model::attributes()).description(L::DESCRIPTION))
    }

    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Vec<wire::Diagnostic>> {
        let (config, mut diagnostics) = block::decode(self.attributes(), config)?;
        diagnostics.extend(self.lookup.validate(&config));
        Ok(to_wire(diagnostics))
    }

    async fn look(
        &self,
        context: Context<L::Configured>,
        config: Option<&wire::DynamicValue>,
    ) -> Outcome<Looked> {
        let refuse = |violation: Violation| vec![violation.into_diagnostic(L::CALL, L::TYPE_NAME)];
        let config = block::sent(self.attributes(), config)?;
        let found = self
            .lookup
            .look(&context, block::model(config.clone())?)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let object = found.object.into_value();
        check::looked_up(self.attributes(), &config, &object).map_err(refuse)?;
        Ok(Looked {
            object: codec::encode_object(self.attributes(), &object)
                .map_err(|error| refuse(error.into()))?,
            diagnostics: to_wire(found.diagnostics),
        })
    }
}

//! Read-only types: data sources and ephemeral resources.

use async_trait::async_trait;

use super::block;
use super::check::{self, Violation};
use super::coding::Outcome;
use super::context::Context;
use super::failure::{Diagnostics, Failure};
use super::model::{AttributeValue as _, Model};
use super::typed::{Described, Typed};
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::wire as codec;

/// A data source type or an ephemeral resource type.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// The configured provider.
    type Configured: Send + Sync + 'static;
    /// Configuration and result.
    type Model: Model;

    /// Name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// First paragraph of the type's documentation.
    const DESCRIPTION: &'static str;

    /// Validates a configuration without network access. Unknown values are accepted.
    fn validate(&self, config: &Self::Model) -> Diagnostics;

    /// Reads the real object and changes nothing. A host reads it in the plan if it can, and may
    /// read it again in the apply, so the result must not depend on when it is read. The result is
    /// fully known, because OpenTofu reports anything else as a provider bug.
    async fn read(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Model,
    ) -> Result<Found<Self::Model>, Failure>;
}

/// The response of a lookup.
#[derive(Debug)]
pub struct Found<M> {
    /// The configuration, and the values that were read.
    pub object: M,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

/// A read-only type whose model is hidden.
#[async_trait]
pub trait ErasedLookup<C>: Described {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics>;
    /// Reads the real object. `call` is the name of the call in errors.
    async fn read(
        &self,
        call: &'static str,
        context: Context<C>,
        config: Option<&wire::DynamicValue>,
    ) -> Outcome<(wire::DynamicValue, Diagnostics)>;
}

#[async_trait]
impl<L: Lookup> ErasedLookup<L::Configured> for Typed<L> {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics> {
        let (config, mut diagnostics) = block::decode(self.attributes(), config)?;
        diagnostics.extend(self.inner.validate(&config));
        Ok(diagnostics)
    }

    async fn read(
        &self,
        call: &'static str,
        context: Context<L::Configured>,
        config: Option<&wire::DynamicValue>,
    ) -> Outcome<(wire::DynamicValue, Diagnostics)> {
        let refuse = |violation: Violation| vec![violation.into_diagnostic(call, L::TYPE_NAME)];
        let config = block::sent(self.attributes(), config)?;
        let found = self
            .inner
            .read(&context, block::model(config.clone())?)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let object = found.object.into_value();
        check::found(self.attributes(), &config, &object).map_err(refuse)?;
        let object = codec::encode_object(self.attributes(), &object)
            .map_err(|error| refuse(error.into()))?;
        Ok((object, found.diagnostics))
    }
}

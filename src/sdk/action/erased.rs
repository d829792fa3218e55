//! An action behind one object-safe interface.

use async_trait::async_trait;

use super::{Action, Progress};
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::block;
use crate::sdk::coding::{Outcome, to_wire};
use crate::sdk::context::Context;
use crate::sdk::failure::has_error;
use crate::sdk::typed::{Described, Typed};

/// An action whose model is hidden.
#[async_trait]
pub trait ErasedAction<C>: Described {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Vec<wire::Diagnostic>>;
    fn plan(&self, config: Option<&wire::DynamicValue>) -> Outcome<Vec<wire::Diagnostic>>;
    async fn invoke(
        &self,
        context: Context<C>,
        config: Option<&wire::DynamicValue>,
        progress: Progress,
    ) -> Outcome<Vec<wire::Diagnostic>>;
}

#[async_trait]
impl<A: Action> ErasedAction<A::Configured> for Typed<A> {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Vec<wire::Diagnostic>> {
        let (config, mut diagnostics) = block::decode(self.attributes(), config)?;
        diagnostics.extend(self.inner.validate(&config));
        Ok(to_wire(diagnostics))
    }

    fn plan(&self, config: Option<&wire::DynamicValue>) -> Outcome<Vec<wire::Diagnostic>> {
        let config = block::decode_whole(self.attributes(), config)?;
        Ok(to_wire(self.inner.validate(&config)))
    }

    async fn invoke(
        &self,
        context: Context<A::Configured>,
        config: Option<&wire::DynamicValue>,
        progress: Progress,
    ) -> Outcome<Vec<wire::Diagnostic>> {
        let config = block::decode_whole(self.attributes(), config)?;
        let refused = self.inner.validate(&config);
        if has_error(&refused) {
            return Err(refused);
        }
        let warnings = self
            .inner
            .invoke(&context, config, &progress)
            .await
            .map_err(|failure| failure.diagnostics)?;
        Ok(to_wire(warnings))
    }
}

//! An action behind one object-safe interface.

use async_trait::async_trait;

use super::{Action, Progress};
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::block;
use crate::sdk::coding::Outcome;
use crate::sdk::context::Context;
use crate::sdk::failure::{Diagnostics, has_error};
use crate::sdk::typed::{Described, Typed};

/// An action whose model is hidden.
#[async_trait]
pub trait ErasedAction<C>: Described {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics>;
    fn plan(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics>;
    async fn invoke(
        &self,
        context: Context<C>,
        config: Option<&wire::DynamicValue>,
        progress: Progress,
    ) -> Outcome<Diagnostics>;
}

#[async_trait]
impl<A: Action> ErasedAction<A::Configured> for Typed<A> {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics> {
        let (config, mut diagnostics) = block::decode(self.attributes(), config)?;
        diagnostics.extend(self.inner.validate(&config));
        Ok(diagnostics)
    }

    fn plan(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics> {
        let config = block::decode_whole(self.attributes(), config)?;
        Ok(self.inner.validate(&config))
    }

    async fn invoke(
        &self,
        context: Context<A::Configured>,
        config: Option<&wire::DynamicValue>,
        progress: Progress,
    ) -> Outcome<Diagnostics> {
        let config = block::decode_whole(self.attributes(), config)?;
        let refused = self.inner.validate(&config);
        if has_error(&refused) {
            return Err(refused);
        }
        self.inner
            .invoke(&context, config, &progress)
            .await
            .map_err(|failure| failure.diagnostics)
    }
}

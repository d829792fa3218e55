//! A type that can be listed, behind one object-safe interface.

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{Ended, ListRequest, ListResource, Results};
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::block;
use crate::sdk::coding::Outcome;
use crate::sdk::context::Context;
use crate::sdk::failure::{Diagnostics, has_error};
use crate::sdk::resource::Resource;
use crate::sdk::typed::{Described, Typed};

/// A type that can be listed, whose models are hidden.
#[async_trait]
pub trait ErasedList<C>: Described {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics>;
    async fn list(
        &self,
        context: Context<C>,
        request: wire::list_resource::Request,
        events: mpsc::Sender<wire::list_resource::Event>,
    ) -> Outcome<()>;
}

#[async_trait]
impl<L: ListResource> ErasedList<<L::Resource as Resource>::Configured> for Typed<L> {
    fn validate(&self, config: Option<&wire::DynamicValue>) -> Outcome<Diagnostics> {
        let (config, mut diagnostics) = block::decode(self.attributes(), config)?;
        diagnostics.extend(self.inner.validate(&config));
        Ok(diagnostics)
    }

    async fn list(
        &self,
        context: Context<<L::Resource as Resource>::Configured>,
        request: wire::list_resource::Request,
        events: mpsc::Sender<wire::list_resource::Event>,
    ) -> Outcome<()> {
        let config = block::decode_whole(self.attributes(), request.config.as_ref())?;
        let refused = self.inner.validate(&config);
        if has_error(&refused) {
            return Err(refused);
        }
        let with_states = request.include_resource_object;
        // Hosts send 0 for no limit.
        let limit = usize::try_from(request.limit)
            .ok()
            .filter(|limit| *limit > 0);
        let results = Results::new(events, with_states, limit, context.site.clone());
        let request = ListRequest {
            config,
            with_states,
        };
        let outcome = self.inner.list(&context, request, &results).await;
        match results.finish(outcome).await {
            Ok(()) | Err(Ended::Enough) => Ok(()),
            Err(Ended::Failed(failure)) => Err(failure.diagnostics),
        }
    }
}

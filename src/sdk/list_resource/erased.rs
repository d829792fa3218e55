//! A type that can be listed, behind one object-safe interface.

use std::sync::OnceLock;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{Ended, ListRequest, ListResource, Results};
use crate::protocol::Schema;
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::block;
use crate::sdk::coding::to_wire;
use crate::sdk::failure::{Diagnostics, has_error};
use crate::sdk::model::Model;
use crate::sdk::resource::{Context, Resource};

/// A type that can be listed, whose models are hidden.
pub struct AnyListResource<C>(Box<dyn ErasedList<C>>);

impl<C: Send + Sync + 'static> AnyListResource<C> {
    pub(in crate::sdk) fn new<L>(list: L) -> Self
    where
        L: ListResource,
        L::Resource: Resource<Configured = C>,
    {
        Self(Box::new(Typed {
            list,
            schema: OnceLock::new(),
        }))
    }

    /// Returns the name of the resource type.
    pub fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    /// Returns the schema of the listing's arguments, built on first use.
    pub fn schema(&self) -> &Schema {
        self.0.schema()
    }

    pub(in crate::sdk) fn calls(&self) -> &dyn ErasedList<C> {
        &*self.0
    }
}

#[async_trait]
pub(in crate::sdk) trait ErasedList<C>: Send + Sync {
    fn type_name(&self) -> &'static str;
    fn schema(&self) -> &Schema;
    fn validate(
        &self,
        request: wire::validate_list_resource_config::Request,
    ) -> Result<wire::validate_list_resource_config::Response, Diagnostics>;
    async fn list(
        &self,
        context: Context<C>,
        request: wire::list_resource::Request,
        events: mpsc::Sender<wire::list_resource::Event>,
    ) -> Result<(), Diagnostics>;
}

struct Typed<L: ListResource> {
    list: L,
    schema: OnceLock<Schema>,
}

#[async_trait]
impl<L: ListResource> ErasedList<<L::Resource as Resource>::Configured> for Typed<L> {
    fn type_name(&self) -> &'static str {
        L::Resource::TYPE_NAME
    }

    fn schema(&self) -> &Schema {
        self.schema
            .get_or_init(|| Schema::new(L::Config::attributes()).description(L::DESCRIPTION))
    }

    fn validate(
        &self,
        request: wire::validate_list_resource_config::Request,
    ) -> Result<wire::validate_list_resource_config::Response, Diagnostics> {
        let (config, mut diagnostics) =
            block::decode(&self.schema().attributes, request.config.as_ref())?;
        diagnostics.extend(self.list.validate(&config));
        Ok(wire::validate_list_resource_config::Response {
            diagnostics: to_wire(diagnostics),
        })
    }

    async fn list(
        &self,
        context: Context<<L::Resource as Resource>::Configured>,
        request: wire::list_resource::Request,
        events: mpsc::Sender<wire::list_resource::Event>,
    ) -> Result<(), Diagnostics> {
        let config = block::decode_whole(&self.schema().attributes, request.config.as_ref())?;
        let refused = self.list.validate(&config);
        if has_error(&refused) {
            return Err(refused);
        }
        let with_states = request.include_resource_object;
        // Hosts send 0 for no limit.
        let limit = usize::try_from(request.limit)
            .ok()
            .filter(|limit| *limit > 0);
        let results = Results::new(events, with_states, limit);
        let request = ListRequest {
            config,
            with_states,
        };
        let outcome = self.list.list(&context, request, &results).await;
        match results.finish(outcome).await {
            Ok(()) | Err(Ended::Enough) => Ok(()),
            Err(Ended::Failed(failure)) => Err(failure.diagnostics),
        }
    }
}

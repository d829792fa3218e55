//! An action behind one object-safe interface.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use super::{Action, Progress};
use crate::protocol::Schema;
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::block;
use crate::sdk::coding::to_wire;
use crate::sdk::failure::{Diagnostics, has_error};
use crate::sdk::guard::End;
use crate::sdk::model::Model;
use crate::sdk::resource::Context;

/// An action whose model is hidden.
pub struct AnyAction<C>(Box<dyn ErasedAction<C>>);

impl<C: Send + Sync + 'static> AnyAction<C> {
    pub(in crate::sdk) fn new<A: Action<Configured = C>>(action: A) -> Self {
        Self(Box::new(Typed {
            action,
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

    pub(in crate::sdk) fn calls(&self) -> &dyn ErasedAction<C> {
        &*self.0
    }
}

#[async_trait]
pub(in crate::sdk) trait ErasedAction<C>: Send + Sync {
    fn type_name(&self) -> &'static str;
    fn schema(&self) -> &Schema;
    fn validate(
        &self,
        request: wire::validate_action_config::Request,
    ) -> Result<wire::validate_action_config::Response, Diagnostics>;
    fn plan(
        &self,
        configured: Arc<C>,
        request: wire::plan_action::Request,
    ) -> Result<wire::plan_action::Response, Diagnostics>;
    async fn invoke(
        &self,
        context: Context<C>,
        request: wire::invoke_action::Request,
        progress: Progress,
    ) -> Result<End, Diagnostics>;
}

struct Typed<A: Action> {
    action: A,
    schema: OnceLock<Schema>,
}

#[async_trait]
impl<A: Action> ErasedAction<A::Configured> for Typed<A> {
    fn type_name(&self) -> &'static str {
        A::TYPE_NAME
    }

    fn schema(&self) -> &Schema {
        self.schema
            .get_or_init(|| Schema::new(A::Config::attributes()).description(A::DESCRIPTION))
    }

    fn validate(
        &self,
        request: wire::validate_action_config::Request,
    ) -> Result<wire::validate_action_config::Response, Diagnostics> {
        let (config, mut diagnostics) =
            block::decode(&self.schema().attributes, request.config.as_ref())?;
        diagnostics.extend(self.action.validate(&config));
        Ok(wire::validate_action_config::Response {
            diagnostics: to_wire(diagnostics),
        })
    }

    fn plan(
        &self,
        configured: Arc<A::Configured>,
        request: wire::plan_action::Request,
    ) -> Result<wire::plan_action::Response, Diagnostics> {
        let config = block::decode_whole(&self.schema().attributes, request.config.as_ref())?;
        let mut diagnostics = self.action.validate(&config);
        if !has_error(&diagnostics) {
            diagnostics.extend(self.action.plan(&configured, &config));
        }
        Ok(wire::plan_action::Response {
            diagnostics: to_wire(diagnostics),
            ..Default::default()
        })
    }

    async fn invoke(
        &self,
        context: Context<A::Configured>,
        request: wire::invoke_action::Request,
        progress: Progress,
    ) -> Result<End, Diagnostics> {
        let config = block::decode_whole(&self.schema().attributes, request.config.as_ref())?;
        let refused = self.action.validate(&config);
        if has_error(&refused) {
            return Err(refused);
        }
        let warnings = self
            .action
            .invoke(&context, config, &progress)
            .await
            .map_err(|failure| failure.diagnostics)?;
        Ok(End(to_wire(warnings)))
    }
}

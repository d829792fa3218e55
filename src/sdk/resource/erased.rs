//! A resource type behind one object-safe interface: wire messages in, wire messages out.

use async_trait::async_trait;

use super::coding::{decode_private, encode_private, identity_attributes};
use super::{GenerateConfig, ImportState, ReadRequest, UpgradeState};
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Attribute, AttributePath, Diagnostic};
use crate::sdk::check::{self, config::mistakes, write_only};
use crate::sdk::coding::{Outcome, model};
use crate::sdk::context::Context;
use crate::sdk::failure::Diagnostics;
use crate::sdk::typed::{Described, Typed};

/// A resource type whose models are hidden.
#[async_trait]
pub trait ErasedResource<C>: Described {
    /// Returns the attributes of what identifies an instance.
    fn identity(&self) -> Vec<Attribute>;
    fn validate(&self, request: wire::validate_resource_config::Request) -> Outcome<Diagnostics>;
    fn upgrade(
        &self,
        request: wire::upgrade_resource_state::Request,
    ) -> Outcome<wire::upgrade_resource_state::Response>;
    fn upgrade_identity(
        &self,
        request: wire::upgrade_resource_identity::Request,
    ) -> Outcome<wire::upgrade_resource_identity::Response>;
    fn generate(
        &self,
        context: Context<C>,
        request: wire::generate_resource_config::Request,
    ) -> Outcome<wire::generate_resource_config::Response>;
    async fn read(
        &self,
        context: Context<C>,
        request: wire::read_resource::Request,
    ) -> Outcome<(wire::read_resource::Response, Diagnostics)>;
    async fn plan(
        &self,
        context: Context<C>,
        request: wire::plan_resource_change::Request,
    ) -> Outcome<(wire::plan_resource_change::Response, Diagnostics)>;
    async fn apply(
        &self,
        context: Context<C>,
        request: wire::apply_resource_change::Request,
    ) -> Outcome<(wire::apply_resource_change::Response, Diagnostics)>;
    async fn import(
        &self,
        context: Context<C>,
        request: wire::import_resource_state::Request,
    ) -> Outcome<(wire::import_resource_state::Response, Diagnostics)>;
}

#[async_trait]
impl<R: ImportState + GenerateConfig + UpgradeState> ErasedResource<R::Configured> for Typed<R> {
    fn identity(&self) -> Vec<Attribute> {
        identity_attributes::<R>()
    }

    fn validate(&self, request: wire::validate_resource_config::Request) -> Outcome<Diagnostics> {
        const WHAT: &str = "the configuration";
        let config = self.required(WHAT, request.config.as_ref())?;
        let allowed = request
            .client_capabilities
            .is_some_and(|capabilities| capabilities.write_only_attributes_allowed);
        let mut diagnostics = Diagnostics::new();
        if !allowed {
            let set = write_only::find(self.attributes(), &config);
            diagnostics.extend(set.iter().map(write_only_unsupported));
        }
        diagnostics.extend(mistakes(self.attributes(), &config));
        diagnostics.extend(self.inner.validate(&model(WHAT, config)?));
        Ok(diagnostics)
    }

    fn upgrade(
        &self,
        request: wire::upgrade_resource_state::Request,
    ) -> Outcome<wire::upgrade_resource_state::Response> {
        self.upgrade_state(request)
    }

    fn upgrade_identity(
        &self,
        request: wire::upgrade_resource_identity::Request,
    ) -> Outcome<wire::upgrade_resource_identity::Response> {
        Self::upgrade_stored_identity(request)
    }

    fn generate(
        &self,
        context: Context<R::Configured>,
        request: wire::generate_resource_config::Request,
    ) -> Outcome<wire::generate_resource_config::Response> {
        self.generate_config(&context.configured, &request)
    }

    async fn read(
        &self,
        context: Context<R::Configured>,
        request: wire::read_resource::Request,
    ) -> Outcome<(wire::read_resource::Response, Diagnostics)> {
        const WHAT: &str = "the state";
        let state = self.required(WHAT, request.current_state.as_ref())?;
        let prior_identity = Self::decode_identity(request.current_identity.as_ref())?;
        let request = ReadRequest {
            state: model(WHAT, state)?,
            private: decode_private::<R>(&request.private),
        };
        let read = self
            .inner
            .read(&context, request)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let (state, identity) =
            self.record("read", prior_identity.as_ref(), read.state, |state| {
                check::recorded(self.attributes(), state)
            })?;
        let answer = wire::read_resource::Response {
            new_state: Some(state),
            private: encode_private::<R>(&read.private),
            new_identity: Some(identity),
            ..Default::default()
        };
        Ok((answer, read.diagnostics))
    }

    async fn plan(
        &self,
        context: Context<R::Configured>,
        request: wire::plan_resource_change::Request,
    ) -> Outcome<(wire::plan_resource_change::Response, Diagnostics)> {
        self.plan_change(&context, request).await
    }

    async fn apply(
        &self,
        context: Context<R::Configured>,
        request: wire::apply_resource_change::Request,
    ) -> Outcome<(wire::apply_resource_change::Response, Diagnostics)> {
        self.apply_change(&context, request).await
    }

    async fn import(
        &self,
        context: Context<R::Configured>,
        request: wire::import_resource_state::Request,
    ) -> Outcome<(wire::import_resource_state::Response, Diagnostics)> {
        self.import_state(&context, request).await
    }
}

/// The diagnostic has no path, because the source line there may hold the value.
fn write_only_unsupported(path: &AttributePath) -> Diagnostic {
    Diagnostic::error(
        "Write-only attributes are not supported",
        format!(
            "This version of Terraform or OpenTofu would store the value of {path} in state. Use \
             Terraform 1.11 or OpenTofu 1.11 or later, or remove {path}."
        ),
    )
}

//! A resource type behind one object-safe interface: wire messages in, wire messages out.

mod apply;
mod coding;
mod generate;
mod lookup;
mod plan;
mod upgrade;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use coding::{decode_private, encode_private};
pub(super) use lookup::ErasedLookup;
pub use lookup::{AnyDataSource, AnyEphemeralResource};

use super::check::{self, config::mistakes, write_only};
use super::coding::{Outcome, model, to_wire};
use super::failure::Diagnostics;
use super::model::Model;
use super::resource::{Context, ImportRequest, ReadRequest, Resource};
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{
    Attribute, AttributePath, Diagnostic, IdentityAttribute, IdentitySchema, Mode, Schema,
};

/// A resource type whose models are hidden.
pub struct AnyResource<C>(Box<dyn Erased<C>>);

impl<C: Send + Sync + 'static> AnyResource<C> {
    pub(super) fn new<R: Resource<Configured = C>>(resource: R) -> Self {
        Self(Box::new(Typed {
            resource,
            schema: OnceLock::new(),
            identity: OnceLock::new(),
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

    /// Returns the schema of the identity, built on first use.
    pub fn identity_schema(&self) -> &IdentitySchema {
        self.0.identity_schema()
    }

    pub(super) fn calls(&self) -> &dyn Erased<C> {
        &*self.0
    }
}

#[async_trait]
pub(super) trait Erased<C>: Send + Sync {
    fn type_name(&self) -> &'static str;
    fn schema(&self) -> &Schema;
    fn identity_schema(&self) -> &IdentitySchema;
    fn validate(
        &self,
        request: wire::validate_resource_config::Request,
    ) -> Outcome<wire::validate_resource_config::Response>;
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
        configured: Arc<C>,
        request: wire::generate_resource_config::Request,
    ) -> Outcome<wire::generate_resource_config::Response>;
    async fn read(
        &self,
        context: Context<C>,
        request: wire::read_resource::Request,
    ) -> Outcome<wire::read_resource::Response>;
    async fn plan(
        &self,
        context: Context<C>,
        request: wire::plan_resource_change::Request,
    ) -> Outcome<wire::plan_resource_change::Response>;
    async fn apply(
        &self,
        context: Context<C>,
        request: wire::apply_resource_change::Request,
    ) -> Outcome<wire::apply_resource_change::Response>;
    async fn import(
        &self,
        context: Context<C>,
        request: wire::import_resource_state::Request,
    ) -> Outcome<wire::import_resource_state::Response>;
}

struct Typed<R: Resource> {
    resource: R,
    schema: OnceLock<Schema>,
    identity: OnceLock<Identity>,
}

/// The identity in both forms: the one that hosts receive, and the one used for decoding.
struct Identity {
    schema: IdentitySchema,
    attributes: Vec<Attribute>,
}

impl Identity {
    fn of<M: Model>() -> Self {
        let attributes = M::attributes();
        let schema = IdentitySchema {
            version: 0,
            attributes: attributes
                .iter()
                .map(|attribute| IdentityAttribute {
                    name: attribute.name.clone(),
                    ty: attribute.implied_type(),
                    required_for_import: attribute.mode == Mode::Required,
                    description: attribute.description.clone(),
                })
                .collect(),
        };
        Self { schema, attributes }
    }
}

impl<R: Resource> Typed<R> {
    fn identity(&self) -> &Identity {
        self.identity.get_or_init(Identity::of::<R::Identity>)
    }

    fn attributes(&self) -> &[Attribute] {
        &self.schema().attributes
    }
}

#[async_trait]
impl<R: Resource> Erased<R::Configured> for Typed<R> {
    fn type_name(&self) -> &'static str {
        R::TYPE_NAME
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema {
            version: R::SCHEMA_VERSION,
            ..Schema::new(R::Model::attributes()).description(R::DESCRIPTION)
        })
    }

    fn identity_schema(&self) -> &IdentitySchema {
        &self.identity().schema
    }

    fn validate(
        &self,
        request: wire::validate_resource_config::Request,
    ) -> Outcome<wire::validate_resource_config::Response> {
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
        diagnostics.extend(self.resource.validate(&model(WHAT, config)?));
        Ok(wire::validate_resource_config::Response {
            diagnostics: to_wire(diagnostics),
        })
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
        self.upgrade_stored_identity(request)
    }

    fn generate(
        &self,
        configured: Arc<R::Configured>,
        request: wire::generate_resource_config::Request,
    ) -> Outcome<wire::generate_resource_config::Response> {
        self.generate_configuration(&configured, &request)
    }

    async fn read(
        &self,
        context: Context<R::Configured>,
        request: wire::read_resource::Request,
    ) -> Outcome<wire::read_resource::Response> {
        const WHAT: &str = "the state";
        let state = self.required(WHAT, request.current_state.as_ref())?;
        let prior_identity = self.decode_identity(request.current_identity.as_ref())?;
        let request = ReadRequest {
            state: model(WHAT, state)?,
            private: decode_private::<R>(&request.private),
        };
        let read = self
            .resource
            .read(&context, request)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let (state, identity) =
            self.record("read", prior_identity.as_ref(), read.state, |state| {
                check::recorded(self.attributes(), state)
            })?;
        Ok(wire::read_resource::Response {
            new_state: Some(state),
            private: encode_private::<R>(&read.private),
            diagnostics: to_wire(read.diagnostics),
            new_identity: Some(identity),
            ..Default::default()
        })
    }

    async fn plan(
        &self,
        context: Context<R::Configured>,
        request: wire::plan_resource_change::Request,
    ) -> Outcome<wire::plan_resource_change::Response> {
        self.plan_change(&context, request).await
    }

    async fn apply(
        &self,
        context: Context<R::Configured>,
        request: wire::apply_resource_change::Request,
    ) -> Outcome<wire::apply_resource_change::Response> {
        self.apply_change(&context, request).await
    }

    async fn import(
        &self,
        context: Context<R::Configured>,
        request: wire::import_resource_state::Request,
    ) -> Outcome<wire::import_resource_state::Response> {
        let by = match self.decode_identity(request.identity.as_ref())? {
            Some(identity) => ImportRequest::Identity(model("the identity", identity)?),
            None => ImportRequest::Id(request.id),
        };
        let imported = self
            .resource
            .import(&context, by)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let (state, identity) = self.record("import", None, imported.state, |state| {
            check::recorded(self.attributes(), state)
        })?;
        Ok(wire::import_resource_state::Response {
            imported_resources: vec![wire::import_resource_state::ImportedResource {
                type_name: R::TYPE_NAME.to_owned(),
                state: Some(state),
                private: encode_private::<R>(&imported.private),
                identity: Some(identity),
            }],
            diagnostics: to_wire(imported.diagnostics),
            ..Default::default()
        })
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

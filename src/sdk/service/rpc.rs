//! One handler for each call that is answered; all others are unimplemented.

use tonic::{Request, Response, Status};

use super::{APPLY_GRACE, ProviderService, answered, sessionless};
use crate::protocol::Diagnostic;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::generated::tfplugin6::provider_server::Provider as Rpc;
use crate::sdk::erased::to_wire;
use crate::sdk::guard::Call;
use crate::sdk::provider::Provider;

type Answer<T> = Result<Response<T>, Status>;

fn capabilities() -> wire::ServerCapabilities {
    wire::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        ..Default::default()
    }
}

#[tonic::async_trait]
impl<P: Provider> Rpc for ProviderService<P> {
    async fn get_metadata(
        &self,
        _request: Request<wire::get_metadata::Request>,
    ) -> Answer<wire::get_metadata::Response> {
        let names = self.resources().keys();
        let resources = names.map(|name| wire::get_metadata::ResourceMetadata {
            type_name: (*name).to_owned(),
        });
        Ok(Response::new(wire::get_metadata::Response {
            server_capabilities: Some(capabilities()),
            resources: resources.collect(),
            ..Default::default()
        }))
    }

    async fn get_provider_schema(
        &self,
        _request: Request<wire::get_provider_schema::Request>,
    ) -> Answer<wire::get_provider_schema::Response> {
        let call = sessionless("GetProviderSchema");
        answered(call, Default::default(), async {
            let resources = self.resources().iter();
            Ok(wire::get_provider_schema::Response {
                provider: Some(self.schema().into()),
                resource_schemas: resources
                    .map(|(name, resource)| ((*name).to_owned(), resource.schema().into()))
                    .collect(),
                server_capabilities: Some(capabilities()),
                ..Default::default()
            })
        })
        .await
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<wire::get_resource_identity_schemas::Request>,
    ) -> Answer<wire::get_resource_identity_schemas::Response> {
        let call = sessionless("GetResourceIdentitySchemas");
        answered(call, Default::default(), async {
            let resources = self.resources().iter();
            Ok(wire::get_resource_identity_schemas::Response {
                identity_schemas: resources
                    .map(|(name, resource)| ((*name).to_owned(), resource.identity_schema().into()))
                    .collect(),
                diagnostics: Vec::new(),
            })
        })
        .await
    }

    async fn get_functions(
        &self,
        _request: Request<wire::get_functions::Request>,
    ) -> Answer<wire::get_functions::Response> {
        Ok(Response::new(wire::get_functions::Response::default()))
    }

    async fn validate_provider_config(
        &self,
        request: Request<wire::validate_provider_config::Request>,
    ) -> Answer<wire::validate_provider_config::Response> {
        let request = request.into_inner();
        let call = sessionless("ValidateProviderConfig");
        answered(call, Default::default(), async {
            let config = self.decode_config(request.config.as_ref())?;
            Ok(wire::validate_provider_config::Response {
                diagnostics: to_wire(self.shared.provider.validate(&config)),
            })
        })
        .await
    }

    /// A process in debug mode serves the next run after one that was stopped, so the stop of
    /// the last run must not reach the configuration of the next.
    async fn configure_provider(
        &self,
        request: Request<wire::configure_provider::Request>,
    ) -> Answer<wire::configure_provider::Response> {
        let call = sessionless("ConfigureProvider");
        let work = self.configure(request.into_inner());
        answered(call, Default::default(), work).await
    }

    async fn validate_resource_config(
        &self,
        request: Request<wire::validate_resource_config::Request>,
    ) -> Answer<wire::validate_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let call = self.session().call("ValidateResourceConfig", &name);
        answered(call, Default::default(), async {
            self.resource(&name)?.validate(request)
        })
        .await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<wire::upgrade_resource_state::Request>,
    ) -> Answer<wire::upgrade_resource_state::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let call = self.session().call("UpgradeResourceState", &name);
        answered(call, Default::default(), async {
            self.resource(&name)?.upgrade(request)
        })
        .await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<wire::upgrade_resource_identity::Request>,
    ) -> Answer<wire::upgrade_resource_identity::Response> {
        let request = request.into_inner();
        let call = self
            .session()
            .call("UpgradeResourceIdentity", &request.type_name);
        answered(call, Default::default(), async {
            Err(vec![Diagnostic::error(
                "Unknown identity version",
                format!(
                    "The identity was written with version {}, which this provider does not \
                     read. Use the version of the provider that wrote it.",
                    request.version
                ),
            )])
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<wire::move_resource_state::Request>,
    ) -> Answer<wire::move_resource_state::Response> {
        let name = request.into_inner().target_type_name;
        let call = self.session().call("MoveResourceState", &name);
        answered(call, Default::default(), async {
            Err(vec![Diagnostic::error(
                "Cannot move from another resource type",
                "This provider takes over no state of other resource types. Use an import block \
                 for the new resource and a removed block with destroy = false for the old one.",
            )])
        })
        .await
    }

    async fn read_resource(
        &self,
        request: Request<wire::read_resource::Request>,
    ) -> Answer<wire::read_resource::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let session = self.session();
        let call = session.call("ReadResource", &name);
        let fallback = wire::read_resource::Response {
            new_state: request.current_state.clone(),
            private: request.private.clone(),
            new_identity: request.current_identity.clone(),
            ..Default::default()
        };
        answered(call, fallback, async {
            let resource = self.resource(&name)?;
            resource.read(session.context()?, request).await
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<wire::plan_resource_change::Request>,
    ) -> Answer<wire::plan_resource_change::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let session = self.session();
        let call = session.call("PlanResourceChange", &name);
        let fallback = wire::plan_resource_change::Response {
            planned_state: request.prior_state.clone(),
            planned_private: request.prior_private.clone(),
            planned_identity: request.prior_identity.clone(),
            ..Default::default()
        };
        answered(call, fallback, async {
            let resource = self.resource(&name)?;
            resource.plan(session.context()?.configured, request)
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<wire::apply_resource_change::Request>,
    ) -> Answer<wire::apply_resource_change::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let session = self.session();
        let call = Call {
            grace: APPLY_GRACE,
            ..session.call("ApplyResourceChange", &name)
        };
        let fallback = wire::apply_resource_change::Response {
            new_state: request.prior_state.clone(),
            private: request.planned_private.clone(),
            new_identity: request.planned_identity.clone(),
            ..Default::default()
        };
        answered(call, fallback, async {
            let resource = self.resource(&name)?;
            resource.apply(session.context()?, request).await
        })
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<wire::import_resource_state::Request>,
    ) -> Answer<wire::import_resource_state::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let session = self.session();
        let call = session.call("ImportResourceState", &name);
        answered(call, Default::default(), async {
            let resource = self.resource(&name)?;
            resource.import(session.context()?, request).await
        })
        .await
    }

    async fn stop_provider(
        &self,
        _request: Request<wire::stop_provider::Request>,
    ) -> Answer<wire::stop_provider::Response> {
        self.session().cancelled.cancel();
        Ok(Response::new(wire::stop_provider::Response::default()))
    }
}

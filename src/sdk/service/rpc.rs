//! One handler for each supported call. All other calls are unimplemented.

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::{APPLY_GRACE, ProviderService, answered, sessionless};
use crate::protocol::Diagnostic;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::generated::tfplugin6::provider_server::Provider as Rpc;
use crate::sdk::coding::to_wire;
use crate::sdk::guard::Call;
use crate::sdk::provider::Provider;

type Answer<T> = Result<Response<T>, Status>;

fn capabilities() -> wire::ServerCapabilities {
    wire::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        generate_resource_config: true,
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
        let names = self.functions().keys();
        let functions = names.map(|name| wire::get_metadata::FunctionMetadata {
            name: (*name).to_owned(),
        });
        let names = self.data_sources().keys();
        let data_sources = names.map(|name| wire::get_metadata::DataSourceMetadata {
            type_name: (*name).to_owned(),
        });
        let names = self.ephemeral_resources().keys();
        let ephemeral = names.map(|name| wire::get_metadata::EphemeralMetadata {
            type_name: (*name).to_owned(),
        });
        let lists = self.list_resources().keys();
        let lists = lists.map(|name| wire::get_metadata::ListResourceMetadata {
            type_name: (*name).to_owned(),
        });
        let actions = self.actions().keys();
        let actions = actions.map(|name| wire::get_metadata::ActionMetadata {
            type_name: (*name).to_owned(),
        });
        Ok(Response::new(wire::get_metadata::Response {
            server_capabilities: Some(capabilities()),
            resources: resources.collect(),
            functions: functions.collect(),
            data_sources: data_sources.collect(),
            ephemeral_resources: ephemeral.collect(),
            list_resources: lists.collect(),
            actions: actions.collect(),
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
            let data_sources = self.data_sources().iter();
            let ephemeral = self.ephemeral_resources().iter();
            Ok(wire::get_provider_schema::Response {
                provider: Some(self.schema().into()),
                resource_schemas: resources
                    .map(|(name, resource)| ((*name).to_owned(), resource.schema().into()))
                    .collect(),
                functions: self.signatures(),
                data_source_schemas: data_sources
                    .map(|(name, source)| ((*name).to_owned(), source.schema().into()))
                    .collect(),
                ephemeral_resource_schemas: ephemeral
                    .map(|(name, ephemeral)| ((*name).to_owned(), ephemeral.schema().into()))
                    .collect(),
                list_resource_schemas: self.list_schemas(),
                action_schemas: self.action_schemas(),
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
        let call = sessionless("GetFunctions");
        answered(call, Default::default(), async {
            Ok(wire::get_functions::Response {
                functions: self.signatures(),
                diagnostics: Vec::new(),
            })
        })
        .await
    }

    /// Hosts call functions after configuration, without it, and before it.
    async fn call_function(
        &self,
        request: Request<wire::call_function::Request>,
    ) -> Answer<wire::call_function::Response> {
        let request = request.into_inner();
        let call = sessionless("CallFunction");
        answered(call, Default::default(), async {
            Ok(self.function(&request.name)?.call(&request.arguments))
        })
        .await
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

    /// A process in debug mode serves the next run after one that was stopped. The stop of the
    /// earlier run must not affect the next run's configuration.
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
        let name = request.type_name.clone();
        let call = self.session().call("UpgradeResourceIdentity", &name);
        answered(call, Default::default(), async {
            self.resource(&name)?.upgrade_identity(request)
        })
        .await
    }

    async fn generate_resource_config(
        &self,
        request: Request<wire::generate_resource_config::Request>,
    ) -> Answer<wire::generate_resource_config::Response> {
        let request = request.into_inner();
        let name = request.type_name.clone();
        let session = self.session();
        let call = session.call("GenerateResourceConfig", &name);
        answered(call, Default::default(), async {
            let resource = self.resource(&name)?;
            resource.generate(session.context(&self.shared.provider)?.configured, request)
        })
        .await
    }

    /// Moves no state: an import finds the same object, and does not depend on a state whose shape
    /// another provider controls.
    async fn move_resource_state(
        &self,
        request: Request<wire::move_resource_state::Request>,
    ) -> Answer<wire::move_resource_state::Response> {
        let name = request.into_inner().target_type_name;
        let call = self.session().call("MoveResourceState", &name);
        answered(call, Default::default(), async {
            Err(vec![Diagnostic::error(
                "Moving from another resource type is not supported",
                "Use an import block for the new resource and a removed block with destroy = false \
                 for the old one.",
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
            resource
                .read(session.context(&self.shared.provider)?, request)
                .await
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
            resource
                .plan(session.context(&self.shared.provider)?, request)
                .await
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
            resource
                .apply(session.context(&self.shared.provider)?, request)
                .await
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
            resource
                .import(session.context(&self.shared.provider)?, request)
                .await
        })
        .await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<wire::validate_data_resource_config::Request>,
    ) -> Answer<wire::validate_data_resource_config::Response> {
        self.validate_data_source(request.into_inner()).await
    }

    async fn read_data_source(
        &self,
        request: Request<wire::read_data_source::Request>,
    ) -> Answer<wire::read_data_source::Response> {
        self.look_up_data(request.into_inner()).await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<wire::validate_ephemeral_resource_config::Request>,
    ) -> Answer<wire::validate_ephemeral_resource_config::Response> {
        self.validate_ephemeral(request.into_inner()).await
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<wire::open_ephemeral_resource::Request>,
    ) -> Answer<wire::open_ephemeral_resource::Response> {
        self.open_ephemeral(request.into_inner()).await
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<wire::renew_ephemeral_resource::Request>,
    ) -> Answer<wire::renew_ephemeral_resource::Response> {
        self.renew_ephemeral(request.into_inner()).await
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<wire::close_ephemeral_resource::Request>,
    ) -> Answer<wire::close_ephemeral_resource::Response> {
        self.close_ephemeral(request.into_inner()).await
    }

    async fn stop_provider(
        &self,
        _request: Request<wire::stop_provider::Request>,
    ) -> Answer<wire::stop_provider::Response> {
        self.session().cancelled.cancel();
        Ok(Response::new(wire::stop_provider::Response::default()))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<wire::validate_list_resource_config::Request>,
    ) -> Answer<wire::validate_list_resource_config::Response> {
        self.validate_list(request.into_inner()).await
    }

    async fn list_resource(
        &self,
        request: Request<wire::list_resource::Request>,
    ) -> Answer<BoxStream<wire::list_resource::Event>> {
        Ok(Response::new(self.list(request.into_inner())))
    }

    async fn validate_action_config(
        &self,
        request: Request<wire::validate_action_config::Request>,
    ) -> Answer<wire::validate_action_config::Response> {
        self.validate_action(request.into_inner()).await
    }

    async fn plan_action(
        &self,
        request: Request<wire::plan_action::Request>,
    ) -> Answer<wire::plan_action::Response> {
        self.plan_invocation(request.into_inner()).await
    }

    async fn invoke_action(
        &self,
        request: Request<wire::invoke_action::Request>,
    ) -> Answer<BoxStream<wire::invoke_action::Event>> {
        Ok(Response::new(self.invoke(request.into_inner())))
    }
}

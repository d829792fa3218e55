//! `GetProviderSchema`.

use super::{ProviderService, capabilities, sessionless};
use crate::protocol::generated::tfplugin6::ActionSchema;
use crate::protocol::generated::tfplugin6::get_provider_schema::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    _request: Request,
) -> Response {
    let call = sessionless("GetProviderSchema");
    guarded(call, Response::default(), async {
        let types = service.types();
        Ok(Response {
            provider: Some(service.schema().into()),
            resource_schemas: types.resources.schemas(),
            data_source_schemas: types.data_sources.schemas(),
            functions: types.signatures(),
            ephemeral_resource_schemas: types.ephemeral_resources.schemas(),
            list_resource_schemas: types.list_resources.schemas(),
            action_schemas: types.actions.each(|action| ActionSchema {
                schema: Some(action.schema().into()),
            }),
            server_capabilities: Some(capabilities()),
            ..Default::default()
        })
    })
    .await
}

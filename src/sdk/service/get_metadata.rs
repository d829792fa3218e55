//! `GetMetadata`: the names of all types and functions.

use super::{ProviderService, capabilities};
use crate::protocol::generated::tfplugin6::get_metadata::{
    ActionMetadata, DataSourceMetadata, EphemeralMetadata, FunctionMetadata, ListResourceMetadata,
    Request, ResourceMetadata, Response,
};
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    _request: Request,
) -> Response {
    let types = service.types();
    Response {
        server_capabilities: Some(capabilities()),
        resources: types
            .resources
            .names(|type_name| ResourceMetadata { type_name }),
        data_sources: types
            .data_sources
            .names(|type_name| DataSourceMetadata { type_name }),
        functions: types.functions.names(|name| FunctionMetadata { name }),
        ephemeral_resources: types
            .ephemeral_resources
            .names(|type_name| EphemeralMetadata { type_name }),
        list_resources: types
            .list_resources
            .names(|type_name| ListResourceMetadata { type_name }),
        actions: types
            .actions
            .names(|type_name| ActionMetadata { type_name }),
        ..Default::default()
    }
}

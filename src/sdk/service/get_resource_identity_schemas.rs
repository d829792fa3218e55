//! `GetResourceIdentitySchemas`.

use super::{ProviderService, sessionless};
use crate::protocol::generated::tfplugin6::get_resource_identity_schemas::{Request, Response};
use crate::protocol::wire::identity_schema;
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    _request: Request,
) -> Response {
    let call = sessionless("GetResourceIdentitySchemas");
    guarded(call, Response::default(), async {
        let resources = &service.types().resources;
        Ok(Response {
            identity_schemas: resources.each(|resource| identity_schema(&resource.identity())),
            diagnostics: Vec::new(),
        })
    })
    .await
}

//! `CloseEphemeralResource`: nothing stays open, so closing has no effect.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::close_ephemeral_resource::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let call = service
        .session()
        .call("CloseEphemeralResource", &request.type_name);
    guarded(call, Response::default(), async {
        service
            .types()
            .ephemeral_resources
            .find(&request.type_name)?;
        Ok(Response::default())
    })
    .await
}

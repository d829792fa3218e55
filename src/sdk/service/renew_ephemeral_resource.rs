//! `RenewEphemeralResource`: nothing stays open, so there is nothing to renew.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::renew_ephemeral_resource::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let call = service
        .session()
        .call("RenewEphemeralResource", &request.type_name);
    // One host passes the data that a renewal returns to the close.
    let echo = Response {
        private: request.private,
        ..Default::default()
    };
    guarded(call, echo.clone(), async {
        service
            .types()
            .ephemeral_resources
            .find(&request.type_name)?;
        Ok(echo)
    })
    .await
}

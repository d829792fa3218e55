//! `ValidateProviderConfig`.

use super::{ProviderService, sessionless};
use crate::protocol::generated::tfplugin6::validate_provider_config::{Request, Response};
use crate::sdk::coding::to_wire;
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let call = sessionless("ValidateProviderConfig");
    guarded(call, Response::default(), async {
        let config = service.decode_config(request.config.as_ref())?;
        Ok(Response {
            diagnostics: to_wire(service.shared.provider.validate(&config)),
        })
    })
    .await
}

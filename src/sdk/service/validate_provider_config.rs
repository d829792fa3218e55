//! `ValidateProviderConfig`.

use super::{ProviderService, sessionless};
use crate::protocol::generated::tfplugin6::validate_provider_config::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let call = sessionless("ValidateProviderConfig");
    reported(call, Response::default(), async {
        let config = service.decode_config(request.config.as_ref())?;
        let diagnostics = service.shared.provider.validate(&config);
        Ok((Response::default(), diagnostics))
    })
    .await
}

//! `ValidateDataResourceConfig`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::validate_data_resource_config::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let call = service.session().call("ValidateDataResourceConfig", &name);
    reported(call, Response::default(), async {
        let diagnostics = service
            .types()
            .data_sources
            .find(&name)?
            .validate(request.config.as_ref())?;
        Ok((Response::default(), diagnostics))
    })
    .await
}

//! `ValidateResourceConfig`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::validate_resource_config::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let call = service.session().call("ValidateResourceConfig", &name);
    reported(call, Response::default(), async {
        let diagnostics = service.types().resources.find(&name)?.validate(request)?;
        Ok((Response::default(), diagnostics))
    })
    .await
}

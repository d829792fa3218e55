//! `OpenEphemeralResource`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::open_ephemeral_resource::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let session = service.session();
    let call = session.call("OpenEphemeralResource", &request.type_name);
    reported(call, Response::default(), async {
        let lookup = service
            .types()
            .ephemeral_resources
            .find(&request.type_name)?;
        let context = service.context(session)?;
        let (result, diagnostics) = lookup
            .read("open", context, request.config.as_ref())
            .await?;
        let answer = Response {
            result: Some(result),
            ..Default::default()
        };
        Ok((answer, diagnostics))
    })
    .await
}

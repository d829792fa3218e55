//! `GenerateResourceConfig`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::generate_resource_config::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let session = service.session();
    let call = session.call("GenerateResourceConfig", &name);
    guarded(call, Response::default(), async {
        let resource = service.types().resources.find(&name)?;
        resource.generate(service.context(session)?, request)
    })
    .await
}

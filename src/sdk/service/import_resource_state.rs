//! `ImportResourceState`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::import_resource_state::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let session = service.session();
    let call = session.call("ImportResourceState", &name);
    reported(call, Response::default(), async {
        let resource = service.types().resources.find(&name)?;
        resource.import(service.context(session)?, request).await
    })
    .await
}

//! `ReadResource`: what fails keeps the state as it was.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::read_resource::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let session = service.session();
    let call = session.call("ReadResource", &name);
    let fallback = Response {
        new_state: request.current_state.clone(),
        private: request.private.clone(),
        new_identity: request.current_identity.clone(),
        ..Default::default()
    };
    reported(call, fallback, async {
        let resource = service.types().resources.find(&name)?;
        resource.read(service.context(session)?, request).await
    })
    .await
}

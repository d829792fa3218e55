//! `UpgradeResourceIdentity`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::upgrade_resource_identity::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let call = service.session().call("UpgradeResourceIdentity", &name);
    guarded(call, Response::default(), async {
        service
            .types()
            .resources
            .find(&name)?
            .upgrade_identity(request)
    })
    .await
}

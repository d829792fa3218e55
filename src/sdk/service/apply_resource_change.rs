//! `ApplyResourceChange`: what fails keeps the state from before.

use super::{APPLY_GRACE, ProviderService};
use crate::protocol::generated::tfplugin6::apply_resource_change::{Request, Response};
use crate::sdk::guard::{Call, reported};
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let session = service.session();
    let call = Call {
        grace: APPLY_GRACE,
        ..session.call("ApplyResourceChange", &name)
    };
    let fallback = Response {
        new_state: request.prior_state.clone(),
        private: request.planned_private.clone(),
        new_identity: request.planned_identity.clone(),
        ..Default::default()
    };
    reported(call, fallback, async {
        let resource = service.types().resources.find(&name)?;
        resource.apply(service.context(session)?, request).await
    })
    .await
}

//! `PlanResourceChange`: what fails plans no change.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::plan_resource_change::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let name = request.type_name.clone();
    let session = service.session();
    let call = session.call("PlanResourceChange", &name);
    let fallback = Response {
        planned_state: request.prior_state.clone(),
        planned_private: request.prior_private.clone(),
        planned_identity: request.prior_identity.clone(),
        ..Default::default()
    };
    reported(call, fallback, async {
        let resource = service.types().resources.find(&name)?;
        resource.plan(service.context(session)?, request).await
    })
    .await
}

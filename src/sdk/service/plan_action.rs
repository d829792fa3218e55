//! `PlanAction`: an action changes no state, so a plan only validates.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::plan_action::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let session = service.session();
    let call = session.call("PlanAction", &request.action_type);
    reported(call, Response::default(), async {
        let action = service.types().actions.find(&request.action_type)?;
        service.context(session)?;
        let diagnostics = action.plan(request.config.as_ref())?;
        Ok((Response::default(), diagnostics))
    })
    .await
}

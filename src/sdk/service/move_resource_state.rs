//! `MoveResourceState` moves no state: an import finds the same object, and does not depend on a
//! state whose shape another provider controls.

use super::ProviderService;
use crate::protocol::Diagnostic;
use crate::protocol::generated::tfplugin6::move_resource_state::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let call = service
        .session()
        .call("MoveResourceState", &request.target_type_name);
    guarded(call, Response::default(), async {
        Err(vec![Diagnostic::error(
            "Moving from another resource type is not supported",
            "Use an import block for the new resource and a removed block with destroy = false \
             for the old one.",
        )])
    })
    .await
}

//! `StopProvider`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::stop_provider::{Request, Response};
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    _request: Request,
) -> Response {
    service.session().cancelled.cancel();
    Response::default()
}

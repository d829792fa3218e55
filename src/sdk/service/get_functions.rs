//! `GetFunctions`.

use super::{ProviderService, sessionless};
use crate::protocol::generated::tfplugin6::get_functions::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    _request: Request,
) -> Response {
    guarded(sessionless("GetFunctions"), Response::default(), async {
        Ok(Response {
            functions: service.types().signatures(),
            diagnostics: Vec::new(),
        })
    })
    .await
}

//! `CallFunction`: hosts call functions after configuration, without it, and before it.

use super::{ProviderService, sessionless};
use crate::protocol::generated::tfplugin6::call_function::{Request, Response};
use crate::sdk::guard::guarded;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let call = sessionless("CallFunction");
    guarded(call, Response::default(), async {
        let function = service.types().functions.find(&request.name)?;
        Ok(function.call(&request.arguments))
    })
    .await
}

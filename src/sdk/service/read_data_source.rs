//! `ReadDataSource`.

use super::ProviderService;
use crate::protocol::generated::tfplugin6::read_data_source::{Request, Response};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let session = service.session();
    let call = session.call("ReadDataSource", &request.type_name);
    reported(call, Response::default(), async {
        let lookup = service.types().data_sources.find(&request.type_name)?;
        let context = service.context(session)?;
        let (state, diagnostics) = lookup
            .read("read", context, request.config.as_ref())
            .await?;
        let answer = Response {
            state: Some(state),
            ..Default::default()
        };
        Ok((answer, diagnostics))
    })
    .await
}

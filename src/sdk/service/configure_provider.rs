//! `ConfigureProvider`.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{ProviderService, sessionless};
use crate::protocol::generated::tfplugin6::configure_provider::{Request, Response};
use crate::sdk::coding::Outcome;
use crate::sdk::failure::{Diagnostics, has_error};
use crate::sdk::guard::reported;
use crate::sdk::provider::Provider;

pub(super) async fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Response {
    let call = sessionless("ConfigureProvider");
    reported(call, Response::default(), configure(service, request)).await
}

/// A process in debug mode serves the next run after one that was stopped. The stop of the earlier
/// run must not affect the next run's configuration.
async fn configure<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> Outcome<(Response, Diagnostics)> {
    let provider = &service.shared.provider;
    let config = service.decode_config(request.config.as_ref())?;
    let diagnostics = provider.validate(&config);
    if has_error(&diagnostics) {
        return Err(diagnostics);
    }
    let (configured, warnings) = provider
        .configure(config)
        .await
        .map_err(|failure| failure.diagnostics)?;
    let idle = {
        let mut session = service.lock();
        session.site = provider.site(&configured);
        let before = session.configured.replace(configured);
        session.earlier.extend(before);
        session.cancelled = CancellationToken::new();
        // Calls of the previous run may still be in progress and use their own configuration.
        let (idle, busy) = std::mem::take(&mut session.earlier)
            .into_iter()
            .partition(|earlier| Arc::strong_count(earlier) == 1);
        session.earlier = busy;
        idle
    };
    service.release(idle).await;
    Ok((Response::default(), warnings))
}

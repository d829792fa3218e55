//! The services that every host expects in addition to the plugin's own: health, the controller,
//! standard output and error, and the broker.

use std::future::{pending, ready};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::once;
use prost::bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Streaming};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_server::Health as _;
use tonic_health::server::{HealthReporter, HealthService};

use crate::grpc::Calls;

/// Service name in the host's health checks.
const HEALTH_SERVICE: &str = "plugin";

/// Adds their calls. A request for shutdown cancels `stop`.
pub(super) async fn add(calls: &mut Calls, stop: &CancellationToken) {
    let reporter = HealthReporter::new();
    reporter
        .set_service_status(HEALTH_SERVICE, ServingStatus::Serving)
        .await;
    let health = Arc::new(HealthService::from_health_reporter(reporter));
    let checked = Arc::clone(&health);
    calls.unary("/grpc.health.v1.Health/Check", move |request| {
        let health = Arc::clone(&checked);
        async move {
            let response = health.check(Request::<HealthCheckRequest>::new(request));
            response.await.map(Response::into_inner)
        }
    });
    calls.server_streaming("/grpc.health.v1.Health/Watch", move |request| {
        let health = Arc::clone(&health);
        async move {
            let responses = health.watch(Request::<HealthCheckRequest>::new(request));
            responses.await.map(Response::into_inner)
        }
    });
    let ended = stop.clone();
    calls.unary("/plugin.GRPCController/Shutdown", move |()| {
        ended.cancel();
        ready(Ok(()))
    });
    for path in [
        "/plugin.GRPCStdio/StreamStdio",
        "/plugin.GRPCBroker/StartStream",
    ] {
        let stop = stop.clone();
        calls.streaming(path, move |requests| {
            Box::pin(ready(Ok(silence(requests, stop.clone()))))
        });
    }
}

/// Ignores what the host sends, and sends nothing until the process ends: hosts open these streams
/// immediately, and log a warning about anything that arrives.
fn silence(mut requests: Streaming<Bytes>, stop: CancellationToken) -> BoxStream<Bytes> {
    let silence = async move {
        let ignored = async {
            while let Ok(Some(_)) = requests.message().await {}
            pending::<()>().await;
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = ignored => {}
        }
    };
    Box::pin(once(silence).filter_map(|()| ready(None)))
}

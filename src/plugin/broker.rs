//! The service through which host and plugin can open more connections.
//!
//! No plugin here needs them. What the host sends is read and ignored, and nothing is sent back.

use std::future::ready;

use futures_util::StreamExt as _;
use futures_util::stream::once;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::generated::plugin::ConnInfo;
use super::generated::plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};

/// Keeps the stream open.
pub(super) struct Broker {
    stop: CancellationToken,
}

/// Creates the service.
pub(super) fn service(stop: CancellationToken) -> GrpcBrokerServer<Broker> {
    GrpcBrokerServer::new(Broker { stop })
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = BoxStream<ConnInfo>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let mut announcements = request.into_inner();
        let stop = self.stop.clone();
        let silence = once(async move {
            let ignored = async {
                while let Ok(Some(_)) = announcements.message().await {}
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = ignored => {}
            }
        });
        Ok(Response::new(Box::pin(
            silence.filter_map(|()| ready(None)),
        )))
    }
}

//! The service by which host and plugin could open further connections.
//!
//! No plugin here needs one: what the host sends is read and ignored, and nothing is answered.

use std::future::ready;

use futures_util::StreamExt as _;
use futures_util::stream::once;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::generated::plugin::ConnInfo;
use super::generated::plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};

/// Holds the stream open.
pub(super) struct Broker {
    stop: CancellationToken,
}

/// Makes the service.
pub(super) fn service(stop: CancellationToken) -> GrpcBrokerServer<Broker> {
    GrpcBrokerServer::new(Broker { stop })
}

#[tonic::async_trait]
impl GrpcBroker for Broker {
    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
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

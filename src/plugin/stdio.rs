//! The service through which a plugin can send standard output and error to the host.
//!
//! Hosts open the stream right away and complain about anything that arrives on it. It stays open
//! and silent until the process ends.

use std::future::ready;

use futures_util::StreamExt as _;
use futures_util::stream::once;
use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::generated::plugin::StdioData;
use super::generated::plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};

/// Keeps the stream open.
pub(super) struct Stdio {
    stop: CancellationToken,
}

/// Creates the service.
pub(super) fn service(stop: CancellationToken) -> GrpcStdioServer<Stdio> {
    GrpcStdioServer::new(Stdio { stop })
}

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = BoxStream<StdioData>;

    async fn stream_stdio(
        &self,
        _request: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        let silence = once(self.stop.clone().cancelled_owned()).filter_map(|()| ready(None));
        Ok(Response::new(Box::pin(silence)))
    }
}

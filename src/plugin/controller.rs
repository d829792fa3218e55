//! The service through which the host ends the plugin.

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::generated::plugin::Empty;
use super::generated::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};

/// Cancels a token when the host requests a shutdown.
pub(super) struct Controller {
    stop: CancellationToken,
}

/// Creates the service.
pub(super) fn service(stop: CancellationToken) -> GrpcControllerServer<Controller> {
    GrpcControllerServer::new(Controller { stop })
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.stop.cancel();
        Ok(Response::new(Empty {}))
    }
}

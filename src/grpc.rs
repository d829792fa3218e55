//! The calls that a gRPC server answers.
//!
//! Messages pass through the transport as bytes. In a generated server, each call has types of its
//! own, and the whole transport is compiled once for each of them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{self, Stream, StreamExt as _};
use prost::Message;
use prost::bytes::{Buf as _, BufMut as _, Bytes};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, BoxStream, Service};
use tonic::server::{Grpc, StreamingService};
use tonic::{Request, Response, Status, Streaming};

/// Maximum message size in bytes, as in hosts and other providers. tonic's default of 4 MiB is too
/// small for large states.
const MESSAGE_LIMIT: usize = 256 << 20;

type Handler = dyn Fn(Streaming<Bytes>) -> BoxFuture<BoxStream<Bytes>, Status> + Send + Sync;

/// Calls by their paths (`/package.Service/Method`). The transport clones them for each request.
#[derive(Clone, Default)]
pub struct Calls(Arc<HashMap<&'static str, Arc<Handler>>>);

impl Calls {
    /// Adds a call with one request and one response.
    pub fn unary<I, O, F>(
        &mut self,
        path: &'static str,
        answer: impl Fn(I) -> F + Send + Sync + 'static,
    ) where
        I: Message + Default,
        O: Message + 'static,
        F: Future<Output = Result<O, Status>> + Send + 'static,
    {
        self.server_streaming(path, move |request| {
            let response = answer(request);
            async move { Ok(stream::once(ready(Ok(response.await?)))) }
        });
    }

    /// Adds a call with one request and a stream of responses.
    pub fn server_streaming<I, O, S, F>(
        &mut self,
        path: &'static str,
        answer: impl Fn(I) -> F + Send + Sync + 'static,
    ) where
        I: Message + Default,
        O: Message,
        S: Stream<Item = Result<O, Status>> + Send + 'static,
        F: Future<Output = Result<S, Status>> + Send + 'static,
    {
        let answer = Arc::new(answer);
        self.streaming(path, move |requests| {
            let answer = Arc::clone(&answer);
            Box::pin(async move {
                let responses = answer(decode(only(requests).await?)?).await?;
                let encoded = responses.map(|response| response.map(|response| encode(&response)));
                Ok(Box::pin(encoded) as BoxStream<Bytes>)
            })
        });
    }

    /// Adds a call with streams of encoded requests and responses.
    pub fn streaming(
        &mut self,
        path: &'static str,
        answer: impl Fn(Streaming<Bytes>) -> BoxFuture<BoxStream<Bytes>, Status> + Send + Sync + 'static,
    ) {
        Arc::make_mut(&mut self.0).insert(path, Arc::new(answer));
    }

    /// Lists the paths.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl Service<http::Request<Body>> for Calls {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let Some(handler) = self.0.get(request.uri().path()) else {
            let unknown = Status::unimplemented("this server has no such call");
            return Box::pin(ready(Ok(unknown.into_http())));
        };
        let call = Call(Arc::clone(handler));
        Box::pin(async move {
            let mut transport = Grpc::new(Encoded)
                .max_decoding_message_size(MESSAGE_LIMIT)
                .max_encoding_message_size(MESSAGE_LIMIT);
            Ok(transport.streaming(call, request).await)
        })
    }
}

/// One call, as tonic sees it.
struct Call(Arc<Handler>);

impl StreamingService<Bytes> for Call {
    type Response = Bytes;
    type ResponseStream = BoxStream<Bytes>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let responses = (self.0)(request.into_inner());
        Box::pin(async move { responses.await.map(Response::new) })
    }
}

/// Reads the one request of a call, and its stream to the end, without which the transport would
/// reset it.
async fn only(mut requests: Streaming<Bytes>) -> Result<Bytes, Status> {
    let request = requests.message().await?;
    requests.trailers().await?;
    request.ok_or_else(|| Status::internal("the call has no request"))
}

fn decode<M: Message + Default>(encoded: Bytes) -> Result<M, Status> {
    M::decode(encoded).map_err(|error| Status::internal(error.to_string()))
}

fn encode(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// Leaves messages as they are.
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

//! Runs each call as its own task.
//!
//! HTTP/2 servers drop a handler when its caller disconnects. A handler that is about to write
//! something must not stop halfway because the host was killed. It keeps running, and the process
//! waits for it before it ends.

use std::convert::Infallible;
use std::task::{Context, Poll};

use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service};

use crate::grpc::Calls;

/// Calls whose handlers outlive their callers.
#[derive(Clone)]
pub(super) struct DetachedCalls {
    calls: Calls,
    running: TaskTracker,
}

impl DetachedCalls {
    /// Wraps the calls; `running` tracks every handler that has not responded yet.
    pub(super) fn new(calls: Calls, running: TaskTracker) -> Self {
        Self { calls, running }
    }
}

impl Service<http::Request<Body>> for DetachedCalls {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.calls.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let handler = self.running.spawn(self.calls.call(request));
        Box::pin(async move {
            handler
                .await
                .unwrap_or_else(|_| Ok(Status::internal("the call ended in a panic").into_http()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use prost::bytes::Bytes;
    use tokio::sync::Notify;

    use super::*;

    /// Signals that it has started, then waits until it is released.
    #[derive(Clone, Default)]
    struct Held {
        started: Arc<Notify>,
        release: Arc<Notify>,
        finished: Arc<Notify>,
    }

    impl Held {
        fn calls(&self) -> Calls {
            let held = self.clone();
            let mut calls = Calls::default();
            calls.unary("/test.Held/Wait", move |()| {
                let held = held.clone();
                async move {
                    held.started.notify_one();
                    held.release.notified().await;
                    held.finished.notify_one();
                    Ok(())
                }
            });
            calls.unary("/test.Held/Panic", |()| async {
                panic!("a test panics");
                #[expect(unreachable_code, reason = "names the type of the response")]
                Ok(())
            });
            calls
        }
    }

    /// An empty message, in its frame.
    fn request(path: &str) -> http::Request<Body> {
        let frame = http_body_util::Full::new(Bytes::from_static(&[0; 5]));
        http::Request::post(path).body(Body::new(frame)).unwrap()
    }

    #[tokio::test]
    async fn handler_outlives_its_caller() {
        let held = Held::default();
        let running = TaskTracker::new();
        let mut calls = DetachedCalls::new(held.calls(), running.clone());
        let caller = tokio::spawn(calls.call(request("/test.Held/Wait")));
        held.started.notified().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert_eq!(running.len(), 1);
        held.release.notify_one();
        held.finished.notified().await;
        running.close();
        running.wait().await;
    }

    #[tokio::test]
    async fn panic_becomes_a_status() {
        let mut calls = DetachedCalls::new(Held::default().calls(), TaskTracker::new());
        let response = calls.call(request("/test.Held/Panic")).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "13");
    }

    #[tokio::test]
    async fn an_unknown_call_is_unimplemented() {
        let mut calls = DetachedCalls::new(Held::default().calls(), TaskTracker::new());
        let response = calls.call(request("/test.Held/Other")).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "12");
    }
}

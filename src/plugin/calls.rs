//! Runs each call as its own task.
//!
//! HTTP/2 servers drop a handler when its caller disconnects. A handler that is about to write
//! something must not stop halfway because the host was killed. It keeps running, and the process
//! waits for it before it ends.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::service::Routes;

/// Services whose handlers outlive their callers.
#[derive(Clone)]
pub(super) struct DetachedCalls {
    routes: Routes,
    running: TaskTracker,
}

impl DetachedCalls {
    /// Wraps the services; `running` tracks every handler that has not responded yet.
    pub(super) fn new(routes: Routes, running: TaskTracker) -> Self {
        Self {
            routes: routes.prepare(),
            running,
        }
    }
}

impl Service<http::Request<Body>> for DetachedCalls {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<http::Request<Body>>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let handler = self.running.spawn(self.routes.call(request));
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

    use tokio::sync::Notify;
    use tonic::server::NamedService;

    use super::*;

    /// Signals that it has started, then waits until it is released.
    #[derive(Clone)]
    struct Held {
        started: Arc<Notify>,
        release: Arc<Notify>,
        finished: Arc<Notify>,
    }

    impl NamedService for Held {
        const NAME: &'static str = "test.Held";
    }

    impl Service<http::Request<Body>> for Held {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Body>) -> Self::Future {
            let held = self.clone();
            Box::pin(async move {
                assert!(!request.uri().path().ends_with("Panic"), "a test panics");
                held.started.notify_one();
                held.release.notified().await;
                held.finished.notify_one();
                Ok(http::Response::new(Body::empty()))
            })
        }
    }

    fn held() -> Held {
        Held {
            started: Arc::default(),
            release: Arc::default(),
            finished: Arc::default(),
        }
    }

    fn request(path: &str) -> http::Request<Body> {
        http::Request::get(path).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn handler_outlives_its_caller() {
        let held = held();
        let running = TaskTracker::new();
        let mut calls = DetachedCalls::new(Routes::new(held.clone()), running.clone());
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
        let mut calls = DetachedCalls::new(Routes::new(held()), TaskTracker::new());
        let response = calls.call(request("/test.Held/Panic")).await.unwrap();
        assert_eq!(response.headers()["grpc-status"], "13");
    }
}

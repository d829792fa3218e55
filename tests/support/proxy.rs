//! A server on loopback that fails as told, in front of a real one or alone.
#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::DATE;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::certificates::Pair;

/// What happens to one request. Requests beyond the script pass.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The real server answers.
    Pass,
    /// This answer is given, the real server sees nothing.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The connection is cut before the real server sees the request.
    CutBefore,
    /// The connection is cut after the real server has answered.
    CutAfter,
    /// The real server answers, and this is passed on in the place of its answer.
    AnswerAfter {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Nothing happens any more: the real server sees nothing and the client hears nothing.
    Hang,
    /// The real server answers and the client hears nothing.
    HangAfter,
    /// The connection is cut in the middle of the body.
    CutInside,
    /// The real server answers, and its clock is so far ahead.
    PassAhead(SignedDuration),
    /// The real server answers after a while.
    Delay(Duration),
    /// The real server answers once the gate is open.
    Hold(Gate),
    /// An answer begins and then comes byte by byte, for ever.
    Drip,
    /// An answer comes fast and never ends.
    Endless,
}

/// Holds requests back until it is opened.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    /// Makes a gate that is closed.
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets through what waits, and whatever comes.
    pub(crate) fn open(&self) {
        self.0.close();
    }

    async fn is_open(&self) {
        // There is never a permit; the error is that the semaphore is closed.
        let _ = self.0.acquire().await;
    }
}

impl Step {
    /// Answers with JSON.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_owned(),
        }
    }

    /// Answers with a page.
    pub(crate) fn html(status: u16) -> Self {
        Self::Answer {
            status,
            headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
            body: "<html><body>hello</body></html>".to_owned(),
        }
    }

    /// Redirects.
    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::Answer {
            status,
            headers: vec![("location", to.to_owned())],
            body: String::new(),
        }
    }

    /// Adds a header to an answer.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }

    /// Has the real server answer before this answer takes the place of its own.
    pub(crate) fn after_the_fact(self) -> Self {
        match self {
            Self::Answer {
                status,
                headers,
                body,
            } => Self::AnswerAfter {
                status,
                headers,
                body,
            },
            other => other,
        }
    }
}

/// Decides what happens to each request, in the place of a script.
pub(crate) trait Judge: Send + Sync {
    /// Looks at a request that the real server has not seen yet, for as long as it likes.
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement>;
}

/// What a judge decides.
pub(crate) struct Judgement {
    pub(crate) step: Step,
    /// What happens between the real server's answer and its way back.
    pub(crate) afterwards: Option<BoxFuture<'static, ()>>,
}

impl From<Step> for Judgement {
    fn from(step: Step) -> Self {
        Self {
            step,
            afterwards: None,
        }
    }
}

impl Step {
    /// Decides this at once.
    pub(crate) fn judged(self) -> BoxFuture<'static, Judgement> {
        Box::pin(ready(self.into()))
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query as they were encoded.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) at: std::time::Instant,
}

impl Seen {
    /// Returns a header, or nothing where it was not sent.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The server. It stops when dropped.
pub(crate) struct Proxy {
    address: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    upstream: Option<String>,
    judge: Option<Arc<dyn Judge>>,
    script: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

impl Proxy {
    /// Starts in front of a server that speaks plain HTTP.
    pub(crate) async fn before(address: &str, script: impl IntoIterator<Item = Step>) -> Self {
        let upstream = address.trim_start_matches("http://").to_owned();
        Self::start(Some(upstream), None, None, script).await
    }

    /// Starts in front of a server that speaks plain HTTP, and has each request judged.
    pub(crate) async fn judged(address: &str, judge: Arc<dyn Judge>) -> Self {
        let upstream = address.trim_start_matches("http://").to_owned();
        Self::start(Some(upstream), None, Some(judge), []).await
    }

    /// Starts alone: what would pass is answered with 500.
    pub(crate) async fn alone(script: impl IntoIterator<Item = Step>) -> Self {
        Self::start(None, None, None, script).await
    }

    /// Starts alone and speaks TLS.
    pub(crate) async fn secure(pair: &Pair, script: impl IntoIterator<Item = Step>) -> Self {
        Self::start(None, Some(pair.acceptor()), None, script).await
    }

    async fn start(
        upstream: Option<String>,
        tls: Option<TlsAcceptor>,
        judge: Option<Arc<dyn Judge>>,
        script: impl IntoIterator<Item = Step>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            upstream,
            judge,
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let task = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Self {
            address,
            shared,
            task,
        }
    }

    /// Returns the address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Puts further steps behind those that are left.
    pub(crate) fn then(&self, steps: impl IntoIterator<Item = Step>) {
        self.shared.script.lock().unwrap().extend(steps);
    }

    /// Returns all requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Returns how many connections were opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Returns how many connections are open now.
    pub(crate) fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        shared.open.fetch_add(1, Ordering::SeqCst);
        connections.spawn(async move {
            match tls {
                None => speak(stream, Arc::clone(&shared)).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        speak(stream, Arc::clone(&shared)).await;
                    }
                }
            }
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(move |request| serve(Arc::clone(&shared), request));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Connections end by errors where the script says so.
    let _ = connection.await;
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let seen = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers.clone(),
        body: String::from_utf8_lossy(&body).into_owned(),
        at: std::time::Instant::now(),
    };
    shared.seen.lock().unwrap().push(seen.clone());
    let (step, afterwards) = match &shared.judge {
        Some(judge) => {
            let judgement = Arc::clone(judge).judge(seen).await;
            (judgement.step, judgement.afterwards)
        }
        None => {
            let step = shared.script.lock().unwrap().pop_front();
            (step.unwrap_or(Step::Pass), None)
        }
    };
    let forward = || async {
        let answer = forward(&shared, Request::from_parts(parts, Full::new(body))).await;
        if let Some(afterwards) = afterwards {
            afterwards.await;
        }
        answer
    };
    let cut = || io::Error::other("cut");
    match step {
        Step::Pass => forward().await,
        Step::Answer {
            status,
            headers,
            body,
        } => Ok(made(status, headers, body)),
        Step::AnswerAfter {
            status,
            headers,
            body,
        } => {
            forward().await?;
            Ok(made(status, headers, body))
        }
        Step::Hang => std::future::pending().await,
        Step::HangAfter => {
            forward().await?;
            std::future::pending().await
        }
        Step::CutBefore => Err(cut()),
        Step::CutAfter => {
            forward().await?;
            Err(cut())
        }
        Step::CutInside => {
            let (parts, body) = forward().await?.into_parts();
            let body = body.collect().await?.to_bytes();
            let half = stream::iter([Ok(Frame::data(body.slice(..body.len() / 2))), Err(cut())]);
            Ok(Response::from_parts(
                parts,
                StreamBody::new(half).boxed_unsync(),
            ))
        }
        Step::PassAhead(time) => {
            let mut answer = forward().await?;
            let date = answer.headers()[DATE].to_str().unwrap();
            let date = rfc2822::parse(date).unwrap().timestamp() + time;
            let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date);
            answer
                .headers_mut()
                .insert(DATE, date.unwrap().parse().unwrap());
            Ok(answer)
        }
        Step::Delay(time) => {
            tokio::time::sleep(time).await;
            forward().await
        }
        Step::Hold(gate) => {
            gate.is_open().await;
            forward().await
        }
        Step::Drip => {
            let drops = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Ok(Frame::data(Bytes::from_static(b" "))), ()))
            });
            Ok(Response::new(StreamBody::new(drops).boxed_unsync()))
        }
        Step::Endless => {
            let chunk = Bytes::from(vec![b' '; 64 * 1024]);
            let flood = stream::repeat(chunk).map(|chunk| Ok(Frame::data(chunk)));
            Ok(Response::new(StreamBody::new(flood).boxed_unsync()))
        }
    }
}

fn made(status: u16, headers: Vec<(&'static str, String)>, body: String) -> Response<Body> {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(name, value);
    }
    answer.body(whole(body.into())).unwrap()
}

async fn forward(shared: &Shared, request: Request<Full<Bytes>>) -> io::Result<Response<Body>> {
    let Some(upstream) = &shared.upstream else {
        let mut answer = Response::new(whole("the script of this server is over".into()));
        *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        return Ok(answer);
    };
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let answer = sender
        .send_request(request)
        .await
        .map_err(io::Error::other)?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(parts, whole(body)))
}

fn whole(body: Bytes) -> Body {
    Full::new(body)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

//! Stands between a host and the real provider, and keeps the calls that the host makes.
//!
//! The host starts a small script in the provider's place. The script starts the provider, passes
//! its handshake line on with another socket in it, and the recorder, which listens there, hands
//! every call on. TLS is off, as a user can turn it off, since the recorder holds no key of either
//! side; each process of the provider is one of the host's own making all the same.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// How many processes of the provider one scenario may start.
const PROCESSES: usize = 96;

/// Path of the calls that are of interest.
const PROVIDER: &str = "/tfplugin6.Provider/";

/// What the host starts: `FOLDER` and `PROVIDER` are filled in.
const SCRIPT: &str = r#"#!/bin/sh
number=1
while ! mkdir "FOLDER/$number" 2>/dev/null; do number=$((number + 1)); done
"PROVIDER" "$@" | {
  IFS= read -r line
  socket=${line#1|6|unix|}
  printf '%s' "${socket%%|*}" > "FOLDER/$number/upstream"
  printf '1|6|unix|FOLDER/s%s|grpc|\n' "$number"
  cat > /dev/null
}
"#;

/// One call as it came, and the message that answered it.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// Name in the protocol.
    pub(super) rpc: String,
    /// The request's message.
    pub(super) request: Vec<u8>,
    /// The first message of the answer; nothing where there was none.
    pub(super) answer: Vec<u8>,
}

/// A recorder that is ready. It stops when dropped.
pub(super) struct Recorder {
    folder: TempDir,
    kept: Arc<Mutex<Vec<Vec<Exchange>>>>,
    _listening: JoinSet<()>,
}

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

impl Recorder {
    /// Prepares for one host after another.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = Arc::new(Mutex::new(vec![Vec::new(); PROCESSES]));
        let mut listening = JoinSet::new();
        for number in 1..=PROCESSES {
            let listener = UnixListener::bind(folder.path().join(format!("s{number}"))).unwrap();
            let upstream = folder.path().join(number.to_string()).join("upstream");
            let kept = Arc::clone(&kept);
            listening.spawn(async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (upstream, kept) = (upstream.clone(), Arc::clone(&kept));
                    connections.spawn(pass_on(stream, upstream, kept, number - 1));
                }
            });
        }
        let provider = env!("CARGO_BIN_EXE_terraform-provider-claude");
        let script = SCRIPT
            .replace("FOLDER", folder.path().to_str().unwrap())
            .replace("PROVIDER", provider);
        let recorder = Self {
            folder,
            kept,
            _listening: listening,
        };
        fs::write(recorder.script(), script).unwrap();
        fs::set_permissions(recorder.script(), fs::Permissions::from_mode(0o755)).unwrap();
        recorder
    }

    /// What a host is to start in the provider's place.
    pub(super) fn script(&self) -> PathBuf {
        self.folder.path().join("provider")
    }

    /// Takes what was kept of the processes since the last time, in the order of their start.
    pub(super) fn take(&self) -> Vec<Vec<Exchange>> {
        let mut kept = self.kept.lock().unwrap();
        kept.iter_mut()
            .map(std::mem::take)
            .filter(|calls| !calls.is_empty())
            .collect()
    }
}

/// Serves one connection of the host by one to the provider.
async fn pass_on(
    stream: UnixStream,
    upstream: PathBuf,
    kept: Arc<Mutex<Vec<Vec<Exchange>>>>,
    process: usize,
) {
    let Some(sender) = connect(&upstream).await else {
        return;
    };
    let service = service_fn(move |request| {
        let (sender, kept) = (sender.clone(), Arc::clone(&kept));
        exchange(sender, request, kept, process)
    });
    // The end of the host's process ends the connection, in whichever way.
    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn connect(upstream: &Path) -> Option<hyper::client::conn::http2::SendRequest<Body>> {
    let socket = fs::read_to_string(upstream).ok()?;
    let stream = UnixStream::connect(socket).await.ok()?;
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .ok()?;
    tokio::spawn(connection);
    Some(sender)
}

async fn exchange(
    mut sender: hyper::client::conn::http2::SendRequest<Body>,
    request: Request<Incoming>,
    kept: Arc<Mutex<Vec<Vec<Exchange>>>>,
    process: usize,
) -> Result<Response<Body>, hyper::Error> {
    let Some(rpc) = request.uri().path().strip_prefix(PROVIDER) else {
        // Streams that stay open, and the end of the process.
        let request = request.map(Incoming::boxed_unsync);
        return Ok(sender
            .send_request(request)
            .await?
            .map(Incoming::boxed_unsync));
    };
    let rpc = rpc.to_owned();
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    // Kept in the order in which the host asks, whenever the answers come.
    let place = {
        let mut kept = kept.lock().unwrap();
        kept[process].push(Exchange {
            rpc,
            request: message(&body),
            answer: Vec::new(),
        });
        kept[process].len() - 1
    };
    let body = Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync();
    let answer = sender
        .send_request(Request::from_parts(parts, body))
        .await?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await?;
    let trailers = body.trailers().cloned();
    let body = body.to_bytes();
    if let Some(exchange) = kept.lock().unwrap()[process].get_mut(place) {
        exchange.answer = message(&body);
    }
    let body = Full::new(body).with_trailers(async { trailers.map(Ok) });
    let body = body.map_err(|never| match never {}).boxed_unsync();
    Ok(Response::from_parts(parts, body))
}

/// Takes the first message out of its frame.
fn message(framed: &Bytes) -> Vec<u8> {
    let Some((head, rest)) = framed.split_at_checked(5) else {
        return Vec::new();
    };
    assert_eq!(head[0], 0, "hosts compress nothing");
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    rest[..usize::try_from(length).unwrap()].to_vec()
}

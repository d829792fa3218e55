//! How a connection is established: directly, over a Unix socket, or through a proxy, and with TLS.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;
use url::Url;

use super::problem::{ConnectionProblem, TlsProblem};
use super::proxy::{Proxies, ProxyError};
use super::tls::TlsMaterial;

/// How long to try one address of a host before trying the next one in parallel.
const HEAD_START: Duration = Duration::from_millis(250);
/// Maximum number of bytes in a proxy's answer to a request for a tunnel.
const LONGEST_ANSWER: usize = 16 << 10;

/// Establishes connections for the HTTP client.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    tls: TlsMaterial,
    config: OnceLock<Result<Arc<ClientConfig>, TlsProblem>>,
    server_name: Option<String>,
    proxies: Proxies,
    socket: Option<PathBuf>,
    limit: Duration,
}

/// Why no connection was established.
#[derive(Debug, Error)]
pub(super) enum NoConnection {
    /// There is no TLS configuration to connect with.
    #[error("{0}")]
    Tls(TlsProblem),
    /// The variable that applies does not hold the address of a proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("{0}")]
    Problem(ConnectionProblem),
    #[error("the connection failed")]
    Io(#[from] io::Error),
}

impl Connector {
    pub(super) fn new(
        tls: TlsMaterial,
        server_name: Option<String>,
        proxies: Proxies,
        socket: Option<PathBuf>,
        limit: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            tls,
            config: OnceLock::new(),
            server_name,
            proxies,
            socket,
            limit,
        }))
    }
}

impl Service<http::Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = NoConnection;
    type Future = BoxFuture<'static, Result<Self::Response, NoConnection>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), NoConnection>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::time::timeout(inner.limit, inner.connect(&uri))
                .await
                .unwrap_or(Err(NoConnection::Problem(ConnectionProblem::TimedOut)))
                .map(TokioIo::new)
        })
    }
}

impl Inner {
    async fn connect(&self, uri: &http::Uri) -> Result<Wire, NoConnection> {
        let other = || NoConnection::Problem(ConnectionProblem::Other);
        if let Some(socket) = &self.socket {
            let stream = tokio::net::UnixStream::connect(socket).await?;
            return Ok(Wire::direct(stream));
        }
        let url = Url::parse(&uri.to_string()).map_err(|_| other())?;
        let is_secure = url.scheme() == "https";
        let Some(proxy) = self.proxies.for_url(&url)? else {
            let stream = connect_to(&url).await?;
            return if is_secure {
                self.secure(stream, &url).await.map(Wire::direct)
            } else {
                Ok(Wire::direct(stream))
            };
        };
        let proxy = proxy.url();
        let stream = connect_to(proxy).await?;
        let stream: Box<dyn Stream> = if proxy.scheme() == "https" {
            let name = self.host_name(proxy)?;
            Box::new(self.handshake(stream, name).await?)
        } else {
            Box::new(stream)
        };
        if is_secure {
            let tunnel = open_tunnel(stream, &url, proxy).await?;
            self.secure(tunnel, &url).await.map(Wire::direct)
        } else {
            Ok(Wire {
                stream,
                speaks_to_proxy: true,
            })
        }
    }

    /// Secures a connection, under the configured name or else the host's.
    async fn secure<S: Stream + 'static>(
        &self,
        stream: S,
        url: &Url,
    ) -> Result<impl Stream + 'static, NoConnection> {
        let name = match &self.server_name {
            Some(name) => ServerName::try_from(name.clone())
                .map_err(|_| NoConnection::Tls(TlsProblem::NameMismatch))?,
            None => self.host_name(url)?,
        };
        self.handshake(stream, name).await
    }

    fn host_name(&self, url: &Url) -> Result<ServerName<'static>, NoConnection> {
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        ServerName::try_from(host.to_owned())
            .map_err(|_| NoConnection::Tls(TlsProblem::NameMismatch))
    }

    async fn handshake<S: Stream>(
        &self,
        stream: S,
        name: ServerName<'static>,
    ) -> Result<tokio_rustls::client::TlsStream<S>, NoConnection> {
        // The platform's authorities take time to load, and not every address needs them.
        let config = self
            .config
            .get_or_init(|| self.tls.client_config().map(Arc::new))
            .clone()
            .map_err(NoConnection::Tls)?;
        Ok(TlsConnector::from(config).connect(name, stream).await?)
    }
}

/// Connects to the first address of a host that answers.
async fn connect_to(url: &Url) -> Result<TcpStream, NoConnection> {
    let addresses: Vec<SocketAddr> = match (url.host(), url.port_or_known_default()) {
        (Some(url::Host::Ipv4(ip)), Some(port)) => vec![(ip, port).into()],
        (Some(url::Host::Ipv6(ip)), Some(port)) => vec![(ip, port).into()],
        (Some(url::Host::Domain(name)), Some(port)) => tokio::net::lookup_host((name, port))
            .await
            .map_err(|_| NoConnection::Problem(ConnectionProblem::NameResolution))?
            .collect(),
        _ => Vec::new(),
    };
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    attempts.extend(waiting.next().map(TcpStream::connect));
    let mut last = NoConnection::Problem(ConnectionProblem::NameResolution);
    while !attempts.is_empty() {
        tokio::select! {
            Some(outcome) = attempts.next() => match outcome {
                Ok(stream) => {
                    // Requests are small, and each one waits for its answer.
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => {
                    last = error.into();
                    attempts.extend(waiting.next().map(TcpStream::connect));
                }
            },
            () = tokio::time::sleep(HEAD_START), if waiting.len() > 0 => {
                attempts.extend(waiting.next().map(TcpStream::connect));
            }
        }
    }
    Err(last)
}

/// Asks a proxy for a connection to the server.
async fn open_tunnel<S: Stream>(mut stream: S, url: &Url, proxy: &Url) -> Result<S, NoConnection> {
    let refused = || NoConnection::Problem(ConnectionProblem::Proxy);
    let (host, port) = (
        url.host_str().unwrap_or_default(),
        url.port_or_known_default().unwrap_or(443),
    );
    let credentials = proxy_authorization(proxy)
        .map(|credentials| format!("Proxy-Authorization: {credentials}\r\n"))
        .unwrap_or_default();
    let request =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{credentials}\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    // What follows the empty line belongs to the server, which waits for us to send first.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == LONGEST_ANSWER {
            return Err(refused());
        }
        match stream.read_u8().await {
            Ok(byte) => answer.push(byte),
            Err(_) => return Err(refused()),
        }
    }
    let status = answer.split(|byte| *byte == b' ').nth(1);
    match status {
        Some(status) if status.starts_with(b"2") => Ok(stream),
        Some(b"407") => Err(NoConnection::Problem(ConnectionProblem::ProxyCredentials)),
        _ => Err(refused()),
    }
}

/// Returns the header that authenticates us to a proxy, if its address has a user name.
pub(super) fn proxy_authorization(proxy: &Url) -> Option<String> {
    if proxy.username().is_empty() && proxy.password().is_none() {
        return None;
    }
    let plain = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let mut pair = plain(proxy.username());
    pair.push(b':');
    pair.extend(plain(proxy.password().unwrap_or_default()));
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

/// A stream of bytes in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that carries HTTP.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// A proxy needs the whole address.
    speaks_to_proxy: bool,
}

impl Wire {
    fn direct(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            speaks_to_proxy: false,
        }
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.speaks_to_proxy)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

//! Accepts connections and runs the TLS handshake of each one independently.
//!
//! A peer that sends garbage, or nothing, does not delay or end the connections of others,
//! regardless of how many such peers there are.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::listener::Listener;

/// Time limit for a TLS handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Maximum number of handshakes in progress. Beyond it, the oldest is dropped: a host completes its
/// handshake within milliseconds, and a silent peer never does.
const PENDING_HANDSHAKES: usize = 32;

/// Pause after a failed accept, which usually means that the process ran out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections until the stream is dropped, and keeps `counts` up to date.
pub(super) fn connections(
    listener: Listener,
    tls: Option<TlsAcceptor>,
    counts: watch::Sender<Counts>,
) -> impl Stream<Item = io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(PENDING_HANDSHAKES);
    tokio::spawn(accept(listener, tls, counts, sender));
    ReceiverStream::new(receiver)
}

async fn accept(
    listener: Listener,
    tls: Option<TlsAcceptor>,
    counts: watch::Sender<Counts>,
    sender: mpsc::Sender<io::Result<Connection>>,
) {
    let mut pending = Pending::default();
    loop {
        let accepted = tokio::select! {
            () = sender.closed() => return,
            accepted = listener.accept() => accepted,
        };
        let socket = match accepted {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (tls, counts, sender) = (tls.clone(), counts.clone(), sender.clone());
        let handshake = tokio::spawn(async move {
            match establish(socket, tls).await {
                Ok(stream) => {
                    let connection = Connection {
                        stream,
                        _open: OpenConnection::new(counts),
                    };
                    // Nobody receives connections once the process is about to end.
                    let _ = sender.send(Ok(connection)).await;
                }
                Err(error) => tracing::warn!(%error, "a connection was refused"),
            }
        });
        pending.add(handshake.abort_handle());
    }
}

/// Handshakes in progress, oldest first.
#[derive(Default)]
struct Pending(VecDeque<AbortHandle>);

impl Pending {
    /// Adds a handshake, and drops the oldest if there are too many.
    fn add(&mut self, handshake: AbortHandle) {
        self.0.retain(|other| !other.is_finished());
        if self.0.len() >= PENDING_HANDSHAKES
            && let Some(oldest) = self.0.pop_front()
        {
            tracing::warn!("a connection was given up for newer ones");
            oldest.abort();
        }
        self.0.push_back(handshake);
    }
}

async fn establish(socket: UnixStream, tls: Option<TlsAcceptor>) -> io::Result<Transport> {
    let Some(tls) = tls else {
        return Ok(Transport::Plain(socket));
    };
    tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(socket))
        .await?
        .map(|stream| Transport::Encrypted(Box::new(stream)))
}

/// Number of connections that completed their handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Connections that are open now.
    pub(super) open: usize,
    /// Connections opened so far: one may open and close between two checks.
    pub(super) total: usize,
}

/// Counts a connection for as long as it lives.
struct OpenConnection(watch::Sender<Counts>);

impl OpenConnection {
    fn new(counts: watch::Sender<Counts>) -> Self {
        counts.send_modify(|counts| {
            counts.open += 1;
            counts.total += 1;
        });
        Self(counts)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.send_modify(|counts| counts.open -= 1);
    }
}

/// A connection that is ready for HTTP/2.
pub(super) struct Connection {
    stream: Transport,
    _open: OpenConnection,
}

enum Transport {
    Plain(UnixStream),
    Encrypted(Box<TlsStream<UnixStream>>),
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

/// Calls one method of the transport in use.
macro_rules! forward {
    ($connection:expr, $method:ident($($argument:expr),*)) => {
        match &mut $connection.get_mut().stream {
            Transport::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Transport::Encrypted(stream) => Pin::new(stream.as_mut()).$method($($argument),*),
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        forward!(self, poll_read(context, buffer))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        forward!(self, poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, poll_shutdown(context))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(self, poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Transport::Plain(stream) => stream.is_write_vectored(),
            Transport::Encrypted(stream) => stream.is_write_vectored(),
        }
    }
}

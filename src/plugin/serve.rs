//! The lifetime of a plugin process, from the handshake to its end.

use std::io::{self, Write as _};
use std::os::unix::process::parent_id;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Server;

use super::detached::DetachedCalls;
use super::handshake::{self, HandshakeEnvironment, NotStartedByHostError};
use super::incoming::{Counts, connections};
use super::listener::{self, ListenError, Listener};
use super::orphan::{self, Patience};
use super::signals::{Interrupt, Signals};
use super::tls::{self, TlsError};
use super::{auxiliary, reattach};
use crate::grpc::Calls;

/// Time limit for calls in progress after the host requests a shutdown. The host kills the process
/// after 2 s, and the caller needs part of that to close what it holds.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// Time limit for calls in progress after a signal, or after the host is gone.
const CALL_GRACE: Duration = Duration::from_secs(60);

/// The calls and the kind of host that they are for.
pub struct Plugin {
    /// Value of the magic cookie that these hosts set.
    pub cookie: &'static str,
    /// Major version of the protocol that has these calls.
    pub protocol_version: u32,
    /// The calls. Those of the auxiliary services that hosts expect are added to them.
    pub calls: Calls,
    /// Cancelled when the process is about to end. Cancelling it ends the process.
    pub stop: CancellationToken,
}

/// Why a plugin could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A person started the program, not a host.
    #[error(transparent)]
    NotStartedByHost(#[from] NotStartedByHostError),
    /// Mutual TLS cannot be set up.
    #[error("the connection cannot be secured")]
    Tls(#[from] TlsError),
    /// The socket cannot be opened.
    #[error("the plugin cannot be reached by its host")]
    Listen(#[from] ListenError),
    /// Signals cannot be handled.
    #[error("signals cannot be handled")]
    Signals(#[source] io::Error),
    /// Standard output is closed.
    #[error("the address of the plugin cannot be written to standard output")]
    Announce(#[source] io::Error),
    /// The gRPC server failed.
    #[error("the gRPC server ended")]
    Server(#[source] tonic::transport::Error),
}

/// Serves the host that started this process, until it requests a shutdown or is gone.
///
/// Writes one line to standard output once the socket is listening, and nothing after that.
pub async fn serve(plugin: Plugin, environment: &HandshakeEnvironment) -> Result<(), ServeError> {
    environment.check_cookie(plugin.cookie)?;
    if !environment.offers(plugin.protocol_version) {
        tracing::warn!(
            protocol_version = plugin.protocol_version,
            "the host does not list the protocol version of this plugin",
        );
    }
    let signals = Signals::install(Interrupt::Ignored).map_err(ServeError::Signals)?;
    let tls = environment
        .client_certificate
        .as_deref()
        .map(tls::mutual)
        .transpose()?;
    let listener = listener::bind(environment.folder())?;
    announce(&handshake::line(
        plugin.protocol_version,
        listener.path(),
        tls.as_ref().map(|tls| tls.certificate.as_ref()),
        environment.multiplex,
    ))?;
    let acceptor = tls.map(|tls| TlsAcceptor::from(tls.config));
    run(plugin, listener, acceptor, signals, Some(Patience::USUAL)).await
}

/// Serves any host in plaintext, one after another, until a signal ends the process.
///
/// Writes the variable that makes a host use this process to standard output. `key` is the name by
/// which hosts know the plugin. Call this only from a developer's command line.
pub async fn serve_for_reattach(
    plugin: Plugin,
    environment: &HandshakeEnvironment,
    key: &str,
) -> Result<(), ServeError> {
    let signals = Signals::install(Interrupt::Ends).map_err(ServeError::Signals)?;
    let listener = listener::bind(environment.folder())?;
    announce(&reattach::line(
        key,
        plugin.protocol_version,
        std::process::id(),
        listener.path(),
    ))?;
    run(plugin, listener, None, signals, None).await
}

/// Writes to standard output, which the host reads line by line.
fn announce(line: &str) -> Result<(), ServeError> {
    let mut output = io::stdout().lock();
    output
        .write_all(line.as_bytes())
        .and_then(|()| output.flush())
        .map_err(ServeError::Announce)
}

/// Serves until the process must end. Without `patience`, losing the host does not end it.
async fn run(
    plugin: Plugin,
    listener: Listener,
    tls: Option<TlsAcceptor>,
    mut signals: Signals,
    patience: Option<Patience>,
) -> Result<(), ServeError> {
    let Plugin {
        mut calls, stop, ..
    } = plugin;
    auxiliary::add(&mut calls, &stop).await;
    let (counts, connection_counts) = watch::channel(Counts::default());
    let running = TaskTracker::new();
    let mut server = tokio::spawn(Server::builder().serve_with_incoming_shutdown(
        DetachedCalls::new(calls, running.clone()),
        connections(listener, tls, counts),
        stop.clone().cancelled_owned(),
    ));

    let host_gone = async {
        match patience {
            Some(patience) => orphan::host_gone(connection_counts, parent_id, patience).await,
            None => std::future::pending().await,
        }
    };
    let grace = tokio::select! {
        () = stop.cancelled() => SHUTDOWN_GRACE,
        () = signals.received() => CALL_GRACE,
        () = host_gone => CALL_GRACE,
        ended = &mut server => return outcome(ended),
    };
    tracing::debug!("the process ends");
    stop.cancel();
    running.close();
    let drained = async {
        let ended = (&mut server).await;
        running.wait().await;
        ended
    };
    tokio::select! {
        drained = timeout(grace, drained) => drained.map_or(Ok(()), outcome),
        () = signals.received() => Ok(()),
    }
}

/// Returns the result of the server's task. A task that was aborted has none.
fn outcome(
    ended: Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>,
) -> Result<(), ServeError> {
    ended.unwrap_or(Ok(())).map_err(ServeError::Server)
}

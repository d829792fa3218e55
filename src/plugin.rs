//! Transport between this process and the plugin host that started it.
//!
//! Owns the handshake, mutual TLS, the socket, the host's auxiliary services, and the end of the
//! process. It receives plain values and the calls of a gRPC server, and does not depend on what those
//! calls do.

mod auxiliary;
mod detached;
mod handshake;
mod incoming;
mod listener;
mod orphan;
mod reattach;
mod serve;
mod signals;
mod tls;

pub use handshake::{HandshakeEnvironment, NotStartedByHostError};
pub use listener::ListenError;
pub use serve::{Plugin, ServeError, serve, serve_for_reattach};
pub use tls::TlsError;

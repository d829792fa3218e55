//! Transport between this process and the plugin host that started it.
//!
//! Owns the handshake, mutual TLS, the socket, the host's auxiliary services, and the end of the
//! process. It receives plain values and a set of gRPC services, and does not depend on what those
//! services do.

mod broker;
mod calls;
mod controller;
mod generated;
mod handshake;
mod incoming;
mod listener;
mod orphan;
mod reattach;
mod serve;
mod signals;
mod stdio;
mod tls;

pub use generated::plugin as wire;
pub use handshake::{HandshakeEnvironment, NotStartedByHostError};
pub use listener::ListenError;
pub use serve::{Plugin, ServeError, serve, serve_for_reattach};
pub use tls::TlsError;

//! Transport between this process and the plugin host that started it.
//!
//! Owns the handshake, mutual TLS, the socket, the host's auxiliary services and the end of the
//! process. It takes plain values and a set of gRPC services, and knows nothing of what those
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

/// Largest message, in bytes, that a service should accept and send.
///
/// tonic's own limit of 4 MiB is too small for large states; plugins written in Go use this one.
/// The limit is set on each generated server by whoever makes it
/// (`max_decoding_message_size` and `max_encoding_message_size`).
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

//! The gRPC service in process, driven as a host drives it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failure here is a failed test"
)]

mod apply;
mod decoding;
mod host;
mod identity;
mod import;
mod panics;
mod plan;
mod private;
mod product;
mod read;
mod schema;
mod session;
mod stop;
mod thing;
mod upgrade;
mod write_only;

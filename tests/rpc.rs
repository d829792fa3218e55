//! The gRPC service in process, driven as a host drives it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failure here is a failed test"
)]

mod action;
mod apply;
mod calls;
mod decoding;
mod functions;
mod generate;
mod host;
mod identity;
mod import;
mod lint;
mod list;
mod lookup;
mod panics;
mod plan;
mod private;
mod product;
mod product_functions;
mod read;
mod schema;
mod session;
mod stop;
mod thing;
mod upgrade;
mod wide;
mod write_only;

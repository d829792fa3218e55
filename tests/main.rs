//! All integration tests in one binary: one link step, one place that lists them.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

mod cli;
mod handshake;
mod hosts;
mod lab;
mod monitoring;
mod release;
mod repo;
mod rpc;
mod support;
mod terraform;
mod vault;

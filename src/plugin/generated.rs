//! Code generated from `proto/plugin.proto`; a test regenerates it and compares.

/// Messages, clients and servers of the package `plugin`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::implicit_clone,
    clippy::map_unwrap_or,
    clippy::needless_pass_by_value,
    reason = "generated code"
)]
pub mod plugin;

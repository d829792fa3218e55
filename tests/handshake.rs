//! The real binary against a client that plays the host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure here is a failed test"
)]

mod certificate;
mod command_line;
mod end;
mod hostile;
mod line;
mod log;
#[cfg(target_os = "linux")]
mod memory;
mod reattach;

//! Clients of the services in `proto/`, for tests that act as the host.
#![allow(unreachable_pub, clippy::all, reason = "generated code")]

pub(crate) mod plugin;
pub(crate) mod tfplugin6;

//! What a call gets from the provider.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::protocol::Site;

/// The context of every call to a configured provider.
#[derive(Debug)]
pub struct Context<C> {
    /// The configured provider, with the deadline of this call.
    pub configured: Arc<C>,
    /// Cancelled when the host asks the provider to stop. A create or update then has 10 s to return
    /// by itself. Every other call is dropped immediately.
    pub cancelled: CancellationToken,
    /// The server that messages are about.
    pub(super) site: Site,
    /// Keeps the configuration open while the call runs.
    pub(super) _in_use: Arc<C>,
}

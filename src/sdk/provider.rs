//! The interface of a provider.

use std::sync::Arc;

use async_trait::async_trait;

use super::failure::{Diagnostics, Failure};
use super::model::Model;
use super::registry::Registry;
use crate::deadline::Deadline;
use crate::protocol::Site;

/// A provider: its configuration, its types, and its functions.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The provider block.
    type Config: Model;
    /// The configured provider, shared by all calls.
    type Configured: Send + Sync + 'static;

    /// First paragraph of the provider's documentation.
    const DESCRIPTION: &'static str;

    /// Returns the types and functions.
    fn registry(&self) -> Registry<Self::Configured>;

    /// Validates a provider block without network access. Unknown values are accepted.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Builds the shared context. It may be called again in the same process, and then replaces the
    /// earlier context. It must not use the network, because the host waits for it.
    async fn configure(
        &self,
        config: Self::Config,
    ) -> Result<(Arc<Self::Configured>, Diagnostics), Failure>;

    /// Returns the context of one request, which must finish by the deadline, and warnings for its
    /// response.
    ///
    /// # Errors
    ///
    /// Fails if something is invalid that requests need but functions do not.
    fn begin(
        &self,
        configured: &Arc<Self::Configured>,
        deadline: Deadline,
    ) -> Result<(Arc<Self::Configured>, Diagnostics), Diagnostics> {
        let _ = deadline;
        Ok((Arc::clone(configured), Diagnostics::new()))
    }

    /// Returns the server that messages are about while `configured` is in use.
    fn site(&self, configured: &Self::Configured) -> Site {
        let _ = configured;
        Site::default()
    }

    /// Releases what `configured` holds outside this process, when the process ends.
    async fn close(&self, configured: &Self::Configured);
}

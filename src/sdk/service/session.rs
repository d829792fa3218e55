//! What one configuration of the provider began.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::deadline::Deadline;
use crate::protocol::{Diagnostic, Site};
use crate::sdk::coding::Outcome;
use crate::sdk::context::Context;
use crate::sdk::guard::{Call, Warnings};
use crate::sdk::provider::Provider;

/// What belongs to one configuration of the provider.
pub(super) struct Session<C> {
    pub(super) configured: Option<Arc<C>>,
    pub(super) cancelled: CancellationToken,
    pub(super) site: Site,
    /// Additional diagnostics for the response of a request.
    warnings: Warnings,
    /// Configurations of earlier runs that a process in debug mode has served.
    pub(super) earlier: Vec<Arc<C>>,
}

impl<C> Session<C> {
    /// Starts without a configuration.
    pub(super) fn new() -> Self {
        Self {
            configured: None,
            cancelled: CancellationToken::new(),
            site: Site::default(),
            warnings: Warnings::default(),
            earlier: Vec::new(),
        }
    }

    /// Describes a call that belongs to the session.
    pub(super) fn call<'c>(&self, rpc: &'static str, type_name: &'c str) -> Call<'c> {
        Call {
            rpc,
            type_name,
            cancelled: self.cancelled.clone(),
            grace: Duration::ZERO,
            site: self.site.clone(),
            warnings: self.warnings.clone(),
        }
    }

    /// Starts the deadline of a request that needs the configuration.
    pub(super) fn context<P: Provider<Configured = C>>(self, provider: &P) -> Outcome<Context<C>> {
        let configured = self.configured.ok_or_else(|| {
            vec![Diagnostic::error(
                "The provider is not configured",
                "Terraform or OpenTofu made a call that needs the provider's configuration before \
                 it sent one. Please report this with the version of Terraform or OpenTofu.",
            )]
        })?;
        let (request, warnings) = provider.begin(&configured, Deadline::start())?;
        self.warnings.add(warnings);
        Ok(Context {
            configured: request,
            cancelled: self.cancelled,
            site: self.site,
            _in_use: configured,
        })
    }
}

/// A copy for one call, with warnings of its own.
impl<C> Clone for Session<C> {
    fn clone(&self) -> Self {
        Self {
            configured: self.configured.clone(),
            cancelled: self.cancelled.clone(),
            site: self.site.clone(),
            ..Self::new()
        }
    }
}

/// Describes a call that belongs to no session, because it never waits.
pub(super) fn sessionless(rpc: &'static str) -> Call<'static> {
    Session::<()>::new().call(rpc, "")
}

//! The product: what the provider and its resources do with tokens in Vault.

mod actions;
mod block;
mod data_sources;
mod defaults;
mod diagnose;
mod ephemeral_resources;
mod functions;
mod list_resources;
mod lookup;
mod observe;
pub mod operations;
mod promotion;
mod resources;
mod secrets;
mod store;

use std::sync::Arc;

use async_trait::async_trait;

use actions::promote_spare::PromoteSpareAction;
pub use block::configured::Configured;
use block::now::Now;
pub use block::schema::ProviderConfig;
use data_sources::oauth_token::OauthTokenDataSource;
use data_sources::oauth_tokens::OauthTokensDataSource;
use ephemeral_resources::oauth_token::OauthTokenEphemeral;
use list_resources::oauth_token::OauthTokenList;
use resources::oauth_token::OauthTokenResource;
use resources::token_spare_pool::TokenSparePoolResource;

use crate::deadline::Deadline;
use crate::env::Environment;
use crate::protocol::Site;
use crate::sdk::{Diagnostics, Failure, Provider, Registry};

/// Address under which Terraform and OpenTofu know the provider.
pub const ADDRESS: &str = "terraform.local/claude-ops/claude";

/// The provider `claude`.
pub struct ClaudeProvider {
    environment: Arc<dyn Environment>,
    time: Arc<Now>,
}

impl ClaudeProvider {
    /// Creates the provider from the source of variables.
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        let time = Arc::new(Now::new(&*environment));
        Self { environment, time }
    }
}

#[async_trait]
impl Provider for ClaudeProvider {
    type Config = ProviderConfig;
    type Configured = Configured;

    const DESCRIPTION: &'static str = "Tracks the long-lived Claude Code tokens that you keep in \
        Vault or OpenBao, and swaps in a spare before a token expires or after one leaks. Token \
        values never appear in state, plans, logs, or errors.";

    fn registry(&self) -> Registry<Configured> {
        let registry = Registry::new()
            .resource(OauthTokenResource::new(Arc::clone(&self.time)))
            .resource(TokenSparePoolResource)
            .data_source(OauthTokenDataSource)
            .data_source(OauthTokensDataSource)
            .ephemeral_resource(OauthTokenEphemeral)
            .list_resource(OauthTokenList)
            .action(PromoteSpareAction);
        functions::register(registry)
    }

    fn validate(&self, config: &ProviderConfig) -> Diagnostics {
        block::schema::validate(config)
    }

    async fn configure(
        &self,
        config: ProviderConfig,
    ) -> Result<(Arc<Configured>, Diagnostics), Failure> {
        Configured::new(&config, &*self.environment, Arc::clone(&self.time), true)
            .map(|configured| (Arc::new(configured), Diagnostics::new()))
            .map_err(Failure::from)
    }

    fn begin(
        &self,
        configured: &Arc<Configured>,
        deadline: Deadline,
    ) -> Result<(Arc<Configured>, Diagnostics), Diagnostics> {
        let (configured, warnings) = configured.begin(deadline)?;
        Ok((Arc::new(configured), warnings))
    }

    fn site(&self, configured: &Configured) -> Site {
        configured.site.clone()
    }

    async fn close(&self, configured: &Configured) {
        configured.close().await;
    }
}

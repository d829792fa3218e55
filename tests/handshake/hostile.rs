//! A host, or something in its place, that keeps no rule.
//!
//! Whatever comes, the process goes on, takes a bounded share of memory, never panics, and answers
//! the next client that keeps the rules.

mod calls;
mod connections;
mod frames;

use std::time::Duration;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use tokio::time::timeout;

use crate::support::host::{Host, Identity, Options};
use crate::support::usage;

/// How long a client that keeps the rules may wait for its first answer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(8);

/// MiB of memory that no abuse may go beyond, in a build that is not optimised.
const MEMORY: u64 = 160;

/// A running binary and the certificate of its host.
struct Victim {
    host: Host,
    identity: Identity,
}

impl Victim {
    async fn start() -> Self {
        let identity = Identity::p521();
        let options = Options {
            identity: Some(identity.clone()),
            // No server listens there.
            variables: vec![("VAULT_ADDR", Some("http://127.0.0.1:1".to_owned()))],
        };
        Self {
            host: Host::launch(options).await,
            identity,
        }
    }

    /// Demands that a good client is served at once, and that the process then ends as usual.
    async fn ends_well(self) {
        let served = async {
            let channel = self.host.channel().await;
            let mut client = ProviderClient::new(channel.clone());
            let request = wire::get_provider_schema::Request {};
            let schema = client.get_provider_schema(request).await.unwrap();
            assert!(schema.into_inner().provider.is_some());
            channel
        };
        let channel = timeout(PATIENCE, served).await.expect("nobody is served");
        if let Some(usage) = usage::of(self.host.process.id()) {
            assert!(usage.peak < MEMORY << 10, "{usage:?}");
        }
        let ended = self.host.shut_down(channel).await;
        assert_eq!(ended.status.code(), Some(0));
        assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("", ""));
    }
}

//! The interface of an action.

mod erased;

use async_trait::async_trait;
use tokio::sync::mpsc;

pub(super) use erased::ErasedAction;

use super::context::Context;
use super::failure::{Diagnostics, Failure};
use super::model::Model;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::wire::printable_line;

/// An operation that runs on demand and does not change state.
#[async_trait]
pub trait Action: Send + Sync + 'static {
    /// The configured provider.
    type Configured: Send + Sync + 'static;
    /// The arguments of an invocation.
    type Config: Model;

    /// Name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// First paragraph of the documentation.
    const DESCRIPTION: &'static str;

    /// Validates a configuration without network access. Unknown values are accepted.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Runs the action and returns warnings. It continues even if the host disconnects. A host that
    /// stops or is gone cancels the context, and 10 s later the work is dropped at its next await.
    async fn invoke(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Config,
        progress: &Progress,
    ) -> Result<Diagnostics, Failure>;
}

/// Receives an action's progress.
#[derive(Clone, Debug)]
pub struct Progress(mpsc::UnboundedSender<wire::invoke_action::Event>);

impl Progress {
    pub(super) fn new(events: mpsc::UnboundedSender<wire::invoke_action::Event>) -> Self {
        Self(events)
    }

    /// Reports a step in a few words, which hosts show unchanged, so terminal control characters
    /// are escaped. Without a host, the report is discarded.
    pub fn report(&self, message: impl Into<String>) {
        use wire::invoke_action::event::{Progress, Type};
        let _ = self.0.send(wire::invoke_action::Event {
            r#type: Some(Type::Progress(Progress {
                message: printable_line(&message.into()),
            })),
        });
    }
}

//! What an action must be able to do.

mod erased;

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use erased::AnyAction;
pub(super) use erased::ErasedAction;

use super::failure::{Diagnostics, Failure};
use super::model::Model;
use super::resource::Context;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::wire::printable_line;

/// Something that is done on demand, and changes no state.
#[async_trait]
pub trait Action: Send + Sync + 'static {
    /// What the provider made of its configuration.
    type Configured: Send + Sync + 'static;
    /// What to do, and with what.
    type Config: Model;

    /// Name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// First paragraph of the documentation.
    const DESCRIPTION: &'static str;

    /// Checks a configuration without network; unknown values are let through.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Describes what an invocation will mean; it changes nothing, and values may be unknown.
    fn plan(&self, configured: &Self::Configured, config: &Self::Config) -> Diagnostics {
        let _ = (configured, config);
        Diagnostics::new()
    }

    /// Does it, and returns warnings. It runs to its end by itself: a host that asks to stop, or
    /// that is gone, cancels the context, and 10 s later the work is dropped where it waits.
    async fn invoke(
        &self,
        context: &Context<Self::Configured>,
        config: Self::Config,
        progress: &Progress,
    ) -> Result<Diagnostics, Failure>;
}

/// Where an action reports how far it is.
#[derive(Clone, Debug)]
pub struct Progress(mpsc::UnboundedSender<wire::invoke_action::Event>);

impl Progress {
    pub(super) fn new(events: mpsc::UnboundedSender<wire::invoke_action::Event>) -> Self {
        Self(events)
    }

    /// Reports a step, in a few words that hosts show as they are: what acts on terminals is
    /// escaped. Nobody hears once the host is gone.
    pub fn tell(&self, message: impl Into<String>) {
        use wire::invoke_action::event::{Progress, Type};
        let _ = self.0.send(wire::invoke_action::Event {
            r#type: Some(Type::Progress(Progress {
                message: printable_line(&message.into()),
            })),
        });
    }
}

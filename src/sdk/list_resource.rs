//! The interface of a type whose instances can be listed.

mod erased;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc;

pub(super) use erased::ErasedList;

use super::check;
use super::coding::to_wire;
use super::context::Context;
use super::failure::{Diagnostics, Failure};
use super::model::{AttributeValue, Model};
use super::resource::Resource;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Attribute, Diagnostic, Site, Value, wire as codec};

/// Existing instances of a managed resource type, whether or not they are in a state.
///
/// It shares the name, the schema, and the identity of its resource type.
#[async_trait]
pub trait ListResource: Send + Sync + 'static {
    /// The resource type whose instances are listed.
    type Resource: Resource;
    /// The arguments of a listing.
    type Config: Model;

    /// First paragraph of the documentation.
    const DESCRIPTION: &'static str;

    /// Validates a configuration without network access. Unknown values are accepted.
    fn validate(&self, config: &Self::Config) -> Diagnostics;

    /// Finds instances and sends each one as soon as it is found. The work is dropped at its next
    /// await once the host stops reading.
    ///
    /// # Errors
    ///
    /// A failure ends the listing, and the instances sent before it remain. Pass on the end that
    /// `results` returns.
    async fn list(
        &self,
        context: &Context<<Self::Resource as Resource>::Configured>,
        request: ListRequest<Self::Config>,
        results: &Results<Self::Resource>,
    ) -> Result<(), Ended>;
}

/// The arguments and the extent of a listing.
#[derive(Debug)]
pub struct ListRequest<C> {
    /// The configuration, fully known.
    pub config: C,
    /// Whether to return states; identities are always returned.
    pub with_states: bool,
}

/// An instance that was found.
#[derive(Clone, Debug)]
pub struct Listed<M> {
    /// Its state, as after an import and a refresh. If states are not requested, the attributes
    /// that identify it are enough.
    pub state: M,
    /// Its display name.
    pub display_name: String,
    /// Warnings about it.
    pub diagnostics: Diagnostics,
}

/// Why a listing ended early.
#[derive(Debug)]
pub enum Ended {
    /// The limit was reached, or the host stopped reading.
    Enough,
    /// An error ended it.
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Diagnostic> for Ended {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Failed(diagnostic.into())
    }
}

/// Receives the instances of a listing.
pub struct Results<R: Resource> {
    events: mpsc::Sender<wire::list_resource::Event>,
    site: Site,
    attributes: Vec<Attribute>,
    identity: Vec<Attribute>,
    with_states: bool,
    limit: Option<usize>,
    sent: Mutex<Sent>,
    resource: std::marker::PhantomData<fn() -> R>,
}

/// What was sent so far.
#[derive(Default)]
struct Sent {
    /// Number of instances, including the one that is held back.
    count: usize,
    /// The last instance that the host accepts. The host disconnects after it, so it is held back
    /// until all warnings are known.
    held: Option<wire::list_resource::Event>,
}

impl<R: Resource> Results<R> {
    /// Wraps the host's channel, with the maximum number of instances.
    fn new(
        events: mpsc::Sender<wire::list_resource::Event>,
        with_states: bool,
        limit: Option<usize>,
        site: Site,
    ) -> Self {
        Self {
            events,
            site,
            attributes: R::Model::attributes(),
            identity: R::Identity::attributes(),
            with_states,
            limit,
            sent: Mutex::default(),
            resource: std::marker::PhantomData,
        }
    }

    /// Sends an instance, waiting until there is room for it.
    ///
    /// # Errors
    ///
    /// Ends the listing once the host accepts no more instances, or if it would reject this one.
    pub async fn send(&self, listed: Listed<R::Model>) -> Result<(), Ended> {
        if self.is_full() {
            return Err(Ended::Enough);
        }
        let event = self.event(listed)?;
        match self.count(event) {
            Some(event) => self.deliver(event).await,
            None => Ok(()),
        }
    }

    /// Sends a warning that is not about a single instance.
    ///
    /// # Errors
    ///
    /// Ends the listing once the host stops reading.
    pub async fn warn(&self, diagnostics: Diagnostics) -> Result<(), Ended> {
        if diagnostics.is_empty() {
            return Ok(());
        }
        let diagnostic = to_wire(diagnostics, &self.site);
        if let Some(last) = &mut self.sent().held {
            last.diagnostic.extend(diagnostic);
            return Ok(());
        }
        self.deliver(wire::list_resource::Event {
            diagnostic,
            ..Default::default()
        })
        .await
    }

    /// Sends the instance that was held back, with a warning if the listing is incomplete.
    async fn finish(&self, outcome: Result<(), Ended>) -> Result<(), Ended> {
        let Some(mut last) = self.sent().held.take() else {
            return outcome;
        };
        if outcome.is_err()
            && let Some(limit) = self.limit
        {
            let more = more::<R>(limit);
            last.diagnostic.extend(to_wire(vec![more], &self.site));
        }
        self.deliver(last).await
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.sent().count >= limit)
    }

    /// Counts an instance, and returns it unless it is held back.
    fn count(&self, event: wire::list_resource::Event) -> Option<wire::list_resource::Event> {
        let mut sent = self.sent();
        sent.count += 1;
        if self.limit == Some(sent.count) {
            sent.held = Some(event);
            return None;
        }
        Some(event)
    }

    async fn deliver(&self, event: wire::list_resource::Event) -> Result<(), Ended> {
        self.events.send(event).await.map_err(|_| Ended::Enough)
    }

    fn event(&self, listed: Listed<R::Model>) -> Result<wire::list_resource::Event, Ended> {
        let refuse = |violation: check::Violation| {
            Ended::from(violation.into_diagnostic("list", R::TYPE_NAME))
        };
        let encode = |attributes: &[Attribute], value: &Value| {
            codec::encode_object(attributes, value).map_err(|error| refuse(error.into()))
        };
        let identity = R::identity(&listed.state).into_value();
        check::identity(&self.identity, None, &identity).map_err(refuse)?;
        let resource_object = if self.with_states {
            let state = listed.state.into_value();
            check::recorded(&self.attributes, &state).map_err(refuse)?;
            Some(encode(&self.attributes, &state)?)
        } else {
            None
        };
        Ok(wire::list_resource::Event {
            identity: Some(wire::ResourceIdentityData {
                identity_data: Some(encode(&self.identity, &identity)?),
            }),
            // Hosts show it unchanged.
            display_name: codec::printable_line(&listed.display_name),
            resource_object,
            diagnostic: to_wire(listed.diagnostics, &self.site),
        })
    }
}

/// A host shows as many instances as it requested, and does not say that there are more.
fn more<R: Resource>(limit: usize) -> Diagnostic {
    Diagnostic::warning(
        format!("Only {limit} of the {} found are listed", R::TYPE_NAME),
        format!(
            "The list block's limit is {limit} (the default is 100), and there may be more. Set a \
             higher limit in the block, or narrow it down."
        ),
    )
}

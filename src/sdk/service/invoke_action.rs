//! `InvokeAction`: progress while the action runs, and exactly one completion event.

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::codegen::BoxStream;

use super::{APPLY_GRACE, ProviderService};
use crate::protocol::generated::tfplugin6::invoke_action::event::{Completed, Type};
use crate::protocol::generated::tfplugin6::invoke_action::{Event, Request};
use crate::sdk::action::Progress;
use crate::sdk::guard::{Call, End, reported};
use crate::sdk::provider::Provider;

/// The work is a separate task, so it finishes even if the host disconnects. The end of the process
/// waits for it.
pub(super) fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> BoxStream<Event> {
    let (events, received) = mpsc::unbounded_channel();
    let service = service.clone();
    let mut session = service.session();
    session.cancelled = session.cancelled.child_token();
    let listener = session.cancelled.clone().drop_guard();
    let invocations = service.shared.invocations.clone();
    invocations.spawn(async move {
        let name = request.action_type.clone();
        let call = Call {
            grace: APPLY_GRACE,
            ..session.call("InvokeAction", &name)
        };
        let progress = Progress::new(events.clone());
        let invocation = async {
            let action = service.types().actions.find(&name)?;
            let context = service.context(session)?;
            let config = request.config.as_ref();
            let warnings = action.invoke(context, config, progress).await?;
            Ok((End::default(), warnings))
        };
        let End(diagnostics) = reported(call, End::default(), invocation).await;
        let _ = events.send(Event {
            r#type: Some(Type::Completed(Completed { diagnostics })),
        });
    });
    Box::pin(UnboundedReceiverStream::new(received).map(move |event| {
        let _held = &listener;
        Ok(event)
    }))
}

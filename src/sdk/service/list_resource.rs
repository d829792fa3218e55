//! `ListResource`: events for as long as the host reads them.

use futures_util::{StreamExt as _, future, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;

use super::ProviderService;
use crate::protocol::generated::tfplugin6::list_resource::{Event, Request};
use crate::sdk::guard::{End, guarded};
use crate::sdk::provider::Provider;

/// The work is part of the stream: it continues while the host asks for more, and is dropped with
/// the stream.
pub(super) fn answer<P: Provider>(
    service: &ProviderService<P>,
    request: Request,
) -> BoxStream<Event> {
    let (events, received) = mpsc::channel(1);
    let service = service.clone();
    let session = service.session();
    let work = async move {
        let name = request.type_name.clone();
        let call = session.call("ListResource", &name);
        let listing = async {
            let list = service.types().list_resources.find(&name)?;
            list.list(service.context(session)?, request, events.clone())
                .await?;
            Ok(End::default())
        };
        let End(diagnostic) = guarded(call, End::default(), listing).await;
        if !diagnostic.is_empty() {
            let last = Event {
                diagnostic,
                ..Default::default()
            };
            let _ = events.send(last).await;
        }
    };
    let work = stream::once(work).filter_map(|()| future::ready(None));
    let events = stream::select(ReceiverStream::new(received), work);
    Box::pin(events.map(Ok))
}

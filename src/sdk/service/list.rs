//! Listings: events for as long as the host reads them.

use std::collections::HashMap;

use futures_util::{StreamExt as _, future, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Response, Status};

use super::{ProviderService, answered, unknown_type};
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::failure::Diagnostics;
use crate::sdk::guard::{Call, End, guarded, retold};
use crate::sdk::list_resource::{AnyListResource, ErasedList};
use crate::sdk::provider::Provider;

impl<P: Provider> ProviderService<P> {
    pub(super) fn list_schemas(&self) -> HashMap<String, wire::Schema> {
        self.list_resources()
            .iter()
            .map(|(name, list)| ((*name).to_owned(), list.schema().into()))
            .collect()
    }

    pub(super) async fn validate_list(
        &self,
        request: wire::validate_list_resource_config::Request,
    ) -> Result<Response<wire::validate_list_resource_config::Response>, Status> {
        let name = request.type_name.clone();
        let call = self.session().call("ValidateListResourceConfig", &name);
        answered(call, Default::default(), async {
            self.listing(&name)?.validate(request)
        })
        .await
    }

    /// The work is part of the stream: it continues while the host asks for more, and is dropped
    /// with the stream.
    pub(super) fn list(
        &self,
        request: wire::list_resource::Request,
    ) -> BoxStream<wire::list_resource::Event> {
        let (events, received) = mpsc::channel(1);
        let service = self.clone();
        let session = self.session();
        let retell = session.retell.clone();
        let work = async move {
            let name = request.type_name.clone();
            let call = Call {
                retell: None,
                ..session.call("ListResource", &name)
            };
            let listing = async {
                let list = service.listing(&name)?;
                list.list(
                    session.context(&service.shared.provider)?,
                    request,
                    events.clone(),
                )
                .await?;
                Ok(End::default())
            };
            let End(diagnostic) = guarded(call, End::default(), listing).await;
            if !diagnostic.is_empty() {
                let last = wire::list_resource::Event {
                    diagnostic,
                    ..Default::default()
                };
                let _ = events.send(last).await;
            }
        };
        let work = stream::once(work).filter_map(|()| future::ready(None));
        let events = stream::select(ReceiverStream::new(received), work);
        Box::pin(events.map(move |mut event| {
            retold(retell.as_ref(), &mut event.diagnostic);
            Ok(event)
        }))
    }

    fn listing(&self, name: &str) -> Result<&dyn ErasedList<P::Configured>, Diagnostics> {
        self.list_resources()
            .get(name)
            .map(AnyListResource::calls)
            .ok_or_else(|| unknown_type("list resource"))
    }
}

//! Actions: progress while they run, and exactly one completion event.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Response, Status};

use super::{APPLY_GRACE, ProviderService, answered, unknown_type};
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::action::{AnyAction, ErasedAction, Progress};
use crate::sdk::failure::Diagnostics;
use crate::sdk::guard::{Call, End, guarded};
use crate::sdk::provider::Provider;

impl<P: Provider> ProviderService<P> {
    pub(super) fn action_schemas(&self) -> HashMap<String, wire::ActionSchema> {
        self.actions()
            .iter()
            .map(|(name, action)| {
                let schema = wire::ActionSchema {
                    schema: Some(action.schema().into()),
                };
                ((*name).to_owned(), schema)
            })
            .collect()
    }

    pub(super) async fn validate_action(
        &self,
        request: wire::validate_action_config::Request,
    ) -> Result<Response<wire::validate_action_config::Response>, Status> {
        let name = request.type_name.clone();
        let call = self.session().call("ValidateActionConfig", &name);
        answered(call, Default::default(), async {
            self.action(&name)?.validate(request)
        })
        .await
    }

    pub(super) async fn plan_invocation(
        &self,
        request: wire::plan_action::Request,
    ) -> Result<Response<wire::plan_action::Response>, Status> {
        let name = request.action_type.clone();
        let session = self.session();
        let call = session.call("PlanAction", &name);
        answered(call, Default::default(), async {
            let action = self.action(&name)?;
            action.plan(session.context(&self.shared.provider)?.configured, request)
        })
        .await
    }

    /// The work is a separate task, so it finishes even if the host disconnects. The end of the
    /// process waits for it.
    pub(super) fn invoke(
        &self,
        request: wire::invoke_action::Request,
    ) -> BoxStream<wire::invoke_action::Event> {
        let (events, received) = mpsc::unbounded_channel();
        let service = self.clone();
        let mut session = self.session();
        session.cancelled = session.cancelled.child_token();
        let listener = session.cancelled.clone().drop_guard();
        self.shared.invocations.spawn(async move {
            let name = request.action_type.clone();
            let call = Call {
                grace: APPLY_GRACE,
                ..session.call("InvokeAction", &name)
            };
            let progress = Progress::new(events.clone());
            let invocation = async {
                let action = service.action(&name)?;
                let context = session.context(&service.shared.provider)?;
                action.invoke(context, request, progress).await
            };
            let End(diagnostics) = guarded(call, End::default(), invocation).await;
            let _ = events.send(completed(diagnostics));
        });
        Box::pin(UnboundedReceiverStream::new(received).map(move |event| {
            let _held = &listener;
            Ok(event)
        }))
    }

    fn action(&self, name: &str) -> Result<&dyn ErasedAction<P::Configured>, Diagnostics> {
        self.actions()
            .get(name)
            .map(AnyAction::calls)
            .ok_or_else(|| unknown_type("action"))
    }
}

fn completed(diagnostics: Vec<wire::Diagnostic>) -> wire::invoke_action::Event {
    use wire::invoke_action::event::{Completed, Type};
    wire::invoke_action::Event {
        r#type: Some(Type::Completed(Completed { diagnostics })),
    }
}

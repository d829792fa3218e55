//! An apply: create, update, or destroy, and the state that is recorded after it.

use super::coding::{decode_private, encode_private};
use super::{Applied, ApplyRequest, Resource};
use crate::protocol::Value;
use crate::protocol::generated::tfplugin6 as wire;
use crate::sdk::check::{self, Violation};
use crate::sdk::coding::{Outcome, missing, model};
use crate::sdk::context::Context;
use crate::sdk::failure::Diagnostics;
use crate::sdk::typed::Typed;

/// The planned values, to compare with the result.
struct Plan {
    state: Value,
    identity: Option<Value>,
}

impl<R: Resource> Typed<R> {
    pub(super) async fn apply_change(
        &self,
        context: &Context<R::Configured>,
        request: wire::apply_resource_change::Request,
    ) -> Outcome<(wire::apply_resource_change::Response, Diagnostics)> {
        let prior = self.optional("the prior state", request.prior_state.as_ref())?;
        let config = self.optional("the configuration", request.config.as_ref())?;
        let planned = self.optional("the plan", request.planned_state.as_ref())?;
        let (config, planned) = match (config, planned) {
            (Some(config), Some(planned)) => (config, planned),
            (None, None) => {
                let answer = wire::apply_resource_change::Response {
                    new_state: Some(self.encode("delete", &Value::Null)?),
                    ..Default::default()
                };
                return Ok((answer, Diagnostics::new()));
            }
            (None, Some(_)) => return Err(vec![missing("the configuration")]),
            (Some(_), None) => return Err(vec![missing("the plan")]),
        };
        let identity = Self::decode_identity(request.planned_identity.as_ref())?;
        let apply = ApplyRequest {
            config: model("the configuration", config)?,
            planned: model("the plan", planned.clone())?,
            private: decode_private::<R>(&request.planned_private),
        };
        let plan = Plan {
            state: planned,
            identity: identity.filter(Value::is_wholly_known),
        };
        match prior {
            None => self.create(context, plan, apply).await,
            Some(prior) => {
                let prior = model("the prior state", prior)?;
                self.update(context, prior, plan, apply).await
            }
        }
    }

    async fn create(
        &self,
        context: &Context<R::Configured>,
        plan: Plan,
        request: ApplyRequest<R>,
    ) -> Outcome<(wire::apply_resource_change::Response, Diagnostics)> {
        let applied = self
            .inner
            .create(context, request)
            .await
            .map_err(|failure| failure.diagnostics)?;
        self.applied("create", &plan, applied, |state| {
            check::applied(self.attributes(), &plan.state, state)
        })
    }

    async fn update(
        &self,
        context: &Context<R::Configured>,
        prior: R::Model,
        plan: Plan,
        request: ApplyRequest<R>,
    ) -> Outcome<(wire::apply_resource_change::Response, Diagnostics)> {
        let failure = match self.inner.update(context, prior, request).await {
            Ok(applied) => {
                return self.applied("update", &plan, applied, |state| {
                    check::applied(self.attributes(), &plan.state, state)
                });
            }
            Err(failure) => failure,
        };
        let mut diagnostics = failure.diagnostics;
        let Some(reached) = failure.state else {
            return Err(diagnostics);
        };
        // The result of a change that failed partway may differ from the plan.
        let recorded = self.applied("update", &plan, *reached, |state| {
            check::recorded(self.attributes(), state)
        });
        match recorded {
            Ok((answer, mut warnings)) => {
                warnings.extend(diagnostics);
                Ok((answer, warnings))
            }
            Err(more) => {
                diagnostics.extend(more);
                Err(diagnostics)
            }
        }
    }

    fn applied(
        &self,
        call: &'static str,
        plan: &Plan,
        applied: Applied<R>,
        check: impl FnOnce(&Value) -> Result<(), Violation>,
    ) -> Outcome<(wire::apply_resource_change::Response, Diagnostics)> {
        let (state, identity) = self.record(call, plan.identity.as_ref(), applied.state, check)?;
        let answer = wire::apply_resource_change::Response {
            new_state: Some(state),
            private: encode_private::<R>(&applied.private),
            new_identity: Some(identity),
            ..Default::default()
        };
        Ok((answer, applied.diagnostics))
    }
}

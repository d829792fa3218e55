//! A plan: the host's proposal, the resource's response, and the host's rules for it.

use super::coding::{decode_private, encode_private};
use super::{PlanRequest, Resource};
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{AttributePath, Value};
use crate::sdk::check;
use crate::sdk::coding::{Outcome, missing, model};
use crate::sdk::context::Context;
use crate::sdk::failure::Diagnostics;
use crate::sdk::model::AttributeValue;
use crate::sdk::typed::Typed;

impl<R: Resource> Typed<R> {
    pub(super) async fn plan_change(
        &self,
        context: &Context<R::Configured>,
        request: wire::plan_resource_change::Request,
    ) -> Outcome<(wire::plan_resource_change::Response, Diagnostics)> {
        let prior = self.optional("the prior state", request.prior_state.as_ref())?;
        let config = self.optional("the configuration", request.config.as_ref())?;
        let proposed = self.optional("the proposed state", request.proposed_new_state.as_ref())?;
        match (config, proposed) {
            (Some(config), Some(_)) => self.plan_existence(context, prior, &config, request).await,
            (None, None) => self.plan_destruction(prior, request),
            (None, Some(_)) => Err(vec![missing("the configuration")]),
            (Some(_), None) => Err(vec![missing("the proposed state")]),
        }
    }

    fn plan_destruction(
        &self,
        prior: Option<Value>,
        request: wire::plan_resource_change::Request,
    ) -> Outcome<(wire::plan_resource_change::Response, Diagnostics)> {
        let diagnostics = match prior {
            Some(prior) => self.inner.plan_destroy(&model("the prior state", prior)?),
            None => Diagnostics::new(),
        };
        let answer = wire::plan_resource_change::Response {
            planned_state: Some(self.encode("plan", &Value::Null)?),
            planned_private: request.prior_private,
            planned_identity: request.prior_identity,
            ..Default::default()
        };
        Ok((answer, diagnostics))
    }

    async fn plan_existence(
        &self,
        context: &Context<R::Configured>,
        prior: Option<Value>,
        config: &Value,
        request: wire::plan_resource_change::Request,
    ) -> Outcome<(wire::plan_resource_change::Response, Diagnostics)> {
        let plan_request = PlanRequest {
            config: model("the configuration", config.clone())?,
            prior: match &prior {
                Some(prior) => Some(model("the prior state", prior.clone())?),
                None => None,
            },
            private: decode_private::<R>(&request.prior_private),
        };
        let planned = self
            .inner
            .plan(context, plan_request)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let identity = R::identity(&planned.planned).into_value();
        let state = planned.planned.into_value();
        let prior = prior.unwrap_or_default();
        check::planned(self.attributes(), &prior, config, &state)
            .map_err(|violation| Self::refuse("plan", violation))?;
        let requires_replace = self.requires_replace(&prior, &state);
        let is_new = prior.is_null() || !requires_replace.is_empty();
        let answer = wire::plan_resource_change::Response {
            planned_state: Some(self.encode("plan", &state)?),
            planned_private: encode_private::<R>(&planned.private),
            planned_identity: Self::planned_identity(&identity, is_new, request.prior_identity)?,
            requires_replace,
            ..Default::default()
        };
        Ok((answer, planned.diagnostics))
    }

    /// The paths of attributes whose change replaces the instance.
    fn requires_replace(&self, prior: &Value, planned: &Value) -> Vec<wire::AttributePath> {
        if prior.is_null() {
            return Vec::new();
        }
        self.attributes()
            .iter()
            .filter(|attribute| {
                attribute.replaces && prior.get(&attribute.name) != planned.get(&attribute.name)
            })
            .map(|attribute| (&AttributePath::attribute(attribute.name.as_ref())).into())
            .collect()
    }

    /// The identity of a new instance may be unknown. An existing instance keeps its own.
    fn planned_identity(
        identity: &Value,
        is_new: bool,
        prior: Option<wire::ResourceIdentityData>,
    ) -> Outcome<Option<wire::ResourceIdentityData>> {
        if !identity.is_wholly_known() {
            return Ok(prior.filter(|_| !is_new));
        }
        let prior = if is_new {
            None
        } else {
            Self::decode_identity(prior.as_ref())?
        };
        Self::encode_identity("plan", prior.as_ref(), identity).map(Some)
    }
}

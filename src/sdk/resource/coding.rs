//! Conversion between wire messages and models, with the checks that every response must pass.

use super::Resource;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Attribute, Value, wire as codec};
use crate::sdk::check::{self, Violation};
use crate::sdk::coding::{Outcome, decode, missing};
use crate::sdk::failure::Diagnostics;
use crate::sdk::model::{AttributeValue, Model};
use crate::sdk::typed::Typed;

impl<R: Resource> Typed<R> {
    /// Decodes an object; null and absent are `None`.
    pub(super) fn optional(
        &self,
        what: &'static str,
        encoded: Option<&wire::DynamicValue>,
    ) -> Outcome<Option<Value>> {
        decode(self.attributes(), what, encoded)
    }

    /// Decodes an object that must be present.
    pub(super) fn required(
        &self,
        what: &'static str,
        encoded: Option<&wire::DynamicValue>,
    ) -> Outcome<Value> {
        self.optional(what, encoded)?
            .ok_or_else(|| vec![missing(what)])
    }

    /// Encodes a response. One that does not conform to the schema is an error.
    pub(super) fn encode(&self, call: &'static str, value: &Value) -> Outcome<wire::DynamicValue> {
        codec::encode_object(self.attributes(), value).map_err(|error| Self::refuse(call, error))
    }

    /// Reports an invalid response.
    pub(super) fn refuse(call: &'static str, violation: impl Into<Violation>) -> Diagnostics {
        vec![violation.into().into_diagnostic(call, R::TYPE_NAME)]
    }

    /// Decodes an identity; null and absent are `None`.
    pub(super) fn decode_identity(
        identity: Option<&wire::ResourceIdentityData>,
    ) -> Outcome<Option<Value>> {
        let data = identity.and_then(|identity| identity.identity_data.as_ref());
        decode(&identity_attributes::<R>(), "the identity", data)
    }

    /// Checks an identity and encodes it. It must equal `prior`, if there is one.
    pub(super) fn encode_identity(
        call: &'static str,
        prior: Option<&Value>,
        identity: &Value,
    ) -> Outcome<wire::ResourceIdentityData> {
        let prior = prior.filter(|_| !R::MUTABLE_IDENTITY);
        check::identity(&identity_attributes::<R>(), prior, identity)
            .map_err(|violation| Self::refuse(call, violation))?;
        Self::carry_identity(call, identity)
    }

    /// Encodes an identity that need not be complete.
    pub(super) fn carry_identity(
        call: &'static str,
        identity: &Value,
    ) -> Outcome<wire::ResourceIdentityData> {
        let data = codec::encode_object(&identity_attributes::<R>(), identity)
            .map_err(|error| Self::refuse(call, error))?;
        Ok(wire::ResourceIdentityData {
            identity_data: Some(data),
        })
    }

    /// Encodes a state for the host to record, with its identity.
    pub(super) fn record(
        &self,
        call: &'static str,
        prior_identity: Option<&Value>,
        state: R::Model,
        check: impl FnOnce(&Value) -> Result<(), Violation>,
    ) -> Outcome<(wire::DynamicValue, wire::ResourceIdentityData)> {
        let identity = R::identity(&state).into_value();
        let state = state.into_value();
        check(&state).map_err(|violation| Self::refuse(call, violation))?;
        let state = self.encode(call, &state)?;
        let identity = Self::encode_identity(call, prior_identity, &identity)?;
        Ok((state, identity))
    }
}

/// The attributes of what identifies an instance.
pub(super) fn identity_attributes<R: Resource>() -> Vec<Attribute> {
    R::Identity::attributes()
}

/// Private data that is damaged or from another version is not an error, because it can be derived
/// again.
pub(super) fn decode_private<R: Resource>(bytes: &[u8]) -> R::Private {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// For the same reason, private data that cannot be encoded is left out.
pub(super) fn encode_private<R: Resource>(private: &R::Private) -> Vec<u8> {
    serde_json::to_vec(private).unwrap_or_else(|_| {
        tracing::error!("private data cannot be written and is left out");
        Vec::new()
    })
}

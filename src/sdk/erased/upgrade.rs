//! Upgrades of stored states and identities to the current schema.

use serde_json::Value as Json;

use super::Typed;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Diagnostic, Value, json};
use crate::sdk::check::write_only;
use crate::sdk::coding::{Outcome, missing, undecodable};
use crate::sdk::resource::Resource;

impl<R: Resource> Typed<R> {
    /// Reads a state of any version up to the current one, which hosts send as well.
    pub(super) fn upgrade_state(
        &self,
        request: wire::upgrade_resource_state::Request,
    ) -> Outcome<wire::upgrade_resource_state::Response> {
        const WHAT: &str = "the stored state";
        if !(0..=R::SCHEMA_VERSION).contains(&request.version) {
            return Err(vec![unknown_version::<R>("state", request.version)]);
        }
        let stored = request.raw_state.unwrap_or_default().json;
        if stored.is_empty() {
            return Err(vec![missing(WHAT)]);
        }
        let stored = if request.version == R::SCHEMA_VERSION {
            stored
        } else {
            stepwise::<R>(WHAT, request.version, &stored)?
        };
        let mut state = json::decode_object(self.attributes(), &stored)
            .map_err(|error| vec![undecodable(WHAT, &error.path, &error)])?;
        // To a host, null means that the instance is gone.
        if state.is_null() {
            return Err(vec![missing(WHAT)]);
        }
        write_only::clear(self.attributes(), &mut state);
        Ok(wire::upgrade_resource_state::Response {
            upgraded_state: Some(self.encode("upgrade", &state)?),
            diagnostics: Vec::new(),
        })
    }

    /// Reads an identity. One that was never stored has no text and becomes an identity of nulls:
    /// hosts do not accept null, and the next refresh fills it in.
    pub(super) fn upgrade_stored_identity(
        &self,
        request: wire::upgrade_resource_identity::Request,
    ) -> Outcome<wire::upgrade_resource_identity::Response> {
        const WHAT: &str = "the stored identity";
        let identity = self.identity();
        if request.version != identity.schema.version {
            return Err(vec![unknown_version::<R>("identity", request.version)]);
        }
        let stored = request.raw_identity.unwrap_or_default().json;
        let decoded = if stored.is_empty() {
            Value::Null
        } else {
            json::decode_object(&identity.attributes, &stored)
                .map_err(|error| vec![undecodable(WHAT, &error.path, &error)])?
        };
        let decoded = if decoded.is_null() {
            Value::null_object(&identity.attributes)
        } else {
            decoded
        };
        Ok(wire::upgrade_resource_identity::Response {
            upgraded_identity: Some(self.carry_identity("upgrade", &decoded)?),
            diagnostics: Vec::new(),
        })
    }
}

/// Upgrades a stored state to the current schema, one version at a time.
fn stepwise<R: Resource>(what: &str, stored: i64, text: &[u8]) -> Outcome<Vec<u8>> {
    let mut state = match serde_json::from_slice(text) {
        Ok(Json::Object(state)) => state,
        Ok(Json::Null) => return Err(vec![missing(what)]),
        // The parser's error may quote the state.
        Ok(_) | Err(_) => return Err(vec![no_object::<R>(what)]),
    };
    for from in stored..R::SCHEMA_VERSION {
        state = R::upgrade(from, state).map_err(|refusal| {
            vec![refusal.unwrap_or_else(|| unknown_version::<R>("state", from))]
        })?;
    }
    serde_json::to_vec(&state).map_err(|_| vec![no_object::<R>(what)])
}

fn no_object<R: Resource>(what: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot decode {what}"),
        format!(
            "The state of this {} is not a JSON object. Restore the state from a backup with \
             `terraform state push`.",
            R::TYPE_NAME
        ),
    )
}

fn unknown_version<R: Resource>(what: &str, version: i64) -> Diagnostic {
    Diagnostic::error(
        format!("Unknown {what} version"),
        format!(
            "The {what} of this {} was written with schema version {version}, which this version \
             of the provider cannot read. Use the version of the provider that wrote it.",
            R::TYPE_NAME
        ),
    )
}

//! Upgrades of stored states and identities to the current schema.

use serde_json::{Map, Value as Json};

use super::Resource;
use super::coding::identity_attributes;
use crate::protocol::generated::tfplugin6::{upgrade_resource_identity, upgrade_resource_state};
use crate::protocol::{Diagnostic, Value, json};
use crate::sdk::check::write_only;
use crate::sdk::coding::{Outcome, missing, undecodable};
use crate::sdk::typed::Typed;

/// A stored state: JSON in the shape of the schema version that wrote it, with numbers of any
/// length.
pub type StoredState = Map<String, Json>;

/// Upgrades a stored state to the next version.
///
/// Attributes that are missing afterward are null, and attributes that the schema does not have are
/// ignored. Only what moves or changes its meaning needs code here. A diagnostic must not quote a
/// value.
pub type Upgrade = fn(StoredState) -> Result<StoredState, Diagnostic>;

/// A resource type whose schema can change its shape.
pub trait UpgradeState: Resource {
    /// The upgrades, from version 0 on. New states have the version after the last one.
    const UPGRADES: &'static [Upgrade] = &[];

    /// Returns the schema version of new states.
    fn version() -> i64 {
        i64::try_from(Self::UPGRADES.len()).unwrap_or(i64::MAX)
    }
}

impl<R: UpgradeState> Typed<R> {
    /// Reads a state of any version up to the current one, which hosts send as well.
    pub(super) fn upgrade_state(
        &self,
        request: upgrade_resource_state::Request,
    ) -> Outcome<upgrade_resource_state::Response> {
        const WHAT: &str = "the stored state";
        let upgrades = usize::try_from(request.version)
            .ok()
            .and_then(|version| R::UPGRADES.get(version..))
            .ok_or_else(|| vec![unknown_version::<R>("state", request.version)])?;
        let stored = request.raw_state.unwrap_or_default().json;
        if stored.is_empty() {
            return Err(vec![missing(WHAT)]);
        }
        let stored = if upgrades.is_empty() {
            stored
        } else {
            upgraded::<R>(WHAT, upgrades, &stored)?
        };
        let mut state = json::decode_object(self.attributes(), &stored)
            .map_err(|error| vec![undecodable(WHAT, &error.path, &error)])?;
        // To a host, null means that the instance is gone.
        if state.is_null() {
            return Err(vec![missing(WHAT)]);
        }
        write_only::clear(self.attributes(), &mut state);
        Ok(upgrade_resource_state::Response {
            upgraded_state: Some(self.encode("upgrade", &state)?),
            diagnostics: Vec::new(),
        })
    }

    /// Reads an identity. One that was never stored has no text and becomes an identity of nulls:
    /// hosts do not accept null, and the next refresh fills it in.
    pub(super) fn upgrade_stored_identity(
        request: upgrade_resource_identity::Request,
    ) -> Outcome<upgrade_resource_identity::Response> {
        const WHAT: &str = "the stored identity";
        if request.version != 0 {
            return Err(vec![unknown_version::<R>("identity", request.version)]);
        }
        let attributes = identity_attributes::<R>();
        let stored = request.raw_identity.unwrap_or_default().json;
        let decoded = if stored.is_empty() {
            Value::Null
        } else {
            json::decode_object(&attributes, &stored)
                .map_err(|error| vec![undecodable(WHAT, &error.path, &error)])?
        };
        let decoded = if decoded.is_null() {
            Value::null_object(&attributes)
        } else {
            decoded
        };
        Ok(upgrade_resource_identity::Response {
            upgraded_identity: Some(Self::carry_identity("upgrade", &decoded)?),
            diagnostics: Vec::new(),
        })
    }
}

/// Upgrades a stored state to the current schema, one version at a time.
fn upgraded<R: Resource>(what: &str, upgrades: &[Upgrade], text: &[u8]) -> Outcome<Vec<u8>> {
    let state = match serde_json::from_slice(text) {
        Ok(Json::Object(state)) => state,
        Ok(Json::Null) => return Err(vec![missing(what)]),
        // The parser's error may quote the state.
        Ok(_) | Err(_) => return Err(vec![no_object::<R>(what)]),
    };
    let state = upgrades
        .iter()
        .try_fold(state, |state, upgrade| upgrade(state))
        .map_err(|error| vec![error])?;
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

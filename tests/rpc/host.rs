//! A host in the same process: encodes what it sends and decodes what it gets.

use std::sync::Arc;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use terraform_provider_claude::grpc::Calls;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Value, wire as codec};
use terraform_provider_claude::sdk::{Model, ProviderService};

use super::thing::{CANARY, Script, TYPE_NAME, Thing, ThingIdentity, Tiny, TinyConfig, proposed};

/// What a host has on its side of a connection.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) client: ProviderClient<Calls>,
    pub(super) service: ProviderService<Tiny>,
}

impl Host {
    /// Starts the provider.
    pub(super) fn new(script: Script) -> Self {
        let service = ProviderService::new(Tiny(Arc::new(script)));
        Self {
            client: ProviderClient::new(service.calls()),
            service,
        }
    }

    /// Starts and configures the provider.
    pub(super) async fn configured(script: Script) -> Self {
        let mut host = Self::new(script);
        let diagnostics = host.configure(Some(config(&Value::Null))).await;
        assert_eq!(diagnostics, []);
        host
    }

    /// Configures the provider.
    pub(super) async fn configure(
        &mut self,
        config: Option<wire::DynamicValue>,
    ) -> Vec<wire::Diagnostic> {
        let request = wire::configure_provider::Request {
            terraform_version: "1.15.0".to_owned(),
            config,
            ..Default::default()
        };
        let answer = self.client.configure_provider(request).await.unwrap();
        answer.into_inner().diagnostics
    }

    /// Validates a configuration as a host does that knows write-only attributes.
    pub(super) async fn validate(&mut self, config: &Value) -> Vec<wire::Diagnostic> {
        let capabilities = wire::ClientCapabilities {
            write_only_attributes_allowed: true,
            ..Default::default()
        };
        self.validate_as(Some(capabilities), config).await
    }

    /// Validates a configuration as a host with these capabilities.
    pub(super) async fn validate_as(
        &mut self,
        client_capabilities: Option<wire::ClientCapabilities>,
        config: &Value,
    ) -> Vec<wire::Diagnostic> {
        let request = wire::validate_resource_config::Request {
            type_name: TYPE_NAME.to_owned(),
            config: Some(thing(config)),
            client_capabilities,
        };
        let answer = self.client.validate_resource_config(request).await;
        answer.unwrap().into_inner().diagnostics
    }

    /// Upgrades a stored state of the version.
    pub(super) async fn upgrade(
        &mut self,
        version: i64,
        json: &str,
    ) -> wire::upgrade_resource_state::Response {
        let request = wire::upgrade_resource_state::Request {
            type_name: TYPE_NAME.to_owned(),
            version,
            raw_state: Some(wire::RawState {
                json: json.as_bytes().to_vec(),
                ..Default::default()
            }),
        };
        let answer = self.client.upgrade_resource_state(request).await;
        answer.unwrap().into_inner()
    }

    pub(super) async fn read(
        &mut self,
        request: wire::read_resource::Request,
    ) -> wire::read_resource::Response {
        self.client
            .read_resource(request)
            .await
            .unwrap()
            .into_inner()
    }

    pub(super) async fn plan(
        &mut self,
        request: wire::plan_resource_change::Request,
    ) -> wire::plan_resource_change::Response {
        let answer = self.client.plan_resource_change(request).await;
        answer.unwrap().into_inner()
    }

    pub(super) async fn apply(
        &mut self,
        request: wire::apply_resource_change::Request,
    ) -> wire::apply_resource_change::Response {
        let answer = self.client.apply_resource_change(request).await;
        answer.unwrap().into_inner()
    }

    pub(super) async fn import(&mut self, id: &str) -> wire::import_resource_state::Response {
        self.import_by(wire::import_resource_state::Request {
            id: id.to_owned(),
            ..Default::default()
        })
        .await
    }

    pub(super) async fn import_by(
        &mut self,
        request: wire::import_resource_state::Request,
    ) -> wire::import_resource_state::Response {
        let request = wire::import_resource_state::Request {
            type_name: TYPE_NAME.to_owned(),
            ..request
        };
        let answer = self.client.import_resource_state(request).await;
        answer.unwrap().into_inner()
    }

    pub(super) async fn stop(&mut self) {
        let request = wire::stop_provider::Request {};
        let answer = self.client.stop_provider(request).await.unwrap();
        assert_eq!(answer.into_inner().error, "");
    }
}

/// Encodes a thing.
pub(super) fn thing(value: &Value) -> wire::DynamicValue {
    codec::encode_object(&Thing::attributes(), value).unwrap()
}

/// Decodes a thing that must be there, if only as an explicit null.
pub(super) fn decoded(message: Option<&wire::DynamicValue>) -> Value {
    let message = message.expect("a state, not nothing");
    assert!(!message.msgpack.is_empty(), "a state, not an empty message");
    codec::decode_object(Some(message), &Thing::attributes()).unwrap()
}

/// Encodes a provider block.
pub(super) fn config(value: &Value) -> wire::DynamicValue {
    codec::encode_object(&TinyConfig::attributes(), value).unwrap()
}

/// Encodes the identity of a thing.
pub(super) fn identity(id: impl Into<Value>) -> wire::ResourceIdentityData {
    let value = Value::object([("id", id.into()), ("region", Value::Null)]);
    let data = codec::encode_object(&ThingIdentity::attributes(), &value).unwrap();
    wire::ResourceIdentityData {
        identity_data: Some(data),
    }
}

/// A refresh of this state, with private data and an identity of its id.
pub(super) fn reading(state: &Value) -> wire::read_resource::Request {
    wire::read_resource::Request {
        type_name: TYPE_NAME.to_owned(),
        current_state: Some(thing(state)),
        private: b"\"before\"".to_vec(),
        current_identity: Some(identity(state.get("id").unwrap().clone())),
        ..Default::default()
    }
}

/// A plan for this change; a null prior state has neither private data nor identity.
pub(super) fn planning(prior: &Value, config: &Value) -> wire::plan_resource_change::Request {
    wire::plan_resource_change::Request {
        type_name: TYPE_NAME.to_owned(),
        prior_state: Some(thing(prior)),
        proposed_new_state: Some(thing(&proposed(prior, config))),
        config: Some(thing(config)),
        prior_private: prior
            .get("id")
            .map(|_| b"\"before\"".to_vec())
            .unwrap_or_default(),
        prior_identity: prior.get("id").cloned().map(identity),
        ..Default::default()
    }
}

/// An apply of this plan.
pub(super) fn applying(
    prior: &Value,
    planned: &Value,
    config: &Value,
) -> wire::apply_resource_change::Request {
    wire::apply_resource_change::Request {
        type_name: TYPE_NAME.to_owned(),
        prior_state: Some(thing(prior)),
        planned_state: Some(thing(planned)),
        config: Some(thing(config)),
        planned_private: b"\"planned\"".to_vec(),
        planned_identity: prior.get("id").cloned().map(identity),
        ..Default::default()
    }
}

/// Asserts that the one diagnostic tells a wrong answer at this place, and no value.
pub(super) fn assert_bug(diagnostics: &[wire::Diagnostic], call: &str, place: &str) {
    let [told] = diagnostics else {
        panic!("{place}: one diagnostic, not {diagnostics:?}");
    };
    assert_eq!(told.severity(), wire::diagnostic::Severity::Error);
    assert_eq!(
        told.summary,
        format!("Provider bug: invalid response to {call}")
    );
    let beginning = format!("For {TYPE_NAME}, {place}: ");
    assert!(
        told.detail.starts_with(&beginning),
        "{place}: {}",
        told.detail
    );
    assert!(!told.detail.contains(CANARY), "{}", told.detail);
}

/// Asserts that the one diagnostic is an error with this summary, and tells no value.
pub(super) fn assert_error(diagnostics: &[wire::Diagnostic], summary: &str) {
    let [told] = diagnostics else {
        panic!("{summary}: one diagnostic, not {diagnostics:?}");
    };
    assert_eq!(told.severity(), wire::diagnostic::Severity::Error);
    assert_eq!(told.summary, summary);
    assert!(!told.detail.contains(CANARY), "{}", told.detail);
}

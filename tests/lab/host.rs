//! The provider as Terraform drives it, one resource at a time.

use std::sync::{Arc, LazyLock};

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use rustix::process::Signal;
use terraform_provider_claude::grpc::Calls;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Attribute, Value, wire as codec};
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;
use tonic::transport::Channel;

use crate::support::host::{Host as Binary, Options};

const TYPE_NAME: &str = "claude_oauth_token";

/// Attributes of the provider block and of the resource.
static SCHEMAS: LazyLock<(Vec<Attribute>, Vec<Attribute>)> = LazyLock::new(|| {
    let service = service();
    let resource = service.types().resources[TYPE_NAME].schema();
    (
        service.schema().attributes.clone(),
        resource.attributes.clone(),
    )
});

/// Where Vault is, and how hard to try.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) address: String,
    pub(super) token: String,
    pub(super) max_retries: u32,
}

/// A resource as Terraform keeps it.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) state: Value,
    private: Vec<u8>,
    identity: Option<wire::ResourceIdentityData>,
}

/// A planned change.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) planned: Value,
    private: Vec<u8>,
    identity: Option<wire::ResourceIdentityData>,
    pub(super) told: Vec<wire::Diagnostic>,
}

/// What came of an apply.
#[derive(Debug)]
pub(super) struct Applied {
    /// What is recorded; nothing where the provider gave none.
    pub(super) instance: Option<Instance>,
    pub(super) told: Vec<wire::Diagnostic>,
}

/// A configured provider.
pub(super) struct Host {
    client: Client,
    _binary: Option<Binary>,
}

enum Client {
    Inside(Box<ProviderClient<Calls>>),
    Outside(ProviderClient<Channel>),
}

/// Kills a binary, from wherever it is decided.
#[derive(Clone, Copy)]
pub(super) struct Killer(rustix::process::Pid);

impl Killer {
    pub(super) fn kill(self) {
        rustix::process::kill_process(self.0, Signal::KILL).unwrap();
    }
}

macro_rules! call {
    ($host:ident.$method:ident($request:expr)) => {
        match &mut $host.client {
            Client::Inside(client) => client.$method($request).await,
            Client::Outside(client) => client.$method($request).await,
        }
        .map(tonic::Response::into_inner)
    };
}

fn service() -> ProviderService<ClaudeProvider> {
    let environment = Arc::new(std::collections::BTreeMap::<String, String>::new());
    ProviderService::new(ClaudeProvider::new(environment))
}

/// Makes an object of these attributes; the others are null.
fn object(attributes: &[Attribute], parts: &[(&str, Value)]) -> Value {
    let mut whole = Value::null_object(attributes).as_map().unwrap().clone();
    for (name, value) in parts {
        let old = whole.insert((*name).to_owned(), value.clone());
        assert!(old.is_some(), "{name} is no attribute");
    }
    Value::Map(whole)
}

/// Makes a configuration of the resource.
pub(super) fn config(parts: &[(&str, Value)]) -> Value {
    object(&SCHEMAS.1, parts)
}

fn encode(value: &Value) -> Option<wire::DynamicValue> {
    Some(codec::encode_object(&SCHEMAS.1, value).unwrap())
}

fn decode(message: Option<&wire::DynamicValue>) -> Value {
    codec::decode_object(message, &SCHEMAS.1).unwrap()
}

/// Returns the errors among diagnostics.
pub(super) fn errors(told: &[wire::Diagnostic]) -> Vec<&wire::Diagnostic> {
    told.iter()
        .filter(|told| told.severity() == wire::diagnostic::Severity::Error)
        .collect()
}

impl Host {
    /// Starts and configures the provider in this process.
    pub(super) async fn inside(access: &Access) -> Self {
        let client = Client::Inside(Box::new(ProviderClient::new(service().calls())));
        let mut host = Self {
            client,
            _binary: None,
        };
        host.configure(access).await;
        host
    }

    /// Returns another handle of the same process.
    pub(super) fn handle(&self) -> Self {
        Self {
            client: match &self.client {
                Client::Inside(client) => Client::Inside(client.clone()),
                Client::Outside(client) => Client::Outside(client.clone()),
            },
            _binary: None,
        }
    }

    /// Starts and configures the real binary.
    pub(super) async fn outside(access: &Access) -> (Self, Killer) {
        let binary = Binary::launch(Options::plaintext()).await;
        let channel = binary.channel().await;
        let id = i32::try_from(binary.process.id()).unwrap();
        let killer = Killer(rustix::process::Pid::from_raw(id).unwrap());
        let mut host = Self {
            client: Client::Outside(ProviderClient::new(channel)),
            _binary: Some(binary),
        };
        host.configure(access).await;
        (host, killer)
    }

    async fn configure(&mut self, access: &Access) {
        let retries = Value::from(i64::from(access.max_retries));
        let block = object(
            &SCHEMAS.0,
            &[
                ("address", Value::from(access.address.as_str())),
                (
                    "token",
                    Value::Secret(terraform_provider_claude::secret::Secret::new(
                        access.token.as_str(),
                    )),
                ),
                ("max_retries", retries),
            ],
        );
        let request = wire::configure_provider::Request {
            terraform_version: "1.15.0".to_owned(),
            config: Some(codec::encode_object(&SCHEMAS.0, &block).unwrap()),
            ..Default::default()
        };
        let answer = call!(self.configure_provider(request)).unwrap();
        assert_eq!(answer.diagnostics, []);
    }

    /// Refreshes.
    pub(super) async fn read(&mut self, instance: &Instance) -> (Instance, Vec<wire::Diagnostic>) {
        let request = wire::read_resource::Request {
            type_name: TYPE_NAME.to_owned(),
            current_state: encode(&instance.state),
            private: instance.private.clone(),
            current_identity: instance.identity.clone(),
            ..Default::default()
        };
        let answer = call!(self.read_resource(request)).unwrap();
        let read = Instance {
            state: decode(answer.new_state.as_ref()),
            private: answer.private,
            identity: answer.new_identity,
        };
        (read, answer.diagnostics)
    }

    /// Plans a change, or a creation.
    pub(super) async fn plan(&mut self, prior: Option<&Instance>, config: &Value) -> Plan {
        let state = prior.map_or(Value::Null, |prior| prior.state.clone());
        let request = wire::plan_resource_change::Request {
            type_name: TYPE_NAME.to_owned(),
            prior_state: encode(&state),
            proposed_new_state: encode(&proposed(&state, config)),
            config: encode(config),
            prior_private: prior.map(|prior| prior.private.clone()).unwrap_or_default(),
            prior_identity: prior.and_then(|prior| prior.identity.clone()),
            ..Default::default()
        };
        let answer = call!(self.plan_resource_change(request)).unwrap();
        Plan {
            planned: decode(answer.planned_state.as_ref()),
            private: answer.planned_private,
            identity: answer.planned_identity,
            told: answer.diagnostics,
        }
    }

    /// Applies a plan; nothing where the provider did not live to answer.
    pub(super) async fn apply(
        &mut self,
        prior: Option<&Instance>,
        config: &Value,
        plan: &Plan,
    ) -> Option<Applied> {
        let state = prior.map_or(Value::Null, |prior| prior.state.clone());
        let request = wire::apply_resource_change::Request {
            type_name: TYPE_NAME.to_owned(),
            prior_state: encode(&state),
            planned_state: encode(&plan.planned),
            config: encode(config),
            planned_private: plan.private.clone(),
            planned_identity: plan.identity.clone(),
            ..Default::default()
        };
        let answer = call!(self.apply_resource_change(request)).ok()?;
        let state = decode(answer.new_state.as_ref());
        Some(Applied {
            instance: (!state.is_null()).then_some(Instance {
                state,
                private: answer.private,
                identity: answer.new_identity,
            }),
            told: answer.diagnostics,
        })
    }
}

impl Instance {
    /// Returns an attribute that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.state.get(name).unwrap().as_str()
    }

    /// Returns what travels beside the state, as text.
    pub(super) fn private(&self) -> String {
        String::from_utf8_lossy(&self.private).into_owned()
    }
}

/// The host's merge: what is configured, else what a computed attribute was before; write-only
/// values never.
fn proposed(prior: &Value, config: &Value) -> Value {
    Value::object(SCHEMAS.1.iter().map(|attribute| {
        let name = attribute.name.to_string();
        let configured = config.get(&name).unwrap().clone();
        let value = if attribute.write_only {
            Value::Null
        } else if configured.is_null() && attribute.mode.is_computed() {
            prior.get(&name).cloned().unwrap_or_default()
        } else {
            configured
        };
        (name, value)
    }))
}

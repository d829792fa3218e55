//! Asks the binary again what a host asked, with what it answers put where the host would put it.

macro_rules! send {
    ($client:ident.$method:ident($request:expr), $title:expr) => {{
        let answer = $client.$method($request).await;
        let answer = answer.unwrap_or_else(|status| panic!("{}: {status}", $title));
        answer.into_inner()
    }};
}

/// Sends a message as it was recorded.
macro_rules! as_it_was {
    ($client:ident.$method:ident($module:ident), $call:expr, $title:expr) => {{
        let request = wire::$module::Request::decode(&*$call.message()).unwrap();
        let answer = send!($client.$method(request), $title);
        rules::no_error($title, &answer.diagnostics);
        answer
    }};
    ($client:ident.$method:ident($module:ident), $call:expr, $title:expr, $quirks:expr) => {{
        let mut request = wire::$module::Request::decode(&*$call.message()).unwrap();
        request.client_capabilities = $quirks.capabilities(request.client_capabilities);
        let answer = send!($client.$method(request), $title);
        rules::no_error($title, &answer.diagnostics);
        answer
    }};
}

mod beside;
mod quirks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use prost::Message as _;
use serde_json::{Map, Value as Json};
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Attribute, Value};
use tonic::transport::Channel;

use super::recording::{RecordedCall, Recording, changed, folder};
use super::rules::{self, Schemas};
use super::scenario;
use crate::support::host::{AT_ONCE, Host, Options};
use crate::support::leave_out;
use crate::support::openbao::OpenBao;

pub(super) use quirks::Quirks;

/// What a host keeps of a resource.
#[derive(Clone, Default)]
struct Instance {
    state: Value,
    private: Vec<u8>,
    identity: Option<wire::ResourceIdentityData>,
}

/// What a host keeps of a plan.
#[derive(Clone, Default)]
struct Planned {
    /// The state that was planned from: a host sticks to it when it plans again to apply.
    before: Value,
    after: Instance,
    /// Number of the process that planned.
    process: usize,
}

/// Plays one recording.
struct Replay<'s> {
    quirks: Quirks,
    schemas: &'s Schemas,
    now: BTreeMap<String, Instance>,
    planned: BTreeMap<String, Planned>,
    process: usize,
    /// Whether the host plans again to apply from what UpgradeResourceState returned.
    plans_from_upgraded: bool,
    /// Private data of the ephemeral resource that was opened last.
    opened: Option<Vec<u8>>,
}

/// Asks the calls of a recording again, each process of it of a process.
pub(super) async fn replay(recording: &Recording, schemas: &Schemas, quirks: Quirks) {
    if let Some(lacking) = lacking(recording).await {
        leave_out(&format!("{lacking}, which this provider lacks"));
        return;
    }
    let bao = OpenBao::start_unaudited().await;
    scenario::furnish(&bao).await;
    let mut replay = Replay {
        quirks,
        schemas,
        now: BTreeMap::new(),
        planned: BTreeMap::new(),
        process: 0,
        plans_from_upgraded: recording.host.starts_with("opentofu"),
        opened: None,
    };
    for run in recording.runs.iter().filter(|run| quirks.can(run)) {
        replay.planned.clear();
        for calls in &run.processes {
            replay.process += 1;
            let options = Options::default()
                .with("VAULT_ADDR", bao.address())
                .with("VAULT_TOKEN", OpenBao::ROOT);
            let host = Host::launch(options).await;
            let channel = host.channel().await;
            let mut client = ProviderClient::new(channel.clone());
            for call in calls {
                let title = format!("{}: {}: {}", recording.host, run.name, call.title());
                assert_eq!(call.shown_anew(schemas), call.shows, "{title}");
                replay.ask(&mut client, call, &title).await;
            }
            let asked = Instant::now();
            let ended = host.shut_down(channel).await;
            assert!(asked.elapsed() < AT_ONCE);
            assert_eq!(ended.status.code(), Some(0));
            assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("", ""));
        }
    }
}

/// Asks the binary what it has beside resources.
pub(super) async fn surface() -> BTreeSet<String> {
    let host = Host::launch(Options::default()).await;
    let mut client = ProviderClient::new(host.channel().await);
    let request = wire::get_provider_schema::Request {};
    rules::surface(client.get_provider_schema(request).await.unwrap().get_ref())
}

/// Names what a recording asks for and the binary does not have.
async fn lacking(recording: &Recording) -> Option<String> {
    let calls = recording
        .runs
        .iter()
        .flat_map(|run| run.processes.iter().flatten());
    let asked: BTreeSet<_> = calls
        .filter_map(|call| {
            Some(format!(
                "{} {}",
                rules::kind(&call.rpc)?,
                call.shows["type_name"].as_str()?
            ))
        })
        .collect();
    if asked.is_empty() {
        return None;
    }
    asked.difference(&surface().await).next().cloned()
}

impl Replay<'_> {
    async fn ask(
        &mut self,
        client: &mut ProviderClient<Channel>,
        call: &RecordedCall,
        title: &str,
    ) {
        match call.rpc.as_str() {
            "GetProviderSchema" => {
                let answer =
                    as_it_was!(client.get_provider_schema(get_provider_schema), call, title);
                assert!(answer.provider.is_some());
            }
            "GetResourceIdentitySchemas" => {
                as_it_was!(
                    client.get_resource_identity_schemas(get_resource_identity_schemas),
                    call,
                    title
                );
            }
            "ValidateProviderConfig" => {
                as_it_was!(
                    client.validate_provider_config(validate_provider_config),
                    call,
                    title
                );
            }
            "ConfigureProvider" => {
                as_it_was!(
                    client.configure_provider(configure_provider),
                    call,
                    title,
                    self.quirks
                );
            }
            "ValidateResourceConfig" => {
                as_it_was!(
                    client.validate_resource_config(validate_resource_config),
                    call,
                    title,
                    self.quirks
                );
            }
            "ImportResourceState" => {
                let answer = as_it_was!(
                    client.import_resource_state(import_resource_state),
                    call,
                    title,
                    self.quirks
                );
                self.imported(answer, title);
            }
            "UpgradeResourceState" => self.upgrade(client, call, title).await,
            "ReadResource" => self.read(client, call, title).await,
            "PlanResourceChange" => self.plan(client, call, title).await,
            "ApplyResourceChange" => self.apply(client, call, title).await,
            _ => self.ask_beside_resources(client, call, title).await,
        }
    }

    fn attributes(&self, name: &str) -> &[Attribute] {
        self.schemas.resource(name)
    }

    fn imported(&mut self, answer: wire::import_resource_state::Response, title: &str) {
        let [imported] = <[_; 1]>::try_from(answer.imported_resources).unwrap();
        let name = imported.type_name;
        let state = self.schemas.decode(&name, imported.state.as_ref());
        rules::state(title, self.attributes(&name), &state);
        let instance = Instance {
            state,
            private: imported.private,
            identity: imported.identity,
        };
        assert!(instance.identity.is_some(), "{title}");
        self.now.insert(name, instance);
    }

    async fn upgrade(
        &mut self,
        client: &mut ProviderClient<Channel>,
        call: &RecordedCall,
        title: &str,
    ) {
        let mut request = wire::upgrade_resource_state::Request::decode(&*call.message()).unwrap();
        let name = request.type_name.clone();
        let instance = self.now.entry(name.clone()).or_default();
        request.raw_state = Some(wire::RawState {
            json: stored(&instance.state).to_string().into_bytes(),
            ..Default::default()
        });
        let answer = send!(client.upgrade_resource_state(request), title);
        rules::no_error(title, &answer.diagnostics);
        let state = self.schemas.decode(&name, answer.upgraded_state.as_ref());
        rules::state(title, self.schemas.resource(&name), &state);
        instance.state = state;
    }

    async fn read(
        &mut self,
        client: &mut ProviderClient<Channel>,
        call: &RecordedCall,
        title: &str,
    ) {
        let mut request = wire::read_resource::Request::decode(&*call.message()).unwrap();
        request.client_capabilities = self.quirks.capabilities(request.client_capabilities);
        let name = request.type_name.clone();
        let instance = self.now[&name].clone();
        request.current_state = Some(self.schemas.encode(&name, &instance.state));
        request.private = instance.private;
        let knows_identities = request.current_identity.is_some() && !self.quirks.knows_less;
        request.current_identity = instance.identity.clone().filter(|_| knows_identities);
        let answer = send!(client.read_resource(request), title);
        rules::no_error(title, &answer.diagnostics);
        let state = self.schemas.decode(&name, answer.new_state.as_ref());
        rules::state(title, self.attributes(&name), &state);
        assert!(answer.new_identity.is_some(), "{title}");
        if knows_identities {
            assert_eq!(
                bytes(&answer.new_identity),
                bytes(&instance.identity),
                "{title}"
            );
        }
        let read = Instance {
            state,
            private: answer.private,
            identity: answer.new_identity,
        };
        self.now.insert(name, read);
    }

    async fn plan(
        &mut self,
        client: &mut ProviderClient<Channel>,
        call: &RecordedCall,
        title: &str,
    ) {
        let mut request = wire::plan_resource_change::Request::decode(&*call.message()).unwrap();
        request.client_capabilities = self.quirks.capabilities(request.client_capabilities);
        let name = request.type_name.clone();
        let decode = |message: &Option<_>| self.schemas.decode(&name, message.as_ref());
        let config = decode(&request.config);
        let creates = decode(&request.prior_state).is_null();
        let first = self.planned.get(&name).cloned().unwrap_or_default();
        let again = !config.is_null()
            && first.process != self.process
            && !first.after.state.is_null()
            && first.before.is_null() == creates;
        let mut prior = if creates {
            Instance::default()
        } else {
            self.now[&name].clone()
        };
        if again && !self.plans_from_upgraded {
            prior.state = first.before.clone();
        }
        request.prior_state = Some(self.schemas.encode(&name, &prior.state));
        let proposed = proposed(self.attributes(&name), &prior.state, &config);
        request.proposed_new_state = Some(self.schemas.encode(&name, &proposed));
        // The second plan of a replacement is a creation that has the private data of the first.
        let former = if creates { &first.after } else { &prior };
        if !request.prior_private.is_empty() {
            request.prior_private.clone_from(&former.private);
        }
        if request.prior_identity.is_some() {
            request.prior_identity = self.quirks.identity(&former.identity);
        }
        if creates && self.quirks.replaces_without_identity {
            request.prior_identity = None;
        }
        if again && self.quirks.returns_planned_private {
            request.planned_private.clone_from(&first.after.private);
        }
        let answer = send!(client.plan_resource_change(request), title);
        rules::no_error(title, &answer.diagnostics);
        assert!(!answer.legacy_type_system, "{title}");
        assert_eq!(answer.deferred, None, "{title}");
        let planned = self.schemas.decode(&name, answer.planned_state.as_ref());
        let attributes = self.attributes(&name);
        rules::plan(title, attributes, (&prior.state, &config, &planned));
        if again {
            rules::keeps(title, &first.after.state, &planned);
        }
        let changes = changed(attributes, &prior.state, &planned);
        assert_eq!(serde_json::json!(changes), call.changes, "{title}");
        let planned = Planned {
            before: prior.state,
            after: Instance {
                state: planned,
                private: answer.planned_private,
                identity: answer.planned_identity,
            },
            process: self.process,
        };
        self.planned.insert(name, planned);
    }

    async fn apply(
        &mut self,
        client: &mut ProviderClient<Channel>,
        call: &RecordedCall,
        title: &str,
    ) {
        let mut request = wire::apply_resource_change::Request::decode(&*call.message()).unwrap();
        let name = request.type_name.clone();
        let decode = |message: &Option<_>| self.schemas.decode(&name, message.as_ref());
        let creates = decode(&request.prior_state).is_null();
        let destroys = decode(&request.planned_state).is_null();
        let mut prior = if creates {
            Instance::default()
        } else {
            self.now[&name].clone()
        };
        let planned = if destroys {
            Planned::default()
        } else {
            self.planned[&name].clone()
        };
        if !creates && !destroys {
            prior.state.clone_from(&planned.before);
        }
        let planned = planned.after;
        request.prior_state = Some(self.schemas.encode(&name, &prior.state));
        request.planned_state = Some(self.schemas.encode(&name, &planned.state));
        request.planned_private = if destroys {
            prior.private
        } else {
            planned.private
        };
        if request.planned_identity.is_some() {
            let identity = if destroys {
                prior.identity
            } else {
                planned.identity
            };
            request.planned_identity = self.quirks.identity(&identity);
        }
        let answer = send!(client.apply_resource_change(request), title);
        rules::no_error(title, &answer.diagnostics);
        let state = self.schemas.decode(&name, answer.new_state.as_ref());
        if destroys {
            assert!(state.is_null(), "{title}: {state:?}");
            self.now.remove(&name);
            return;
        }
        rules::state(title, self.attributes(&name), &state);
        rules::keeps(title, &planned.state, &state);
        assert!(answer.new_identity.is_some(), "{title}");
        let applied = Instance {
            state,
            private: answer.private,
            identity: answer.new_identity,
        };
        self.now.insert(name, applied);
    }
}

fn bytes(identity: &Option<wire::ResourceIdentityData>) -> Vec<u8> {
    let data = identity
        .as_ref()
        .and_then(|identity| identity.identity_data.as_ref());
    data.map(|data| data.msgpack.clone()).unwrap_or_default()
}

/// The host's merge: what is configured, else what a computed attribute was before.
pub(super) fn proposed(attributes: &[Attribute], prior: &Value, config: &Value) -> Value {
    if config.is_null() {
        return Value::Null;
    }
    Value::object(attributes.iter().map(|attribute| {
        let name = attribute.name.to_string();
        let configured = config.get(&name).unwrap().clone();
        let value = if configured.is_null() && attribute.mode.is_computed() {
            prior.get(&name).cloned().unwrap_or_default()
        } else {
            configured
        };
        (name, value)
    }))
}

/// Writes a state as hosts store it.
fn stored(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => serde_json::from_str(number.as_str()).unwrap(),
        Value::String(text) => Json::String(text.clone()),
        Value::List(elements) => elements.iter().map(stored).collect(),
        Value::Map(elements) => elements
            .iter()
            .map(|(name, element)| (name.clone(), stored(element)))
            .collect::<Map<_, _>>()
            .into(),
        other => panic!("a state holds no {other:?}"),
    }
}

#[tokio::test]
async fn every_recorded_host_is_answered_by_its_rules() {
    let schemas = Schemas::new();
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .unwrap()
        .flat_map(|host| std::fs::read_dir(host.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no recording in {}", folder().display());
    let recordings: Vec<_> = files.iter().map(|file| Recording::load(file)).collect();
    for recording in &recordings {
        replay(recording, &schemas, Quirks::default()).await;
    }
}

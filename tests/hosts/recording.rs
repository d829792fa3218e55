//! Recordings as files: what each process of a run was asked.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Attribute, Value};

use super::recorder::Exchange;
use super::rules::{self, Schemas};
use crate::support::secrets::token;

/// Seeds of the tokens that a scenario puts into a configuration.
pub(super) const PLANTED: [&str; 1] = ["stored"];

/// All that one host asked in one scenario.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Recording {
    pub(super) host: String,
    pub(super) runs: Vec<RecordedRun>,
}

/// What one run of the command line asked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct RecordedRun {
    pub(super) name: String,
    /// The processes that the host started, each with its calls in their order.
    pub(super) processes: Vec<Vec<RecordedCall>>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RecordedCall {
    pub(super) rpc: String,
    /// What the message says, for a reader.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub(super) shows: Json,
    /// Attributes that the answer to a plan changes, null where it is no such answer.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub(super) changes: Json,
    /// The message, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    request: String,
}

/// Folder of all recordings.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hosts")
}

/// Takes the place of a token in a recording, in as many bytes.
fn stand_in(seed: &str) -> String {
    format!("{:.<108}", format!("(token {seed}, taken out)"))
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<_> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from.as_bytes())
        .map(|(place, _)| place)
        .collect();
    for place in places {
        bytes[place..place + from.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

impl RecordedCall {
    /// Makes a record of a call and its answer, without the tokens in them.
    pub(super) fn of(exchange: &Exchange, schemas: &Schemas) -> Self {
        let mut request = exchange.request.clone();
        for seed in PLANTED {
            request = replaced(&request, &token(seed), &stand_in(seed));
        }
        Self {
            shows: shown(&exchange.rpc, &request, schemas),
            changes: changes(exchange, schemas),
            request: STANDARD.encode(request),
            rpc: exchange.rpc.clone(),
        }
    }

    /// The message as the host sent it.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut request = STANDARD.decode(&self.request).unwrap();
        for seed in PLANTED {
            request = replaced(&request, &stand_in(seed), &token(seed));
        }
        request
    }

    /// The name of the call, and of the type that it is about.
    pub(super) fn title(&self) -> String {
        match self.shows["type_name"].as_str() {
            Some(name) => format!("{} {name}", self.rpc),
            None => self.rpc.clone(),
        }
    }

    /// What a reader would be shown of the message, made anew.
    pub(super) fn shown_anew(&self, schemas: &Schemas) -> Json {
        shown(&self.rpc, &STANDARD.decode(&self.request).unwrap(), schemas)
    }
}

impl Recording {
    /// Reads a recording.
    pub(super) fn load(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes the recording, one call on a line.
    pub(super) fn save(&self, path: &Path) {
        let mut text = format!("{{\n\"host\": {},\n\"runs\": [", json!(self.host));
        for (number, run) in self.runs.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}\n{{\"name\": {}, \"processes\": [",
                json!(run.name)
            );
            for (number, calls) in run.processes.iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                let calls: Vec<_> = calls.iter().map(written).collect();
                let _ = write!(text, "{comma}\n  [\n    {}\n  ]", calls.join(",\n    "));
            }
            text.push_str("\n]}");
        }
        text.push_str("\n]\n}\n");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The names of all calls, a process on a line.
    pub(super) fn sequence(&self) -> String {
        let mut text = String::new();
        for run in &self.runs {
            let _ = writeln!(text, "{}", run.name);
            for calls in &run.processes {
                let titles: Vec<_> = calls.iter().map(RecordedCall::title).collect();
                let _ = writeln!(text, "  {}", titles.join(", "));
            }
        }
        text
    }
}

fn written(call: &RecordedCall) -> String {
    serde_json::to_string(call).unwrap()
}

/// Names the attributes that an answer to a plan changes.
fn changes(exchange: &Exchange, schemas: &Schemas) -> Json {
    if exchange.rpc != "PlanResourceChange" {
        return Json::Null;
    }
    let request = wire::plan_resource_change::Request::decode(&*exchange.request).unwrap();
    let answer = wire::plan_resource_change::Response::decode(&*exchange.answer).unwrap();
    let attributes = schemas.resource(&request.type_name);
    let prior = rules::read(attributes, request.prior_state.as_ref());
    let planned = rules::read(attributes, answer.planned_state.as_ref());
    json!(changed(attributes, &prior, &planned))
}

/// Names the attributes in which two objects differ.
pub(super) fn changed(attributes: &[Attribute], one: &Value, other: &Value) -> Vec<String> {
    let names = attributes
        .iter()
        .map(|attribute| attribute.name.to_string());
    names
        .filter(|name| {
            let part = |value: &Value| value.get(name).cloned().unwrap_or_default();
            part(one) != part(other)
        })
        .collect()
}

/// Says what a message says, without nulls and without secrets.
fn shown(rpc: &str, request: &[u8], schemas: &Schemas) -> Json {
    let mut shows = Map::new();
    let mut put = |name: &str, value: Json| {
        if !value.is_null() {
            shows.insert(name.to_owned(), value);
        }
    };
    macro_rules! read {
        ($module:ident { $($config:ident)?, states: [$($state:ident),*], capabilities: $($capabilities:ident)? }) => {{
            let message = wire::$module::Request::decode(request).unwrap();
            put("type_name", json!(message.type_name));
            $(
                let attributes = schemas.resource(&message.type_name);
                put(stringify!($config), object(attributes, message.$config.as_ref()));
            )?
            $(
                let state = schemas.decode(&message.type_name, message.$state.as_ref());
                put(stringify!($state), json!(if state.is_null() { "null" } else { "…" }));
            )*
            $(put("capabilities", capabilities(message.$capabilities.as_ref()));)?
        }};
    }
    match rpc {
        "ValidateProviderConfig" => {
            let message = wire::validate_provider_config::Request::decode(request).unwrap();
            put("config", object(&schemas.provider, message.config.as_ref()));
        }
        "ConfigureProvider" => {
            let message = wire::configure_provider::Request::decode(request).unwrap();
            put("terraform_version", json!(message.terraform_version));
            put("config", object(&schemas.provider, message.config.as_ref()));
            put(
                "capabilities",
                capabilities(message.client_capabilities.as_ref()),
            );
        }
        "ValidateResourceConfig" => {
            read!(validate_resource_config {
                config,
                states: [],
                capabilities: client_capabilities
            });
        }
        "ReadResource" => {
            read!(read_resource { , states: [current_state], capabilities: client_capabilities });
        }
        "PlanResourceChange" => {
            read!(plan_resource_change {
                config,
                states: [prior_state, proposed_new_state],
                capabilities: client_capabilities
            });
        }
        "ApplyResourceChange" => {
            read!(apply_resource_change { config, states: [prior_state, planned_state], capabilities: });
        }
        "UpgradeResourceState" => {
            let message = wire::upgrade_resource_state::Request::decode(request).unwrap();
            put("type_name", json!(message.type_name));
            put("version", json!(message.version));
        }
        "ImportResourceState" => {
            let message = wire::import_resource_state::Request::decode(request).unwrap();
            put("type_name", json!(message.type_name));
            if message.identity.is_some() {
                put("identity", json!(true));
            } else {
                put("id", json!(message.id));
            }
            put(
                "capabilities",
                capabilities(message.client_capabilities.as_ref()),
            );
        }
        // All of these begin with the name of the thing.
        other if rules::kind(other).is_some() => {
            let message = wire::stop_provider::Response::decode(request).unwrap();
            put("type_name", json!(message.error));
        }
        _ => {}
    }
    if shows.is_empty() {
        Json::Null
    } else {
        Json::Object(shows)
    }
}

fn capabilities(sent: Option<&wire::ClientCapabilities>) -> Json {
    let Some(sent) = sent else {
        return json!("absent");
    };
    let named = [
        ("deferral", sent.deferral_allowed),
        ("write_only", sent.write_only_attributes_allowed),
        ("planned_private", sent.store_planned_private),
        ("computed_blocks", sent.computed_blocks_allowed),
    ];
    let names = named.iter().filter(|(_, set)| *set).map(|(name, _)| *name);
    json!(names.collect::<Vec<_>>())
}

fn object(attributes: &[Attribute], message: Option<&wire::DynamicValue>) -> Json {
    match rules::read(attributes, message) {
        Value::Null => json!("null"),
        value => readable(&value),
    }
}

/// Writes a value for a reader.
fn readable(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unknown => json!("(unknown)"),
        Value::Secret(_) => json!("(secret)"),
        Value::Bool(truth) => json!(truth),
        Value::Number(number) => json!(number.as_str()),
        Value::String(text) => json!(text),
        Value::List(elements) => elements.iter().map(readable).collect(),
        Value::Map(elements) => elements
            .iter()
            .filter(|(_, element)| !element.is_null())
            .map(|(name, element)| (name.clone(), readable(element)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Dynamic(_, inner) => readable(inner),
    }
}

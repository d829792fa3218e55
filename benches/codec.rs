//! The encodings by themselves, on a state as a refresh gets it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use terraform_provider_claude::protocol::{Attribute, Kind, Type, Value, json, msgpack};
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;

use crate::Effort;
use crate::report::{Figure, Report};
use crate::statistics::{Unit, Values};

/// Calls behind each value: a single one is too short for the clock.
const CALLS: u32 = 500;

/// Measures reading and writing.
pub(crate) fn measure(report: &mut Report, effort: Effort) {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    let service = ProviderService::new(ClaudeProvider::new(environment));
    let schema = service.types().resources["claude_oauth_token"].schema();
    let attributes = &schema.attributes;
    let state = state(attributes);
    let bytes = msgpack::encode_object(attributes, &state).expect("the state fits the schema");
    let text = stored(&state);

    let rounds = effort.pick(10, 60);
    let mut time = |name: &str, call: &dyn Fn()| {
        let mut values = Values::new(Unit::Seconds);
        for _ in 0..rounds {
            let started = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            values.push_time(started.elapsed() / CALLS);
        }
        report.add(Figure::new("rpc", name, values));
    };
    time("codec: state of a token from MessagePack", &|| {
        black_box(msgpack::decode_object(attributes, black_box(&bytes))).expect("it is one");
    });
    time("codec: state of a token to MessagePack", &|| {
        black_box(msgpack::encode_object(attributes, black_box(&state))).expect("it fits");
    });
    time("codec: state of a token from stored JSON", &|| {
        black_box(json::decode_object(attributes, black_box(text.as_bytes()))).expect("it is one");
    });
}

/// Fills every text and number of a schema; the rest is null.
fn state(attributes: &[Attribute]) -> Value {
    let mut state = Value::null_object(attributes);
    if let Value::Map(members) = &mut state {
        for attribute in attributes.iter().filter(|attribute| !attribute.is_secret()) {
            let value = match &attribute.kind {
                Kind::Plain(Type::String) => Value::from("2026-11-24T08:09:53Z and as much again"),
                Kind::Plain(Type::Bool) => Value::Bool(true),
                _ => continue,
            };
            members.insert(attribute.name.clone().into_owned(), value);
        }
    }
    state
}

/// Writes a state as a host stores it.
fn stored(state: &Value) -> String {
    let members = state.as_map().expect("a state is an object").iter();
    let members = members.map(|(name, value)| {
        let value = match value {
            Value::String(text) => serde_json::Value::from(text.as_str()),
            Value::Bool(truth) => serde_json::Value::from(*truth),
            _ => serde_json::Value::Null,
        };
        (name.clone(), value)
    });
    serde_json::Value::Object(members.collect()).to_string()
}

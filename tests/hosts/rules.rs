//! What hosts demand of every answer, as they themselves would check it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Attribute, Value, wire as codec};
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;

/// Attributes of the provider block and of each resource type.
pub(super) struct Schemas {
    pub(super) provider: Vec<Attribute>,
    resources: BTreeMap<&'static str, Vec<Attribute>>,
}

impl Schemas {
    /// Takes the schemas of this build.
    pub(super) fn new() -> Self {
        let environment = Arc::new(BTreeMap::<String, String>::new());
        let provider = ClaudeProvider::new(environment);
        let service = ProviderService::new(provider);
        let resources = service.types().resources.iter();
        Self {
            provider: service.schema().attributes.clone(),
            resources: resources
                .map(|(name, resource)| (*name, resource.schema().attributes.clone()))
                .collect(),
        }
    }

    pub(super) fn resource(&self, name: &str) -> &[Attribute] {
        &self.resources[name]
    }

    /// Reads a state or a plan, which must have every attribute and no other.
    pub(super) fn decode(&self, name: &str, message: Option<&wire::DynamicValue>) -> Value {
        read(self.resource(name), message)
    }

    /// Writes a value as hosts do.
    pub(super) fn encode(&self, name: &str, value: &Value) -> wire::DynamicValue {
        codec::encode_object(self.resource(name), value).unwrap()
    }
}

/// Everything beside resources that the provider says it has, each as `<kind> <name>`.
pub(super) fn surface(schema: &wire::get_provider_schema::Response) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |kind: &str, name: &String| names.insert(format!("{kind} {name}"));
    for name in schema.functions.keys() {
        add("function", name);
    }
    for name in schema.data_source_schemas.keys() {
        add("data", name);
    }
    for name in schema.ephemeral_resource_schemas.keys() {
        add("ephemeral", name);
    }
    for name in schema.list_resource_schemas.keys() {
        add("list", name);
    }
    for name in schema.action_schemas.keys() {
        add("action", name);
    }
    names
}

/// Names the kind of thing that a call is about, where that is no resource.
pub(super) fn kind(rpc: &str) -> Option<&'static str> {
    Some(match rpc {
        "CallFunction" => "function",
        "ValidateDataResourceConfig" | "ReadDataSource" => "data",
        "ValidateEphemeralResourceConfig"
        | "OpenEphemeralResource"
        | "RenewEphemeralResource"
        | "CloseEphemeralResource" => "ephemeral",
        "ValidateListResourceConfig" | "ListResource" => "list",
        "ValidateActionConfig" | "PlanAction" | "InvokeAction" => "action",
        _ => return None,
    })
}

/// Reads an object of a message.
#[track_caller]
pub(super) fn read(attributes: &[Attribute], message: Option<&wire::DynamicValue>) -> Value {
    codec::decode_object(message, attributes).unwrap_or_else(|error| {
        panic!(
            "{error} at {:?}: if the schema is another than when this was recorded, \
             tests/hosts.rs tells how to record anew",
            error.path
        )
    })
}

/// Demands an answer without errors.
#[track_caller]
pub(super) fn no_error(title: &str, told: &[wire::Diagnostic]) {
    let errors: Vec<_> = told
        .iter()
        .filter(|told| told.severity() != wire::diagnostic::Severity::Warning)
        .collect();
    assert!(errors.is_empty(), "{title}: {errors:#?}");
}

/// Demands a state that is there, wholly known and without write-only values.
#[track_caller]
pub(super) fn state(title: &str, attributes: &[Attribute], state: &Value) {
    assert!(!state.is_null(), "{title}: the state is gone");
    assert!(state.is_wholly_known(), "{title}: unknown in {state:?}");
    no_write_only(title, attributes, state);
}

/// Demands a plan that keeps what is configured.
#[track_caller]
pub(super) fn plan(
    title: &str,
    attributes: &[Attribute],
    (prior, config, planned): (&Value, &Value, &Value),
) {
    if config.is_null() {
        assert!(
            planned.is_null(),
            "{title}: a destruction plans {planned:?}"
        );
        return;
    }
    no_write_only(title, attributes, planned);
    for attribute in attributes.iter().filter(|attribute| !attribute.write_only) {
        let part = |value: &Value| value.get(&attribute.name).cloned().unwrap_or_default();
        let (prior, config, planned) = (part(prior), part(config), part(planned));
        let free = attribute.mode.is_computed() && config.is_null();
        let kept = planned == config || (planned == prior && !prior.is_null() && !config.is_null());
        assert!(
            free || kept || has_computed_parts(attribute),
            "{title}: {} is configured as {config:?} and planned as {planned:?}",
            attribute.name
        );
    }
}

/// Demands that an apply, or a second plan, keeps what was known in the first.
#[track_caller]
pub(super) fn keeps(title: &str, planned: &Value, then: &Value) {
    assert!(
        is_kept(planned, then),
        "{title}: planned\n{planned:#?}\nthen\n{then:#?}"
    );
}

fn is_kept(planned: &Value, then: &Value) -> bool {
    match (planned, then) {
        (Value::Unknown, _) => true,
        (Value::Map(planned), Value::Map(then)) => {
            planned.len() == then.len()
                && planned
                    .iter()
                    .all(|(name, value)| then.get(name).is_some_and(|then| is_kept(value, then)))
        }
        (Value::List(planned), Value::List(then)) => {
            planned.len() == then.len()
                && planned
                    .iter()
                    .zip(then)
                    .all(|(one, other)| is_kept(one, other))
        }
        (Value::Dynamic(_, planned), Value::Dynamic(_, then)) => is_kept(planned, then),
        _ => planned == then,
    }
}

fn no_write_only(title: &str, attributes: &[Attribute], value: &Value) {
    for attribute in attributes.iter().filter(|attribute| attribute.write_only) {
        let part = value.get(&attribute.name).unwrap();
        assert!(part.is_null(), "{title}: {} has a value", attribute.name);
    }
}

fn has_computed_parts(attribute: &Attribute) -> bool {
    use terraform_provider_claude::protocol::Kind;
    match &attribute.kind {
        Kind::Plain(_) => false,
        Kind::Nested { attributes, .. } => attributes.iter().any(|part| part.mode.is_computed()),
    }
}

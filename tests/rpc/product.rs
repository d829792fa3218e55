//! The schemas of the product itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use terraform_provider_claude::clock::SystemClock;
use terraform_provider_claude::protocol::Schema;
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::{AnyAction, AnyListResource, AnyResource, ProviderService};

use super::lint::{self, Role};

fn service() -> ProviderService<ClaudeProvider> {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    ProviderService::new(ClaudeProvider::new(environment, Arc::new(SystemClock)))
}

/// Returns the types that are looked up and not managed.
fn lookups(service: &ProviderService<ClaudeProvider>) -> Vec<(&'static str, &Schema)> {
    let data_sources = service.data_sources().values();
    let ephemeral_resources = service.ephemeral_resources().values();
    data_sources
        .map(|one| (one.type_name(), one.schema()))
        .chain(ephemeral_resources.map(|one| (one.type_name(), one.schema())))
        .collect()
}

#[test]
fn schemas_keep_the_rules_of_hosts() {
    let service = service();
    assert_eq!(lint::schema(Role::Provider, service.schema()), []);
    assert!(!service.resources().is_empty());
    for (name, resource) in service.resources() {
        assert!(name.starts_with("claude_"), "{name}");
        assert_eq!(
            lint::schema(Role::Resource, resource.schema()),
            [],
            "{name}"
        );
        assert_eq!(lint::identity(resource.identity_schema()), [], "{name}");
    }
    for (name, schema) in lookups(&service) {
        assert!(name.starts_with("claude_"), "{name}");
        assert_eq!(lint::schema(Role::Other, schema), [], "{name}");
    }
}

#[test]
fn functions_keep_the_rules_of_hosts_and_are_described() {
    let service = service();
    assert!(!service.functions().is_empty());
    for (name, function) in service.functions() {
        let signature = function.signature();
        assert_eq!(lint::function(name, signature), [], "{name}");
        assert!(!signature.summary.is_empty(), "{name}");
        assert!(!signature.description.is_empty(), "{name}");
        for parameter in &signature.parameters {
            assert!(!parameter.description.is_empty(), "{}", parameter.name);
        }
    }
}

#[test]
fn lists_and_actions_keep_the_rules_of_hosts() {
    let service = service();
    for (name, list) in service.list_resources() {
        assert!(service.resources().contains_key(name), "{name}");
        assert_eq!(lint::schema(Role::Other, list.schema()), [], "{name}");
    }
    for (name, action) in service.actions() {
        assert!(name.starts_with("claude_"), "{name}");
        assert_eq!(lint::schema(Role::Other, action.schema()), [], "{name}");
    }
}

#[test]
fn everything_has_a_description() {
    let service = service();
    let schemas = service.resources().values().map(AnyResource::schema);
    let lookups = lookups(&service);
    let lookups = lookups.iter().map(|(_, schema)| *schema);
    let lists = service
        .list_resources()
        .values()
        .map(AnyListResource::schema);
    let actions = service.actions().values().map(AnyAction::schema);
    let schemas = schemas.chain(lookups).chain(lists).chain(actions);
    for schema in schemas.chain([service.schema()]) {
        assert!(!schema.description.is_empty());
        for attribute in &schema.attributes {
            assert!(!attribute.description.is_empty(), "{}", attribute.name);
        }
    }
}

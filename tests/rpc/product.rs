//! The schemas of the product itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use terraform_provider_claude::protocol::Schema;
use terraform_provider_claude::provider::{ClaudeProvider, Configured};
use terraform_provider_claude::sdk::{ProviderService, Registry};

use super::lint::{self, Role};

fn service() -> ProviderService<ClaudeProvider> {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    ProviderService::new(ClaudeProvider::new(environment))
}

/// Returns every schema but those of managed resources, by the name of its type.
fn schemas(types: &Registry<Configured>) -> Vec<(&'static str, &Schema)> {
    let lookups = types.data_sources.iter().chain(&*types.ephemeral_resources);
    let lookups = lookups.map(|(name, one)| (*name, one.schema()));
    let lists = types.list_resources.iter();
    let lists = lists.map(|(name, one)| (*name, one.schema()));
    let actions = types.actions.iter();
    let actions = actions.map(|(name, one)| (*name, one.schema()));
    lookups.chain(lists).chain(actions).collect()
}

#[test]
fn schemas_keep_the_rules_of_hosts() {
    let service = service();
    let types = service.types();
    assert_eq!(lint::schema(Role::Provider, service.schema()), []);
    assert!(!types.resources.is_empty());
    for (name, resource) in types.resources.iter() {
        assert!(name.starts_with("claude_"), "{name}");
        let found = lint::schema(Role::Resource, resource.schema());
        assert_eq!(found, [], "{name}");
        assert_eq!(lint::identity(&resource.identity()), [], "{name}");
    }
    for (name, schema) in schemas(types) {
        assert!(name.starts_with("claude_"), "{name}");
        assert_eq!(lint::schema(Role::Other, schema), [], "{name}");
    }
    for name in types.list_resources.keys() {
        assert!(types.resources.contains_key(name), "{name}");
    }
}

#[test]
fn functions_keep_the_rules_of_hosts_and_are_described() {
    let service = service();
    assert!(!service.types().functions.is_empty());
    for (name, function) in service.types().functions.iter() {
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
fn everything_has_a_description() {
    let service = service();
    let resources = service.types().resources.values();
    let resources = resources.map(|resource| resource.schema());
    let others = schemas(service.types());
    let others = others.iter().map(|(_, schema)| *schema);
    for schema in resources.chain(others).chain([service.schema()]) {
        assert!(!schema.description.is_empty());
        for attribute in &schema.attributes {
            assert!(!attribute.description.is_empty(), "{}", attribute.name);
        }
    }
}

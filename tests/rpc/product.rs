//! The schemas of the product itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use terraform_provider_claude::clock::SystemClock;
use terraform_provider_claude::protocol::lint::{self, Role};
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::{AnyResource, ProviderService};

fn service() -> ProviderService<ClaudeProvider> {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    ProviderService::new(ClaudeProvider::new(environment, Arc::new(SystemClock)))
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
}

#[test]
fn everything_has_a_description() {
    let service = service();
    let schemas = service.resources().values().map(AnyResource::schema);
    for schema in schemas.chain([service.schema()]) {
        assert!(!schema.description.is_empty());
        for attribute in &schema.attributes {
            assert!(!attribute.description.is_empty(), "{}", attribute.name);
        }
    }
}

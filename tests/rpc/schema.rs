//! What the provider says of itself, and what it does not answer.

use std::collections::BTreeSet;

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use super::host::Host;
use super::lint::{self, Role};
use super::thing::{Script, TYPE_NAME};
use super::wide::GROWN;

fn capabilities() -> Option<wire::ServerCapabilities> {
    Some(wire::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        generate_resource_config: true,
        ..Default::default()
    })
}

#[tokio::test]
async fn schemas_keep_the_rules_of_hosts() {
    let host = Host::new(Script::default());
    assert_eq!(lint::schema(Role::Provider, host.service.schema()), []);
    for resource in host.service.types().resources.values() {
        assert_eq!(lint::schema(Role::Resource, resource.schema()), []);
        assert_eq!(lint::identity(&resource.identity()), []);
    }
}

#[tokio::test]
async fn schemas_are_told_whole() {
    let mut host = Host::new(Script::default());
    let request = wire::get_provider_schema::Request {};
    let answer = host.client.get_provider_schema(request).await.unwrap();
    let answer = answer.into_inner();
    assert_eq!(answer.diagnostics, []);
    assert_eq!(answer.server_capabilities, capabilities());
    assert_eq!(answer.provider_meta, None);
    assert_eq!(answer.provider, Some(host.service.schema().into()));
    assert!(answer.provider.unwrap().block.is_some());
    let names: BTreeSet<_> = answer.resource_schemas.keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from([GROWN, TYPE_NAME]));
    let block = answer.resource_schemas[TYPE_NAME].block.as_ref().unwrap();
    let find = |name: &str| {
        let mut attributes = block.attributes.iter();
        attributes.find(|one| one.name == name).unwrap()
    };
    assert_eq!(block.attributes.len(), 11);
    assert!(find("id").computed && !find("id").optional && !find("id").required);
    assert!(find("size").computed && find("size").optional);
    assert!(find("name").required && !find("name").computed);
    assert!(find("token_wo").write_only && find("password").sensitive);
    assert!(find("parts").nested_type.is_some() && find("parts").r#type.is_empty());
    assert_eq!(find("labels").r#type, br#"["map","string"]"#);
}

#[tokio::test]
async fn identity_schemas_are_told() {
    let mut host = Host::new(Script::default());
    let request = wire::get_resource_identity_schemas::Request {};
    let answer = host.client.get_resource_identity_schemas(request).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    let schema = &answer.identity_schemas[TYPE_NAME];
    assert_eq!(schema.version, 0);
    let told: Vec<_> = schema
        .identity_attributes
        .iter()
        .map(|one| {
            let name = one.name.as_str();
            (name, one.required_for_import, one.optional_for_import)
        })
        .collect();
    assert_eq!(told, [("id", true, false), ("region", false, true)]);
}

#[tokio::test]
async fn metadata_names_the_resource_types() {
    let mut host = Host::new(Script::default());
    let request = wire::get_metadata::Request {};
    let answer = host
        .client
        .get_metadata(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answer.server_capabilities, capabilities());
    assert_eq!(answer.diagnostics, []);
    let names: Vec<_> = answer.resources.iter().map(|one| &one.type_name).collect();
    assert_eq!(names, [GROWN, TYPE_NAME]);
}

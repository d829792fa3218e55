//! Pages of list resources and actions.

use std::path::PathBuf;

use terraform_provider_claude::protocol::Schema;
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;

use super::super::{files, relative, root};
use super::example;
use super::page::Page;

/// Folders below `docs` and `examples`.
pub(super) const FOLDERS: [&str; 2] = ["actions", "list-resources"];

/// A type that is neither managed nor looked up.
struct Type<'a> {
    folder: &'static str,
    title: &'static str,
    /// File of its example.
    example: &'static str,
    name: &'static str,
    schema: &'a Schema,
}

fn types(service: &ProviderService<ClaudeProvider>) -> Vec<Type<'_>> {
    let actions = service.types().actions.iter().map(|(name, one)| Type {
        folder: FOLDERS[0],
        title: "Action",
        example: "action.tf",
        name,
        schema: one.schema(),
    });
    let lists = service
        .types()
        .list_resources
        .iter()
        .map(|(name, one)| Type {
            folder: FOLDERS[1],
            title: "List Resource",
            example: "list-resource.tfquery.hcl",
            name,
            schema: one.schema(),
        });
    actions.chain(lists).collect()
}

/// Makes the pages: each one's path below `docs`, and its text.
pub(super) fn pages(service: &ProviderService<ClaudeProvider>) -> Vec<(PathBuf, String)> {
    types(service)
        .into_iter()
        .map(|one| {
            let name = one.name;
            let page = Page {
                title: format!("{name} {} - claude", one.title),
                heading: format!("{name} ({})", one.title),
                schema: one.schema,
                example: example(&format!("{}/{name}/{}", one.folder, one.example)),
                import: None,
                end: String::new(),
            };
            let file = name.strip_prefix("claude_").unwrap_or(name);
            (format!("{}/{file}.md", one.folder).into(), page.text())
        })
        .collect()
}

#[test]
fn every_example_belongs_to_a_registered_type() {
    let service = super::service();
    let types = types(&service);
    for folder in FOLDERS {
        for path in files(&root().join("examples").join(folder)) {
            let below = path.parent().and_then(|folder| folder.file_name()).unwrap();
            let is_registered = types
                .iter()
                .any(|one| one.folder == folder && *one.name == *below);
            assert!(is_registered, "{}", relative(&path));
        }
    }
}

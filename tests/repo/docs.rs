//! The pages of a registry follow from schemas and examples. They are made anew here and compared.

mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use terraform_provider_claude::clock::SystemClock;
use terraform_provider_claude::env;
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;

use super::generated::{UPDATE, wants_update};
use super::{files, read, relative, root};
use page::{Import, Page};

/// Files that a registry looks for beside the example of a resource.
const IMPORTS: [&str; 3] = [
    "import.sh",
    "import-by-string-id.tf",
    "import-by-identity.tf",
];

/// Folders that a registry takes below `docs`; any other fails its checks.
const FOLDERS: [&str; 2] = ["guides", "resources"];

/// Bytes of the largest page that a registry takes.
const LARGEST: usize = 500_000;

/// What follows on the provider's page.
const GUIDES: &str = "\n## Guides\n\n\
    - [Rotation](guides/rotation.md): what a due plan looks like, what a promotion does, and the \
    runbooks.\n\
    - [Vault policies](guides/vault-policies.md): for planning, for promoting, and for people who \
    store tokens.\n";

/// Beginnings of the names of variables that a user may set; the others are the host's.
const VARIABLES: [&str; 4] = ["BAO_", "TF_CLAUDE_", "TF_LOG_PROVIDER_CLAUDE", "VAULT_"];

fn service() -> ProviderService<ClaudeProvider> {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    ProviderService::new(ClaudeProvider::new(environment, Arc::new(SystemClock)))
}

/// Returns the text of an example.
#[track_caller]
fn example(name: &str) -> String {
    let path = root().join("examples").join(name);
    assert!(path.is_file(), "{} is missing", relative(&path));
    read(&path)
}

/// Writes the section about environment variables.
fn variables() -> String {
    let mut text = "\n## Environment\n\nArguments come before variables.\n\n".to_owned();
    for (name, meaning) in env::ALL {
        if VARIABLES.iter().any(|start| name.starts_with(start)) {
            text += &format!("- `{name}`: {}\n", meaning.trim());
        }
    }
    text
}

/// Makes every generated page: its path below `docs`, and its text.
fn pages() -> BTreeMap<PathBuf, String> {
    let service = service();
    let index = Page {
        title: "claude Provider".to_owned(),
        heading: "claude Provider".to_owned(),
        schema: service.schema(),
        example: example("provider/provider.tf"),
        import: None,
        end: variables() + GUIDES,
    };
    let mut pages = BTreeMap::from([(PathBuf::from("index.md"), index.text())]);
    for (name, resource) in service.resources() {
        let [command, by_id, by_identity] =
            IMPORTS.map(|file| example(&format!("resources/{name}/{file}")));
        let page = Page {
            title: format!("{name} Resource - claude"),
            heading: format!("{name} (Resource)"),
            schema: resource.schema(),
            example: example(&format!("resources/{name}/resource.tf")),
            import: Some(Import {
                command,
                by_id,
                by_identity,
                identity: resource.identity_schema(),
            }),
            end: String::new(),
        };
        let file = name.strip_prefix("claude_").unwrap_or(name);
        pages.insert(format!("resources/{file}.md").into(), page.text());
    }
    pages
}

#[test]
fn pages_are_current() {
    let folder = root().join("docs");
    for (name, fresh) in pages() {
        let path = folder.join(name);
        if wants_update() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, fresh).unwrap();
        } else {
            let kept = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                kept == fresh,
                "{} does not follow from schemas and examples: run `{UPDATE}=1 cargo test --test \
                 main repo::docs`",
                relative(&path)
            );
        }
    }
}

#[test]
fn nothing_else_is_below_docs() {
    let pages = pages();
    for path in files(&root().join("docs")) {
        let name = path.strip_prefix(root().join("docs")).unwrap().to_owned();
        let folder = name.parent().and_then(|folder| folder.to_str()).unwrap();
        assert!(
            pages.contains_key(&name)
                || (folder == "guides" && name.extension() == Some("md".as_ref())),
            "{} belongs to no registered type",
            relative(&path)
        );
        assert!(folder.is_empty() || FOLDERS.contains(&folder), "{folder}");
        let text = read(&path);
        assert!(text.len() < LARGEST, "{} is too long", relative(&path));
        assert!(
            text.starts_with("---\npage_title: \"") && text.contains("\nsubcategory: \""),
            "{} has no front matter",
            relative(&path)
        );
    }
}

#[test]
fn every_example_belongs_to_a_registered_type() {
    let service = service();
    for path in files(&root().join("examples/resources")) {
        let folder = path.parent().and_then(|folder| folder.file_name()).unwrap();
        let name = folder.to_str().unwrap();
        assert!(
            service.resources().contains_key(name),
            "{}",
            relative(&path)
        );
    }
}

/// Defaults are told in one sentence, which the pages show by itself.
#[test]
fn every_default_is_told() {
    let service = service();
    for (name, resource) in service.resources() {
        for attribute in &resource.schema().attributes {
            let told = page::default(&attribute.description).1.is_some();
            let has_default = attribute.mode.is_computed() && attribute.mode.is_configurable();
            assert_eq!(told, has_default, "{name}.{}", attribute.name);
        }
    }
}

/// Links between our own texts lead somewhere.
#[test]
fn links_lead_to_files() {
    let mut wrong = Vec::new();
    let texts = files(root())
        .into_iter()
        .filter(|path| path.extension() == Some("md".as_ref()));
    for path in texts {
        for link in links(&read(&path)) {
            let file = link.split('#').next().unwrap_or_default();
            let is_elsewhere = file.is_empty() || file.contains("://");
            if !is_elsewhere && !path.parent().unwrap().join(file).exists() {
                wrong.push(format!("{}: {link}", relative(&path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the targets of the links in a Markdown text.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
        .collect()
}

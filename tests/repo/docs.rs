//! The pages of a registry follow from schemas and examples. They are made anew here and compared.

mod function;
mod page;
mod registry;
mod surface;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use terraform_provider_claude::env;
use terraform_provider_claude::protocol::Schema;
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;

use super::{UPDATE, files, read, relative, root, wants_update};
use page::{Import, Page};

/// Files that a registry looks for beside the example of a resource.
const IMPORTS: [&str; 3] = [
    "import.sh",
    "import-by-string-id.tf",
    "import-by-identity.tf",
];

/// Folders that a registry takes below `docs`; any other fails its checks.
const FOLDERS: [&str; 5] = [
    "data-sources",
    "ephemeral-resources",
    "functions",
    "guides",
    "resources",
];

/// Bytes of the largest page that a registry takes.
const LARGEST: usize = 500_000;

/// What follows on the provider's page.
const GUIDES: &str = "\n## Guides\n\n\
    - [Adopt an existing deployment](guides/adoption.md): track the tokens that are in Vault \
    already, without changing anything for the pods.\n\
    - [Rotate a token](guides/rotation.md): runbooks for each status, and what a promotion does.\n\
    - [Rotate a leaked token](guides/leaked-token.md): replace, restart, revoke, refill.\n\
    - [Deliver a token to pods](guides/pods.md): what an ExternalSecret needs, and how pods get a \
    new token.\n\
    - [Monitoring](guides/monitoring.md): a nightly plan, metrics, and dates in Vault's metadata.\n\
    - [Vault policies](guides/vault-policies.md): a policy for each task.\n\
    - [Command line](guides/command-line.md): install the provider, store a token, and list \
    tokens.\n\
    - [Troubleshooting](guides/troubleshooting.md): common errors and how to fix them.\n\
    - [With Terragrunt](guides/terragrunt.md): caches, stacks, logs, and retries.\n\
    - [Supported versions](guides/opentofu.md): what works with which version of Terraform and \
    OpenTofu, and how to deliver the provider.\n";

/// Beginnings of the names of variables that a user may set; the others are the host's.
const VARIABLES: [&str; 4] = ["BAO_", "TF_CLAUDE_", "TF_LOG_PROVIDER_CLAUDE", "VAULT_"];

fn service() -> ProviderService<ClaudeProvider> {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    ProviderService::new(ClaudeProvider::new(environment))
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
    let mut text =
        "\n## Environment\n\nAn argument takes precedence over a variable.\n\n".to_owned();
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
    // `tfplugindocs validate` refuses a subcategory on this page.
    let index = index.text().replacen("subcategory: \"\"\n", "", 1);
    let mut pages = BTreeMap::from([(PathBuf::from("index.md"), index)]);
    for (name, resource) in service.types().resources.iter() {
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
                identity: resource.identity(),
            }),
            end: String::new(),
        };
        let file = name.strip_prefix("claude_").unwrap_or(name);
        pages.insert(format!("resources/{file}.md").into(), page.text());
    }
    for (name, function) in service.types().functions.iter() {
        let example = example(&format!("functions/{name}/function.tf"));
        let text = function::page(name, function.signature(), &example);
        pages.insert(format!("functions/{name}.md").into(), text);
    }
    for lookup in lookups(&service) {
        let Lookup { folder, name, .. } = lookup;
        let kind = &folder[..folder.len() - 1];
        let page = Page {
            title: format!("{name} {} - claude", lookup.title),
            heading: format!("{name} ({})", lookup.title),
            schema: lookup.schema,
            example: example(&format!("{folder}/{name}/{kind}.tf")),
            import: None,
            end: String::new(),
        };
        let file = name.strip_prefix("claude_").unwrap_or(name);
        pages.insert(format!("{folder}/{file}.md").into(), page.text());
    }
    pages.extend(surface::pages(&service));
    pages
}

/// A type that is looked up and not managed.
struct Lookup<'a> {
    folder: &'static str,
    title: &'static str,
    name: &'static str,
    schema: &'a Schema,
}

fn lookups(service: &ProviderService<ClaudeProvider>) -> Vec<Lookup<'_>> {
    let data_sources = service
        .types()
        .data_sources
        .iter()
        .map(|(name, one)| Lookup {
            folder: "data-sources",
            title: "Data Source",
            name,
            schema: one.schema(),
        });
    let ephemeral_resources = service
        .types()
        .ephemeral_resources
        .iter()
        .map(|(name, one)| Lookup {
            folder: "ephemeral-resources",
            title: "Ephemeral Resource",
            name,
            schema: one.schema(),
        });
    data_sources.chain(ephemeral_resources).collect()
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
                || (folder == "guides" && name.extension() == Some("md".as_ref()))
                || (folder == "pictures" && name.extension() == Some("svg".as_ref())),
            "{} belongs to no registered type",
            relative(&path)
        );
        if folder == "pictures" {
            continue;
        }
        assert!(
            folder.is_empty() || FOLDERS.contains(&folder) || surface::FOLDERS.contains(&folder),
            "{folder}"
        );
        let text = read(&path);
        assert!(text.len() < LARGEST, "{} is too long", relative(&path));
        assert!(
            text.starts_with("---\npage_title: \"")
                && text.contains("\nsubcategory: \"") != path.ends_with("docs/index.md"),
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
            service.types().resources.contains_key(name),
            "{}",
            relative(&path)
        );
    }
    let lookups = lookups(&service);
    for folder in ["data-sources", "ephemeral-resources"] {
        for path in files(&root().join("examples").join(folder)) {
            let name = path.parent().and_then(|folder| folder.file_name()).unwrap();
            let mut lookups = lookups.iter();
            assert!(
                lookups.any(|lookup| lookup.folder == folder && *lookup.name == *name),
                "{}",
                relative(&path)
            );
        }
    }
}

#[test]
fn every_example_of_a_function_belongs_to_one() {
    let service = service();
    for path in files(&root().join("examples/functions")) {
        let folder = path.parent().and_then(|folder| folder.file_name()).unwrap();
        let name = folder.to_str().unwrap();
        assert!(service.types().functions.contains_key(name), "{name}");
        assert_eq!(path.file_name().unwrap(), "function.tf");
    }
}

/// Defaults are told in one sentence, which the pages show by itself.
#[test]
fn every_default_is_told() {
    let service = service();
    let resources = service.types().resources.iter();
    let resources = resources.map(|(name, resource)| (*name, resource.schema()));
    let lookups = lookups(&service);
    let lookups = lookups.iter().map(|lookup| (lookup.name, lookup.schema));
    for (name, schema) in resources.chain(lookups) {
        for attribute in &schema.attributes {
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
            // A registry shows these pages alone.
            let leaves = path.starts_with(root().join("docs")) && file.starts_with("../../");
            assert!(!leaves, "{}: {link} leads out of docs", relative(&path));
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

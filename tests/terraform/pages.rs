//! Every block of code in the Markdown of this repository does what the page says of it.
//!
//! All configuration becomes the modules of one stack, which is planned, applied and planned again.
//! What a block refers to without declaring it comes from the blocks before it on its page, then
//! from the stack of the guides.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::stack::{FIELD, PRIMARY, SPARES, Stack};
use crate::support::hcl::{self, Block};
use crate::support::leave_out;
use crate::support::markdown::{self, Code};
use crate::support::process;
use crate::support::secrets::{LeakSearch, token};
use crate::support::terraform::{Capabilities, HEADER};

/// The stack that the guides tell about.
const GUIDED: &str = "examples/stacks/claude-tokens/main.tf";

/// The variables of pages that name a value for a write-only argument.
const NEW: [(&str, &str); 1] = [("new_token", "new token of a page")];

/// What each language is checked by; a block in another language is checked by nothing.
const LANGUAGES: [&str; 10] = [
    "console",
    // Run where the command line is tested.
    "dockerfile",
    "hcl",
    "json",
    // Drawn by code forges.
    "mermaid",
    "shell",
    "sh",
    "terraform",
    "text",
    "yaml",
];

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Returns the blocks of code of each page.
fn pages() -> Vec<Vec<Code>> {
    let pages = markdown::pages().into_iter();
    pages
        .map(|(name, path)| markdown::codes(&name, &fs::read_to_string(path).unwrap()))
        .collect()
}

/// What a block in HCL is.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Configuration,
    Policy,
    Query,
    Settings,
    Terragrunt,
}

fn kind(code: &Code) -> Option<Kind> {
    if !["hcl", "terraform"].contains(&code.language.as_str()) {
        return None;
    }
    let blocks = hcl::blocks(&code.text);
    Some(match blocks[0].kind.as_str() {
        "path" => Kind::Policy,
        "list" => Kind::Query,
        "before_hook" | "errors" | "generate" | "include" | "remote_state" => Kind::Terragrunt,
        "provider_installation" => Kind::Settings,
        _ => Kind::Configuration,
    })
}

/// One stack that is made of pages.
struct Modules {
    root: String,
    /// The folder and the text of each.
    files: Vec<(String, String)>,
}

impl Modules {
    fn of(pages: &[Vec<Code>], able: &Capabilities) -> Self {
        let guided = hcl::blocks(&file(GUIDED));
        let mut modules = Self {
            root: HEADER.to_owned(),
            files: Vec::new(),
        };
        for (name, _) in NEW {
            let _ = writeln!(
                modules.root,
                "variable \"{name}\" {{\n  type = string\n  ephemeral = true\n  default = null\n}}"
            );
        }
        for page in pages {
            let mut before = guided.clone();
            for code in page {
                if kind(code) == Some(Kind::Configuration) {
                    let blocks = hcl::blocks(&code.text);
                    match lacks(&blocks, able) {
                        Some(what) => leave_out(&format!("{}: no {what} here", code.place)),
                        None => modules.add(code, &blocks, &before),
                    }
                    before.extend(blocks);
                }
            }
        }
        modules
    }

    /// Adds the module of one block of code, and its imports to the root, where alone they may be.
    fn add(&mut self, code: &Code, blocks: &[Block], before: &[Block]) {
        let name = code.place.replace(['/', '.', ':'], "_");
        let (imports, mut own): (Vec<_>, Vec<_>) = blocks
            .iter()
            .cloned()
            .partition(|block| block.kind == "import");
        let mut declared: BTreeSet<String> = own.iter().flat_map(Block::addresses).collect();
        let mut index = 0;
        // What is taken from before may refer to something else in turn.
        let mut wanting: Vec<Block> = blocks.to_vec();
        while let Some(block) = wanting.get(index).cloned() {
            for earlier in before.iter().rev() {
                let addresses = earlier.addresses();
                let is_wanted = addresses.iter().any(|address| block.refers_to(address));
                if is_wanted && !addresses.iter().any(|address| declared.contains(address)) {
                    declared.extend(addresses);
                    own.push(earlier.clone());
                    wanting.push(earlier.clone());
                }
            }
            index += 1;
        }
        let mut text = hcl::with_stand_ins(&own);
        if !text.contains("required_providers") {
            text.insert_str(0, HEADER);
        }
        let _ = writeln!(self.root, "module \"{name}\" {{\n  source = \"./{name}\"");
        for (variable, _) in NEW {
            if declared.contains(&format!("var.{variable}")) {
                let _ = writeln!(self.root, "  {variable} = var.{variable}");
            }
        }
        self.root += "}\n";
        for import in imports {
            let import = import.text();
            let import = import.replacen("= claude_", &format!("= module.{name}.claude_"), 1);
            self.root += &import;
        }
        self.files.push((name, text));
    }
}

/// Returns what a command line would have to know for these blocks, where it does not.
fn lacks(blocks: &[Block], able: &Capabilities) -> Option<&'static str> {
    let has = |kind: &str| blocks.iter().any(|block| block.kind == kind);
    let by_identity = |block: &Block| block.kind == "import" && block.text().contains("identity");
    if has("action") && !able.actions {
        Some("actions")
    } else if has("ephemeral") && !able.ephemeral_resources {
        Some("ephemeral resources")
    } else if blocks.iter().any(by_identity) && !able.import_by_identity {
        Some("import by identity")
    } else {
        None
    }
}

#[tokio::test]
async fn configuration_is_applied_and_then_plans_empty() {
    let mut stack = Stack::start("pages").await;
    let in_folder = json!({ FIELD: token("in a folder") });
    stack.put("team/agent", in_folder).await;
    let modules = Modules::of(&pages(), &stack.workspace.capabilities());
    assert!(modules.files.len() >= 20, "{} blocks", modules.files.len());
    for (name, text) in &modules.files {
        fs::create_dir(stack.workspace.folder().join(name)).unwrap();
        stack.workspace.write(&format!("{name}/main.tf"), text);
    }
    stack.workspace.write("main.tf", &modules.root);
    stack.workspace.run(["get"]).exits(0);
    let mut search = LeakSearch::new();
    for seed in ["primary", SPARES[0], SPARES[1]] {
        search.plant(seed, &token(seed));
    }
    for (name, seed) in NEW {
        search.plant(name, &token(seed));
        stack.workspace.set(&format!("TF_VAR_{name}"), token(seed));
    }
    // One at a time: several blocks store the same token.
    let apply = ["apply", "-auto-approve", "-parallelism=1"];
    stack.workspace.run(apply).exits(0).search(&mut search);
    let mut plan = stack.workspace.command(["plan", "-detailed-exitcode"]);
    for (name, _) in NEW {
        plan = plan.without(&format!("TF_VAR_{name}"));
    }
    plan.run().changes_nothing().search(&mut search);
    stack.workspace.search(&mut search);
    search.assert_clean();
}

#[tokio::test]
async fn policies_queries_and_settings_are_taken() {
    let stack = Stack::start("policies").await;
    let can_query = stack.workspace.capabilities().query;
    stack.workspace.configure("provider \"claude\" {}\n");
    let in_folder = json!({ FIELD: token("in a folder") });
    stack.put("team/agent", in_folder).await;
    let mut count = 0;
    for code in pages().iter().flatten() {
        match kind(code) {
            Some(Kind::Policy) => {
                stack.bao.policy("of-a-page", &code.text).await;
                count += 1;
            }
            Some(Kind::Query) if can_query => {
                stack.workspace.write("main.tfquery.hcl", &code.text);
                let found = stack.workspace.run(["query"]);
                found.exits(0);
                let is_found = [PRIMARY, "team/agent"].map(|path| found.stdout.contains(path));
                assert_ne!(is_found, [false; 2], "{}", found.transcript());
            }
            Some(Kind::Settings) => {
                let file = stack.workspace.folder().join("settings.tfrc");
                fs::write(&file, &code.text).unwrap();
                let version = stack.workspace.command(["version"]);
                let version = version.env("TF_CLI_CONFIG_FILE", file.display().to_string());
                version.run().exits(0).omits("CLI configuration");
            }
            Some(Kind::Query) => leave_out(&format!("{}: no queries here", code.place)),
            _ => {}
        }
    }
    assert!(count > 3, "{count} policies");
}

#[test]
fn shell_and_yaml_are_well_formed() {
    let mut wrong = Vec::new();
    let mut yaml = Vec::new();
    for code in pages().iter().flatten() {
        assert!(
            LANGUAGES.contains(&code.language.as_str()),
            "{}: nothing checks {:?}",
            code.place,
            code.language
        );
        let script = match code.language.as_str() {
            "console" => code.commands(),
            "sh" | "shell" => code.text.clone(),
            "yaml" => {
                yaml.push(code.clone());
                continue;
            }
            _ => continue,
        };
        let checked = run(Command::new("bash").arg("-n"), &script);
        if let Err(why) = checked {
            wrong.push(format!("{}: {why}", code.place));
        }
    }
    let parse = "import sys, yaml\nlist(yaml.safe_load_all(sys.stdin))";
    if run(Command::new("python3").args(["-c", "import yaml"]), "").is_err() {
        leave_out(&format!("{} blocks of YAML: no parser here", yaml.len()));
        yaml.clear();
    }
    for code in yaml {
        if let Err(why) = run(Command::new("python3").args(["-c", parse]), &code.text) {
            wrong.push(format!("{}: {why}", code.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs a program and returns what it says where it fails.
fn run(command: &mut Command, input: &str) -> Result<(), String> {
    let finished = process::run(command, input.as_bytes(), Duration::from_secs(30));
    let finished = finished.unwrap();
    if finished.status.success() {
        Ok(())
    } else {
        Err(finished.stderr)
    }
}

#[test]
fn what_terragrunt_reads_is_quoted_from_the_stacks() {
    let stacks = [
        "stacks/claude.hcl",
        "stacks/root.hcl",
        "stacks/agent/terragrunt.hcl",
        "terragrunt/root.hcl",
        "terragrunt/units/claude-tokens/terragrunt.hcl",
    ];
    let stacks = stacks.map(|name| file(&format!("examples/{name}")));
    for code in pages().iter().flatten() {
        if kind(code) == Some(Kind::Terragrunt) {
            let is_quoted = stacks.iter().any(|text| text.contains(&code.text));
            assert!(is_quoted, "{} is in no stack", code.place);
        }
    }
}

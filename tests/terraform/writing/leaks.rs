//! No token, old or new, and no field beside one is in anything that was written.

use serde_json::json;

use super::super::stack::{FIELD, PRIMARY, SPARES, Stack, stamp};
use super::{BOTH, agent, ago};
use crate::support::lacks;
use crate::support::openbao::OpenBao;
use crate::support::secrets::{LeakSearch, letters, malformed, token};
use crate::support::terraform::Run;

/// A deployment, what to look for, and all that was said.
struct Stage {
    stack: Stack,
    search: LeakSearch,
    runs: Vec<Run>,
}

impl Stage {
    async fn set(name: &str, age: i64) -> Self {
        let mut stack = Stack::empty(name).await;
        stack.workspace.trace();
        let mut stage = Self {
            stack,
            search: LeakSearch::new(),
            runs: Vec::new(),
        };
        for path in [PRIMARY, SPARES[0], SPARES[1]] {
            stage.put(path, &token(path)).await;
        }
        let old = stamp(&token(PRIMARY), ago(age));
        stage.stack.set_metadata(PRIMARY, old).await;
        stage
    }

    /// Stores a value with fields beside it, and looks for all of them from now on.
    async fn put(&mut self, path: &str, value: &str) {
        let sibling = letters(&format!("sibling of {path}"), 40);
        self.search.plant(&format!("value of {path}"), value);
        self.search.plant(&format!("sibling of {path}"), &sibling);
        let fields = json!({ FIELD: value, "nested": { "list": [sibling] } });
        self.stack.put(path, fields).await;
    }

    /// Gives the configuration a token by an ephemeral variable, as a person would.
    fn give(&mut self, label: &str, value: &str) {
        self.search.plant(label, value);
        self.stack.workspace.set("TF_VAR_token", value);
    }

    fn run(&mut self, arguments: &[&str], code: i32) {
        let run = self.stack.workspace.run(arguments.iter().copied());
        run.exits(code);
        self.runs.push(run);
    }

    /// Plans, shows the plan, and applies it.
    fn carry_out(&mut self, code: i32) {
        self.run(&["plan", "-out", "saved.tfplan"], 0);
        self.run(&["show", "saved.tfplan"], 0);
        self.run(&["show", "-json", "saved.tfplan"], 0);
        self.run(&["apply", "saved.tfplan"], code);
    }

    fn strike(mut self) {
        self.run(&["show", "-json"], 0);
        let wrote = |run: &Run| {
            let log = run.log.as_deref().unwrap_or_default();
            log.contains("secret/metadata/") || log.contains("secret/data/")
        };
        assert!(self.runs.iter().any(wrote), "the provider logged nothing");
        for run in &self.runs {
            run.search(&mut self.search);
        }
        self.stack.workspace.search(&mut self.search);
        self.search.assert_clean();
    }
}

const VARIABLE: &str =
    "variable \"token\" {\n  type      = string\n  default   = null\n  ephemeral = true\n}\n";
const STORED: &str = "  token_wo         = var.token\n";

#[tokio::test]
async fn stores_and_promotions_leak_nothing() {
    let mut stage = Stage::set("leak-write", 340).await;
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    let pool = format!(
        "resource \"claude_token_spare_pool\" \"agent\" {{\n  paths = [{:?}, \"fresh\"]\n  \
         primary_path = {PRIMARY:?}\n  tokens_wo = {{ \"fresh\" = var.token }}\n  \
         tokens_wo_version = 1\n  min_available = 0\n}}\n",
        SPARES[1]
    );
    stage.give("fresh spare", &format!("{}\n", token("fresh")));
    stage
        .stack
        .write(&format!("{VARIABLE}{}{pool}", agent(BOTH)));
    stage.carry_out(0);
    // Due: a spare is promoted.
    stage.carry_out(0);
    assert_eq!(
        stage.stack.attributes(super::super::stack::AGENT)["rotated_from"]
            .as_str()
            .map(str::len),
        Some(SPARES[0].len())
    );
    stage.give("next token", &token("next"));
    let stored = format!("{BOTH}{STORED}  token_wo_version = 1\n");
    stage.stack.write(&format!("{VARIABLE}{}", agent(&stored)));
    stage.carry_out(0);
    stage.strike();
}

#[tokio::test]
async fn failures_leak_nothing() {
    let mut stage = Stage::set("leak-fail", 340).await;
    if lacks("write-only arguments", |host| host.write_only) {
        return;
    }
    stage.stack.write(&format!("{VARIABLE}{}", agent(BOTH)));
    stage.carry_out(0);

    // No right to write: a promotion, then a store.
    let read = r#"
path "secret/data/*" { capabilities = ["read"] }
path "secret/metadata/*" { capabilities = ["patch"] }
"#;
    let user = stage.stack.bao.token(read).await;
    stage.stack.workspace.set("VAULT_TOKEN", user);
    stage.carry_out(0);
    stage.give("refused token", &token("refused"));
    let stored = |version: u32| {
        format!(
            "{VARIABLE}{}",
            agent(&format!("{BOTH}{STORED}  token_wo_version = {version}\n"))
        )
    };
    stage.stack.write(&stored(1));
    stage.carry_out(1);
    stage.stack.workspace.set("VAULT_TOKEN", OpenBao::ROOT);

    // Another token there, values that are none, a secret that is gone.
    stage.run(&["plan", "-out", "saved.tfplan"], 0);
    stage.put(PRIMARY, &token("by hand")).await;
    stage.run(&["apply", "saved.tfplan"], 1);
    for (kind, value) in malformed("given") {
        if kind == "one character lost" || kind == "credentials JSON" {
            stage.give(kind, &value);
            stage.search.plant_digest(kind, &value);
            stage.run(&["apply", "-auto-approve"], 1);
        }
    }
    let requested = format!("{BOTH}  rotate_when_changed = {{ leak = \"1\" }}\n");
    stage
        .stack
        .write(&format!("{VARIABLE}{}", agent(&requested)));
    stage.run(&["plan", "-out", "saved.tfplan"], 0);
    let weak = letters("weak", 50);
    stage.put(PRIMARY, &weak).await;
    stage.search.plant_digest("weak", &weak);
    for path in SPARES {
        stage.put(path, &letters(path, 60)).await;
        stage.search.plant_digest(path, &letters(path, 60));
    }
    stage.run(&["apply", "saved.tfplan"], 1);
    let version = stage.stack.current_version(PRIMARY).await;
    stage.stack.versions("delete", PRIMARY, &[version]).await;
    stage.run(&["apply", "-auto-approve"], 1);
    stage.strike();
}

//! A server, a workspace that is pointed at it, and the tokens of one deployment.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

use std::fs;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use terraform_provider_claude::env::TF_CLAUDE_NOW;

use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::terraform::{Run, Workspace};

/// Path of the primary token.
pub(super) const PRIMARY: &str = "claude-agent-service";
/// Id of the primary token.
pub(super) const PRIMARY_ID: &str = "secret/claude-agent-service#claude_oauth_token";
/// Paths of the spares.
pub(super) const SPARES: [&str; 2] = [
    "claude-agent-service-spare-1",
    "claude-agent-service-spare-2",
];
/// Field of every token.
pub(super) const FIELD: &str = "claude_oauth_token";
/// Address of the token resource in most tests.
pub(super) const AGENT: &str = "claude_oauth_token.agent";
/// Address of the pool in most tests.
pub(super) const POOL: &str = "claude_token_spare_pool.agent";
/// The token resource with its defaults.
pub(super) const AGENT_BLOCK: &str =
    "resource \"claude_oauth_token\" \"agent\" {\n  path = \"claude-agent-service\"\n}\n";
/// The pool with its defaults.
pub(super) const POOL_BLOCK: &str = "resource \"claude_token_spare_pool\" \"agent\" {\n  paths = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]\n}\n";

/// Attributes of a token that its apply finds out.
pub(super) const FOUND: [&str; 9] = [
    "expires_at",
    "expires_at_unix",
    "fingerprint",
    "kv_version",
    "minted_at",
    "minted_at_source",
    "rotate_at",
    "rotated_from",
    "status",
];

const PROVIDER: &str = "terraform {\n  required_providers {\n    claude = {\n      source = \"terraform.local/claude-ops/claude\"\n    }\n  }\n}\n";

/// One deployment.
pub(super) struct Stack {
    pub(super) bao: OpenBao,
    pub(super) workspace: Workspace,
}

impl Stack {
    /// Starts an empty server, and a workspace whose environment names it.
    pub(super) async fn empty(name: &str) -> Self {
        let bao = OpenBao::start().await;
        let mut workspace = Workspace::new(name);
        workspace.set("VAULT_ADDR", bao.address());
        workspace.set("VAULT_TOKEN", OpenBao::ROOT);
        Self { bao, workspace }
    }

    /// Starts with a primary beside another field, and with two spares.
    pub(super) async fn start(name: &str) -> Self {
        let stack = Self::empty(name).await;
        let primary = json!({ FIELD: token("primary"), "api_bearer_token": "first" });
        stack.put(PRIMARY, primary).await;
        for path in SPARES {
            stack.put(path, json!({ FIELD: token(path) })).await;
        }
        stack
    }

    /// Writes the configuration; the provider block is empty.
    #[track_caller]
    pub(super) fn write(&self, text: &str) {
        self.write_with_provider("", text);
    }

    /// Writes the configuration with arguments in the provider block.
    #[track_caller]
    pub(super) fn write_with_provider(&self, arguments: &str, text: &str) {
        let text = format!("{PROVIDER}\nprovider \"claude\" {{\n{arguments}\n}}\n\n{text}");
        self.workspace.write("main.tf", &text);
    }

    /// Writes the configuration and applies it.
    #[track_caller]
    pub(super) fn applied(&self, text: &str) -> Run {
        self.write(text);
        self.apply()
    }

    /// Applies, which must succeed.
    #[track_caller]
    pub(super) fn apply(&self) -> Run {
        let run = self.workspace.apply();
        run.exits(0);
        run
    }

    /// Plans as of a rehearsed date.
    #[track_caller]
    pub(super) fn plan_at(&self, now: Timestamp) -> Run {
        self.at(now, ["plan", "-detailed-exitcode", "-out", "saved.tfplan"])
    }

    /// Applies as of a rehearsed date.
    #[track_caller]
    pub(super) fn apply_at(&self, now: Timestamp) -> Run {
        self.at(now, ["apply", "-auto-approve"])
    }

    #[track_caller]
    fn at<const N: usize>(&self, now: Timestamp, arguments: [&str; N]) -> Run {
        let run = self.workspace.command(arguments);
        run.env(TF_CLAUDE_NOW, now.to_string()).run()
    }

    /// Plans only what a refresh finds.
    #[track_caller]
    pub(super) fn refresh_only(&self) -> Run {
        self.workspace
            .run(["plan", "-refresh-only", "-detailed-exitcode"])
    }

    /// Demands that neither kind of plan changes or warns of anything.
    #[track_caller]
    pub(super) fn is_quiet(&self) {
        for run in [self.workspace.plan(), self.refresh_only()] {
            run.changes_nothing();
            assert_eq!(warnings(&run), [""; 0], "{}", run.transcript());
        }
    }

    /// Checks that nothing is planned after an import, and nothing is drift once a refresh has
    /// ended it.
    #[track_caller]
    pub(super) fn is_quiet_after_import(&self) {
        self.workspace.plan().changes_nothing();
        self.workspace
            .run(["apply", "-refresh-only", "-auto-approve"])
            .exits(0);
        self.is_quiet();
    }

    /// Returns every attribute of a resource as the state file has it.
    #[track_caller]
    pub(super) fn attributes(&self, address: &str) -> Value {
        let state = fs::read(self.workspace.folder().join("terraform.tfstate")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        for resource in state["resources"].as_array().unwrap() {
            let resource_address =
                format!("{}.{}", text(&resource["type"]), text(&resource["name"]));
            for instance in resource["instances"].as_array().unwrap() {
                let key = match &instance["index_key"] {
                    Value::Null => String::new(),
                    key => format!("[{key}]"),
                };
                if address == format!("{resource_address}{key}") {
                    return instance["attributes"].clone();
                }
            }
        }
        panic!("{address} is not in {state:#}");
    }

    /// Returns an instant among the attributes of a resource.
    #[track_caller]
    pub(super) fn instant(&self, address: &str, attribute: &str) -> Timestamp {
        instant(&self.attributes(address)[attribute])
    }

    /// Writes a new version of a secret.
    pub(super) async fn put(&self, path: &str, fields: Value) -> u64 {
        self.bao.put("secret", path, fields).await
    }

    /// Changes some fields of a secret, which makes a new version.
    pub(super) async fn patch(&self, path: &str, fields: Value) {
        let target = format!("secret/data/{path}");
        let body = json!({ "data": fields });
        self.bao.must("PATCH", &target, body).await;
    }

    /// Writes settings of a secret, such as `custom_metadata`.
    pub(super) async fn set_metadata(&self, path: &str, settings: Value) {
        let target = format!("secret/metadata/{path}");
        self.bao.must("POST", &target, settings).await;
    }

    /// Deletes, undeletes or destroys versions of a secret.
    pub(super) async fn versions(&self, verb: &str, path: &str, versions: &[u64]) {
        let (method, target) = match verb {
            "destroy" => ("PUT", format!("secret/destroy/{path}")),
            verb => ("POST", format!("secret/{verb}/{path}")),
        };
        let body = json!({ "versions": versions });
        self.bao.must(method, &target, body).await;
    }

    /// Returns when a version of a secret was written, in whole seconds as state has instants.
    pub(super) async fn written_at(&self, path: &str, version: u64) -> Timestamp {
        let target = format!("secret/metadata/{path}");
        let answer = self.bao.must("GET", &target, Value::Null).await;
        let versions = &answer["data"]["versions"];
        let written = instant(&versions[version.to_string()]["created_time"]);
        Timestamp::from_second(written.as_second()).unwrap()
    }

    /// Returns the number of the newest version of a secret.
    pub(super) async fn current_version(&self, path: &str) -> u64 {
        let target = format!("secret/metadata/{path}");
        let answer = self.bao.must("GET", &target, Value::Null).await;
        answer["data"]["current_version"].as_u64().unwrap()
    }

    /// Returns a secret with all its versions, metadata included.
    pub(super) async fn everything(&self, path: &str) -> Value {
        let metadata = format!("secret/metadata/{path}");
        let metadata = self.bao.must("GET", &metadata, Value::Null).await["data"].clone();
        let mut versions = Vec::new();
        for version in 1..=self.current_version(path).await {
            let target = format!("secret/data/{path}?version={version}");
            versions.push(self.bao.call("GET", &target, Value::Null).await.1["data"].clone());
        }
        let mut everything = json!({ "metadata": metadata, "versions": versions });
        forget_stamps(&mut everything);
        everything
    }
}

/// Leaves out the notes that the provider keeps in a secret's metadata, and what moves with them.
fn forget_stamps(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("current_metadata_version");
            members.remove("updated_time");
            if let Some(Value::Object(notes)) = members.get_mut("custom_metadata") {
                notes.retain(|key, _| !key.starts_with(&format!("{FIELD}.")));
                if notes.is_empty() {
                    members.insert("custom_metadata".to_owned(), Value::Null);
                }
            }
            members.values_mut().for_each(forget_stamps);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_stamps),
        _ => {}
    }
}

/// Returns the metadata that dates a token by a stamp, as somebody writes it by hand.
pub(super) fn stamp(token: &str, minted_at: Timestamp) -> Value {
    let fingerprint = fingerprint(token);
    let short = &fingerprint["sha256:".len()..][..16];
    json!({ "custom_metadata": {
        format!("{FIELD}.fingerprint"): short,
        format!("{FIELD}.minted_at"): minted_at.to_string(),
    } })
}

/// Returns the fingerprint that state shows for a token.
pub(super) fn fingerprint(token: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(token);
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Returns the summary of each warning, but for those on the build and on a rehearsed date.
pub(super) fn warnings(run: &Run) -> Vec<String> {
    summaries(run, "Warning: ")
        .into_iter()
        .filter(|summary| !summary.starts_with("TF_CLAUDE_NOW sets the date to "))
        .collect()
}

/// Returns the summary of each error.
pub(super) fn errors(run: &Run) -> Vec<String> {
    summaries(run, "Error: ")
}

fn summaries(run: &Run, kind: &str) -> Vec<String> {
    let told = format!("{}\n{}", run.output(), run.stderr);
    told.lines()
        .filter_map(|line| line.strip_prefix(kind).map(str::to_owned))
        .filter(|summary| !summary.starts_with("Provider development overrides"))
        .collect()
}

/// Returns the actions that a saved plan has for a resource.
pub(super) fn actions(plan: &Value, address: &str) -> Value {
    change(plan, address)["actions"].clone()
}

/// Returns the change that a saved plan has for a resource.
#[track_caller]
pub(super) fn change(plan: &Value, address: &str) -> Value {
    let changes = plan["resource_changes"].as_array().unwrap();
    match changes.iter().find(|change| change["address"] == address) {
        Some(change) => change["change"].clone(),
        None => panic!("{address} is not in {plan:#}"),
    }
}

/// Returns the names of the attributes that a change leaves to the apply.
pub(super) fn unknown(change: &Value) -> Vec<&str> {
    let unknown = change["after_unknown"].as_object().unwrap();
    let unknown = unknown.iter().filter(|(_, unknown)| **unknown == true);
    unknown.map(|(name, _)| name.as_str()).collect()
}

/// Returns the attributes that differ between two states of a resource.
pub(super) fn differences<'a>(before: &'a Value, after: &Value) -> Vec<&'a str> {
    let names = before.as_object().unwrap().keys().map(String::as_str);
    names.filter(|name| before[*name] != after[*name]).collect()
}

/// Returns text that must be there.
#[track_caller]
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Reads an instant.
#[track_caller]
pub(super) fn instant(value: &Value) -> Timestamp {
    text(value).parse().unwrap()
}

/// Returns a span of whole days.
pub(super) fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// One second, the distance from which a threshold is looked at.
pub(super) const SECOND: SignedDuration = SignedDuration::from_secs(1);

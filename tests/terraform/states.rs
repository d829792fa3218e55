//! States that earlier builds have written are read by this one, to the same values.
//!
//! `tests/fixtures/state` has a folder for each release, with configurations and the states that
//! Terraform wrote for them. A release adds its own:
//!
//! ```console
//! $ UPDATE_GENERATED=1 cargo test --test main terraform::states
//! ```

mod upgraded;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use terraform_provider_claude::env::{Environment as _, ProcessEnvironment, TF_CLAUDE_NOW};

use super::stack::{FIELD, PRIMARY, SPARES, Stack, fingerprint};
use crate::support::secrets::{LeakSearch, token};
use crate::support::terraform::HEADER;

/// A date on which no token is due.
const CALM: &str = "2026-06-01T00:00:00Z";
/// A date on which the primary is due, and so are the spares of a pool that looks far ahead.
const DUE: &str = "2027-01-02T00:00:00Z";
/// When the primary was minted.
const MINTED: &str = "2026-01-10T00:00:00Z";
/// When the spares were minted.
const SPARES_MINTED: [&str; 2] = ["2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"];
/// A secret with a token in another field.
const EVERYTHING: &str = "team/everything";
/// The token in it.
const NEW: &str = "new token of a fixture";

/// A configuration, and how its state came to be.
struct Fixture {
    name: &'static str,
    configuration: &'static str,
    /// The runs that write it; each as of a rehearsed date, or of none where it writes to Vault.
    runs: &'static [(&'static [&'static str], Option<&'static str>)],
    /// The date as of which the state is whole.
    read_at: &'static str,
    /// Whether a plan of that date changes something.
    is_due: bool,
}

const APPLY: &[&str] = &["apply", "-auto-approve"];

const FIXTURES: [Fixture; 4] = [
    Fixture {
        name: "plain",
        configuration: "resource \"claude_oauth_token\" \"agent\" {
  path = \"claude-agent-service\"
}

resource \"claude_token_spare_pool\" \"agent\" {
  paths = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]
}
",
        runs: &[(APPLY, Some(CALM))],
        read_at: CALM,
        is_due: false,
    },
    Fixture {
        name: "everything",
        configuration: "variable \"new_token\" {
  type      = string
  ephemeral = true
  default   = null
}

resource \"claude_oauth_token\" \"agent\" {
  path                = \"team/everything\"
  mount               = \"secret\"
  field               = \"second_token\"
  secret_key          = \"AGENT_TOKEN\"
  remote_key          = \"secret/team/everything\"
  lifetime_days       = 3000
  rotate_before_days  = 14
  token_minted_at     = \"2026-01-10T00:00:00Z\"
  token_wo            = var.new_token
  token_wo_version    = 1
  spare_paths         = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]
  rotate_when_changed = { leak = \"first\" }
  stamp_metadata      = true
  on_rotation_due     = \"warn\"
}

resource \"claude_token_spare_pool\" \"agent\" {
  paths              = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]
  mount              = \"secret\"
  field              = \"claude_oauth_token\"
  lifetime_days      = 3000
  rotate_before_days = 14
  primary_path       = \"claude-agent-service\"
  min_available      = 1
  on_shortage        = \"warn\"
  secret_key_prefix  = \"SPARE_\"
  stamp_metadata     = false
}
",
        runs: &[(APPLY, None)],
        read_at: CALM,
        is_due: false,
    },
    Fixture {
        name: "imported",
        configuration: "import {
  to = claude_oauth_token.agent
  id = \"secret/claude-agent-service\"
}

import {
  to = claude_token_spare_pool.agent
  id = \"secret/claude-agent-service-spare-{1,2}\"
}

resource \"claude_oauth_token\" \"agent\" {
  path = \"claude-agent-service\"
}

resource \"claude_token_spare_pool\" \"agent\" {
  paths = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]
}
",
        runs: &[(APPLY, Some(CALM))],
        read_at: CALM,
        is_due: false,
    },
    Fixture {
        name: "due",
        configuration: "resource \"claude_oauth_token\" \"agent\" {
  path        = \"claude-agent-service\"
  spare_paths = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]
}

resource \"claude_token_spare_pool\" \"agent\" {
  paths              = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]
  rotate_before_days = 200
}
",
        runs: &[
            (APPLY, Some(CALM)),
            (&["apply", "-refresh-only", "-auto-approve"], Some(DUE)),
        ],
        read_at: DUE,
        is_due: true,
    },
];

/// Returns the folder with a folder for each release.
fn releases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state")
}

/// Returns the folders of all releases.
fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(releases()).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

/// Starts a server with the secrets that all fixtures are about. Whoever writes a fixture stores
/// the new token by it; whoever reads one finds it there.
async fn laid_out(name: &str, stored: bool) -> Stack {
    let stack = Stack::start(name).await;
    let paths = [PRIMARY, SPARES[0], SPARES[1]];
    let dates = [MINTED, SPARES_MINTED[0], SPARES_MINTED[1]];
    for (path, minted_at) in paths.into_iter().zip(dates) {
        let seed = if path == PRIMARY { "primary" } else { path };
        stamp(&stack, path, FIELD, &token(seed), minted_at).await;
    }
    stack.put(EVERYTHING, json!({ "other": "field" })).await;
    if stored {
        let fields = json!({ "second_token": token(NEW) });
        stack.patch(EVERYTHING, fields).await;
        stamp(&stack, EVERYTHING, "second_token", &token(NEW), MINTED).await;
    }
    stack
}

/// Dates the token in a field by a stamp.
async fn stamp(stack: &Stack, path: &str, field: &str, token: &str, minted_at: &str) {
    let fingerprint = fingerprint(token);
    let notes = json!({ "custom_metadata": {
        format!("{field}.fingerprint"): fingerprint["sha256:".len()..][..16],
        format!("{field}.minted_at"): minted_at.parse::<Timestamp>().unwrap().to_string(),
    } });
    stack.set_metadata(path, notes).await;
}

#[tokio::test]
async fn fixtures_are_written_on_demand() {
    if ProcessEnvironment.get("UPDATE_GENERATED").as_deref() != Some("1") {
        return;
    }
    let folder = releases().join(env!("CARGO_PKG_VERSION"));
    fs::create_dir_all(&folder).unwrap();
    for fixture in &FIXTURES {
        let stack = laid_out(fixture.name, false).await;
        let configuration = format!("{HEADER}{}", fixture.configuration);
        stack.workspace.write("main.tf", &configuration);
        for (arguments, date) in fixture.runs {
            let run = stack.workspace.command(arguments.iter().copied());
            let run = match date {
                Some(date) => run.env(TF_CLAUDE_NOW, *date),
                None => run.env("TF_VAR_new_token", token(NEW)),
            };
            run.run().exits(0);
        }
        let written = stack.workspace.folder().join("terraform.tfstate");
        let file = |ending: &str| folder.join(format!("{}.{ending}", fixture.name));
        fs::copy(written, file("tfstate")).unwrap();
        fs::write(file("tf"), configuration).unwrap();
    }
}

/// A run after an upgrade of the provider finds nothing to change in the state.
#[tokio::test]
async fn a_state_of_each_release_is_taken_over_without_a_change() {
    for folder in folders() {
        for fixture in &FIXTURES {
            let stack = laid_out(fixture.name, true).await;
            let copy = |ending: &str, name: &str| {
                let fixture = folder.join(format!("{}.{ending}", fixture.name));
                fs::copy(fixture, stack.workspace.folder().join(name)).unwrap();
            };
            copy("tf", "main.tf");
            copy("tfstate", "terraform.tfstate");
            for (arguments, code) in [
                // The first refresh after an import ends it, which a host shows.
                (
                    &["plan", "-refresh-only", "-detailed-exitcode"][..],
                    if fixture.name == "imported" { 2 } else { 0 },
                ),
                (
                    &["plan", "-detailed-exitcode"][..],
                    if fixture.is_due { 2 } else { 0 },
                ),
            ] {
                let run = stack.workspace.command(arguments.iter().copied());
                let run = run.env(TF_CLAUDE_NOW, fixture.read_at).run();
                run.exits(code);
                if code == 2 && fixture.is_due {
                    assert_eq!(
                        run.drift_lines(),
                        [
                            "# claude_oauth_token.agent will be updated in-place",
                            "# claude_token_spare_pool.agent will be updated in-place",
                            "Plan: 0 to add, 2 to change, 0 to destroy."
                        ]
                    );
                }
            }
        }
    }
}

#[test]
fn no_token_is_in_a_fixture() {
    let mut search = LeakSearch::new();
    for seed in ["primary", SPARES[0], SPARES[1], NEW] {
        search.plant(seed, &token(seed));
    }
    search.folder(&releases(), &[]);
    search.assert_clean();
}

/// Reads the resources of a fixture.
fn resources(folder: &Path, fixture: &Fixture) -> Vec<Value> {
    let text = fs::read(folder.join(format!("{}.tfstate", fixture.name))).unwrap();
    let state: Value = serde_json::from_slice(&text).unwrap();
    let resources = state["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 2);
    resources.clone()
}

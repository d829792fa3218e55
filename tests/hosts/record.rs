//! Records the host at hand, and compares the calls that it makes with those that were kept.

use terraform_provider_claude::env::{Environment as _, ProcessEnvironment};

use super::recorder::Recorder;
use super::recording::{PLANTED, RecordedCall, RecordedRun, Recording, folder};
use super::replay::{Quirks, replay, surface};
use super::rules::Schemas;
use super::scenario::{self, SECRETS, Scenario};
use crate::support::leave_out;
use crate::support::openbao::OpenBao;
use crate::support::provision;
use crate::support::secrets::{LeakSearch, token};
use crate::support::terraform::{Capabilities, HEADER, Workspace};

/// Has recordings written in the place of those that are kept.
const UPDATE: &str = "UPDATE_RECORDINGS";

/// Names the host as its folder is called.
fn named(capabilities: &Capabilities) -> String {
    let product = if capabilities.is_terraform {
        "terraform"
    } else {
        "opentofu"
    };
    format!("{product}-{}", capabilities.version)
}

/// Runs a scenario with the host at hand.
async fn record(scenario: &Scenario, host: &Capabilities, schemas: &Schemas) -> Recording {
    let bao = OpenBao::start_unaudited().await;
    scenario::furnish(&bao).await;
    let recorder = Recorder::start();
    let mut workspace =
        Workspace::with(scenario.name, provision::terraform(), &recorder.script()).unwrap();
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.set("TF_DISABLE_PLUGIN_TLS", "1");
    let mut runs = Vec::new();
    for run in &scenario.runs {
        if !(run.needs)(host) {
            leave_out(&format!("{}, which this host lacks", run.name));
            continue;
        }
        let text = &run.configuration;
        workspace.write(
            "main.tf",
            &format!(
                "{HEADER}provider \"claude\" {{\n{}\n}}\n\n{text}",
                run.provider
            ),
        );
        if !run.query.is_empty() {
            workspace.write("main.tfquery.hcl", &run.query);
        }
        let ended = tokio::task::block_in_place(|| workspace.run(run.arguments.iter().copied()));
        ended.exits(0);
        let processes = recorder.take().into_iter().map(|calls| {
            calls
                .iter()
                .map(|call| RecordedCall::of(call, schemas))
                .collect()
        });
        runs.push(RecordedRun {
            name: run.name.to_owned(),
            processes: processes.collect(),
        });
    }
    Recording {
        host: named(host),
        runs,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_at_hand_asks_what_it_asked_before() {
    let schemas = Schemas::new();
    let host = tokio::task::block_in_place(|| Workspace::new("host").capabilities());
    let folder = folder().join(named(&host));
    let surface = surface().await;
    for scenario in scenario::all() {
        let lacking = scenario.needs.iter().find(|name| !surface.contains(**name));
        if let Some(lacking) = lacking {
            leave_out(&format!("{lacking}, which this provider lacks"));
            continue;
        }
        let recording = record(&scenario, &host, &schemas).await;
        if recording.runs.is_empty() {
            continue;
        }
        let file = folder.join(format!("{}.json", scenario.name));
        if ProcessEnvironment.get(UPDATE).is_some() {
            recording.save(&file);
        }
        if file.exists() {
            let kept = Recording::load(&file);
            assert_eq!(
                recording.sequence(),
                kept.sequence(),
                "this host asks otherwise than it did; {UPDATE}=1 keeps the new recording"
            );
        } else {
            println!(
                "no recording of {} is kept, see tests/hosts.rs",
                named(&host)
            );
            replay(&recording, &schemas, Quirks::default()).await;
        }
    }
}

#[test]
fn recordings_hold_no_token() {
    let mut search = LeakSearch::new();
    for seed in SECRETS.iter().chain(&PLANTED) {
        search.plant(seed, &token(seed));
    }
    search.folder(&folder(), &[]);
    search.assert_clean();
}

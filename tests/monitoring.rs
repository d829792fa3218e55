//! The alerts and the dashboard that users copy, checked by Prometheus' own checker.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use terraform_provider_claude::cli::METRICS;
use terraform_provider_claude::provider::operations::State;

use crate::support::process;
use crate::support::promtool::promtool;

const LIMIT: Duration = Duration::from_secs(120);

fn example(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/monitoring");
    Path::new(folder).join(name)
}

/// Runs the checker on a file; fails with what it printed unless it is content.
fn check(promtool: &Path, action: &[&str], file: &Path) {
    let mut command = Command::new(promtool);
    command.args(action).arg(file);
    let finished = process::run(&mut command, &[], LIMIT).unwrap();
    assert!(
        finished.status.success(),
        "{}{}",
        finished.stdout,
        finished.stderr
    );
}

/// Returns the words of a text that are names of metrics of ours, or pretend to be.
fn metrics(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| word.starts_with("claude_oauth_"))
        .map(str::to_owned)
        .collect()
}

/// Returns every query of the dashboard's panels.
fn queries(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_alerts_fire_when_they_should_and_not_before() {
    let Some(promtool) = promtool() else { return };
    check(&promtool, &["check", "rules"], &example("alerts.yml"));
    check(&promtool, &["test", "rules"], &example("alerts_test.yml"));
}

#[test]
fn every_alert_is_tried() {
    let alerts = fs::read_to_string(example("alerts.yml")).unwrap();
    let trials = fs::read_to_string(example("alerts_test.yml")).unwrap();
    let names: Vec<_> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(trials.contains(&format!("alertname: {name}\n")), "{name}");
    }
}

/// A spent spare holds its primary's token, which has a row of its own.
#[test]
fn the_dashboard_leaves_out_the_expiry_of_spent_spares_as_the_alerts_do() {
    let spent = "unless ignoring (status) claude_oauth_token_status{status=\"spent\"} == 1";
    let dashboard = fs::read_to_string(example("dashboard.json")).unwrap();
    let queries = queries(&serde_json::from_str(&dashboard).unwrap());
    let expiries: Vec<_> = queries
        .iter()
        .filter(|query| query.contains("claude_oauth_token_expiry_timestamp"))
        .collect();
    assert_eq!(expiries.len(), 2, "{queries:#?}");
    for query in expiries {
        assert!(query.contains(spent), "{query}");
    }
}

#[test]
fn the_queries_of_the_dashboard_parse() {
    let dashboard = fs::read_to_string(example("dashboard.json")).unwrap();
    let queries = queries(&serde_json::from_str(&dashboard).unwrap());
    assert!(queries.len() > 5, "{queries:?}");
    let Some(promtool) = promtool() else { return };
    let rules: Vec<_> = queries
        .iter()
        .enumerate()
        .map(|(number, query)| {
            serde_json::json!({ "record": format!("query_{number}"), "expr": query })
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.yml");
    // JSON is YAML.
    let groups = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    fs::write(&file, groups.to_string()).unwrap();
    check(&promtool, &["check", "rules"], &file);
}

#[test]
fn alerts_and_dashboard_use_the_metrics_that_there_are() {
    let all: BTreeSet<String> = METRICS.map(str::to_owned).into();
    for file in ["README.md", "alerts.yml", "dashboard.json"] {
        let text = fs::read_to_string(example(file)).unwrap();
        assert_eq!(metrics(&text), all, "{file}");
    }
}

#[test]
fn alerts_and_dashboard_match_statuses_that_there_are() {
    for file in ["alerts.yml", "alerts_test.yml", "dashboard.json"] {
        let text = fs::read_to_string(example(file)).unwrap();
        let text = text.replace('\\', "");
        let matched: Vec<_> = ["status=\"", "status=~\"", "status!=\""]
            .iter()
            .flat_map(|start| text.split(start).skip(1))
            .flat_map(|rest| rest.split('"').next().unwrap().split('|'))
            .collect();
        assert!(matched.len() > 1, "{file}");
        for status in matched {
            let is_known = State::ALL.iter().any(|state| state.as_str() == status);
            assert!(is_known, "{file}: {status}");
        }
    }
}

//! `verify` with Claude Code itself, where an API is silent or an administrator has set it up.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::claude::{Reply, V2_1_332};
use crate::support::proxy::Step;
use crate::support::secrets::{LeakSearch, token};
use crate::support::{leave_out, process};

use super::program::{FIELD, Program, Ran};
use super::verify::having;
use super::versions::Scene;

/// What `verify` allows one run of `claude`, and what its end may take.
const LIMIT: Duration = Duration::from_secs(120 + 30);
const START_LIMIT: Duration = Duration::from_secs(30);

/// Demands this of every token, and that the metadata of none of them has a verdict.
async fn finds_nothing_but(scene: &Scene, ran: &Ran, control: &str, cause: &str) {
    ran.exits(1);
    let document = ran.json();
    assert_eq!(document["control"], control, "{document:#}");
    for row in document["tokens"].as_array().unwrap() {
        assert_eq!(row["verdict"], "unclear", "{document:#}");
        assert_eq!(row["cause"], cause, "{document:#}");
        assert_eq!(row["stamped"], Value::Bool(false));
        let target = format!("secret/metadata/{}", row["path"].as_str().unwrap());
        let metadata = scene.bao.must("GET", &target, Value::Null).await;
        let custom = &metadata["data"]["custom_metadata"];
        assert_eq!(custom[format!("{FIELD}.verified")], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_never_answers() {
    let Some(claude) = V2_1_332.program() else {
        return;
    };
    // Another run of this test may have its own processes.
    let name = format!("silent-{}", std::process::id()).leak();
    let scene = Scene::new(vec![(name, Reply::Step(Step::Hang), "", "")]).await;
    let program = scene.program();
    let temporary = program.home().join("temporary");
    fs::create_dir(&temporary).unwrap();
    let program = program.with("TMPDIR", temporary.to_str().unwrap());
    let started = Instant::now();
    let ran = scene.verify(&program, &claude);
    let elapsed = started.elapsed();
    assert!(elapsed < LIMIT, "{elapsed:?}\n{ran:?}");
    finds_nothing_but(&scene, &ran, "refused", "no_answer").await;
    assert_eq!(having("environ", &token(name)), []);
    let left: Vec<_> = fs::read_dir(&temporary).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?} is left behind");
    let mut search = LeakSearch::new();
    search.plant(name, &token(name));
    ran.search(&mut search);
    search.folder(program.home(), &[]);
    search.assert_clean();
}

/// Makes a `claude` that finds these managed settings, or says why this machine cannot have one.
///
/// It runs in a mount namespace of its own, so the `/etc` of the machine stays as it is.
fn managed(program: &Program, claude: &Path, settings: &Value) -> Option<PathBuf> {
    let folder = program.home().join("managed").join("claude-code");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("managed-settings.json"), settings.to_string()).unwrap();
    let script = format!(
        "#!/bin/sh\nexec unshare --map-root-user --mount sh -c \
         'mount -t overlay -o \"lowerdir=$0:/etc\" overlay /etc && exec \"$@\"' '{}' \"${{CLAUDE:-{}}}\" \"$@\"\n",
        folder.parent().unwrap().display(),
        claude.display()
    );
    let wrapper = program.home().join("claude");
    fs::write(&wrapper, script).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let mut check = Command::new(&wrapper);
    check
        .env("CLAUDE", "cat")
        .arg("/etc/claude-code/managed-settings.json");
    let checked = process::run(&mut check, b"", START_LIMIT).unwrap();
    if checked.status.success() {
        assert_eq!(checked.stdout, settings.to_string());
        return Some(wrapper);
    }
    let reason = checked.stderr.trim();
    leave_out(&format!(
        "managed settings of Claude Code: no folder can be laid over /etc ({reason})"
    ));
    None
}

async fn is_unclear(settings: Value, control: &str, cause: &str) {
    let Some(claude) = V2_1_332.program() else {
        return;
    };
    let dead = Reply::error(401, "OAuth token has expired.");
    let scene = Scene::new(vec![
        ("good", Reply::Works, "", ""),
        ("expired", dead, "", ""),
    ])
    .await;
    let program = scene.program();
    let Some(wrapper) = managed(&program, &claude, &settings) else {
        return;
    };
    let ran = scene.verify(&program, &wrapper);
    finds_nothing_but(&scene, &ran, control, cause).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managed_settings_that_pin_an_organization() {
    let settings = json!({ "forceLoginOrgUUID": "3f1a2b44-0c0d-4e5f-8a9b-1c2d3e4f5a6b" });
    is_unclear(settings, "unclear", "organization_pin").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn managed_settings_that_bring_another_token() {
    let settings = json!({ "env": { "CLAUDE_CODE_OAUTH_TOKEN": token("good") } });
    is_unclear(settings, "works", "other_credential").await;
}

/// A dead credential in the place of every token makes none of them a refused one.
#[tokio::test(flavor = "multi_thread")]
async fn managed_settings_that_bring_a_dead_token() {
    let settings = json!({ "env": { "CLAUDE_CODE_OAUTH_TOKEN": token("expired") } });
    is_unclear(settings, "refused", "other_credential").await;
}

/// Claude Code says where a key comes from, so even the made-up token does not count as working.
#[tokio::test(flavor = "multi_thread")]
async fn managed_settings_that_bring_a_key() {
    let settings = json!({ "apiKeyHelper": format!("echo {}", token("good")) });
    is_unclear(settings, "unclear", "other_credential").await;
}

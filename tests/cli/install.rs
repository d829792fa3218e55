//! The command `install`: from there on Terraform finds the provider, with no override.
#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use std::fs;
use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;

use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::terraform::Workspace;

use super::program::{FIELD, Program};

const RESOURCE: &str = "resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n";

/// Returns the block of what was printed that begins with a line, up to the brace that closes it.
#[track_caller]
fn block(printed: &str, first: &str) -> String {
    let start = printed.find(&format!("{first}\n")).unwrap();
    let end = printed[start..].find("\n}\n").unwrap();
    printed[start..start + end + 3].to_owned()
}

/// Returns the one file that was installed below a mirror.
#[track_caller]
fn installed(mirror: &Path) -> PathBuf {
    let version = mirror
        .join("terraform.local/claude-ops/claude")
        .join(env!("CARGO_PKG_VERSION"));
    let children = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let platforms = children(&version);
    assert_eq!(platforms.len(), 1, "{platforms:?}");
    let files = children(&platforms[0]);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// A workspace without the override, and the program with the same home.
fn without_override(name: &str, settings: &str) -> (Workspace, Program) {
    let mut workspace = Workspace::new(name);
    let file = workspace.home().join("cli.tfrc");
    fs::write(&file, format!("disable_checkpoint = true\n{settings}")).unwrap();
    workspace.set("TF_CLI_CONFIG_FILE", file.to_str().unwrap());
    let program = Program::new()
        .with("HOME", workspace.home().to_str().unwrap())
        .with("TF_CLI_CONFIG_FILE", file.to_str().unwrap());
    (workspace, program)
}

#[tokio::test]
async fn terraform_finds_what_was_installed() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ FIELD: token("agent") }))
        .await;
    let (mut workspace, program) = without_override("install", "");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    let cache = workspace.home().join("cache");
    fs::create_dir(&cache).unwrap();
    workspace.set("TF_PLUGIN_CACHE_DIR", cache.to_str().unwrap());

    let ran = program.run(&["install"]);
    ran.exits(0)
        .is_quiet()
        .prints("Installed terraform-provider-claude");
    assert!(
        !ran.stdout.contains("provider_installation"),
        "{}",
        ran.stdout
    );
    let file = installed(&workspace.home().join(".terraform.d/plugins"));
    ran.prints(file.to_str().unwrap()).prints("terraform init");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o755
    );
    program
        .run(&["install"])
        .exits(0)
        .is_quiet()
        .prints("Already installed");

    let pasted = block(&ran.stdout, "terraform {");
    workspace.write("main.tf", &format!("{pasted}\n{RESOURCE}"));
    workspace
        .run(["init"])
        .exits(0)
        .says("Installed terraform.local/claude-ops/claude");
    let lock = fs::read_to_string(workspace.folder().join(".terraform.lock.hcl")).unwrap();
    assert!(
        lock.contains("terraform.local/claude-ops/claude") && lock.contains("h1:"),
        "{lock}"
    );
    workspace
        .plan()
        .exits(2)
        .omits("development overrides")
        .says("1 to add");
    workspace.apply_saved().exits(0);
    workspace.plan().changes_nothing();

    // A lock file of another build of the same version, and what is printed resolves that.
    let mut other = fs::read(&file).unwrap();
    other.push(0);
    fs::remove_file(&file).unwrap();
    fs::write(&file, other).unwrap();
    let ran = program.run(&["install"]);
    ran.exits(0).is_quiet().prints("Replaced another build");
    let lock_file = workspace.folder().join(".terraform.lock.hcl");
    let hash = lock
        .split('"')
        .find(|text| text.starts_with("h1:"))
        .unwrap();
    let foreign = format!("h1:{}=", "A".repeat(hash.len() - 4));
    fs::write(&lock_file, lock.replace(hash, &foreign)).unwrap();
    for command in [&["init"][..], &["init", "-upgrade"]] {
        let refused = workspace.run(command.iter().copied());
        refused.exits(1).says("doesn't match any of the checksums");
    }
    let printed = ran.stdout.lines().map(str::trim);
    let words = printed
        .filter_map(|line| line.strip_prefix("terraform "))
        .find(|line| line.starts_with("providers lock "))
        .unwrap()
        .split_whitespace();
    workspace.run(words).exits(0);
    workspace.run(["init"]).exits(0);
    workspace.plan().changes_nothing();
}

#[test]
fn a_mirror_for_an_image_comes_with_its_setting() {
    let (mut workspace, program) = without_override("mirror", "");
    let mirror = workspace.home().join("two words/mirror");
    let ran = program.run(&["install", "--dir", mirror.to_str().unwrap()]);
    ran.exits(0)
        .is_quiet()
        .prints("do not search this folder by themselves");
    installed(&mirror);
    let settings = workspace.home().join("mirror.tfrc");
    fs::write(&settings, block(&ran.stdout, "provider_installation {")).unwrap();
    workspace.set("TF_CLI_CONFIG_FILE", settings.to_str().unwrap());
    workspace.write("main.tf", &block(&ran.stdout, "terraform {"));
    workspace.run(["init"]).exits(0);
    workspace.run(["validate"]).exits(0);
}

#[test]
#[cfg(target_os = "linux")]
fn data_folders_are_searched_without_a_setting() {
    let (mut workspace, program) = without_override("data", "");
    let data = workspace.home().join("data");
    let program = program.with("XDG_DATA_DIRS", data.to_str().unwrap());
    workspace.set("XDG_DATA_DIRS", data.to_str().unwrap());
    let mirror = data.join("terraform/plugins");
    let ran = program.run(&["install", "--dir", mirror.to_str().unwrap()]);
    ran.exits(0);
    assert!(
        !ran.stdout.contains("provider_installation"),
        "{}",
        ran.stdout
    );
    workspace.write("main.tf", &block(&ran.stdout, "terraform {"));
    workspace.run(["init"]).exits(0);
}

#[test]
fn settings_that_block_the_search_are_named() {
    let (_workspace, program) =
        without_override("blocked", "provider_installation {\n  direct {}\n}\n");
    let ran = program.run(&["install"]);
    ran.exits(0)
        .prints("has a provider_installation block")
        .prints("filesystem_mirror");
    let settings = program.home().join("settings.tfrc");
    fs::write(&settings, block(&ran.stdout, "provider_installation {")).unwrap();
    let ran = program
        .with("TF_CLI_CONFIG_FILE", settings.to_str().unwrap())
        .run(&["install"]);
    assert!(
        !ran.stdout.contains("provider_installation"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_provider_that_runs_keeps_its_file() {
    let program = Program::new();
    program.run(&["install"]).exits(0);
    let file = installed(&program.home().join(".terraform.d/plugins"));
    let mut running = Program::new()
        .file(&file)
        .command(&["--debug"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(running.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    // The program that runs may not be written to, so its name is given to another.
    let changed = file.with_extension("changed");
    fs::write(&changed, "another build").unwrap();
    fs::rename(&changed, &file).unwrap();
    program
        .run(&["install"])
        .exits(0)
        .prints("Replaced another build");
    let is_running = running.try_wait().unwrap().is_none();
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(is_running, "{line}");
    Program::new().file(&file).run(&["--version"]).exits(0);
}

#[test]
fn where_nothing_can_be_written_the_reason_is_told() {
    let program = Program::new();
    let file = program.home().join("a-file");
    fs::write(&file, "").unwrap();
    program
        .run(&["install", "--dir", file.to_str().unwrap()])
        .exits(1)
        .prints_nothing()
        .tells("Error: The provider was not installed")
        .tells("Name another folder with --dir");
    Program::new()
        .with("HOME", "")
        .run(&["install"])
        .exits(1)
        .tells("Error: There is no home folder to install into");
}

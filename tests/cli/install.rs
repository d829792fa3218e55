//! The command `install`: from there on Terraform finds the provider, with no override.
#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::terraform::Workspace;

use super::program::{FIELD, Program};

const RESOURCE: &str = "resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n";

/// Returns the block of what was printed that begins with a line, up to the brace that closes it.
#[track_caller]
fn block(printed: &str, first: &str) -> String {
    let start = printed.find(&format!("{first}\n")).unwrap();
    let indent = &first[..first.len() - first.trim_start().len()];
    let close = format!("\n{indent}}}\n");
    let end = printed[start..].find(&close).unwrap();
    printed[start..start + end + close.len()].to_owned()
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

/// Returns what a packed mirror holds: names and contents of its files.
#[track_caller]
fn packed(mirror: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = mirror.join("terraform.local/claude-ops/claude");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let path = entry.path();
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o644
            );
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(path).unwrap())
        })
        .collect()
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
        .prints("do not search this folder unless your CLI configuration says");
    let version = env!("CARGO_PKG_VERSION");
    let files = packed(&mirror);
    let names: Vec<_> = files.keys().cloned().collect();
    let lists = [format!("{version}.json"), "index.json".to_owned()];
    assert_eq!(names[..2], lists);
    assert_eq!(names.len(), 3, "{names:?}");
    let json = |name: &str| serde_json::from_slice::<Value>(&files[name]).unwrap();
    assert_eq!(json("index.json"), json!({ "versions": { version: {} } }));
    let archives = &json(&lists[0])["archives"];
    let archives = archives.as_object().unwrap();
    let (platform, archive) = archives.iter().next().unwrap();
    assert_eq!(archives.len(), 1);
    let name = format!("terraform-provider-claude_{version}_{platform}.zip");
    assert_eq!(archive["url"], name);
    assert_eq!(
        archive["hashes"][1],
        format!("zh:{}", digest_of(&files[&name]))
    );
    let settings = workspace.home().join("mirror.tfrc");
    fs::write(&settings, block(&ran.stdout, "provider_installation {")).unwrap();
    workspace.set("TF_CLI_CONFIG_FILE", settings.to_str().unwrap());
    workspace.write("main.tf", &block(&ran.stdout, "terraform {"));
    workspace.run(["init"]).exits(0);
    workspace.run(["validate"]).exits(0);
    // The hash that hosts compute themselves.
    let lock = fs::read_to_string(workspace.folder().join(".terraform.lock.hcl")).unwrap();
    assert!(
        lock.contains(archive["hashes"][0].as_str().unwrap()),
        "{lock}"
    );
    // Another platform and an older version stay listed.
    let folder = mirror.join("terraform.local/claude-ops/claude");
    let other = json!({ "url": "other.zip" });
    let list = json!({ "archives": { "plan9_386": other } });
    fs::write(folder.join(&lists[0]), list.to_string()).unwrap();
    let list = json!({ "versions": { "0.0.1": {} } });
    fs::write(folder.join(&lists[1]), list.to_string()).unwrap();
    program
        .run(&["install", "--dir", mirror.to_str().unwrap()])
        .exits(0)
        .prints("Already installed");
    let files = packed(&mirror);
    let json = |name: &str| serde_json::from_slice::<Value>(&files[name]).unwrap();
    assert_eq!(
        json("index.json"),
        json!({ "versions": { "0.0.1": {}, version: {} } })
    );
    assert_eq!(
        json(&lists[0]),
        json!({ "archives": { "plan9_386": other, platform: archive } })
    );
    // What is not an index is never overwritten.
    fs::write(folder.join(&lists[1]), "{}x").unwrap();
    program
        .run(&["install", "--dir", mirror.to_str().unwrap()])
        .exits(1)
        .tells("is not the index of a mirror, so it was left as it is");
    assert_eq!(packed(&mirror)["index.json"], b"{}x");
}

fn digest_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_users_own_mirror_can_be_packed_and_stays_so() {
    let (workspace, program) = without_override("packed", "");
    let ran = program.run(&["install"]);
    ran.exits(0).prints("install --packed");
    let mirror = workspace.home().join(".terraform.d/plugins");
    let unpacked = installed(&mirror);
    program
        .run(&["install", "--packed"])
        .exits(0)
        .prints("Installed terraform-provider-claude")
        .prints("The unpacked copy of this version was removed");
    assert!(!unpacked.exists());
    assert_eq!(packed(&mirror).len(), 3);
    let again = program.run(&["install"]);
    again.exits(0).prints("Already installed").prints(".zip");
    assert!(!again.stdout.contains("--packed"), "{}", again.stdout);
    assert!(!unpacked.exists());
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
    let blocking = "provider_installation {\n  direct {\n  }\n}\n";
    let (mut workspace, program) = without_override("blocked", blocking);
    let ran = program.run(&["install"]);
    ran.exits(0)
        .prints("A provider_installation block limits where")
        .prints("cli.tfrc");
    assert!(
        !ran.stdout.contains("provider_installation {"),
        "{}",
        ran.stdout
    );
    let method = block(&ran.stdout, "  filesystem_mirror {");
    let exclude = "exclude = [\"terraform.local/*/*\"]";
    ran.prints(exclude);
    let settings = program.home().join("settings.tfrc");
    let added = blocking.replace("direct {", &format!("direct {{\n    {exclude}"));
    let added = added.replace("  direct", &format!("{method}  direct"));
    fs::write(&settings, format!("disable_checkpoint = true\n{added}")).unwrap();
    let again = program
        .with("TF_CLI_CONFIG_FILE", settings.to_str().unwrap())
        .run(&["install"]);
    assert!(
        !again.stdout.contains("provider_installation"),
        "{}",
        again.stdout
    );
    workspace.set("TF_CLI_CONFIG_FILE", settings.to_str().unwrap());
    workspace.write("main.tf", &block(&ran.stdout, "terraform {"));
    workspace.run(["init"]).exits(0);
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
        .tells("or set another folder with --dir");
    Program::new()
        .with("HOME", "")
        .run(&["install"])
        .exits(1)
        .tells("Error: No home folder to install into");
}

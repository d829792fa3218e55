//! The checks of a registry on the pages, by the program that HashiCorp publishes for them.
//!
//! It is built once with Go, by version and checked against Go's checksum database. Where there is
//! no Go, or the module proxy does not respond, the check is left out.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::repo::root;
use crate::support::terraform::{SOURCE, Workspace};
use crate::support::{leave_out, process, provision};

const COMMAND: &str = "tfplugindocs";
const VERSION: &str = "v0.24.0";
const MODULE: &str = "github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs";

/// Time to fetch and build the program.
const BUILD_LIMIT: Duration = Duration::from_secs(300);
const CHECK_LIMIT: Duration = Duration::from_secs(60);

/// The program looks for its provider under this address only.
const EXPECTED_SOURCE: &str = "registry.terraform.io/hashicorp/claude";

/// Returns the program, or why it cannot be had.
fn provide() -> Result<PathBuf, String> {
    let tools = provision::target_folder().join("tools");
    let folder = tools.join(format!("{COMMAND}-{VERSION}"));
    let program = folder.join(COMMAND);
    fs::create_dir_all(&tools).map_err(|source| source.to_string())?;
    // Released when the file is closed, however this process ends.
    let _held = File::create(tools.join(format!("{COMMAND}.lock")))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| source.to_string())?;
    if program.is_file() {
        return Ok(program);
    }
    let partial = tools.join(format!("{COMMAND}-{VERSION}.partial"));
    let mut go = Command::new("go");
    go.args(["install", &format!("{MODULE}@{VERSION}")])
        .current_dir(&tools)
        .env("GOBIN", &partial)
        .env("GOFLAGS", "")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0");
    let built = process::run(&mut go, &[], BUILD_LIMIT).map_err(|_| "there is no Go".to_owned())?;
    if !built.status.success() {
        let last = built.stderr.lines().last().unwrap_or_default();
        return Err(format!("`go install` failed: {last}"));
    }
    fs::rename(&partial, &folder).map_err(|source| source.to_string())?;
    Ok(program)
}

#[test]
fn a_registry_accepts_the_pages() {
    let program = match provide() {
        Ok(program) => program,
        Err(reason) => {
            leave_out(&format!("`{COMMAND} validate`: {reason}"));
            return;
        }
    };
    let workspace = Workspace::new("registry");
    workspace.configure("");
    let printed = workspace.run(["providers", "schema", "-json"]);
    let schema = printed.exits(0).stdout.replace(SOURCE, EXPECTED_SOURCE);
    workspace.write("schema.json", &schema);
    let mut check = Command::new(program);
    check
        .args(["validate", "--provider-name", "claude"])
        .arg("--providers-schema")
        .arg(workspace.folder().join("schema.json"))
        .current_dir(root());
    let checked = process::run(&mut check, &[], CHECK_LIMIT).unwrap();
    assert!(checked.status.success(), "{}", checked.stderr);
}

//! `promtool`, the checker of Prometheus, where it can be had.
//!
//! One that is installed is used. On Debian and its kin it is taken out of the distribution's
//! package `prometheus`, which apt verifies against signed lists; that needs no root, since the
//! package is unpacked and not installed, and lists that are missing are fetched into a folder of
//! our own. The version is the distribution's: no archive keeps old ones, so none can be pinned.

#![expect(clippy::print_stdout, reason = "a test tells which one it used")]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use terraform_provider_claude::env::{Environment, ProcessEnvironment};

use super::{process, provision};

const COMMAND: &str = "promtool";
const PACKAGE: &str = "prometheus";
/// Variable with the path of another installation to use in its place.
const VARIABLE: &str = "TF_ACC_PROMTOOL_PATH";
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(600);
const START_LIMIT: Duration = Duration::from_secs(30);

/// Returns the `promtool` to check with, or reports why there is none.
///
/// A test that gets nothing skips what it would have checked.
pub(crate) fn promtool() -> Option<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match FOUND.get_or_init(find) {
        Ok(path) => {
            println!("{} is {}", path.display(), version(path).ok()?);
            Some(path.clone())
        }
        Err(reason) => {
            super::leave_out(&format!("checks of {COMMAND}: {reason}"));
            None
        }
    }
}

fn find() -> Result<PathBuf, String> {
    if let Some(path) = ProcessEnvironment.get(VARIABLE) {
        let path = PathBuf::from(path);
        version(&path).map_err(|problem| format!("{VARIABLE} names no {COMMAND}: {problem}"))?;
        return Ok(path);
    }
    let installed = PathBuf::from(COMMAND);
    if version(&installed).is_ok() {
        return Ok(installed);
    }
    let tools = provision::target_folder().join("tools");
    let folder = tools.join(COMMAND);
    let program = folder.join(COMMAND);
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(&tools).map_err(|source| source.to_string())?;
    // Released when the file is closed, however this process ends.
    let _held = File::create(tools.join(format!("{COMMAND}.lock")))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| source.to_string())?;
    if !program.is_file() {
        unpack(&folder)?;
    }
    Ok(program)
}

/// Returns the first line that the program prints about itself.
fn version(program: &Path) -> Result<String, String> {
    let text = run(Command::new(program).arg("--version"), START_LIMIT)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Fills a folder beside the final one and renames it last: a folder that exists is complete.
fn unpack(folder: &Path) -> Result<(), String> {
    let text = |source: io::Error| source.to_string();
    let partial = folder.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(text)?;
    }
    let (download, lists) = (partial.join("download"), partial.join("lists"));
    for folder in [&download, &lists] {
        fs::create_dir_all(folder).map_err(text)?;
    }
    if apt(&[], &download, &["download", PACKAGE]).is_err() {
        let own = [
            format!("Dir::State::Lists={}", lists.display()),
            format!("Dir::Cache={}", lists.join("cache").display()),
        ];
        apt(&own, &download, &["update"])?;
        apt(&own, &download, &["download", PACKAGE])?;
    }
    let package = fs::read_dir(&download)
        .map_err(text)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension() == Some("deb".as_ref()))
        .ok_or("apt-get fetched no package")?;
    run(
        Command::new("dpkg")
            .arg("-x")
            .arg(package)
            .arg(partial.join("root")),
        DOWNLOAD_LIMIT,
    )?;
    let whole = partial.join("whole");
    fs::create_dir(&whole).map_err(text)?;
    fs::rename(
        partial.join("root/usr/bin").join(COMMAND),
        whole.join(COMMAND),
    )
    .map_err(text)?;
    fs::rename(&whole, folder).map_err(text)?;
    fs::remove_dir_all(&partial).map_err(text)
}

/// Runs apt-get in a folder, with options that keep it from needing another user or anyone's root.
fn apt(options: &[String], folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("apt-get");
    command
        .current_dir(folder)
        .args(["-q", "-o", "APT::Sandbox::User=root"]);
    for option in options {
        command.arg("-o").arg(option);
    }
    run(command.args(arguments), DOWNLOAD_LIMIT)
}

/// Returns what a program printed, or why it printed nothing of use.
fn run(command: &mut Command, limit: Duration) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let finished = process::run(command, &[], limit)
        .map_err(|source| format!("{name} cannot be started: {source}"))?;
    if finished.status.success() {
        return Ok(format!("{}{}", finished.stdout, finished.stderr));
    }
    Err(format!("{name} failed: {}", finished.stderr.trim()))
}

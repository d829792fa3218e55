//! Cargo, started by something that Cargo started.

#![allow(
    dead_code,
    reason = "tests, examples and benches share this file, and no one of them uses all of it"
)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use terraform_provider_claude::env::{Environment, ProcessEnvironment};

use super::{process, provision};

const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// Variables that Cargo sets for what it runs and that ring's build script watches.
///
/// Inherited, they would make it build ring and all that stands on it again, and the next Cargo
/// without them once more.
const WATCHED: [&str; 7] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// Returns the Cargo that is at work, as if it were called from a shell, for this package.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let program = ProcessEnvironment.get("CARGO");
    let mut command = Command::new(program.unwrap_or_else(|| "cargo".to_owned()));
    command
        .args([subcommand, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    as_from_a_shell(&mut command);
    command
}

/// Hides from a program, and from the Cargo that it starts, that Cargo started this one.
fn as_from_a_shell(command: &mut Command) {
    for name in WATCHED {
        command.env_remove(name);
    }
}

/// Builds the binary as `release/build` does for a release and returns its path, or what was said.
///
/// The folder is its own, so that the flags do not rebuild what tests use. A process builds once.
pub(crate) fn static_release() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> Result<PathBuf, String> {
    let target = provision::target_folder().join("static");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/release/build");
    let mut command = Command::new(script);
    command
        .arg(target.join("release"))
        .env("CARGO_TARGET_DIR", &target);
    as_from_a_shell(&mut command);
    let built = process::run(&mut command, &[], BUILD_LIMIT)
        .map_err(|source| format!("{script} cannot be started: {source}"))?;
    if built.status.success() {
        Ok(PathBuf::from(built.stdout.trim_end()))
    } else {
        Err(built.stderr)
    }
}

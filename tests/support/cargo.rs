//! Cargo, started by something that Cargo started.

use std::process::Command;

use terraform_provider_claude::env::{Environment, ProcessEnvironment};

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
    for name in WATCHED {
        command.env_remove(name);
    }
    command
}

//! The memory of the process is nobody else's.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;

use crate::support::host::Options;
use crate::support::leave_out;

/// A user who has nothing, on every Linux.
const NOBODY: u32 = 65_534;

/// A child that does not outlive the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the binary as a user who is not root, and waits for its handshake line.
fn start() -> std::io::Result<Ended> {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = folder.path().join("provider");
    fs::copy(env!("CARGO_BIN_EXE_terraform-provider-claude"), &binary).unwrap();
    let mut command = Command::new(&binary);
    command
        .env_clear()
        .envs(Options::plaintext().environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    if geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = Ended(command.spawn()?);
    let mut line = String::new();
    let output = child.0.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert!(line.starts_with("1|6|unix|"), "{line}");
    Ok(child)
}

#[test]
fn it_belongs_to_the_administrator_and_never_to_a_core_file() {
    let child = match start() {
        Ok(child) => child,
        Err(error) => {
            leave_out(&format!("memory of another user: {error}"));
            return;
        }
    };
    let process = child.0.id();
    // What the system lets nobody read belongs to root, whoever runs it.
    let owner = fs::metadata(format!("/proc/{process}/mem")).unwrap().uid();
    assert_eq!(owner, 0);
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let values: Vec<&str> = core.unwrap().split_whitespace().skip(4).collect();
    assert_eq!(values, ["0", "0", "bytes"]);
}

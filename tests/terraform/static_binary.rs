//! The release binary carries all it needs: CI images have neither glibc nor its loader.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of one test"
)]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use terraform_provider_claude::env;

use crate::support::{cargo, process};

const NAME: &str = "terraform-provider-claude";
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
const LARGEST: u64 = 8 << 20;
const START_LIMIT: Duration = Duration::from_secs(30);

/// Prepares a command that sees `root` as the root folder and has an empty environment.
///
/// Root may change its root folder; anyone else may inside a user namespace, where there are any.
fn inside(root: &Path, arguments: &[&str]) -> Command {
    let mut words: Vec<OsString> = Vec::new();
    if !rustix::process::geteuid().is_root() {
        words.extend(["unshare", "--map-root-user"].map(OsString::from));
    }
    words.push("chroot".into());
    words.push(root.into());
    words.extend(arguments.iter().map(OsString::from));
    let mut command = Command::new(&words[0]);
    // `chroot` is where only an administrator's path leads.
    command.args(&words[1..]).env_clear().env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command
}

#[test]
fn the_release_binary_starts_in_an_empty_root() {
    let binary = cargo::static_release().unwrap_or_else(|error| panic!("{error}"));
    let size = fs::metadata(&binary).unwrap().len();
    println!("{size} bytes");
    assert!(size < LARGEST, "{size} bytes are more than {LARGEST}");

    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("tmp")).unwrap();
    fs::copy(&binary, root.path().join(NAME)).unwrap();

    let version = process::run(
        &mut inside(root.path(), &["/terraform-provider-claude", "--version"]),
        &[],
        START_LIMIT,
    )
    .expect("`chroot`, and `unshare` for all but root, are on the search path");
    assert!(
        version.status.success(),
        "the binary does not start in an empty root (this needs root, or user namespaces that \
         anyone may make: `sysctl kernel.unprivileged_userns_clone`)\n{}",
        version.stderr
    );
    assert!(
        version.stdout.contains(env!("CARGO_PKG_VERSION")),
        "{version:?}"
    );

    let name = "/terraform-provider-claude";
    let run = |arguments: &[&str]| {
        let ran = process::run(&mut inside(root.path(), arguments), &[], START_LIMIT).unwrap();
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        ran.stdout
    };
    assert!(run(&[name, "status", "--help"]).contains("--detailed-exitcode"));
    // An image has no home and, while it is built, perhaps no /proc.
    let printed = run(&[
        name,
        "install",
        "--dir",
        "/usr/local/share/terraform/plugins",
    ]);
    let installed = printed
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("/usr/local/share/terraform/plugins/terraform.local/"))
        .expect("the place is printed");
    let archive = root.path().join(installed.trim_start_matches('/'));
    assert!(archive.is_file(), "{installed}");

    let line = handshake(root.path());
    let fields: Vec<&str> = line.trim_end().split('|').collect();
    assert_eq!(fields[..3], ["1", "6", "unix"], "{line}");
    assert!(fields[3].starts_with("/tmp/"), "{line}");
    assert_eq!(fields[4], "grpc", "{line}");
}

/// Starts the binary as a host without certificates does and returns what it answers.
fn handshake(root: &Path) -> String {
    let mut provider = Ended(
        inside(root, &["/terraform-provider-claude"])
            .env(env::TF_PLUGIN_MAGIC_COOKIE, COOKIE)
            .env(env::PLUGIN_PROTOCOL_VERSIONS, "6")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap(),
    );
    let mut stdout = BufReader::new(provider.0.stdout.take().unwrap());
    let (sender, answer) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = stdout.read_line(&mut line);
        sender.send(line)
    });
    answer.recv_timeout(START_LIMIT).expect("a line in time")
}

/// A child that does not outlive the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

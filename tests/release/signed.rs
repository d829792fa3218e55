//! A release signed with a throw-away key, where there is GnuPG.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::repository::Repository;
use crate::support::leave_out;
use crate::support::process::{self, Finished};

const PASSPHRASE: &str = "only for this test";
const LIMIT: Duration = Duration::from_secs(120);

/// A keyring of our own, whose agent ends with it.
struct Keyring(TempDir);

impl Keyring {
    fn run(&self, program: &str, arguments: &[&str]) -> std::io::Result<Finished> {
        let mut command = Command::new(program);
        command.env("GNUPGHOME", self.0.path()).args(arguments);
        process::run(&mut command, &[], LIMIT)
    }

    /// Makes an RSA key, the kind that registries take, and returns its fingerprint.
    fn key(&self) -> String {
        let made = self
            .run(
                "gpg",
                &[
                    "--batch",
                    "--pinentry-mode=loopback",
                    "--passphrase",
                    PASSPHRASE,
                    "--quick-generate-key",
                    "Nobody",
                    "rsa2048",
                    "sign",
                    "never",
                ],
            )
            .unwrap();
        assert!(made.status.success(), "{}", made.stderr);
        let listed = self.run("gpg", &["--list-keys", "--with-colons"]).unwrap();
        let line = listed.stdout.lines().find(|line| line.starts_with("fpr:"));
        line.unwrap()
            .trim_matches(|c| "fpr:".contains(c))
            .to_owned()
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.run("gpgconf", &["--kill", "all"]);
    }
}

#[test]
fn sums_are_signed_with_the_key_that_is_named() {
    let keyring = Keyring(tempfile::tempdir().unwrap());
    if keyring.run("gpg", &["--version"]).is_err() {
        leave_out("signatures, because there is no gpg");
        return;
    }
    let fingerprint = keyring.key();
    let repository = Repository::new();
    let packed = repository.pack(
        &["v1.2.3", "built", "out"],
        &[
            ("GNUPGHOME", keyring.0.path().to_str().unwrap()),
            ("GPG_FINGERPRINT", &fingerprint),
            ("GPG_PASSPHRASE", PASSPHRASE),
        ],
    );
    assert!(packed.status.success(), "{}", packed.stderr);
    assert_eq!(repository.names("out").len(), 8);

    let sums = repository.path("out/terraform-provider-claude_1.2.3_SHA256SUMS");
    let sums = sums.to_str().unwrap();
    let signature = format!("{sums}.sig");
    // A registry does not take one in letters.
    assert!(!std::fs::read(&signature).unwrap().starts_with(b"-----"));
    let verified = keyring
        .run("gpg", &["--status-fd=1", "--verify", &signature, sums])
        .unwrap();
    assert!(verified.status.success(), "{}", verified.stderr);
    let line = format!("[GNUPG:] VALIDSIG {fingerprint} ");
    assert!(verified.stdout.contains(&line), "{}", verified.stdout);
}

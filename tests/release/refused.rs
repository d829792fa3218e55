//! What is no release.

use std::fs;

use super::repository::{CHANGELOG, Repository};

/// Asserts that nothing is packed, and why.
#[track_caller]
fn refuses(repository: &Repository, arguments: &[&str], reason: &str) {
    let finished = repository.pack(arguments, &[]);
    assert!(!finished.status.success(), "{}", finished.stdout);
    assert!(finished.stderr.contains(reason), "{}", finished.stderr);
    assert!(!repository.path("out").exists());
    assert!(!repository.path("out.partial").exists());
}

#[test]
fn a_release_without_a_signature() {
    refuses(
        &Repository::new(),
        &["v1.2.3", "built", "out"],
        "no release without a signature: set GPG_FINGERPRINT",
    );
}

#[test]
fn a_release_that_lacks_a_platform() {
    let repository = Repository::new();
    fs::remove_file(repository.path("built/terraform-provider-claude_darwin_arm64")).unwrap();
    let finished = repository.pack(
        &["v1.2.3", "built", "out"],
        &[("GPG_FINGERPRINT", "never asked for")],
    );
    assert!(!finished.status.success());
    let reason = "built has no terraform-provider-claude_darwin_arm64";
    assert!(finished.stderr.contains(reason), "{}", finished.stderr);
    repository.dry_run("out");
}

#[test]
fn a_binary_without_its_notices() {
    let repository = Repository::new();
    let notices = "terraform-provider-claude_linux_amd64.notices";
    fs::remove_file(repository.path("built").join(notices)).unwrap();
    let reason = format!("built has no {notices}");
    refuses(
        &repository,
        &["--dry-run", "v1.2.3", "built", "out"],
        &reason,
    );
}

#[test]
fn a_key_that_is_not_there() {
    let repository = Repository::new();
    let home = tempfile::tempdir().unwrap();
    let finished = repository.pack(
        &["v1.2.3", "built", "out"],
        &[
            (
                "GPG_FINGERPRINT",
                "0123456789ABCDEF0123456789ABCDEF01234567",
            ),
            ("GNUPGHOME", home.path().to_str().unwrap()),
        ],
    );
    assert!(!finished.status.success());
    assert!(!repository.path("out").exists());
    assert!(!repository.path("out.partial").exists());
}

#[test]
fn a_tag_that_is_not_the_version() {
    let repository = Repository::new();
    for tag in ["v1.2.4", "1.2.3", "v1.2.3-rc.1", ""] {
        refuses(
            &repository,
            &["--dry-run", tag, "built", "out"],
            "is not v1.2.3, which Cargo.toml has",
        );
    }
}

#[test]
fn a_version_of_which_the_changelog_tells_nothing() {
    let repository = Repository::new();
    let arguments = ["--dry-run", "v1.2.3", "built", "out"];
    for (changelog, reason) in [
        (
            CHANGELOG.replace("## 1.2.3 - 2026-11-24", "## 1.2.3"),
            "no heading '## 1.2.3 - YYYY-MM-DD'",
        ),
        (
            CHANGELOG.replace("## 1.2.3 ", "## 1.2.30 "),
            "no heading '## 1.2.3 - YYYY-MM-DD'",
        ),
        (
            CHANGELOG.replace("### Added\n\n- One thing.\n", ""),
            "tells nothing of 1.2.3",
        ),
    ] {
        repository.write("CHANGELOG.md", &changelog);
        refuses(&repository, &arguments, reason);
    }
}

#[test]
fn a_folder_that_holds_something() {
    let repository = Repository::new();
    repository.dry_run("out");
    let finished = repository.pack(&["--dry-run", "v1.2.3", "built", "out"], &[]);
    assert!(!finished.status.success());
    assert!(finished.stderr.contains("out is there already"));
}

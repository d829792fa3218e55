//! A small repository with the real scripts, a version of its own and invented binaries.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::process::{self, Finished};

/// Every platform that a release is made for.
pub(super) const PLATFORMS: [&str; 4] =
    ["darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64"];

/// A changelog that tells what is in 1.2.3.
pub(super) const CHANGELOG: &str = "# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-11-24\n\n### Added\n\n- One thing.\n\n## 1.2.2 - 2026-11-01\n\n- Another thing.\n";

const LIMIT: Duration = Duration::from_secs(120);

/// The folder, its version 1.2.3.
pub(super) struct Repository(TempDir);

impl Repository {
    pub(super) fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir(repository.path("release")).unwrap();
        for entry in fs::read_dir(source.join("release")).unwrap() {
            let file = entry.unwrap();
            let name = file.file_name();
            fs::copy(file.path(), repository.path("release").join(name)).unwrap();
        }
        for name in ["LICENSE", "terraform-registry-manifest.json"] {
            fs::copy(source.join(name), repository.path(name)).unwrap();
        }
        repository.write(
            "Cargo.toml",
            "[package]\nname = \"any\"\nversion = \"1.2.3\"\n",
        );
        repository.write("CHANGELOG.md", CHANGELOG);
        for platform in PLATFORMS {
            repository.write(
                &format!("built/terraform-provider-claude_{platform}"),
                &format!("#!/bin/sh\necho {platform}\n"),
            );
            repository.write(
                &format!("built/terraform-provider-claude_{platform}.notices"),
                "Notices.\n",
            );
        }
        repository
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        // As an archive of another job's files leaves them.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs `release/pack` with arguments, and with no key but that of `environment`.
    pub(super) fn pack(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        let mut command = Command::new(self.path("release/pack"));
        command
            .current_dir(self.0.path())
            .args(arguments)
            .env_remove("GPG_FINGERPRINT")
            .env_remove("GPG_PASSPHRASE")
            .envs(environment.iter().copied());
        process::run(&mut command, &[], LIMIT).unwrap()
    }

    /// Packs without a signature into `output`.
    pub(super) fn dry_run(&self, output: &str) {
        let finished = self.pack(&["--dry-run", "v1.2.3", "built", output], &[]);
        assert!(finished.status.success(), "{}", finished.stderr);
    }

    /// Returns the names of the files in a folder.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

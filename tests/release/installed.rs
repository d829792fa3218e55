//! The archive of a release, installed by a real Terraform.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::repository::Repository;
use crate::support::terraform::{SOURCE, Workspace};
use crate::support::{cargo, process};

const LIMIT: Duration = Duration::from_secs(30);

/// CI images such as Alpine have no loader of glibc.
#[test]
#[cfg(target_os = "linux")]
fn a_plain_build_needs_no_loader() {
    let binary = env!("CARGO_BIN_EXE_terraform-provider-claude");
    let mut command = std::process::Command::new("readelf");
    let read = process::run(command.args(["-l", binary]), &[], LIMIT).unwrap();
    assert!(read.status.success(), "{}", read.stderr);
    assert!(!read.stdout.contains("INTERP"), "{}", read.stdout);
}

/// The folder of archives is laid out as a registry names them; `init` checks name and contents.
#[test]
fn a_static_binary_is_installed_from_its_archive() {
    let version = env!("CARGO_PKG_VERSION");
    let binary = cargo::static_release().unwrap();
    let name = binary.file_name().unwrap().to_str().unwrap();
    let platform = name.strip_prefix("terraform-provider-claude_").unwrap();
    let repository = Repository::new();
    repository.write("Cargo.toml", &format!("version = {version:?}\n"));
    repository.write(
        "CHANGELOG.md",
        &format!("## {version} - 2026-11-24\n\n- It.\n"),
    );
    fs::remove_dir_all(repository.path("built")).unwrap();
    fs::create_dir(repository.path("built")).unwrap();
    for file in [name.to_owned(), format!("{name}.notices")] {
        let built = binary.with_file_name(&file);
        fs::copy(built, repository.path("built").join(file)).unwrap();
    }
    let mirror = Path::new("mirror").join(SOURCE);
    fs::create_dir_all(repository.path(mirror.parent().unwrap().to_str().unwrap())).unwrap();
    let tag = format!("v{version}");
    let output = mirror.to_str().unwrap();
    let packed = repository.pack(&["--dry-run", &tag, "built", output], &[]);
    assert!(packed.status.success(), "{}", packed.stderr);

    let mut workspace = Workspace::new("installed");
    let settings = repository.path("mirror.tfrc");
    let mirror = repository.path("mirror");
    fs::write(
        &settings,
        format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n"
        ),
    )
    .unwrap();
    workspace.set("TF_CLI_CONFIG_FILE", settings.to_str().unwrap());
    workspace.configure("provider \"claude\" {}\n");
    workspace
        .run(["init"])
        .exits(0)
        .says(&format!("Installed {SOURCE} {tag}"));
    let installed = workspace.folder().join(format!(
        ".terraform/providers/{SOURCE}/{version}/{platform}/terraform-provider-claude_{tag}"
    ));
    let mut command = std::process::Command::new(installed);
    let told = process::run(command.arg("--version"), &[], LIMIT);
    assert_eq!(
        told.unwrap().stdout,
        format!("terraform-provider-claude {version}\n")
    );
    workspace
        .run(["providers", "schema", "-json"])
        .exits(0)
        .says("claude_oauth_token");
}

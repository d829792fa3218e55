//! Files of a release: names, archives, sums.

use std::fs;
use std::process::Command;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::repository::{PLATFORMS, Repository};
use crate::support::process;

/// Prints name, mode, time and system of every file of an archive.
const LIST: &str = "\
import sys, zipfile
for file in zipfile.ZipFile(sys.argv[1]).infolist():
    print(file.filename, oct(file.external_attr >> 16), file.date_time, file.create_system)
";

/// Prints what the last file of an archive, the binary, holds.
const BINARY: &str = "\
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
sys.stdout.write(archive.read(archive.infolist()[-1]).decode())
";

fn python(program: &str, repository: &Repository, archive: &str) -> String {
    let mut command = Command::new("python3");
    command
        .args(["-c", program])
        .arg(repository.path("out").join(archive));
    let finished = process::run(&mut command, &[], Duration::from_secs(60)).unwrap();
    assert!(finished.status.success(), "{}", finished.stderr);
    finished.stdout
}

#[test]
fn files_have_the_names_and_contents_that_registries_take() {
    let repository = Repository::new();
    repository.dry_run("out");
    let mut expected: Vec<_> = PLATFORMS
        .map(|platform| format!("terraform-provider-claude_1.2.3_{platform}.zip"))
        .into();
    expected.insert(0, "terraform-provider-claude_1.2.3_SHA256SUMS".to_owned());
    expected.push("terraform-provider-claude_1.2.3_manifest.json".to_owned());
    expected.push("terraform-provider-claude_1.2.3_mirror.tar".to_owned());
    assert_eq!(repository.names("out"), expected);

    for platform in PLATFORMS {
        let archive = format!("terraform-provider-claude_1.2.3_{platform}.zip");
        assert_eq!(
            python(LIST, &repository, &archive),
            "LICENSE 0o100644 (1980, 1, 1, 0, 0, 0) 3\n\
             THIRD-PARTY-NOTICES.txt 0o100644 (1980, 1, 1, 0, 0, 0) 3\n\
             terraform-provider-claude_v1.2.3 0o100755 (1980, 1, 1, 0, 0, 0) 3\n"
        );
        assert_eq!(
            python(BINARY, &repository, &archive),
            format!("#!/bin/sh\necho {platform}\n")
        );
    }

    let manifest = fs::read(repository.path("out").join(&expected[5])).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest,
        serde_json::json!({ "version": 1, "metadata": { "protocol_versions": ["6.0"] } })
    );
}

#[test]
fn sums_are_those_of_all_other_files() {
    let repository = Repository::new();
    repository.dry_run("out");
    let names = repository.names("out");
    let sums: String = names[1..]
        .iter()
        .map(|name| {
            let bytes = fs::read(repository.path("out").join(name)).unwrap();
            let digest: String = Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("{digest}  {name}\n")
        })
        .collect();
    assert_eq!(names.len(), 7);
    assert_eq!(
        fs::read_to_string(repository.path("out").join(&names[0])).unwrap(),
        sums
    );
}

#[test]
fn the_same_binaries_give_the_same_bytes() {
    let (one, other) = (Repository::new(), Repository::new());
    one.dry_run("out");
    other.dry_run("out");
    for name in one.names("out") {
        let bytes = |repository: &Repository| fs::read(repository.path("out").join(&name)).unwrap();
        assert!(bytes(&one) == bytes(&other), "{name}");
    }
}

/// Unpacks the mirror and prints the index, then platforms with file name and whether the hash of
/// the archive is right.
const MIRROR: &str = "\
import hashlib, json, sys, tarfile
mirror = tarfile.open(sys.argv[1])
folder = 'terraform.local/claude-ops/claude'
read = lambda name: mirror.extractfile(f'{folder}/{name}').read()
print(json.loads(read('index.json')))
for platform, archive in json.loads(read('1.2.3.json'))['archives'].items():
    whole = 'zh:' + hashlib.sha256(read(archive['url'])).hexdigest()
    print(platform, archive['url'], archive['hashes'][0][:3], archive['hashes'][1] == whole)
print(len(mirror.getnames()), {member.mtime for member in mirror})
";

#[test]
fn the_mirror_has_every_platform() {
    let repository = Repository::new();
    repository.dry_run("out");
    let printed = python(
        MIRROR,
        &repository,
        "terraform-provider-claude_1.2.3_mirror.tar",
    );
    let platforms = PLATFORMS.map(|platform| {
        format!("{platform} terraform-provider-claude_1.2.3_{platform}.zip h1: True\n")
    });
    assert_eq!(
        printed,
        format!(
            "{{'versions': {{'1.2.3': {{}}}}}}\n{}6 {{0}}\n",
            platforms.concat()
        )
    );
}

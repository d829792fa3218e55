//! Workflows and scripts, which nothing runs before they are needed.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{files, read, relative, root};
use crate::support::provision;

fn workflows() -> Vec<(String, String)> {
    let found: Vec<_> = files(&root().join(".github/workflows"))
        .into_iter()
        .map(|path| (relative(&path), read(&path)))
        .collect();
    assert!(found.len() > 1, "{found:?}");
    found
}

/// Returns the paths in a text that lie in one of our folders for scripts.
fn scripts(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    text.split(|c| !is_part(c))
        .map(|word| word.trim_end_matches(['.', '/']))
        .filter(|word| word.starts_with(".ci/") || word.starts_with("release/"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn workflows_and_pages_name_scripts_that_there_are() {
    let mut texts = workflows();
    for page in ["CONTRIBUTING.md", "README.md"] {
        texts.push((page.to_owned(), read(&root().join(page))));
    }
    for (name, text) in texts {
        let scripts = scripts(&text);
        assert!(!scripts.is_empty(), "{name}");
        for script in scripts {
            let metadata = fs::metadata(root().join(&script));
            let metadata = metadata.unwrap_or_else(|_| panic!("{name}: {script}"));
            assert!(metadata.permissions().mode() & 0o111 != 0, "{script}");
        }
    }
}

#[test]
fn shell_scripts_parse_and_stop_at_a_failure() {
    let scripts = [".ci", "release"].map(|folder| files(&root().join(folder)));
    let scripts = scripts.into_iter().flatten();
    let mut count = 0;
    for path in scripts.filter(|path| read(path).starts_with("#!/usr/bin/env bash\n")) {
        let parsed = Command::new("bash").arg("-n").arg(&path).status().unwrap();
        assert!(parsed.success(), "{}", relative(&path));
        assert!(
            read(&path).contains("\nset -euo pipefail\n"),
            "{}",
            relative(&path)
        );
        count += 1;
    }
    assert_eq!(count, 5);
}

/// A tag can be moved to another commit, and then runs with our permissions.
#[test]
fn actions_are_pinned_to_a_commit() {
    for (name, text) in workflows() {
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            let (_, action) = line.split_once("uses: ").unwrap();
            if action.starts_with("./") {
                let workflow = root().join(action);
                assert!(workflow.is_file(), "{name}: {action}");
                continue;
            }
            let (action, comment) = action.split_once(" # v").unwrap_or((action, ""));
            let commit = action.rsplit('@').next().unwrap();
            let is_commit = commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit());
            assert!(is_commit, "{name}: {action}");
            assert!(!comment.is_empty(), "{name}: {action} names no version");
        }
    }
}

#[test]
fn workflows_begin_without_permissions() {
    for (name, text) in workflows() {
        assert!(text.contains("\npermissions: {}\n"), "{name}");
        let jobs = text.split("\njobs:\n").nth(1).unwrap();
        let is_job = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
        let jobs_there = jobs.lines().filter(is_job).count();
        let granted = jobs.matches("\n    permissions:\n").count();
        assert_eq!(jobs_there, granted, "{name}");
    }
}

/// Rust's version stands in `rust-toolchain.toml` and `Cargo.toml`, which another test compares.
#[test]
fn nothing_else_names_a_version_of_rust() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    let (series, _) = version.rsplit_once('.').unwrap();
    let folders = [".ci", ".github", "docs", "release"].map(|folder| files(&root().join(folder)));
    // Figures are those of a compiler, which they name.
    let figures = root().join("PERFORMANCE.md");
    let pages = top_pages().into_iter().filter(|page| *page != figures);
    for path in folders.into_iter().flatten().chain(pages) {
        let text = read(&path);
        assert!(!text.contains(series), "{}: {series}", relative(&path));
        assert!(!text.contains("rustup toolchain"), "{}", relative(&path));
    }
    assert!(read(&root().join("README.md")).contains("`rust-toolchain.toml`"));
}

#[test]
fn the_versions_said_to_be_tried_are_those_that_are() {
    let page = read(&root().join("SUPPORT.md"));
    let row = |name: &str| {
        let start = format!("| {name} |");
        let line = page.lines().find(|line| line.starts_with(&start));
        line.unwrap().to_owned()
    };
    for (name, tool) in [
        ("Terraform", &provision::TERRAFORM),
        ("OpenBao", &provision::OPENBAO),
    ] {
        assert!(row(name).contains(tool.version), "{}", row(name));
    }
}

#[test]
fn dependencies_are_judged_for_the_targets_of_a_release() {
    let build = read(&root().join("release/build"));
    let deny = read(&root().join("deny.toml"));
    let release = read(&root().join(".github/workflows/release.yml"));
    let mut count = 0;
    for line in build.lines().map(str::trim) {
        let Some((triple, platform)) = line.split_once(") platform=") else {
            continue;
        };
        let platform = platform.trim_end_matches(" ;;");
        assert!(deny.contains(&format!("{triple:?}")), "{triple}");
        assert!(
            release.contains(&format!("- platform: {platform}\n")),
            "{platform}"
        );
        count += 1;
    }
    assert_eq!(count, 4);
}

/// Returns the pages beside the README.
fn top_pages() -> Vec<std::path::PathBuf> {
    let mut pages = files(root());
    pages.retain(|path| path.parent() == Some(root()) && path.extension() == Some("md".as_ref()));
    pages
}

#[test]
fn every_page_is_linked() {
    let readme = read(&root().join("README.md"));
    let contributing = read(&root().join("CONTRIBUTING.md"));
    let pages = top_pages();
    assert!(pages.len() > 4, "{pages:?}");
    for page in pages.iter().map(|page| relative(page)) {
        let link = format!("]({page})");
        let is_linked = readme.contains(&link) || contributing.contains(&link);
        assert!(is_linked, "{page}");
    }
}

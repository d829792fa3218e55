//! Rules that the repository itself must keep.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod automation;
mod changelog;
mod docs;
mod files;
mod imports;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no file of ours.
const FOREIGN: [&str; 3] = [".git", ".terraform", "target"];

/// Set to `1` to write the generated files instead of comparing them.
const UPDATE: &str = "UPDATE_GENERATED";

#[expect(clippy::disallowed_methods, reason = "a switch of these tests alone")]
fn wants_update() -> bool {
    std::env::var(UPDATE).is_ok_and(|value| value == "1")
}

/// Returns the top folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every file of ours in a folder and below it, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let is_foreign = FOREIGN.iter().any(|name| entry.file_name() == *name);
            if kind.is_dir() && !is_foreign {
                folders.push(entry.path());
            } else if kind.is_file() && !is_foreign {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Returns every Rust source in a folder and below it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = files(folder);
    found.retain(|path| path.extension() == Some("rs".as_ref()));
    found
}

/// Returns the text of a file; bytes that are no text become marks.
fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// Returns the name of a file from the top folder on, with slashes on every system.
fn relative(path: &Path) -> String {
    let below = path.strip_prefix(root()).unwrap();
    below.to_str().unwrap().replace('\\', "/")
}

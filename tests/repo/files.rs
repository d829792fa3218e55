//! Rules about files that no compiler checks.

use std::path::Path;

use super::{files, read, relative, root, sources};

/// A source file with more lines is two things.
const MAX_LINES: usize = 600;

/// Lines of `src/main.rs`, which only calls the library.
const MAX_LINES_OF_MAIN: usize = 40;

/// Tells whether a generator writes the file, or the file only lets a generated one in.
fn is_generated(name: &str) -> bool {
    name.contains("/generated/") || name.ends_with("/generated.rs")
}

#[test]
fn files_are_short() {
    let long: Vec<_> = sources(root())
        .into_iter()
        .filter(|path| !is_generated(&relative(path)))
        .map(|path| (relative(&path), read(&path).lines().count()))
        .filter(|(name, lines)| {
            *lines > MAX_LINES || (name == "src/main.rs" && *lines > MAX_LINES_OF_MAIN)
        })
        .collect();
    assert!(long.is_empty(), "too many lines: {long:?}");
}

/// A text that goes on in the next line needs a backslash before it.
#[test]
fn messages_have_no_gaps() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src/provider")) {
        for (number, line) in read(&path).lines().enumerate() {
            let words = line.trim_start();
            let gap = words.find("    ").is_some_and(|at| {
                let before = &words[..at];
                !before.ends_with(r"\n")
                    && before.ends_with(|c: char| c.is_alphabetic() || ",.".contains(c))
            });
            if gap && !words.starts_with("//") {
                wrong.push(format!("{}:{}", relative(&path), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "spaces in a row: {wrong:?}");
}

#[test]
fn modules_are_named_files() {
    let unnamed: Vec<_> = sources(&root().join("src"))
        .into_iter()
        .filter(|path| path.file_name() == Some("mod.rs".as_ref()))
        .map(|path| relative(&path))
        .collect();
    assert!(
        unnamed.is_empty(),
        "name these after their folder: {unnamed:?}"
    );
}

#[test]
fn lints_are_expected_with_a_reason_and_not_allowed() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = relative(&path);
        let text = read(&path);
        for (number, line) in text.lines().enumerate() {
            let allows = line.contains("#[allow(") || line.contains("#![allow(");
            if allows && !is_generated(&name) {
                wrong.push(format!("{name}:{}", number + 1));
            }
        }
        let expectations = text.matches("[expect(").count();
        if text.matches("reason = ").count() < expectations {
            wrong.push(format!("{name}: an expectation without a reason"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lock file is left out: cargo writes into it where each package came from.
#[test]
fn no_file_names_the_host_of_a_package_registry() {
    let hosts = [
        ["crates", "io"],
        ["pypi", "org"],
        ["npmjs", "com"],
        ["npmjs", "org"],
        ["debian", "org"],
    ]
    .map(|parts| parts.join("."));
    let lock = root().join("Cargo.lock");
    let mut wrong = Vec::new();
    for path in files(root()).into_iter().filter(|path| *path != lock) {
        let text = read(&path).to_lowercase();
        let named = hosts.iter().filter(|host| text.contains(host.as_str()));
        wrong.extend(named.map(|host| format!("{}: {host}", relative(&path))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn text_files_end_with_a_line_break() {
    let kinds = [
        "rs", "toml", "proto", "md", "tf", "hcl", "yml", "yaml", "sh",
    ];
    let wrong: Vec<_> = files(root())
        .into_iter()
        .filter(|path| has_extension(path, &kinds))
        .filter(|path| {
            let text = read(path);
            !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n"))
        })
        .map(|path| relative(&path))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn has_extension(path: &Path, kinds: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| kinds.contains(&extension))
}

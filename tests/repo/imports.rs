//! Imports inside the crate go one way.

use super::{read, relative, root, sources};

/// Each module at the top of the crate, and the others that it may use.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("clock", &[]),
    ("deadline", &[]),
    ("env", &[]),
    ("hardening", &[]),
    ("random", &[]),
    ("secret", &[]),
    ("log", &["env"]),
    ("plugin", &[]),
    ("protocol", &["secret"]),
    ("sdk", &["deadline", "log", "protocol", "random", "secret"]),
    ("token", &["secret"]),
    ("vault", &["clock", "deadline", "random", "secret"]),
    ("external_secret", &[]),
    (
        "provider",
        &[
            "clock",
            "deadline",
            "env",
            "external_secret",
            "log",
            "protocol",
            "random",
            "sdk",
            "secret",
            "token",
            "vault",
        ],
    ),
    (
        "cli",
        &[
            "clock",
            "env",
            "hardening",
            "log",
            "plugin",
            "provider",
            "sdk",
            "secret",
        ],
    ),
];

/// Modules that could be used by any other provider, and words that would say otherwise.
const NEUTRAL: [&str; 3] = ["plugin", "protocol", "sdk"];
const PRODUCT_WORDS: [&str; 3] = ["claude", "anthropic", "vault"];

/// The folder or file below `src` that a path belongs to.
fn module(path: &str) -> &str {
    let below = path.trim_start_matches("src/");
    let first = below.split('/').next().unwrap_or(below);
    first.trim_end_matches(".rs")
}

/// Returns the modules that a source text reaches through `crate::`, comments aside.
fn used(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for (at, marker) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|previous| previous == '_' || previous.is_alphanumeric()) {
            continue;
        }
        let rest = &code[at + marker.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(heads(group)),
            None => names.extend(identifier(rest)),
        }
    }
    names
}

/// Returns the first name of each member of a group, up to the brace that closes it.
fn heads(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut at_head = true;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            _ if at_head && depth == 0 && character.is_alphabetic() => {
                names.extend(identifier(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> Option<String> {
    let of_name = |character: char| character == '_' || character.is_alphanumeric();
    let end = text
        .find(|character| !of_name(character))
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = relative(&path);
        let from = module(&name);
        if from == "lib" {
            continue;
        }
        let allowed = match from {
            "main" => Some(&["cli"][..]),
            _ => ALLOWED.iter().find(|row| row.0 == from).map(|row| row.1),
        };
        let Some(allowed) = allowed else {
            wrong.push(format!(
                "{name}: the module is not in the table of this test"
            ));
            continue;
        };
        for to in used(&read(&path)) {
            let is_module = ALLOWED.iter().any(|row| row.0 == to);
            if is_module && to != from && !allowed.contains(&to.as_str()) {
                wrong.push(format!("{name}: {from} must not use {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn neutral_modules_name_no_product() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = relative(&path);
        if !NEUTRAL.contains(&module(&name)) {
            continue;
        }
        for (number, line) in read(&path).to_lowercase().lines().enumerate() {
            for word in PRODUCT_WORDS {
                if line.contains(word) || name.contains(word) {
                    wrong.push(format!("{name}:{}: {word}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_way_to_write_an_import_is_seen() {
    let text = "
use crate::secret::Secret;
use crate::{clock::Clock, vault::{read, write}, env};
pub(crate) fn f(x: &crate::token::Token) {}
// crate::log is only mentioned
use my_crate::plugin;
";
    assert_eq!(used(text), ["secret", "clock", "vault", "env", "token"]);
    assert_eq!(module("src/protocol/msgpack/decode.rs"), "protocol");
    assert_eq!(module("src/secret.rs"), "secret");
}

//! Imports inside the crate go one way: between the modules at its top, and in each folder.

use std::collections::{BTreeMap, BTreeSet};

use super::{read, relative, root, sources};

/// Each module at the top of the crate, and the others that it may use.
const ALLOWED: [(&str, &[&str]); 18] = [
    ("clock", &[]),
    ("deadline", &[]),
    ("env", &[]),
    ("grpc", &[]),
    ("hardening", &[]),
    ("random", &[]),
    ("secret", &[]),
    ("signatures", &[]),
    ("log", &["env"]),
    ("plugin", &["grpc", "signatures"]),
    ("protocol", &["secret"]),
    (
        "sdk",
        &["deadline", "grpc", "log", "protocol", "random", "secret"],
    ),
    ("token", &["secret", "words"]),
    ("words", &[]),
    (
        "vault",
        &["clock", "deadline", "random", "secret", "signatures"],
    ),
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
            "words",
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
            "words",
        ],
    ),
];

/// Modules that could be used by any other provider, and words that would say otherwise.
const NEUTRAL: [&str; 4] = ["grpc", "plugin", "protocol", "sdk"];
const PRODUCT_WORDS: [&str; 3] = ["claude", "anthropic", "vault"];

/// A module's path from the top of the crate.
type Module = Vec<String>;

/// Returns the path of the module that a file of ours holds.
fn path_of(name: &str) -> Module {
    let below = name.trim_start_matches("src/").trim_end_matches(".rs");
    below.split('/').map(str::to_owned).collect()
}

/// Returns what is not a comment.
fn code(text: &str) -> String {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// Returns what comes before the tests of a file.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Returns every module that has a file, with its code; those of tests are left out.
fn modules() -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    for path in sources(&root().join("src")) {
        found.insert(path_of(&relative(&path)), read(&path));
    }
    let of_tests: Vec<Module> = found
        .iter()
        .flat_map(|(parent, text)| {
            let declared = text.split("#[cfg(test)]\n").skip(1);
            let names = declared.filter_map(|rest| rest.lines().next()?.strip_prefix("mod "));
            let names = names.filter_map(|name| name.strip_suffix(';'));
            names.map(|name| [parent.as_slice(), &[name.to_owned()]].concat())
        })
        .collect();
    found.retain(|module, _| !of_tests.iter().any(|test| module.starts_with(test)));
    for text in found.values_mut() {
        *text = code(without_tests(text));
    }
    found
}

fn identifier(text: &str) -> Option<String> {
    let of_name = |character: char| character == '_' || character.is_alphanumeric();
    let end = text
        .find(|character| !of_name(character))
        .unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Returns the paths that start at the beginning of a text: one, or all those of a group.
fn paths(text: &str) -> Vec<Module> {
    let Some(group) = text.strip_prefix('{') else {
        let Some(name) = identifier(text) else {
            return vec![Module::new()];
        };
        let rest = text[name.len()..].strip_prefix("::");
        let mut below = rest.map_or_else(|| vec![Module::new()], paths);
        below
            .iter_mut()
            .for_each(|path| path.insert(0, name.clone()));
        return below;
    };
    let mut found = Vec::new();
    let (mut depth, mut at_head) = (0_usize, true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            _ if at_head && depth == 0 && character.is_alphabetic() => {
                found.extend(paths(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
    }
    found
}

/// Returns the paths that the code of a module reaches through `crate::` and `super::`.
fn reached(from: &[String], code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for (marker, base) in [("crate::", &[][..]), ("super::", &from[..from.len() - 1])] {
        for (at, _) in code.match_indices(marker) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c == '_' || c == ':' || c.is_alphanumeric()) {
                continue;
            }
            for path in paths(&code[at + marker.len()..]) {
                let up = path.iter().take_while(|name| *name == "super").count();
                let base = &base[..base.len().saturating_sub(up)];
                found.push([base, &path[up..]].concat());
            }
        }
    }
    found
}

/// Returns who uses whom among the modules of each folder, by the folder. What lies below a module
/// belongs to it.
fn uses() -> BTreeMap<Module, BTreeSet<(String, String)>> {
    let modules = modules();
    let mut uses: BTreeMap<Module, BTreeSet<(String, String)>> = BTreeMap::new();
    for (from, code) in &modules {
        for to in reached(from, code) {
            let known = (0..=to.len())
                .rev()
                .find(|end| modules.contains_key(&to[..*end]));
            let to = &to[..known.unwrap_or(0)];
            let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
            if let (Some(user), Some(used)) = (from.get(common), to.get(common)) {
                let folder = from[..common].to_vec();
                let edge = (user.clone(), used.clone());
                uses.entry(folder).or_default().insert(edge);
            }
        }
    }
    uses
}

/// Returns what a name reaches.
fn reach<'e>(edges: &'e BTreeSet<(String, String)>, from: &'e str) -> BTreeSet<&'e str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        let next = edges.iter().filter(|edge| edge.0 == at);
        open.extend(
            next.map(|edge| edge.1.as_str())
                .filter(|name| seen.insert(*name)),
        );
    }
    seen
}

/// Returns the groups of names of which each reaches every other.
fn cycles(edges: &BTreeSet<(String, String)>) -> BTreeSet<Vec<&str>> {
    let names = edges.iter().map(|edge| edge.0.as_str());
    let cyclic = names.filter(|name| reach(edges, name).contains(name));
    cyclic
        .map(|name| {
            let others = reach(edges, name).into_iter();
            let back = others.filter(|other| reach(edges, other).contains(name));
            back.collect()
        })
        .collect()
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let module = path_of(&relative(&path));
        let from = module[0].as_str();
        if from == "lib" {
            continue;
        }
        let allowed = match from {
            "main" => Some(&["cli"][..]),
            _ => ALLOWED.iter().find(|row| row.0 == from).map(|row| row.1),
        };
        let Some(allowed) = allowed else {
            wrong.push(format!(
                "{module:?}: the module is not in the table of this test"
            ));
            continue;
        };
        for to in reached(&module, &code(&read(&path))) {
            let to = to.first().map_or("", String::as_str);
            let is_module = ALLOWED.iter().any(|row| row.0 == to);
            if is_module && to != from && !allowed.contains(&to) {
                wrong.push(format!("{module:?}: {from} must not use {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_two_modules_of_a_folder_use_each_other() {
    let mut wrong = Vec::new();
    for (folder, edges) in uses() {
        let folder = folder.join("::");
        for cycle in cycles(&edges) {
            wrong.push(format!("{folder}: {}", cycle.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn neutral_modules_name_no_product() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let name = relative(&path);
        if !NEUTRAL.contains(&path_of(&name)[0].as_str()) {
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
use super::super::up;
use super::{beside::{Thing, self}};
pub(crate) fn f(x: &crate::token::Token) -> super::next::Next {}
// crate::log is only mentioned
use my_crate::plugin;
#[cfg(test)]
mod tests {
    use crate::cli;
}
";
    let from = ["sdk", "erased", "plan"].map(str::to_owned);
    let found = reached(&from, &code(without_tests(text)));
    let shown: Vec<_> = found.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        shown,
        [
            "secret::Secret",
            "clock::Clock",
            "vault::read",
            "vault::write",
            "env",
            "token::Token",
            "sdk::up",
            "sdk::erased::beside::Thing",
            "sdk::erased::beside::self",
            "sdk::erased::next::Next",
        ]
    );
    let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e")];
    let edges = edges.map(|(user, used)| (user.to_owned(), used.to_owned()));
    assert_eq!(cycles(&edges.into()), [vec!["a", "b", "c"]].into());
}

//! Code blocks of Markdown.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders whose texts are not ours.
const FOREIGN: [&str; 3] = [".git", ".terraform", "target"];

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// File and line where it starts, such as `README.md:12`.
    pub(crate) place: String,
    /// What stands behind the fence.
    pub(crate) language: String,
    /// The lines between the fences, without the indentation of the fence.
    pub(crate) text: String,
}

impl Code {
    /// Returns the commands of a console, without what they printed.
    pub(crate) fn commands(&self) -> String {
        self.parts().0
    }

    /// Returns the lines that a console or a text shows as printed, without empty ones.
    pub(crate) fn outputs(&self) -> Vec<String> {
        match self.language.as_str() {
            "console" => self.parts().1,
            "text" => self.lines().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter(|line| !line.trim().is_empty())
    }

    /// Splits a console into commands and outputs.
    fn parts(&self) -> (String, Vec<String>) {
        let (mut commands, mut outputs) = (String::new(), Vec::new());
        let mut end: Option<String> = None;
        let mut continues = false;
        for line in self.lines() {
            let command = line.strip_prefix("$ ");
            if !(continues || end.is_some() || command.is_some()) {
                outputs.push(line.to_owned());
                continue;
            }
            let line = command.unwrap_or(line);
            commands += &format!("{line}\n");
            continues = line.ends_with('\\');
            if end.as_deref() == Some(line) {
                end = None;
            } else if let Some((_, word)) = line.split_once("<<") {
                let word = word.split_whitespace().next().unwrap_or_default();
                end = Some(word.trim_matches(['-', '\'', '"']).to_owned());
            }
        }
        (commands, outputs)
    }
}

/// Returns every Markdown file of the repository with its name from the top folder on, sorted.
pub(crate) fn pages() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut pages, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_ours = !FOREIGN.iter().any(|name| entry.file_name() == *name);
            if path.is_dir() && is_ours {
                folders.push(path);
            } else if path.extension() == Some("md".as_ref()) {
                let name = path.strip_prefix(root).unwrap_or(&path);
                pages.push((name.display().to_string(), path));
            }
        }
    }
    pages.sort();
    pages
}

/// Returns the fenced blocks of a text.
pub(crate) fn codes(page: &str, text: &str) -> Vec<Code> {
    let mut codes = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let indentation = line.len() - line.trim_start().len();
        let inner = lines.by_ref().map(|(_, line)| line);
        let inner = inner.take_while(|line| !line.trim_start().starts_with("```"));
        let text = inner.map(|line| format!("{}\n", line.get(indentation..).unwrap_or_default()));
        codes.push(Code {
            place: format!("{page}:{number}"),
            language: language.trim().to_owned(),
            text: text.collect(),
        });
    }
    codes
}

/// Makes lines alike that differ in dates, in digests or in the way they are indented.
pub(crate) fn alike(line: &str) -> String {
    let is_digest = |word: &str| {
        word.len() >= 8
            && word.contains(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_hexdigit())
    };
    let is_date = |word: &str| {
        word.len() >= 10
            && word.as_bytes()[4] == b'-'
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || "-T:Z".contains(c))
    };
    let mut alike = String::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    for piece in line
        .trim()
        .split_inclusive(|c: char| !is_part(c) && c != ':')
    {
        let end = piece.trim_end_matches(|c: char| !is_part(c));
        let (word, rest) = piece.split_at(end.len());
        alike += match word {
            word if is_date(word) => "DATE",
            word if is_digest(word.rsplit(':').next().unwrap_or_default()) => "DIGEST",
            word => word,
        };
        alike += rest;
    }
    alike.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn blocks_are_found_in_lists_too() {
    let codes = codes(
        "a.md",
        "1. Text\n\n   ```console\n   $ cat <<EOF | b \\\n   one\n   EOF\n   $ c\n   output\n   ```\n\n```text\nno command\n```\n",
    );
    assert_eq!(codes.len(), 2);
    assert_eq!(codes[0].place, "a.md:3");
    assert_eq!(codes[0].commands(), "cat <<EOF | b \\\none\nEOF\nc\n");
    assert_eq!(codes[0].outputs(), ["output"]);
    assert_eq!(codes[1].outputs(), ["no command"]);
}

#[test]
fn dates_and_digests_are_alike() {
    assert_eq!(
        alike("  fingerprint = \"sha256:ac3a17abea668b2c\" -> 2026-11-24T09:13:36Z,  x"),
        "fingerprint = \"DIGEST\" -> DATE, x"
    );
    assert_eq!(
        alike("Plan: 0 to add, 12 to change"),
        "Plan: 0 to add, 12 to change"
    );
    assert_eq!(alike("expires: 2026-11-24"), "expires: DATE");
}

//! Configuration as text: its top-level blocks, and stand-ins for what foreign providers own.
//!
//! Reads what `terraform fmt` wrote: a top-level block starts and ends in the first column.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

use std::collections::BTreeMap;

/// Beginning of the type names that are ours.
const OURS: &str = "claude_";

/// Arguments that every resource has, whatever its provider.
const META: [&str; 5] = ["count", "depends_on", "for_each", "lifecycle", "provider"];

/// What the data source of another provider answers, beside its arguments.
const ANSWERS: [(&str, &str); 1] = [(
    "vault_kv_secret_v2",
    "data = { claude_oauth_token = \"sk-ant-oat01-stand-in\" }",
)];

/// One block at the top of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Such as `resource`.
    pub(crate) kind: String,
    /// Such as the type and the name.
    pub(crate) labels: Vec<String>,
    /// The lines between the braces.
    body: Vec<String>,
}

impl Block {
    /// Returns the block as it stands in a file.
    pub(crate) fn text(&self) -> String {
        let labels: String = self.labels.iter().map(|l| format!(" {l:?}")).collect();
        let body: String = self.body.iter().map(|line| format!("{line}\n")).collect();
        format!("{}{labels} {{\n{body}}}\n", self.kind)
    }

    /// Returns the addresses by which others refer to what it declares.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let name = self.labels.join(".");
        match self.kind.as_str() {
            "resource" => vec![name],
            "variable" => vec![format!("var.{name}")],
            "locals" => entries(&self.body)
                .iter()
                .map(|entry| format!("local.{}", word(&entry[0])))
                .collect(),
            "data" | "ephemeral" | "action" | "module" => vec![format!("{}.{name}", self.kind)],
            _ => Vec::new(),
        }
    }

    /// Tells whether a text refers to an address.
    pub(crate) fn refers_to(&self, address: &str) -> bool {
        self.body
            .iter()
            .any(|line| mentions(line, address).next().is_some())
    }

    /// Returns the text of an argument, or of the heredoc that it is, without its indentation.
    pub(crate) fn argument(&self, name: &str) -> Option<String> {
        let entries = entries(&self.body);
        let entry = entries.iter().find(|entry| word(&entry[0]) == name)?;
        let lines = entry.get(1..entry.len().saturating_sub(1)).unwrap_or(&[]);
        if lines.is_empty() {
            let (_, value) = entry[0].split_once('=')?;
            return Some(value.trim().trim_matches('"').to_owned());
        }
        let indentation = lines[0].len() - lines[0].trim_start().len();
        let lines = lines.iter().map(|line| line.get(indentation..));
        Some(
            lines
                .map(|line| format!("{}\n", line.unwrap_or_default()))
                .collect(),
        )
    }

    /// Returns the type of a thing that another provider owns.
    fn foreign(&self) -> Option<&str> {
        let is_thing = matches!(self.kind.as_str(), "resource" | "data");
        self.labels
            .first()
            .map(String::as_str)
            .filter(|name| is_thing && !name.starts_with(OURS) && *name != "terraform_data")
    }
}

/// Returns the top-level blocks of a file; comments between them are left out.
#[track_caller]
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((header, rest)) = line.split_once('{') else {
            panic!("no block starts with {line:?} in\n{text}");
        };
        let mut words = header.split_whitespace();
        let kind = words.next().unwrap_or_default().to_owned();
        let labels = words
            .map(|word| word.trim_matches('"').to_owned())
            .collect();
        let body = match rest.strip_suffix('}') {
            Some(rest) if rest.trim().is_empty() => Vec::new(),
            Some(rest) => vec![format!("  {}", rest.trim())],
            None => {
                let body: Vec<_> = lines.by_ref().take_while(|line| *line != "}").collect();
                body.into_iter().map(str::to_owned).collect()
            }
        };
        blocks.push(Block { kind, labels, body });
    }
    blocks
}

/// Writes blocks with a `terraform_data` in the place of each thing that another provider owns: its
/// input is what the thing takes. Providers that are not ours are left out, and so are back ends.
pub(crate) fn with_stand_ins(blocks: &[Block]) -> String {
    let mut text = String::new();
    let mut renamed = BTreeMap::new();
    for block in blocks {
        if let Some(kind) = block.foreign() {
            let (address, stand_in) = (block.addresses().remove(0), block.labels.join("_"));
            if block.kind == "data" {
                text += &answer_of(block, kind, &stand_in);
                renamed.insert(address, (format!("local.{stand_in}"), ""));
            } else {
                text += &stand_in_of(block, &stand_in);
                renamed.insert(address, (format!("terraform_data.{stand_in}"), ".input"));
            }
        } else if block.kind == "terraform" {
            text += &our_settings(block).text();
        } else if block.kind != "provider" || (block.labels == ["claude"] && !block.body.is_empty())
        {
            // Our provider needs no block, and a module is warned about an empty one.
            text += &block.text();
        }
    }
    for (address, (stand_in, attribute)) in renamed {
        let places: Vec<_> = mentions(&text, &address).collect();
        for place in places.into_iter().rev() {
            let end = place + address.len();
            let attribute = match text[end..].starts_with('.') {
                true => attribute,
                false => "",
            };
            text.replace_range(place..end, &format!("{stand_in}{attribute}"));
        }
    }
    text
}

/// Writes the resource that stands for another one.
fn stand_in_of(block: &Block, name: &str) -> String {
    let (mut meta, mut input, mut ephemeral) = (String::new(), String::new(), String::new());
    for entry in entries(&block.body) {
        let first = word(&entry[0]);
        if META.contains(&first) {
            meta += &joined(&entry);
        } else if first.ends_with("_wo") {
            // Nothing that is kept may take it; a local value may.
            ephemeral += &joined(&entry).replacen(first, &format!("{name}_{first}"), 1);
        } else {
            input += &joined(&entry.iter().map(|l| as_attribute(l)).collect::<Vec<_>>());
        }
    }
    let mut text =
        format!("resource \"terraform_data\" \"{name}\" {{\ninput = {{\n{input}}}\n{meta}}}\n");
    if !ephemeral.is_empty() {
        text += &format!("locals {{\n{ephemeral}}}\n");
    }
    text
}

/// Writes the value that stands for what a data source reads: its arguments, and an answer.
fn answer_of(block: &Block, kind: &str, name: &str) -> String {
    let answer = ANSWERS.iter().find(|(asked, _)| *asked == kind);
    let answer = answer.map_or("", |(_, answer)| answer);
    let arguments = joined(&block.body);
    format!("locals {{\n{name} = {{\n{arguments}{answer}\n}}\n}}\n")
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Writes the start of a nested block as that of an object.
fn as_attribute(line: &str) -> String {
    let name = line.trim().strip_suffix(" {").unwrap_or_default();
    let is_block = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    if is_block {
        format!("{name} = {{")
    } else {
        line.to_owned()
    }
}

/// Returns the settings with our provider alone and with the state in a file.
fn our_settings(block: &Block) -> Block {
    let mut body = Vec::new();
    for entry in entries(&block.body) {
        match word(&entry[0]) {
            "backend" | "cloud" => {}
            "required_providers" => {
                let (last, inner) = entry[1..].split_last().unwrap();
                body.push(entry[0].clone());
                let ours = entries(inner);
                let ours = ours.into_iter().filter(|entry| word(&entry[0]) == "claude");
                body.extend(ours.flatten());
                body.push(last.clone());
            }
            _ => body.extend(entry),
        }
    }
    Block {
        body,
        ..block.clone()
    }
}

/// Splits a body into its arguments and nested blocks.
fn entries(body: &[String]) -> Vec<Vec<String>> {
    let (mut entries, mut depth) = (Vec::<Vec<String>>::new(), 0_i32);
    let mut heredoc: Option<String> = None;
    for line in body {
        let inside = depth > 0 || heredoc.is_some();
        let is_text = !line.trim().is_empty() && !line.trim().starts_with('#');
        match entries.last_mut() {
            Some(entry) if inside => entry.push(line.clone()),
            _ if is_text => entries.push(vec![line.clone()]),
            _ => continue,
        }
        if let Some(end) = &heredoc {
            if line.trim() == end {
                heredoc = None;
            }
            continue;
        }
        if let Some((_, end)) = line.split_once("<<-") {
            heredoc = Some(end.trim().to_owned());
        }
        depth += line
            .chars()
            .map(|c| match c {
                '{' | '[' | '(' => 1,
                '}' | ']' | ')' => -1,
                _ => 0,
            })
            .sum::<i32>();
    }
    entries
}

/// Returns the name that a line starts with.
fn word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

/// Returns where a text has an address as a whole.
fn mentions<'a>(text: &'a str, address: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.match_indices(address)
        .map(|(place, _)| place)
        .filter(move |place| {
            let before = text[..*place].chars().next_back();
            let after = text[place + address.len()..].chars().next();
            !before.is_some_and(|c| is_part(c) || c == '.') && !after.is_some_and(is_part)
        })
}

#[test]
fn what_others_own_is_stood_in_for() {
    let blocks = blocks(
        "terraform {
  required_providers {
    claude = {
      source = \"a\"
    }
    other = {
      source = \"b\"
    }
  }
}

provider \"other\" {}

# What they own.
resource \"other_thing\" \"it\" {
  spec {
    text = claude_oauth_token.agent.fingerprint
  }
  key_wo     = ephemeral.claude_oauth_token.agent.token
  depends_on = [other_thing.first]
}

data \"other_thing\" \"it\" { name = other_thing.it.name }
",
    );
    assert_eq!(
        blocks[2].addresses(),
        ["other_thing.it"],
        "the comment belongs to none"
    );
    assert!(blocks[2].refers_to("claude_oauth_token.agent"));
    assert!(!blocks[2].refers_to("oauth_token.agent"));
    assert_eq!(
        with_stand_ins(&blocks),
        "terraform {
  required_providers {
    claude = {
      source = \"a\"
    }
  }
}
resource \"terraform_data\" \"other_thing_it\" {
input = {
spec = {
    text = claude_oauth_token.agent.fingerprint
  }
}
  depends_on = [other_thing.first]
}
locals {
  other_thing_it_key_wo     = ephemeral.claude_oauth_token.agent.token
}
locals {
other_thing_it = {
  name = terraform_data.other_thing_it.input.name

}
}
"
    );
}

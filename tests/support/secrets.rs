//! Invented tokens, and a search for them in everything that was written.

#![allow(
    dead_code,
    reason = "tests and examples share this file, and no one of them uses all of it"
)]
#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "a leak fails the test that planted the value"
)]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::process;

/// Characters in a row of a planted value that count as a leak.
const RUN: usize = 20;

/// Length of the pieces that the search looks up before it compares; two fit into any leak.
const ANCHOR: usize = 8;

/// Returns a token that looks like a real one and is not: 108 characters, the same for a seed.
pub(crate) fn token(seed: &str) -> String {
    format!("sk-ant-oat01-{}", letters(seed, 95))
}

/// Returns `count` characters of `[A-Za-z0-9_-]` that follow from the seed.
pub(crate) fn letters(seed: &str, count: usize) -> String {
    let mut text = String::new();
    for block in 0.. {
        if text.len() >= count {
            break;
        }
        text += &URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{seed}/{block}")));
    }
    text.truncate(count);
    text
}

/// Returns the hexadecimal digits of a value's SHA-256.
pub(crate) fn digest(value: &str) -> String {
    hexadecimal(&Sha256::digest(value))
}

/// Returns values that are no usable token, each with what is wrong with it.
pub(crate) fn malformed(seed: &str) -> Vec<(&'static str, String)> {
    let good = token(seed);
    let (head, tail) = good.split_at(60);
    vec![
        (
            "refresh token",
            format!("sk-ant-ort01-{}", letters(seed, 95)),
        ),
        ("API key", format!("sk-ant-api03-{}", letters(seed, 95))),
        (
            "credentials JSON",
            format!(
                r#"{{"claudeAiOauth":{{"accessToken":"{good}","refreshToken":"sk-ant-ort01-{}"}}}}"#,
                letters(seed, 95)
            ),
        ),
        ("other prefix", letters(seed, 108)),
        ("space inside", format!("{head} {tail}")),
        ("line break inside", format!("{head}\n{tail}")),
        ("quotes", format!("\"{good}\"")),
        ("wrapped at 80 columns", good[..80].to_owned()),
        ("one character lost", good[..107].to_owned()),
        ("foreign character", format!("{head}+{}", &tail[1..])),
    ]
}

/// One way in which a planted value may be written.
struct Form {
    label: String,
    bytes: Vec<u8>,
    /// Bytes in a row that count as a leak in this form.
    run: usize,
}

/// Looks for planted values in texts and files, and never shows one.
///
/// Finds any 20 characters in a row of a value: as they are, under JSON, Go and HCL escapes or
/// percent signs, broken by white space, in hexadecimal, in base64 of either alphabet at any
/// alignment, or as a list of byte values.
#[derive(Default)]
pub(crate) struct LeakSearch {
    forms: Vec<Form>,
    anchors: HashMap<[u8; ANCHOR], Vec<(usize, usize)>>,
    first_bytes: HashSet<[u8; 2]>,
    leaks: Vec<String>,
    examined: usize,
}

impl LeakSearch {
    /// Starts with nothing planted.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a value to look for; `label` names it in the report.
    #[track_caller]
    pub(crate) fn plant(&mut self, label: &str, value: &str) {
        assert!(
            value.len() >= RUN,
            "{label} is too short to be told from other text"
        );
        let solid: String = value.split_whitespace().collect();
        for text in HashSet::from([value, &solid]) {
            let bytes = text.as_bytes();
            self.add(label, "plain", bytes.to_vec(), RUN);
            let hex = hexadecimal(bytes);
            self.add(
                label,
                "hexadecimal",
                hex.to_uppercase().into_bytes(),
                2 * RUN,
            );
            self.add(label, "hexadecimal", hex.into_bytes(), 2 * RUN);
            for skipped in 0..3 {
                // Whole groups alone: what the last one would hold depends on what follows.
                let whole = &bytes[skipped..];
                let whole = &whole[..whole.len() / 3 * 3];
                // 20 characters hold at least 6 whole groups, which are 24 characters.
                for text in
                    HashSet::from([STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)])
                {
                    self.add(label, "base64", text.into_bytes(), 24);
                }
            }
            for separator in [", ", ",", " "] {
                let list = bytes
                    .iter()
                    .map(u8::to_string)
                    .collect::<Vec<_>>()
                    .join(separator);
                // Two digits and a separator are the least that a byte takes.
                self.add(
                    label,
                    "byte values",
                    list.into_bytes(),
                    RUN * (2 + separator.len()),
                );
            }
        }
    }

    /// Adds the hash of a value, which is a leak where the value is not a good token.
    pub(crate) fn plant_digest(&mut self, label: &str, value: &str) {
        self.add(label, "SHA-256", digest(value).into_bytes(), 16);
    }

    fn add(&mut self, label: &str, form: &str, bytes: Vec<u8>, run: usize) {
        let index = self.forms.len();
        // A run of 16 bytes or more holds a whole piece wherever it starts.
        for (number, piece) in bytes.chunks_exact(ANCHOR).enumerate() {
            let piece: [u8; ANCHOR] = piece.try_into().expect("chunks are exact");
            self.first_bytes.insert([piece[0], piece[1]]);
            self.anchors
                .entry(piece)
                .or_default()
                .push((index, number * ANCHOR));
        }
        self.forms.push(Form {
            label: format!("{label}, {form}"),
            bytes,
            run,
        });
    }

    /// Searches a text; `place` names it in the report.
    pub(crate) fn text(&mut self, place: &str, text: &str) {
        self.bytes(place, text.as_bytes());
    }

    /// Searches bytes as they are, without undoing any escapes: for much of it.
    pub(crate) fn raw(&mut self, place: &str, bytes: &[u8]) {
        self.examined += bytes.len();
        self.scan(bytes, place, &mut HashSet::new());
    }

    /// Searches a file; a saved plan and any other zip archive is unpacked first.
    #[track_caller]
    pub(crate) fn file(&mut self, path: &Path) {
        let bytes = fs::read(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        self.bytes(&path.display().to_string(), &bytes);
        if bytes.starts_with(b"PK\x03\x04") {
            let members = tempfile::tempdir().expect("the system has a folder for temporary files");
            let finished = process::run(
                Command::new("python3")
                    .args(["-m", "zipfile", "-e"])
                    .args([path, members.path()]),
                &[],
                Duration::from_secs(60),
            )
            .expect("python3 unpacks archives");
            assert!(finished.status.success(), "{}", finished.stderr);
            // The configuration in a plan is the caller's own text.
            self.folder(members.path(), &["tf"]);
        }
    }

    /// Searches every file below a folder but those whose name ends in one of `skipped`.
    ///
    /// Links are not followed.
    #[track_caller]
    pub(crate) fn folder(&mut self, folder: &Path, skipped: &[&str]) {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let entry = entry.expect("the folder can be read");
            let (path, kind) = (entry.path(), entry.file_type().expect("a file has a type"));
            let ending = path.extension().and_then(|ending| ending.to_str());
            if kind.is_dir() {
                self.folder(&path, skipped);
            } else if kind.is_file() && !ending.is_some_and(|ending| skipped.contains(&ending)) {
                self.file(&path);
            }
        }
    }

    /// Returns one line for each place and form in which a value was found.
    pub(crate) fn leaks(&self) -> &[String] {
        &self.leaks
    }

    /// Forgets what was found, to search once more.
    pub(crate) fn forget(&mut self) {
        self.leaks.clear();
    }

    /// Demands that something was searched and nothing found.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert!(self.examined > 0, "nothing was searched");
        assert!(
            self.leaks.is_empty(),
            "planted values leaked:\n{}",
            self.leaks.join("\n")
        );
    }

    fn bytes(&mut self, place: &str, bytes: &[u8]) {
        self.examined += bytes.len();
        let mut found = HashSet::new();
        let mut text = bytes.to_vec();
        // Escapes may be nested: JSON in a JSON log line, for example.
        for _ in 0..4 {
            self.scan(&text, place, &mut found);
            let solid: Vec<u8> = text
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            if solid.len() < text.len() {
                self.scan(&solid, place, &mut found);
            }
            let plain = unescape(&text);
            if plain == text {
                break;
            }
            text = plain;
        }
    }

    fn scan(&mut self, text: &[u8], place: &str, found: &mut HashSet<usize>) {
        for start in 0..text.len().saturating_sub(ANCHOR - 1) {
            if !self.first_bytes.contains(&[text[start], text[start + 1]]) {
                continue;
            }
            let Some(candidates) = self.anchors.get(&text[start..start + ANCHOR]) else {
                continue;
            };
            for &(index, offset) in candidates {
                let form = &self.forms[index];
                let before = (1..=offset.min(start))
                    .take_while(|back| form.bytes[offset - back] == text[start - back])
                    .count();
                let after = form.bytes[offset..]
                    .iter()
                    .zip(&text[start..])
                    .take_while(|(planted, read)| planted == read)
                    .count();
                if before + after >= form.run.min(form.bytes.len()) && found.insert(index) {
                    self.leaks.push(format!(
                        "{place}: {} at byte {}",
                        form.label,
                        start - before
                    ));
                }
            }
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Undoes one layer of backslash and percent escapes, in whichever language they were meant.
fn unescape(text: &[u8]) -> Vec<u8> {
    let digits = |start: usize, count: usize, radix: u32| {
        let digits = std::str::from_utf8(text.get(start..start + count)?).ok()?;
        u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32)
    };
    let mut plain = Vec::with_capacity(text.len());
    let mut position = 0;
    while position < text.len() {
        let next = text.get(position + 1).copied();
        let (symbol, length) = match (text[position], next) {
            (b'%', Some(_)) => (digits(position + 1, 2, 16), 3),
            (b'\\', Some(b'u')) => (digits(position + 2, 4, 16), 6),
            (b'\\', Some(b'U')) => (digits(position + 2, 8, 16), 10),
            (b'\\', Some(b'x')) => (digits(position + 2, 2, 16), 4),
            (b'\\', Some(b'0'..=b'7')) => (digits(position + 1, 3, 8), 4),
            (b'\\', Some(b'n')) => (Some('\n'), 2),
            (b'\\', Some(b'r')) => (Some('\r'), 2),
            (b'\\', Some(b't')) => (Some('\t'), 2),
            (b'\\', Some(other)) => (Some(char::from(other)), 2),
            // HCL doubles the sign in front of a brace.
            (b'$', Some(b'$')) => (Some('$'), 2),
            _ => (None, 1),
        };
        if let Some(symbol) = symbol {
            plain.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes());
            position += length;
        } else {
            plain.push(text[position]);
            position += 1;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// Searches `text` for 20 characters from the middle of a token that may be the whole of it.
    fn leaks(text: impl FnOnce(&str) -> String) -> Vec<String> {
        let mut search = LeakSearch::new();
        search.plant("planted", &token("leaks"));
        search.text("here", &text(&token("leaks")[41..61]));
        search.leaks().to_vec()
    }

    #[track_caller]
    fn is_found(label: &str, text: impl FnOnce(&str) -> String) {
        let leaks = leaks(text);
        assert!(
            leaks
                .iter()
                .any(|leak| leak.starts_with(&format!("here: planted, {label} at"))),
            "{leaks:?}"
        );
    }

    #[test]
    fn tokens_have_the_shape_of_real_ones_and_differ() {
        let one = token("one");
        assert_eq!(one, token("one"));
        assert_ne!(one, token("two"));
        assert_eq!(one.len(), 108);
        assert!(
            one.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }

    #[test]
    fn twenty_characters_are_found_wherever_they_start() {
        let whole = token("anywhere");
        for start in 0..=whole.len() - RUN {
            let mut search = LeakSearch::new();
            search.plant("planted", &whole);
            search.text(
                "here",
                &format!("before {} after", &whole[start..start + RUN]),
            );
            assert_eq!(
                search.leaks(),
                ["here: planted, plain at byte 7"],
                "from {start}"
            );
        }
    }

    #[test]
    fn nineteen_characters_and_the_public_prefix_are_no_leak() {
        assert_eq!(leaks(|part| format!("{}!", &part[..19])), [""; 0]);
        let mut search = LeakSearch::new();
        search.plant("planted", &token("prefix"));
        search.text("here", "must start with sk-ant-oat01-, as a token does");
        search.assert_clean();
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        for before in 0..4 {
            for after in 0..4 {
                let wrap =
                    |part: &str| format!("{}{part}{}", "~".repeat(before), "?".repeat(after));
                is_found("base64", |part| STANDARD_NO_PAD.encode(wrap(part)));
                is_found("base64", |part| URL_SAFE_NO_PAD.encode(wrap(part)));
            }
        }
    }

    #[test]
    fn other_forms_are_found() {
        is_found("hexadecimal", |part| hexadecimal(part.as_bytes()));
        is_found("hexadecimal", |part| {
            hexadecimal(part.as_bytes()).to_uppercase()
        });
        is_found("byte values", |part| format!("{:?}", part.as_bytes()));
        is_found("byte values", |part| format!("{:#?}", part.as_bytes()));
        is_found("byte values", |part| {
            format!("{:?}", part.as_bytes()).replace(',', "")
        });
        is_found("plain", |part| {
            part.bytes().map(|byte| format!("%{byte:02X}")).collect()
        });
        is_found("plain", |part| {
            part.bytes().map(|byte| format!("\\u{byte:04x}")).collect()
        });
        is_found("plain", |part| {
            part.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
        });
        is_found("plain", |part| {
            part.bytes().map(|byte| format!("\\{byte:03o}")).collect()
        });
        is_found("plain", |part| {
            format!("{}\n    {}", &part[..9], &part[9..])
        });
    }

    #[test]
    fn values_that_need_escapes_are_found_under_them() {
        let value = format!(
            "{}\"\n${{{}\t\\{}",
            letters("a", 9),
            letters("b", 9),
            letters("c", 9)
        );
        let json = serde_json::to_string(&value).unwrap();
        let nested = serde_json::to_string(&json).unwrap();
        for text in [
            json.clone(),
            nested,
            json.replace("${", "$${"),
            format!("{value:?}"),
        ] {
            let mut search = LeakSearch::new();
            search.plant("planted", &value);
            search.text("here", &text);
            assert!(!search.leaks().is_empty(), "{text}");
        }
    }

    #[test]
    fn a_digest_is_found_by_its_first_16_digits() {
        let mut search = LeakSearch::new();
        search.plant_digest("planted", "weak");
        search.text(
            "here",
            &format!("sha256:{}", &hexadecimal(&Sha256::digest("weak"))[..16]),
        );
        assert_eq!(search.leaks(), ["here: planted, SHA-256 at byte 7"]);
    }

    #[test]
    fn archives_are_unpacked_and_reports_show_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let value = token("archive");
        fs::write(
            folder.path().join("tfstate"),
            format!("{value}{}", "0".repeat(4096)),
        )
        .unwrap();
        let script = "import sys, zipfile\n\
            with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as z: z.write(sys.argv[1], 'tfstate')";
        let made = Command::new("python3")
            .args(["-c", script])
            .args([
                folder.path().join("tfstate"),
                folder.path().join("saved.tfplan"),
            ])
            .status()
            .unwrap();
        assert!(made.success());
        fs::remove_file(folder.path().join("tfstate")).unwrap();

        let mut search = LeakSearch::new();
        search.plant("planted", &value);
        search.folder(folder.path(), &[]);
        assert_eq!(search.leaks().len(), 1, "{:?}", search.leaks());
        assert!(search.leaks()[0].ends_with("/tfstate: planted, plain at byte 0"));
        assert!(!search.leaks()[0].contains(&value[..RUN]));
    }

    #[test]
    #[should_panic(expected = "nothing was searched")]
    fn a_search_of_nothing_proves_nothing() {
        LeakSearch::new().assert_clean();
    }

    #[test]
    fn skipped_files_are_not_searched() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = fs::File::create(folder.path().join("main.tf")).unwrap();
        file.write_all(token("skipped").as_bytes()).unwrap();
        let mut search = LeakSearch::new();
        search.plant("planted", &token("skipped"));
        search.folder(folder.path(), &["tf"]);
        assert_eq!(search.leaks(), [""; 0]);
        search.folder(folder.path(), &[]);
        assert_eq!(search.leaks().len(), 1);
    }
}

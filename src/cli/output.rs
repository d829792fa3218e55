//! Output to the terminal, and the form of a diagnostic there.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::env::{self, Environment};
use crate::sdk::{Diagnostics, acts_on_terminals};

// Names come from arguments and from Vault.
pub(super) use crate::sdk::printable_line as plain;

/// Maximum width of a text, which terminals and logs show without wrapping.
const COLUMNS: usize = 78;

/// Writes to standard output. A reader that closed it, such as `head`, has read enough.
pub(super) fn print(text: &str) -> ExitCode {
    match write(&mut io::stdout(), text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Writes a document as JSON that is also safe for a terminal.
pub(super) fn json(document: &impl Serialize) -> String {
    // Texts and numbers always become JSON.
    let json = serde_json::to_string_pretty(document).unwrap_or_default();
    let mut text = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        // Such characters are only in strings.
        if acts_on_terminals(character) && character != '\n' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    text
}

/// Writes a time in whole seconds.
pub(super) fn whole_seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// Writes to standard error. Errors are ignored, because there is nowhere to report them.
pub(super) fn note(text: &str) {
    let _ = write(&mut io::stderr(), text);
}

/// Writes diagnostics to standard error.
pub(super) fn diagnostics(diagnostics: &Diagnostics, environment: &dyn Environment) {
    let colors = colors(environment, io::stderr().is_terminal());
    for diagnostic in diagnostics {
        let kind = if diagnostic.is_error() {
            colors.paint(Color::Red, "Error:")
        } else {
            colors.paint(Color::Yellow, "Warning:")
        };
        note(&message(
            &kind,
            &diagnostic.summary,
            &diagnostic.detail.to_string(),
        ));
    }
}

/// Writes one failure of the program itself to standard error.
pub(super) fn fail(summary: &str, detail: &str, environment: &dyn Environment) -> ExitCode {
    let kind = colors(environment, io::stderr().is_terminal()).paint(Color::Red, "Error:");
    note(&message(&kind, summary, detail));
    ExitCode::FAILURE
}

/// Reports that the system denies something that the program needs in order to run.
pub(super) fn cannot_run(error: &io::Error, environment: &dyn Environment) -> ExitCode {
    fail("This program cannot run", &error.to_string(), environment)
}

fn write(output: &mut dyn Write, text: &str) -> io::Result<()> {
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// A color, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    /// Broken or expired.
    Red,
    /// Due.
    Yellow,
    /// Healthy.
    Green,
}

/// Colors words, or leaves them unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colors(bool);

impl Colors {
    /// Colors nothing.
    #[cfg(test)]
    pub(super) const NONE: Self = Self(false);

    /// Leaves a word unchanged.
    pub(super) fn paint_nothing(text: &str) -> String {
        text.to_owned()
    }

    /// Colors a word.
    pub(super) fn paint(self, color: Color, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let code = match color {
            Color::Red => 31,
            Color::Yellow => 33,
            Color::Green => 32,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Decides whether to use colors: in a terminal that supports them, unless `NO_COLOR` is set.
pub(super) fn colors(environment: &dyn Environment, is_terminal: bool) -> Colors {
    let dumb = environment
        .get(env::TERM)
        .is_some_and(|term| term == "dumb");
    Colors(is_terminal && !dumb && environment.get(env::NO_COLOR).is_none())
}

/// Formats a message: one line, then the indented text below it.
fn message(kind: &str, summary: &str, detail: &str) -> String {
    let mut text = format!("{kind} {}\n", plain(summary));
    if !detail.is_empty() {
        text.push('\n');
        for line in detail.lines() {
            wrap(line, &mut text);
        }
    }
    text.push('\n');
    text
}

/// Adds a line, indented and wrapped between words. A line that is already indented is a command
/// and is not wrapped.
fn wrap(line: &str, text: &mut String) {
    let line = plain(line);
    if line.starts_with(' ') {
        text.push_str("  ");
        text.push_str(line.trim_end());
        text.push('\n');
        return;
    }
    let mut width = 0;
    for word in line.split_whitespace() {
        let length = word.chars().count();
        if width == 0 {
            text.push_str("  ");
            width = 2;
        } else if width + 1 + length > COLUMNS {
            text.push_str("\n  ");
            width = 2;
        } else {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text.push('\n');
}

/// Escapes each line like [`plain`].
pub(super) fn plain_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => plain(line) + "\n",
            None => plain(line),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_message_is_a_line_and_an_indented_text() {
        let detail = format!(
            "{} end.\n\n    vault kv get {}\n\nThen again.",
            "word ".repeat(20).trim_end(),
            "x".repeat(80)
        );
        let text = message("Error:", "It failed\u{1b}[2J", &detail);
        let expected = format!(
            "Error: It failed\\u{{1b}}[2J\n\n  {}\n  {} end.\n\n      vault kv get {}\n\n  Then again.\n\n",
            ["word"; 15].join(" "),
            ["word"; 5].join(" "),
            "x".repeat(80)
        );
        assert_eq!(text, expected);
        assert_eq!(message("Error:", "Alone", ""), "Error: Alone\n\n");
    }

    #[test]
    fn names_move_no_cursor() {
        let odd = "a\u{1b}[2J\u{9b}1m\u{202e}b\nc";
        assert_eq!(plain(odd), r"a\u{1b}[2J\u{9b}1m\u{202e}b\u{a}c");
        assert_eq!(plain_lines("a\rb\nc\n"), "a\\u{d}b\nc\n");
        assert_eq!(plain("größe-1"), "größe-1");
    }

    #[test]
    fn colors_are_for_terminals_that_want_them() {
        let with = |variables: &[(&str, &str)], is_terminal| {
            let environment: BTreeMap<String, String> = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            colors(&environment, is_terminal).paint(Color::Red, "x")
        };
        assert_eq!(with(&[], true), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(with(&[], false), "x");
        assert_eq!(with(&[("NO_COLOR", "1")], true), "x");
        assert_eq!(with(&[("NO_COLOR", "")], true), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(with(&[("TERM", "dumb")], true), "x");
    }
}

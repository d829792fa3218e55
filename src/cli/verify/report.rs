//! The findings, for people and for programs.

use std::io::{self, IsTerminal as _};

use serde::Serialize;

use super::Verified;
use super::answer::Finding;
use super::cause::Cause;
use super::run::{Outcome, Row};
use crate::cli::output::{self, Color, plain};
use crate::env::Environment;

/// Version of the JSON format. It changes if a reader would break.
const FORMAT: u32 = 1;
/// Digits of a fingerprint that are shown.
const DIGITS: usize = 8;
const NONE: &str = "-";

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    control: Option<&'static str>,
    tokens: Vec<Token<'a>>,
}

#[derive(Serialize)]
struct Token<'a> {
    path: Option<&'a str>,
    mount: Option<&'a str>,
    field: Option<&'a str>,
    fingerprint: Option<&'a str>,
    verdict: &'static str,
    cause: Option<&'a str>,
    said: Option<&'a str>,
    claude_version: Option<&'a str>,
    model: Option<&'a str>,
    asked_at: Option<String>,
    seconds: Option<f64>,
    stamped: bool,
}

/// Writes the document.
pub(super) fn json(verified: &Verified) -> String {
    let document = Document {
        format: FORMAT,
        control: verified.control.map(Finding::as_str),
        tokens: verified
            .rows
            .iter()
            .map(|row| token(row, &verified.mount))
            .collect(),
    };
    output::json(&document)
}

fn token<'a>(row: &'a Row, mount: &'a str) -> Token<'a> {
    let answer = match &row.outcome {
        Outcome::Asked(answer) => Some(answer),
        Outcome::Earlier(_) | Outcome::Error(_) => None,
    };
    Token {
        path: row.place.as_ref().map(|place| place.path.as_str()),
        mount: row.place.as_ref().map(|_| mount),
        field: row.place.as_ref().map(|place| place.field.as_str()),
        fingerprint: row.fingerprint.as_deref(),
        verdict: verdict(row),
        cause: cause(row),
        said: match &row.outcome {
            Outcome::Error(error) => Some(error),
            _ => answer.and_then(|answer| answer.said.as_deref()),
        },
        claude_version: answer.and_then(|answer| answer.claude_version.as_deref()),
        model: answer.and_then(|answer| answer.model.as_deref()),
        asked_at: row.asked_at.map(output::whole_seconds),
        // A tenth of a second is precise enough.
        seconds: row.seconds.map(|seconds| (seconds * 10.0).round() / 10.0),
        stamped: row.stamped,
    }
}

fn verdict(row: &Row) -> &'static str {
    match &row.outcome {
        Outcome::Asked(answer) => answer.finding.as_str(),
        Outcome::Earlier(last) => last.as_str(),
        Outcome::Error(_) => "error",
    }
}

fn cause(row: &Row) -> Option<&str> {
    match &row.outcome {
        Outcome::Asked(answer) => answer.finding.cause().map(Cause::as_str),
        Outcome::Earlier(last) => (!last.cause.is_empty()).then_some(last.cause.as_str()),
        Outcome::Error(_) => None,
    }
}

/// Writes a table, and the notes below it.
pub(super) fn text(verified: &Verified, environment: &dyn Environment) -> String {
    let colors = output::colors(environment, io::stdout().is_terminal());
    let mut text = String::new();
    let rows = &verified.rows;
    if rows.is_empty() {
        return "There is no token to verify.\n".to_owned();
    }
    if rows.len() > 1 && rows.iter().all(Row::is_refused) {
        text.push_str(
            "Every token was refused. An outage can look the same, so check the status page of\n\
             the API before you replace them all.\n\n",
        );
    }
    let several_fields = rows
        .iter()
        .filter_map(|row| row.place.as_ref())
        .any(|place| {
            rows.iter()
                .filter_map(|row| row.place.as_ref())
                .any(|other| other.field != place.field)
        });
    let path = |row: &Row| match &row.place {
        Some(place) if several_fields => plain(&format!("{}#{}", place.path, place.field)),
        Some(place) => plain(&place.path),
        None => "(given)".to_owned(),
    };
    let width = rows
        .iter()
        .map(|row| path(row).chars().count())
        .max()
        .unwrap_or(0)
        .max("PATH".len());
    text.push_str(&format!(
        "{:width$}  {:DIGITS$}  {:7}  CAUSE\n",
        "PATH", "TOKEN", "VERDICT"
    ));
    for row in rows {
        let path = path(row);
        let padding = " ".repeat(width - path.chars().count());
        let token = row
            .short
            .as_deref()
            .map_or(NONE, |short| &short[..DIGITS.min(short.len())]);
        let verdict = verdict(row);
        let color = match verdict {
            "works" => Color::Green,
            "unclear" => Color::Yellow,
            _ => Color::Red,
        };
        let cause = cause(row).unwrap_or_default();
        let line = format!(
            "{path}{padding}  {token:DIGITS$}  {}{}  {cause}",
            colors.paint(color, verdict),
            " ".repeat(7 - verdict.len()),
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let notes = notes(rows, &path);
    if !notes.is_empty() {
        text.push('\n');
        text.push_str(&notes);
    }
    text
}

/// Writes the notes for which no column has room.
fn notes(rows: &[Row], path: &impl Fn(&Row) -> String) -> String {
    let mut notes = String::new();
    for row in rows {
        let note = match &row.outcome {
            Outcome::Asked(answer) => answer.said.clone(),
            Outcome::Earlier(last) => Some(format!(
                "not asked; verified {}",
                output::whole_seconds(last.at)
            )),
            Outcome::Error(error) => Some(error.clone()),
        };
        if let Some(note) = note {
            notes.push_str(&format!("{}: {}\n", path(row), plain(&note)));
        }
    }
    let is_other = |row: &Row| cause(row) == Some(Cause::OtherCredential.as_str());
    if rows.iter().any(is_other) {
        notes.push_str(
            "No verdict was reached, because another credential answers instead of the tokens, such\n\
             as one from managed settings or from a wrapper around `claude`. Remove it, or set\n\
             --claude to the program behind the wrapper.\n",
        );
    }
    notes
}

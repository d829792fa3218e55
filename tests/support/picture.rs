//! Pictures in the pages: what a terminal shows, drawn from a run and compared with the kept one.
//!
//! After a change of what is shown, draw all of them again:
//!
//! ```console
//! $ UPDATE_GENERATED=1 cargo test --test main picture
//! ```
#![expect(clippy::unwrap_used, reason = "a helper that fails ends its test")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use terraform_provider_claude::env::{Environment as _, ProcessEnvironment};

use super::markdown::alike;

/// Width and height of a character, and the space around the text.
const CHARACTER: (f32, usize) = (8.43, 20);
const MARGIN: usize = 16;

/// Light and dark are one file: the page decides which applies.
const STYLE: &str = "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;\
    white-space:pre;fill:#1f2328}rect{fill:#f6f8fa}.r{fill:#cf222e}.y{fill:#9a6700}\
    .g{fill:#1a7f37}.d{fill:#59636e}.b{font-weight:bold}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#151b23}\
    .r{fill:#ff7b72}.y{fill:#d29922}.g{fill:#3fb950}.d{fill:#9198a1}}";

/// How a character looks: the letter of its color in [`STYLE`], and whether it is bold.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Look {
    color: Option<char>,
    bold: bool,
}

impl Look {
    /// Changes as the codes between `ESC [` and `m` say.
    fn change(&mut self, codes: &str) {
        for code in codes.split(';') {
            match code {
                "" | "0" => *self = Self::default(),
                "1" => self.bold = true,
                "31" => self.color = Some('r'),
                "32" => self.color = Some('g'),
                "33" => self.color = Some('y'),
                "90" => self.color = Some('d'),
                _ => {}
            }
        }
    }

    fn classes(self) -> String {
        let classes = [self.color, self.bold.then_some('b')];
        let classes: Vec<_> = classes.iter().flatten().map(char::to_string).collect();
        classes.join(" ")
    }
}

/// Reads what a terminal of this width shows: each row with its characters and their looks.
fn rows(shown: &str, columns: usize) -> Vec<Vec<(char, Look)>> {
    let mut look = Look::default();
    let mut rows = Vec::new();
    for line in shown.lines() {
        let mut row = Vec::new();
        let mut pieces = line.trim_end_matches('\r').split("\u{1b}[");
        let mut text = pieces.next().unwrap_or_default();
        loop {
            row.extend(text.chars().map(|character| (character, look)));
            let Some((codes, rest)) = pieces.next().and_then(|piece| piece.split_once('m')) else {
                break;
            };
            look.change(codes);
            text = rest;
        }
        if row.is_empty() {
            rows.push(row);
        } else {
            rows.extend(row.chunks(columns).map(<[_]>::to_vec));
        }
    }
    rows
}

/// Draws what a terminal of this width shows.
fn draw(shown: &str, columns: usize) -> String {
    let rows = rows(shown, columns);
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let width = (width as f32 * CHARACTER.0).ceil() as usize + 2 * MARGIN;
    let height = rows.len() * CHARACTER.1 + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\">\n<style>{STYLE}</style>\n<rect width=\"100%\" \
         height=\"100%\" rx=\"8\"/>\n"
    );
    for (number, row) in rows.iter().enumerate() {
        let y = MARGIN + 14 + number * CHARACTER.1;
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>", spans(row));
    }
    svg + "</svg>\n"
}

/// Writes the characters of a row, those that look alike in one span.
fn spans(row: &[(char, Look)]) -> String {
    let mut spans = String::new();
    for alike in row.chunk_by(|(_, one), (_, other)| one == other) {
        let text: String = alike.iter().map(|(character, _)| *character).collect();
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        match alike[0].1.classes() {
            classes if classes.is_empty() || text.trim().is_empty() => spans += &text,
            classes => spans += &format!("<tspan class=\"{classes}\">{text}</tspan>"),
        }
    }
    spans
}

/// Demands that a picture shows this, but for dates and digests; draws it again if asked to.
#[track_caller]
pub(crate) fn compare(picture: &str, shown: &str, columns: usize) {
    let drawn = draw(shown, columns);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(picture);
    if ProcessEnvironment.get("UPDATE_GENERATED").as_deref() == Some("1") {
        fs::write(&file, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let lines = |svg: &str| svg.lines().map(alike).collect::<Vec<_>>();
    assert_eq!(lines(&kept), lines(&drawn), "{picture} is out of date");
}

#[test]
fn a_row_is_as_wide_as_the_terminal_and_keeps_its_colors() {
    let rows = rows("\u{1b}[33m~\u{1b}[0m ab\u{1b}[1;31mcd\r\ne\u{1b}[0m<", 4);
    let spans: Vec<_> = rows.iter().map(|row| spans(row)).collect();
    assert_eq!(
        spans,
        [
            "<tspan class=\"y\">~</tspan> ab",
            "<tspan class=\"r b\">cd</tspan>",
            "<tspan class=\"r b\">e</tspan>&lt;",
        ]
    );
}

//! The picture in the README: what `status` shows on a terminal, drawn from a run.
//!
//! After a change of what `status` shows, draw it again:
//!
//! ```console
//! $ UPDATE_GENERATED=1 cargo test --test main cli::picture
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;
use terraform_provider_claude::env::{Environment as _, ProcessEnvironment};

use crate::support::markdown::alike;
use crate::support::openbao::OpenBao;
use crate::support::secrets::token;

use super::program::{FIELD, Program, in_days};
use super::terminal::status;

const PICTURE: &str = "docs/pictures/status.svg";
/// Width and height of a character, and the space around the text.
const CHARACTER: (f32, usize) = (8.43, 20);
const MARGIN: usize = 16;

/// Light and dark are one file: the page decides which applies.
const STYLE: &str = "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;\
    white-space:pre;fill:#1f2328}rect{fill:#f6f8fa}.r{fill:#cf222e}.y{fill:#9a6700}\
    .g{fill:#1a7f37}@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#151b23}\
    .r{fill:#ff7b72}.y{fill:#d29922}.g{fill:#3fb950}}";

/// Draws what a terminal shows.
fn draw(shown: &str) -> String {
    let lines: Vec<_> = shown
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .collect();
    let width = lines
        .iter()
        .map(|line| plain(line).chars().count())
        .max()
        .unwrap_or(0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let width = (width as f32 * CHARACTER.0).ceil() as usize + 2 * MARGIN;
    let height = lines.len() * CHARACTER.1 + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\">\n<style>{STYLE}</style>\n<rect width=\"100%\" \
         height=\"100%\" rx=\"8\"/>\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + 14 + number * CHARACTER.1;
        let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"{y}\">{}</text>", spans(line));
    }
    svg + "</svg>\n"
}

/// Returns a line without its colors.
fn plain(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text += piece.split_once('m').map_or("", |(_, rest)| rest);
    }
    text
}

/// Turns the colors of a line into spans.
fn spans(line: &str) -> String {
    let text = line
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    [("31", "r"), ("33", "y"), ("32", "g")]
        .iter()
        .fold(text, |text, (code, class)| {
            text.replace(
                &format!("\u{1b}[{code}m"),
                &format!("<tspan class=\"{class}\">"),
            )
        })
        .replace("\u{1b}[0m", "</tspan>")
}

#[tokio::test]
async fn it_shows_what_a_terminal_shows() {
    let bao = OpenBao::start().await;
    let program = Program::at(&bao);
    for (path, age) in [
        ("claude-agent-service", 341),
        ("claude-agent-service-spare-1", 41),
        ("claude-agent-service-spare-2", 1),
    ] {
        bao.put("secret", path, json!({ FIELD: token(path) })).await;
        let minted = format!("--minted-at={}", in_days(-age));
        program
            .run(&["store", "--stamp-only", &minted, path])
            .exits(0);
    }
    let shown = status(&program, 140, None);
    let drawn = draw(&format!("$ terraform-provider-claude status\n{shown}"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE);
    if ProcessEnvironment.get("UPDATE_GENERATED").as_deref() == Some("1") {
        fs::write(&file, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let lines = |svg: &str| svg.lines().map(alike).collect::<Vec<_>>();
    assert_eq!(lines(&kept), lines(&drawn), "{PICTURE} is out of date");
}

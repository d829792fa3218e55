//! Tokens as a table: those that expire first come first, with the shortest bars.

use jiff::{SignedDuration, Timestamp};

use super::Context;
use crate::cli::output::{Color, Colors, plain};
use crate::provider::operations::{Overview, State, TokenReport};

/// Maximum length of a bar. Each cell is about two weeks of a year.
const LONGEST_BAR: usize = 24;
/// Minimum length of a bar that is still useful.
const SHORTEST_BAR: usize = 8;
/// Minimum length of a path after it is shortened.
const SHORTEST_PATH: usize = 12;
/// Digits of a fingerprint that are shown.
const DIGITS: usize = 8;
const GAP: &str = "  ";
const NONE: &str = "-";

/// A column, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Path,
    Role,
    Token,
    Status,
    Account,
    Verdict,
    Minted,
    Expires,
    Left,
}

/// Columns that a narrow terminal omits, the first one first.
const EXPENDABLE: [Column; 5] = [
    Column::Minted,
    Column::Account,
    Column::Token,
    Column::Role,
    Column::Verdict,
];

impl Column {
    const ALL: [Self; 9] = [
        Self::Path,
        Self::Role,
        Self::Token,
        Self::Status,
        Self::Verdict,
        Self::Account,
        Self::Minted,
        Self::Expires,
        Self::Left,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Path => "PATH",
            Self::Role => "ROLE",
            Self::Token => "TOKEN",
            Self::Status => "STATUS",
            Self::Account => "ACCOUNT",
            Self::Verdict => "VERDICT",
            Self::Minted => "MINTED",
            Self::Expires => "EXPIRES",
            Self::Left => "LEFT",
        }
    }

    /// Reports whether the column has content for a token.
    fn is_of_use(self, token: &TokenReport) -> bool {
        match self {
            Self::Role => token.role.is_some(),
            Self::Account => token.account.is_some(),
            Self::Verdict => token.verdict.is_some(),
            _ => true,
        }
    }

    fn cell(self, token: &TokenReport, now: Timestamp, fields: bool) -> String {
        let day = |at: Option<Timestamp>| {
            at.map_or_else(|| NONE.to_owned(), |at| at.to_string()[..10].to_owned())
        };
        match self {
            Self::Path if fields => plain(&format!("{}#{}", token.path, token.field)),
            Self::Path => plain(&token.path),
            Self::Role => token.role.map_or(NONE, |role| role.as_str()).to_owned(),
            Self::Token => token.fingerprint.map_or_else(
                || NONE.to_owned(),
                |fingerprint| fingerprint.short().to_string()[..DIGITS].to_owned(),
            ),
            Self::Status => token.state.as_str().to_owned(),
            Self::Account => token
                .account
                .as_deref()
                .map_or_else(|| NONE.to_owned(), plain),
            Self::Verdict => token.verdict.as_ref().map_or_else(
                || NONE.to_owned(),
                |last| format!("{} {}", last.as_str(), day(Some(last.at))),
            ),
            Self::Minted => day(token.minted_at) + if is_estimate(token) { "~" } else { "" },
            Self::Expires => day(token.expires_at) + if is_estimate(token) { "~" } else { "" },
            Self::Left => token
                .expires_at
                .map_or_else(|| NONE.to_owned(), |at| left(at.duration_since(now))),
        }
    }
}

fn is_estimate(token: &TokenReport) -> bool {
    token.minted_at_source == Some("estimated")
}

/// Writes a time in days, the last one in hours.
fn left(time: SignedDuration) -> String {
    let hours = time.as_hours();
    match hours / 24 {
        0 => format!("{hours} h"),
        days => format!("{days} d"),
    }
}

/// Writes the table, no wider than `columns` if that is known, and the notes below it.
pub(super) fn text(
    overview: &Overview,
    context: &Context,
    columns: Option<usize>,
    colors: Colors,
) -> String {
    if overview.tokens.is_empty() {
        return if context.field == "*" {
            format!(
                "No field there holds a token (mount {}).\n",
                plain(&context.mount)
            )
        } else {
            format!(
                "No secret there has the field {} (mount {}).\n",
                plain(&context.field),
                plain(&context.mount)
            )
        };
    }
    let fields = context.field == "*";
    let layout = Layout::new(overview, columns, fields);
    let mut text = layout.line(|column| column.title().to_owned(), Colors::paint_nothing);
    for token in &overview.tokens {
        let paint = |text: &str| colors.paint(color(token.state), text);
        let mut line = layout.line(|column| column.cell(token, overview.as_of, fields), paint);
        if let (Some(length), Some(expires_at)) = (layout.bar, token.expires_at) {
            let left = expires_at.duration_since(overview.as_of);
            let bar = bar(left, context.lifetime_days, length);
            line.truncate(line.trim_end().len());
            line.push_str(GAP);
            line.push_str(&colors.paint(color(token.state), &bar));
            line.push('\n');
        }
        text.push_str(&line);
    }
    let notes = notes(overview);
    if !notes.is_empty() {
        text.push('\n');
        text.push_str(&notes);
    }
    text
}

fn color(state: State) -> Color {
    match state {
        State::InDate => Color::Green,
        State::RotationDue | State::Spent | State::Duplicate => Color::Yellow,
        State::Expired | State::Refused | State::Malformed | State::Missing | State::Unreadable => {
            Color::Red
        }
    }
}

/// Draws the remaining part of a lifetime. The last day still shows.
fn bar(left: SignedDuration, lifetime_days: u32, length: usize) -> String {
    let whole = i128::from(lifetime_days) * 86_400;
    let cells = i128::from(left.as_secs().max(0)) * length as i128;
    let filled = usize::try_from((cells + whole - 1) / whole.max(1)).unwrap_or(length);
    let filled = filled.min(length);
    format!("{}{}", "#".repeat(filled), ".".repeat(length - filled))
}

/// The columns and their widths.
struct Layout {
    columns: Vec<(Column, usize)>,
    bar: Option<usize>,
}

impl Layout {
    fn new(overview: &Overview, columns: Option<usize>, fields: bool) -> Self {
        let width = |column: Column| {
            let cells = overview
                .tokens
                .iter()
                .map(|token| column.cell(token, overview.as_of, fields));
            let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            (column, longest.max(column.title().len()))
        };
        let is_of_use =
            |column: &Column| overview.tokens.iter().any(|token| column.is_of_use(token));
        let mut layout = Self {
            columns: Column::ALL
                .into_iter()
                .filter(is_of_use)
                .map(width)
                .collect(),
            bar: Some(LONGEST_BAR),
        };
        let Some(columns) = columns else {
            return layout;
        };
        for expendable in EXPENDABLE {
            if layout.rest(columns) >= SHORTEST_BAR {
                break;
            }
            layout.columns.retain(|(column, _)| *column != expendable);
        }
        let rest = layout.rest(columns);
        layout.bar = (rest >= SHORTEST_BAR).then_some(rest.min(LONGEST_BAR));
        let missing = layout.width().saturating_sub(columns);
        if layout.bar.is_none() && missing > 0 {
            for (column, width) in &mut layout.columns {
                if *column == Column::Path {
                    *width = width.saturating_sub(missing).max(SHORTEST_PATH.min(*width));
                }
            }
        }
        layout
    }

    /// Returns the width of all columns and the gaps between them.
    fn width(&self) -> usize {
        let cells: usize = self.columns.iter().map(|(_, width)| width).sum();
        cells + GAP.len() * self.columns.len().saturating_sub(1)
    }

    /// Returns how many cells remain for a bar.
    fn rest(&self, columns: usize) -> usize {
        columns.saturating_sub(self.width() + GAP.len())
    }

    fn line(&self, cell: impl Fn(Column) -> String, paint: impl Fn(&str) -> String) -> String {
        let cells = self.columns.iter().map(|&(column, width)| {
            let text = shortened(&cell(column), width);
            let padding = " ".repeat(width - text.chars().count());
            match column {
                Column::Left => padding + &text,
                Column::Status => paint(&text) + &padding,
                _ => text + &padding,
            }
        });
        let line = cells.collect::<Vec<_>>().join(GAP);
        format!("{}\n", line.trim_end())
    }
}

/// Removes characters from the middle, because paths differ at their ends.
fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let (before, after) = (kept / 2, kept - kept / 2);
    let start: String = text.chars().take(before).collect();
    let end: String = text.chars().skip(length - after).collect();
    format!("{start}…{end}")
}

/// Writes the notes for which no column has room.
fn notes(overview: &Overview) -> String {
    let mut notes = String::new();
    for token in &overview.tokens {
        let path = plain(&token.path);
        if token.state == State::Duplicate {
            let mut others = plain(&token.same_token_as.join(", "));
            let more = token
                .same_token_count
                .saturating_sub(token.same_token_as.len());
            if more > 0 {
                others.push_str(&format!(" and {more} more"));
            }
            notes.push_str(&format!("{path} holds the same token as {others}.\n"));
        }
        if let (State::Spent, Some(primary)) = (token.state, &token.promoted_to) {
            let primary = plain(primary);
            notes.push_str(&format!("{path}: {primary} holds or held its token.\n"));
        }
        if let Some(problem) = &token.problem {
            notes.push_str(&format!("{path}: {}\n", plain(problem)));
        }
    }
    if overview.tokens.iter().any(is_estimate) {
        notes.push_str(
            "~ is an estimate, because older versions cannot be read. The token may be older \
             and\nexpire earlier. `store --stamp-only --minted-at TIME` dates it.\n",
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::status::tests::samples;

    fn table(columns: Option<usize>) -> String {
        text(
            &samples::overview(),
            &samples::context(),
            columns,
            Colors::NONE,
        )
    }

    #[test]
    fn what_ends_first_has_the_shortest_bar() {
        let shown = r#"
PATH           ROLE     TOKEN  STATUS        VERDICT           ACCOUNT         MINTED       EXPIRES       LEFT
locked         -        -      unreadable    -                 -               -            -                -
a\b"c          -        -      missing       -                 -               -            -                -
agent          primary  -      rotation_due  -                 -               2025-12-03   2026-12-03     8 d  #.......................
agent-spare-2  -        -      duplicate     -                 -               2025-12-03   2026-12-03     8 d  #.......................
agent-spare-1  spare    -      in_date       works 2026-11-20  ci@example.com  2026-11-01~  2027-11-01~  341 d  #######################.

a\b"c: There is no such secret.
agent-spare-2 holds the same token as agent.
~ is an estimate, because older versions cannot be read. The token may be older and
expire earlier. `store --stamp-only --minted-at TIME` dates it.
"#;
        assert_eq!(table(None), shown.trim_start());
    }

    #[test]
    fn a_narrow_terminal_goes_without_what_matters_least() {
        for columns in [40, 60, 70, 80, 100, 140] {
            for line in table(Some(columns)).lines().take(6) {
                let width = line.chars().count();
                assert!(width <= columns.max(54), "{columns}: {line}");
            }
        }
        let narrow = table(Some(70));
        assert!(
            narrow.contains("#...") && !narrow.contains("MINTED"),
            "{narrow}"
        );
    }

    #[test]
    fn bars_are_parts_of_a_lifetime() {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        assert_eq!(bar(days(365), 365, 10), "##########");
        assert_eq!(bar(days(400), 365, 10), "##########");
        assert_eq!(bar(days(36), 365, 10), "#.........");
        assert_eq!(bar(days(37), 365, 10), "##........");
        assert_eq!(bar(days(1), 365, 10), "#.........");
        assert_eq!(bar(days(0), 365, 10), "..........");
        assert_eq!(bar(days(-1), 365, 10), "..........");
    }

    #[test]
    fn the_last_day_is_told_in_hours() {
        let hours = SignedDuration::from_hours;
        assert_eq!(left(hours(49)), "2 d");
        assert_eq!(left(hours(23)), "23 h");
        assert_eq!(left(hours(-5)), "-5 h");
        assert_eq!(left(hours(-30)), "-1 d");
    }

    #[test]
    fn long_paths_keep_both_ends() {
        assert_eq!(
            shortened("claude-agent-service-spare-1", 13),
            "claude…pare-1"
        );
        assert_eq!(shortened("agent", 5), "agent");
    }

    #[test]
    fn nothing_is_told_in_words() {
        let mut overview = samples::overview();
        overview.tokens.clear();
        let text = text(&overview, &samples::context(), None, Colors::NONE);
        assert_eq!(
            text,
            "No secret there has the field claude_oauth_token (mount secret).\n"
        );
    }
}

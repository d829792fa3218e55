//! Tokens in the text format of Prometheus, version 0.0.4, under the names that the deployment
//! had before: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;

use crate::cli::output::plain;
use crate::provider::operations::{State, Survey};

const EXPIRY: &str = "claude_oauth_token_expiry_timestamp";
const STATUS: &str = "claude_oauth_token_status";
const TAKEN: &str = "claude_oauth_expiry_monitor_last_push_timestamp";

/// The names of all metrics that `status --metrics` prints.
pub const METRICS: [&str; 3] = [EXPIRY, STATUS, TAKEN];

/// Writes the metrics. Every token has every status, with 1 for its own, so that a series does
/// not end when the status changes.
pub(super) fn text(survey: &Survey) -> String {
    let mut text = String::new();
    header(
        &mut text,
        EXPIRY,
        "When the token expires, in seconds since the epoch.",
    );
    for token in &survey.tokens {
        if let Some(expires_at) = token.expires_at {
            let _ = writeln!(
                text,
                "{EXPIRY}{{path=\"{}\"}} {}",
                label(&token.path),
                expires_at.as_second()
            );
        }
    }
    header(
        &mut text,
        STATUS,
        "1 for the status that the token has, 0 for each other.",
    );
    for token in &survey.tokens {
        for state in State::ALL {
            let _ = writeln!(
                text,
                "{STATUS}{{path=\"{}\",status=\"{}\"}} {}",
                label(&token.path),
                state.as_str(),
                u8::from(state == token.state)
            );
        }
    }
    // A time would say that all is known as of then.
    if !survey.is_incomplete {
        header(
            &mut text,
            TAKEN,
            "When the tokens were looked at, in seconds since the epoch.",
        );
        let _ = writeln!(text, "{TAKEN} {}", survey.taken_at.as_second());
    }
    text
}

fn header(text: &mut String, name: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

/// Escapes the value of a label, for its reader and for a terminal.
fn label(value: &str) -> String {
    plain(value).replace('\\', r"\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn each_token_has_one_status_and_perhaps_an_expiry() {
        let text = text(&samples::survey());
        for line in [
            "claude_oauth_token_expiry_timestamp{path=\"agent\"} 1796256000",
            "claude_oauth_token_status{path=\"agent\",status=\"rotation_due\"} 1",
            "claude_oauth_token_status{path=\"agent\",status=\"in_date\"} 0",
            "claude_oauth_token_status{path=\"a\\\\b\\\"c\",status=\"missing\"} 1",
            "claude_oauth_token_status{path=\"locked\",status=\"unreadable\"} 1",
            "claude_oauth_expiry_monitor_last_push_timestamp 1795521601",
        ] {
            assert!(text.lines().any(|seen| seen == line), "{line}\n{text}");
        }
        let mine = |line: &&str| line.contains("path=\"agent\"") && line.ends_with(" 1");
        assert_eq!(text.lines().filter(mine).count(), 1);
        assert!(!text.contains("expiry_timestamp{path=\"locked\"}"));
        let mut incomplete = samples::survey();
        incomplete.is_incomplete = true;
        assert!(!super::text(&incomplete).contains("last_push"));
        assert_eq!(label("a\"b\\c\u{1b}d"), r#"a\"b\\c\\u{1b}d"#);
    }
}

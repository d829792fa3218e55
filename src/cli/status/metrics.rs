//! Tokens in the Prometheus text format, version 0.0.4, with the names of the previous deployment:
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;

use super::Context;
use crate::cli::output::plain;
use crate::provider::operations::{Overview, State, TokenReport};

const EXPIRY: &str = "claude_oauth_token_expiry_timestamp";
const STATUS: &str = "claude_oauth_token_status";
const VERIFIED: &str = "claude_oauth_token_verified_timestamp";
const TAKEN: &str = "claude_oauth_expiry_monitor_last_push_timestamp";

/// The names of all metrics that `status --metrics` prints.
pub const METRICS: [&str; 4] = [EXPIRY, STATUS, VERIFIED, TAKEN];

/// Writes the metrics. Every token has every status, with 1 for its own, so that no series ends
/// when the status changes.
pub(super) fn text(overview: &Overview, context: &Context) -> String {
    let mut text = String::new();
    let labels = |token: &TokenReport| {
        format!(
            "mount=\"{}\",path=\"{}\",field=\"{}\"",
            label(&context.mount),
            label(&token.path),
            label(&token.field)
        )
    };
    header(
        &mut text,
        EXPIRY,
        "When the token expires, in seconds since the epoch.",
    );
    for token in &overview.tokens {
        if let Some(expires_at) = token.expires_at {
            let _ = writeln!(
                text,
                "{EXPIRY}{{{}}} {}",
                labels(token),
                expires_at.as_second()
            );
        }
    }
    header(
        &mut text,
        STATUS,
        "1 for the status that the token has, 0 for each other.",
    );
    for token in &overview.tokens {
        for state in State::ALL {
            let _ = writeln!(
                text,
                "{STATUS}{{{},status=\"{}\"}} {}",
                labels(token),
                state.as_str(),
                u8::from(state == token.state)
            );
        }
    }
    header(
        &mut text,
        VERIFIED,
        "When the token was last verified, in seconds since the epoch.",
    );
    for token in &overview.tokens {
        if let Some(last) = &token.verdict {
            let _ = writeln!(
                text,
                "{VERIFIED}{{{}}} {}",
                labels(token),
                last.at.as_second()
            );
        }
    }
    // A timestamp would mean that everything was read at that time.
    if !overview.is_incomplete {
        header(
            &mut text,
            TAKEN,
            "When the tokens were read, in seconds since the epoch.",
        );
        let _ = writeln!(
            text,
            "{TAKEN}{{mount=\"{}\",field=\"{}\"}} {}",
            label(&context.mount),
            label(&context.field),
            overview.taken_at.as_second()
        );
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
    use super::*;
    use crate::cli::status::tests::samples;

    #[test]
    fn each_token_has_one_status_and_perhaps_an_expiry() {
        let text = text(&samples::overview(), &samples::context());
        for line in [
            "claude_oauth_token_expiry_timestamp{mount=\"secret\",path=\"agent\",field=\"claude_oauth_token\"} 1796256000",
            "claude_oauth_token_status{mount=\"secret\",path=\"agent\",field=\"claude_oauth_token\",status=\"rotation_due\"} 1",
            "claude_oauth_token_status{mount=\"secret\",path=\"agent\",field=\"claude_oauth_token\",status=\"in_date\"} 0",
            "claude_oauth_token_status{mount=\"secret\",path=\"a\\\\b\\\"c\",field=\"claude_oauth_token\",status=\"missing\"} 1",
            "claude_oauth_token_status{mount=\"secret\",path=\"locked\",field=\"claude_oauth_token\",status=\"unreadable\"} 1",
            "claude_oauth_expiry_monitor_last_push_timestamp{mount=\"secret\",field=\"claude_oauth_token\"} 1795521601",
            "claude_oauth_token_verified_timestamp{mount=\"secret\",path=\"agent-spare-1\",field=\"claude_oauth_token\"} 1795143600",
        ] {
            assert!(text.lines().any(|seen| seen == line), "{line}\n{text}");
        }
        let mine = |line: &&str| line.contains("path=\"agent\"") && line.ends_with(" 1");
        assert_eq!(text.lines().filter(mine).count(), 1);
        assert!(!text.contains("expiry_timestamp{mount=\"secret\",path=\"locked\""));
        let mut incomplete = samples::overview();
        incomplete.is_incomplete = true;
        assert!(!super::text(&incomplete, &samples::context()).contains("last_push"));
        assert_eq!(label("a\"b\\c\u{1b}d"), r#"a\"b\\c\\u{1b}d"#);
    }
}

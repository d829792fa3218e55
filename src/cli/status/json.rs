//! Tokens as JSON, in a stable format: members may be added, and none changes its meaning.

use jiff::Timestamp;
use serde::Serialize;

use super::Context;
use crate::cli::output;
use crate::provider::operations::{LastVerdict, Overview, Role, TokenReport};

/// Version of the format. Its first number changes if a reader would break.
const FORMAT_VERSION: &str = "1.0";

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    as_of: String,
    complete: bool,
    mount: &'a str,
    field: &'a str,
    lifetime_days: u32,
    rotate_before_days: u32,
    tokens: Vec<Token<'a>>,
}

#[derive(Serialize)]
struct Token<'a> {
    id: String,
    path: &'a str,
    field: &'a str,
    role: Option<&'static str>,
    status: &'static str,
    fingerprint: Option<String>,
    kv_version: Option<u64>,
    minted_at: Option<String>,
    minted_at_source: Option<&'static str>,
    expires_at: Option<String>,
    expires_at_unix: Option<i64>,
    rotate_at: Option<String>,
    account: Option<&'a str>,
    verdict: Option<&'static str>,
    verdict_cause: Option<&'a str>,
    verified_at: Option<String>,
    rotated_from: Option<&'a str>,
    promoted_to: Option<&'a str>,
    same_token_as: &'a [String],
    same_token_count: usize,
    problem: Option<&'a str>,
}

impl<'a> Token<'a> {
    fn new(token: &'a TokenReport, context: &Context) -> Self {
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let verdict = token.verdict.as_ref();
        Self {
            id: format!("{}/{}#{}", context.mount, token.path, token.field),
            path: &token.path,
            field: &token.field,
            role: token.role.map(Role::as_str),
            status: token.state.as_str(),
            fingerprint: token.fingerprint.map(|fingerprint| fingerprint.to_string()),
            kv_version: token.kv_version,
            minted_at: instant(token.minted_at),
            minted_at_source: token.minted_at_source,
            expires_at: instant(token.expires_at),
            expires_at_unix: token.expires_at.map(Timestamp::as_second),
            rotate_at: instant(token.rotate_at),
            account: token.account.as_deref(),
            verdict: verdict.map(LastVerdict::as_str),
            verdict_cause: verdict
                .map(|last| last.cause.as_str())
                .filter(|cause| !cause.is_empty()),
            verified_at: instant(verdict.map(|last| last.at)),
            rotated_from: token.rotated_from.as_deref(),
            promoted_to: token.promoted_to.as_deref(),
            same_token_as: &token.same_token_as,
            same_token_count: token.same_token_count,
            problem: token.problem.as_deref(),
        }
    }
}

/// Writes the document.
pub(super) fn text(overview: &Overview, context: &Context) -> String {
    let document = Document {
        format_version: FORMAT_VERSION,
        as_of: output::whole_seconds(overview.as_of),
        complete: !overview.is_incomplete,
        mount: &context.mount,
        field: &context.field,
        lifetime_days: context.lifetime_days,
        rotate_before_days: context.rotate_before_days,
        tokens: overview
            .tokens
            .iter()
            .map(|token| Token::new(token, context))
            .collect(),
    };
    output::json(&document)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::provider::operations::State;

    use super::*;
    use crate::cli::status::tests::samples;

    #[test]
    fn names_move_no_cursor_and_stay_the_same() {
        let odd = "a\u{7f}\u{9b}2J\u{202e}b";
        let mut overview = samples::overview();
        overview.tokens = vec![samples::token(odd, State::Missing, None)];
        let text = text(&overview, &samples::context());
        assert!(
            text.contains(r#""path": "a\u007f\u009b2J\u202eb""#),
            "{text}"
        );
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["tokens"][0]["path"], odd);
    }

    #[test]
    fn instants_are_absolute_and_nothing_is_left_out() {
        let document: serde_json::Value =
            serde_json::from_str(&text(&samples::overview(), &samples::context())).unwrap();
        assert_eq!(document["format_version"], "1.0");
        assert_eq!(document["as_of"], "2026-11-24T12:00:00Z");
        assert_eq!(document["complete"], true);
        assert_eq!(document["tokens"].as_array().unwrap().len(), 5);
        assert_eq!(
            document["tokens"][2],
            json!({
                "id": "secret/agent#claude_oauth_token",
                "path": "agent",
                "field": "claude_oauth_token",
                "role": "primary",
                "status": "rotation_due",
                "fingerprint": null,
                "kv_version": 3,
                "minted_at": "2025-12-03T00:00:00Z",
                "minted_at_source": "stamp",
                "expires_at": "2026-12-03T00:00:00Z",
                "expires_at_unix": 1_796_256_000,
                "rotate_at": "2026-11-03T00:00:00Z",
                "account": null,
                "verdict": null,
                "verdict_cause": null,
                "verified_at": null,
                "rotated_from": "agent-spare-1",
                "promoted_to": null,
                "same_token_as": ["agent-spare-2"],
                "same_token_count": 1,
                "problem": null,
            })
        );
    }
}

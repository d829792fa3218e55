//! Tokens as JSON, in a shape that stays: members may be added, none changes its meaning.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::Context;
use crate::provider::operations::{Role, Survey, TokenReport};
use crate::sdk::acts_on_terminals;

/// Version of the shape: the first number changes where a reader would break.
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
    role: Option<&'static str>,
    status: &'static str,
    fingerprint: Option<String>,
    kv_version: Option<u64>,
    minted_at: Option<String>,
    minted_at_source: Option<&'static str>,
    expires_at: Option<String>,
    expires_at_unix: Option<i64>,
    rotate_at: Option<String>,
    rotated_from: Option<&'a str>,
    promoted_to: Option<&'a str>,
    same_token_as: &'a [String],
    same_token_count: usize,
    problem: Option<&'a str>,
}

impl<'a> Token<'a> {
    fn new(token: &'a TokenReport, context: &Context) -> Self {
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            id: format!("{}/{}#{}", context.mount, token.path, context.field),
            path: &token.path,
            role: token.role.map(Role::as_str),
            status: token.state.as_str(),
            fingerprint: token.fingerprint.map(|fingerprint| fingerprint.to_string()),
            kv_version: token.kv_version,
            minted_at: instant(token.minted_at),
            minted_at_source: token.minted_at_source,
            expires_at: instant(token.expires_at),
            expires_at_unix: token.expires_at.map(Timestamp::as_second),
            rotate_at: instant(token.rotate_at),
            rotated_from: token.rotated_from.as_deref(),
            promoted_to: token.promoted_to.as_deref(),
            same_token_as: &token.same_token_as,
            same_token_count: token.same_token_count,
            problem: token.problem.as_deref(),
        }
    }
}

/// Writes the document.
pub(super) fn text(survey: &Survey, context: &Context) -> String {
    let document = Document {
        format_version: FORMAT_VERSION,
        as_of: whole(survey.as_of),
        complete: !survey.is_incomplete,
        mount: &context.mount,
        field: &context.field,
        lifetime_days: context.lifetime_days,
        rotate_before_days: context.rotate_before_days,
        tokens: survey
            .tokens
            .iter()
            .map(|token| Token::new(token, context))
            .collect(),
    };
    // Texts and numbers always become JSON.
    let mut text = escaped(&serde_json::to_string_pretty(&document).unwrap_or_default());
    text.push('\n');
    text
}

/// Escapes what acts on terminals and JSON leaves as it is; such characters are in strings alone.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if acts_on_terminals(character) && character != '\n' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text
}

/// Writes an instant in whole seconds.
fn whole(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).map_or_else(|_| at.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::provider::operations::State;

    use super::super::samples;
    use super::*;

    #[test]
    fn names_move_no_cursor_and_stay_the_same() {
        let odd = "a\u{7f}\u{9b}2J\u{202e}b";
        let mut survey = samples::survey();
        survey.tokens = vec![samples::token(odd, State::Missing, None)];
        let text = text(&survey, &samples::context());
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
            serde_json::from_str(&text(&samples::survey(), &samples::context())).unwrap();
        assert_eq!(document["format_version"], "1.0");
        assert_eq!(document["as_of"], "2026-11-24T12:00:00Z");
        assert_eq!(document["complete"], true);
        assert_eq!(document["tokens"].as_array().unwrap().len(), 5);
        assert_eq!(
            document["tokens"][2],
            json!({
                "id": "secret/agent#claude_oauth_token",
                "path": "agent",
                "role": "primary",
                "status": "rotation_due",
                "fingerprint": null,
                "kv_version": 3,
                "minted_at": "2025-12-03T00:00:00Z",
                "minted_at_source": "stamp",
                "expires_at": "2026-12-03T00:00:00Z",
                "expires_at_unix": 1_796_256_000,
                "rotate_at": "2026-11-03T00:00:00Z",
                "rotated_from": "agent-spare-1",
                "promoted_to": null,
                "same_token_as": ["agent-spare-2"],
                "same_token_count": 1,
                "problem": null,
            })
        );
    }
}

//! An overview for tests.

use jiff::Timestamp;

use crate::cli::status::Context;
use crate::provider::operations::{LastVerdict, Overview, Role, State, TokenReport};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A token that expires on a day at midnight and was minted a year before.
pub(in crate::cli::status) fn token(
    path: &str,
    state: State,
    expires: Option<&str>,
) -> TokenReport {
    let day = |days: i64| {
        expires.map(|day| {
            let end = at(&format!("{day}T00:00:00Z")).as_second();
            Timestamp::from_second(end - days * 86_400).unwrap()
        })
    };
    TokenReport {
        path: path.to_owned(),
        field: "claude_oauth_token".to_owned(),
        state,
        fingerprint: None,
        kv_version: expires.map(|_| 3),
        minted_at: day(365),
        minted_at_source: expires.map(|_| "stamp"),
        expires_at: day(0),
        rotate_at: day(30),
        account: None,
        verdict: None,
        role: None,
        rotated_from: None,
        promoted_to: None,
        same_token_as: Vec::new(),
        same_token_count: 0,
        problem: None,
    }
}

/// Five tokens, in the order of an overview.
pub(in crate::cli::status) fn overview() -> Overview {
    let mut missing = token("a\\b\"c", State::Missing, None);
    missing.problem = Some("There is no such secret.".to_owned());
    let mut agent = token("agent", State::RotationDue, Some("2026-12-03"));
    agent.role = Some(Role::Primary);
    agent.rotated_from = Some("agent-spare-1".to_owned());
    agent.same_token_as = vec!["agent-spare-2".to_owned()];
    agent.same_token_count = 1;
    let mut copy = token("agent-spare-2", State::Duplicate, Some("2026-12-03"));
    copy.same_token_as = vec!["agent".to_owned()];
    copy.same_token_count = 1;
    let mut spare = token("agent-spare-1", State::InDate, Some("2027-11-01"));
    spare.role = Some(Role::Spare);
    spare.minted_at_source = Some("estimated");
    spare.account = Some("ci@example.com".to_owned());
    spare.verdict = Some(LastVerdict {
        is_refused: false,
        at: at("2026-11-20T03:00:00Z"),
        cause: String::new(),
    });
    Overview {
        as_of: at("2026-11-24T12:00:00.5Z"),
        taken_at: at("2026-11-24T12:00:01Z"),
        tokens: vec![
            token("locked", State::Unreadable, None),
            missing,
            agent,
            copy,
            spare,
        ],
        is_incomplete: false,
        diagnostics: Vec::new(),
    }
}

/// The scope of that overview.
pub(in crate::cli::status) fn context() -> Context {
    Context {
        mount: "secret".to_owned(),
        field: "claude_oauth_token".to_owned(),
        lifetime_days: 365,
        rotate_before_days: 30,
    }
}

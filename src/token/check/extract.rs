//! Recovers the one token that a malformed value holds.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{
    ANY_PREFIX, Kind, PREFIX, USUAL_LENGTH, has_glued_word, is_invisible, is_token_character,
    problem_inside, problem_of, trim, unproven_length, with_plain_dashes,
};
use crate::secret::Secret;

/// Returns the token in a value, if exactly one whole token can be recovered from it.
///
/// It handles quotes, text around the token, terminal escape sequences, JSON, and Base64. It
/// ignores the access token of a login, because that token expires within hours.
pub fn extract(text: &str) -> Option<Secret> {
    let (trimmed, _) = trim(text);
    if problem_of(trimmed).is_none() && unproven_length(trimmed).is_none() {
        return Some(Secret::new(trimmed));
    }
    let mut found = BTreeSet::new();
    collect(text, &mut found);
    if found.is_empty()
        && let Some(decoded) = decoded(text)
    {
        collect(&decoded, &mut found);
    }
    match (found.pop_first(), found.is_empty()) {
        (Some(token), true) => Some(Secret::new(token)),
        _ => None,
    }
}

/// Adds every whole token in a text.
fn collect(text: &str, found: &mut BTreeSet<String>) {
    if Kind::of(text) == Kind::CredentialsJson {
        return;
    }
    let text = with_plain_dashes(&without_escape_sequences(text));
    collect_runs(&text, found);
    if found.is_empty() {
        // A token that a terminal wrapped is whole if no character was lost between the lines.
        let joined: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if joined.len() == USUAL_LENGTH && joined.starts_with(PREFIX) {
            collect_runs(&joined, found);
        }
    }
}

fn collect_runs(text: &str, found: &mut BTreeSet<String>) {
    for run in text.split(|c| !is_token_character(c)) {
        let mut starts: Vec<_> = run.match_indices(ANY_PREFIX).map(|(at, _)| at).collect();
        starts.push(run.len());
        for pair in starts.windows(2) {
            let part = pair
                .first()
                .zip(pair.last())
                .and_then(|(from, to)| run.get(*from..*to))
                .unwrap_or_default();
            let part = match part.get(..USUAL_LENGTH) {
                Some(token) if has_glued_word(part) => token,
                _ => part,
            };
            let is_whole = part.starts_with(PREFIX)
                && problem_inside(part).is_none()
                && unproven_length(part).is_none();
            if is_whole {
                found.insert(part.to_owned());
            }
        }
    }
}

/// Drops the escape sequences that set colors and positions in a terminal, other control
/// characters, and zero-width characters.
fn without_escape_sequences(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' {
            if characters.next_if_eq(&'[').is_some() {
                // Parameters end with the first letter or `~`.
                for c in characters.by_ref() {
                    if ('\u{40}'..='\u{7e}').contains(&c) {
                        break;
                    }
                }
            }
        } else if c.is_whitespace() || !(c.is_control() || is_invisible(c)) {
            plain.push(c);
        }
    }
    plain
}

/// Decodes Base64 of either alphabet, with or without padding.
fn decoded(text: &str) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !super::is_quote(*c))
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        })
        .collect();
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, config)
        .decode(text)
        .ok()?;
    String::from_utf8(bytes).ok()
}

//! What a user reads about a token that was replaced before and is current again, or soon will be.

use super::Place;
use crate::protocol::Diagnostic;
use crate::token::fingerprint::Fingerprint;
use crate::token::retired::RetiredTokens;

/// A current token that is retired; `None` if it is not.
pub(in crate::provider) fn came_back(
    place: Place<'_>,
    fingerprint: &Fingerprint,
    retired: &RetiredTokens,
) -> Option<Diagnostic> {
    let how = "A rollback, a restored backup, or a paste made it current again";
    is_back(place, fingerprint, retired, how)
}

/// The same about a token that `token_wo` has just brought.
pub(in crate::provider) fn stored_again(
    place: Place<'_>,
    fingerprint: &Fingerprint,
    retired: &RetiredTokens,
) -> Option<Diagnostic> {
    let how = "token_wo made it current again";
    is_back(place, fingerprint, retired, how)
}

fn is_back(
    place: Place<'_>,
    fingerprint: &Fingerprint,
    retired: &RetiredTokens,
    how: &str,
) -> Option<Diagnostic> {
    let retired = retired.get(fingerprint.short())?;
    let id = fingerprint.id();
    Some(if retired.on_request {
        Diagnostic::warning(
            format!("Token {place} was rotated away on request and is current again"),
            format!(
                "Token {id} was replaced on request, as after a leak. {how}, so everyone who has \
                 the leaked token can use it. Rotate it again: change a value of \
                 rotate_when_changed, and apply.",
            ),
        )
    } else {
        Diagnostic::warning(
            format!("Token {place} is an older token that came back"),
            format!(
                "Token {id} was replaced before. {how}. Its expiry still counts from the day it was minted. If you \
                 did not mean to bring it back, store the newer token again.",
            ),
        )
    })
}

/// A retired token that an apply is about to store; `None` if it is not retired.
pub(in crate::provider) fn would_come_back(
    place: Place<'_>,
    fingerprint: &Fingerprint,
    retired: &RetiredTokens,
) -> Option<Diagnostic> {
    let retired = retired.get(fingerprint.short())?;
    let id = fingerprint.id();
    let (kind, detail) = if retired.on_request {
        (
            "one that was rotated away on request",
            format!(
                "token_wo holds the token {id}, which was replaced on request, as after a leak. An \
             apply makes it current again, so everyone who has the leaked token can use it. Mint \
             another token with `claude setup-token` in a terminal at least 300 columns wide, and \
             set token_wo to that one."
            ),
        )
    } else {
        (
            "an older token",
            format!(
                "token_wo holds the token {id}, which was replaced before. An apply makes it current \
             again, and its expiry still counts from the day it was minted. If you do not mean to bring it back, set \
             token_wo to a newer token."
            ),
        )
    };
    Some(Diagnostic::warning(
        format!("Token {place} is about to be replaced with {kind}"),
        detail,
    ))
}

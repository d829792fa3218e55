//! What a user reads about a token that was replaced before and is current again.

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
    let retired = retired.get(fingerprint.short())?;
    let id = fingerprint.id();
    Some(if retired.on_request {
        Diagnostic::warning(
            format!("Token {place} was rotated away on request and is current again"),
            format!(
                "Token {id} was replaced on request, as after a leak. A rollback, a restored \
                 backup, or a paste made it current again, so everyone who has the leaked token \
                 can use it. Rotate it again: change a value of rotate_when_changed, and apply.",
            ),
        )
    } else {
        Diagnostic::warning(
            format!("Token {place} is an older token that came back"),
            format!(
                "Token {id} was replaced before. A rollback, a restored backup, or a paste made \
                 it current again. It expires by its own mint time. If you did not mean to bring \
                 it back, store the newer token again.",
            ),
        )
    })
}

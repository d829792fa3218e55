//! What a user reads about a token that is looked up and not managed.

use super::Place;
use crate::protocol::Diagnostic;
use crate::token::expiry::Status;

/// A lookup that finds no usable token.
pub(in crate::provider) fn no_token(place: Place<'_>, status: Status, problem: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is {}", status.as_str()),
        format!(
            "{problem}Until then fingerprint and dates are null. A postcondition on status makes \
             this an error."
        ),
    )
}

/// A place with nothing to hand out: a value that is no token may be another secret.
pub(in crate::provider) fn nothing_to_hand_out(place: Place<'_>, problem: &str) -> Diagnostic {
    Diagnostic::error(
        format!("No token to hand out at {place}"),
        format!("{problem}Then run this again."),
    )
}

/// A token whose day has passed.
pub(in crate::provider) fn expired_not_handed_out(
    place: Place<'_>,
    expires_at: &str,
) -> Diagnostic {
    Diagnostic::error(
        format!("Token {place} expired {expires_at}"),
        format!(
            "An expired token is not handed out. Mint a new one with `claude setup-token` in a \
             terminal at least 300 columns wide, run this, paste it and press Enter:{patch}Or set \
             allow_expired = true to have this one all the same.",
            patch = place.store_commands(),
        ),
    )
}

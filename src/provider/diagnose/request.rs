//! What a user reads about a rotation on request.

use super::Place;
use crate::protocol::{Diagnostic, Text, text};
use crate::vault::SecretPath;

/// Values in `rotate_when_changed` that a plan sets while it creates or imports the resource.
pub(in crate::provider) fn not_a_request(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is not rotated by its first rotate_when_changed"),
        "This plan creates or imports the resource, so the values of rotate_when_changed are \
         recorded, but no rotation is requested. If the current token leaked, apply, then change a value and \
         apply again.",
    )
}

/// A rotation that the user asks for, or may ask for if `rotate_when_changed` is not known yet.
/// `spare` is the one that would be promoted, if that is known.
pub(in crate::provider) fn rotation_requested(
    place: Place<'_>,
    is_known: bool,
    spare: Option<&str>,
) -> Diagnostic {
    let spare = spare.map_or_else(
        || "the best usable spare, and fails if there is none".to_owned(),
        |spare| format!("the spare {spare}"),
    );
    let leaked = "If the current token leaked, revoke it in the account settings of claude.ai.";
    if is_known {
        Diagnostic::warning(
            format!("Token {place} will be rotated as requested"),
            format!("An apply promotes {spare}. {leaked}"),
        )
    } else {
        Diagnostic::warning(
            format!("Token {place} may be rotated"),
            format!(
                "rotate_when_changed is not known until the apply. If it has changed by then, the \
                 apply promotes {spare}. {leaked}"
            ),
        )
    }
}

/// A request that the current token answers.
pub(in crate::provider) fn request_answered(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} stays"),
        "The current token has already replaced the one that rotate_when_changed is about, so an \
         apply promotes nothing and records the values.",
    )
}

/// A request that no spare can serve. `reasons` says of each spare, in lines, why it cannot be
/// promoted. `refill` is the path of a spare in which a new token can be stored.
pub(in crate::provider) fn no_spare_for_request(
    place: Place<'_>,
    reasons: Text,
    refill: Option<&str>,
) -> Diagnostic {
    const ASKED: &str = "rotate_when_changed asks for a rotation, and";
    let cause = match reasons.is_empty() {
        true => text!("{ASKED} spare_paths is empty."),
        false => text!("{ASKED} no spare can be promoted:") + reasons.paragraph(""),
    };
    let refill = refill.and_then(|path| SecretPath::new(place.secret.mount(), path).ok());
    let (undo, store, then) = match &refill {
        Some(secret) => {
            let spare = Place { secret, ..place };
            ("", spare.store_commands(), "Then plan again.")
        }
        // A token in the primary is the one that the next plan would rotate.
        None => (
            "Undo the change to rotate_when_changed.",
            place.store_commands(),
            "The next plan picks up the new token.",
        ),
    };
    Diagnostic::error(
        format!("No spare for {place}"),
        cause
            + "Nothing was changed, and the current token stays."
            + undo
            + "Mint a token with `claude setup-token` in a terminal at least 300 columns wide, run \
               this command, paste the token, and press Enter:"
            + store
            + then,
    )
}

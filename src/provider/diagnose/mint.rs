//! What a user reads about mint times.

use jiff::Timestamp;

use super::{Place, command, shell};
use crate::protocol::{AttributePath, Diagnostic};
use crate::token::history::HistoryOutcome;
use crate::token::instant::format_instant;
use crate::token::mint::MintWarning;

/// A mint time that only an older version could tell.
pub(in crate::provider) fn history_ends(place: Place<'_>, outcome: HistoryOutcome) -> String {
    format!(
        "The oldest version of {secret} that can be read, written {at}, already holds this \
         token, and versions before it are pruned, deleted or not readable.",
        secret = place.secret,
        at = format_instant(outcome.oldest_created_at),
    )
}

/// An adoption that cannot date the token.
pub(in crate::provider) fn mint_time_needed(
    place: Place<'_>,
    outcome: HistoryOutcome,
) -> Diagnostic {
    Diagnostic::error(
        format!("Mint time of {place} is not known"),
        format!(
            "{ends} The token may be older than that, and would then expire earlier than anyone \
             is told. Set token_minted_at to the day on which `claude setup-token` made it, for \
             example \"{example}\". Nothing was changed.",
            ends = history_ends(place, outcome),
            example = format_instant(outcome.oldest_created_at),
        ),
    )
}

/// A refresh or import that had to estimate.
pub(in crate::provider) fn mint_time_estimated(
    place: Place<'_>,
    outcome: HistoryOutcome,
) -> Diagnostic {
    Diagnostic::warning(
        format!("Mint time of {place} is an estimate"),
        format!(
            "{ends} The real expiry may be earlier than the one that is told. Set token_minted_at \
             to the day on which the token was made, or stamp the token with it:{stamp}",
            stamp = command(&format!(
                "terraform-provider-claude store {path} --stamp-only --minted-at TIME",
                path = shell(place.secret.path())
            )),
            ends = history_ends(place, outcome),
        ),
    )
}

/// An account of the mint time that does not count.
pub(in crate::provider) fn mint_warning(place: Place<'_>, warning: MintWarning) -> Diagnostic {
    Diagnostic::warning(
        format!("Mint time of {place} is in doubt"),
        format!(
            "{warning}. Check which one is right: an expiry that is told too late is an outage."
        ),
    )
}

/// A mint time that cannot be true.
pub(in crate::provider) fn minted_after_stored(
    minted_at: Timestamp,
    created_at: Timestamp,
) -> Diagnostic {
    Diagnostic::error(
        "Mint time is later than the token",
        format!(
            "token_minted_at is {}, but the secret has held this token since {} or earlier. Set \
             it to the time when `claude setup-token` made this token, or leave it out.",
            format_instant(minted_at),
            format_instant(created_at)
        ),
    )
    .at(AttributePath::attribute("token_minted_at"))
}

/// A first mint time that the stamp contradicts, on a resource that exists.
pub(in crate::provider) fn differs_from_stamp(
    place: Place<'_>,
    configured: Timestamp,
    stamp: Timestamp,
) -> Diagnostic {
    Diagnostic::warning(
        format!("Mint time of {place} is in doubt"),
        format!(
            "token_minted_at says {}, the token's own stamp {}. The configuration counts. Check \
             which one is right: an expiry that is told too late is an outage.",
            format_instant(configured),
            format_instant(stamp)
        ),
    )
}

//! What a user reads about mint times.

use jiff::Timestamp;

use super::{Place, command};
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

/// Why a mint time is an estimate: the history ends too early, or a spare's does that holds the
/// same token.
fn estimated(place: Place<'_>, history: Option<HistoryOutcome>) -> String {
    match history {
        Some(outcome) => history_ends(place, outcome),
        None => "A spare holds the same token, and its mint time is an estimate.".into(),
    }
}

/// An adoption that cannot date the token.
pub(in crate::provider) fn mint_time_needed(
    place: Place<'_>,
    estimate: Timestamp,
    history: Option<HistoryOutcome>,
) -> Diagnostic {
    Diagnostic::error(
        format!("Mint time of {place} is not known"),
        format!(
            "{ends} The token may be older than that, and would then expire earlier than anyone \
             is told. Set token_minted_at to the day on which `claude setup-token` made it, for \
             example \"{example}\". Nothing was changed.",
            ends = estimated(place, history),
            example = format_instant(estimate),
        ),
    )
}

/// A token that is new, and whose mint time is an estimate.
pub(in crate::provider) fn mint_time_estimated(
    place: Place<'_>,
    history: Option<HistoryOutcome>,
) -> Diagnostic {
    Diagnostic::warning(
        format!("Mint time of {place} is an estimate"),
        format!(
            "{ends} The real expiry may be earlier than the one that is told. Set token_minted_at \
             to the day on which the token was made, or stamp the token with it:{stamp}",
            stamp = command(&format!(
                "{} --stamp-only --minted-at TIME",
                place.store_command()
            )),
            ends = estimated(place, history),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::SecretPath;

    #[test]
    fn the_command_to_stamp_addresses_the_token_that_was_estimated() {
        let secret = SecretPath::new("kv2", "other").unwrap();
        let place = Place {
            secret: &secret,
            field: "oauth",
        };
        let outcome = HistoryOutcome {
            oldest_created_at: Timestamp::UNIX_EPOCH,
            complete: false,
        };
        let told = mint_time_estimated(place, Some(outcome)).detail;
        let command = "\n    terraform-provider-claude store --mount=kv2 --field=oauth other \
                       --stamp-only --minted-at TIME\n";
        assert!(told.contains(command), "{told}");
    }
}

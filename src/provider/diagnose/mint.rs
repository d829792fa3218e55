//! What a user reads about mint times.

use jiff::Timestamp;

use super::Place;
use crate::protocol::{AttributePath, Diagnostic, Text};
use crate::token::instant::format_instant;
use crate::token::mint::Gaps;
use crate::token::mint::MintWarning;

/// Why a mint time is an estimate.
pub(in crate::provider) fn estimated(place: Place<'_>, gaps: &Gaps) -> Text {
    let mut text = Text::default();
    if let Some(oldest) = gaps.history {
        text += format!(
            "The oldest version of {secret} that can be read, written {at}, already holds this \
             token, and the versions before it cannot be read.",
            secret = place.secret,
            at = format_instant(oldest),
        );
    }
    if !gaps.spares.is_empty() {
        text += format!(
            "The token may have been copied from a spare whose history cannot be read: {}.",
            gaps.spares.join(", ")
        );
    }
    text
}

/// An adoption that cannot date the token.
pub(in crate::provider) fn mint_time_needed(
    place: Place<'_>,
    estimate: Timestamp,
    gaps: &Gaps,
) -> Diagnostic {
    Diagnostic::error(
        format!("Mint time of {place} is unknown"),
        estimated(place, gaps)
            + format!(
                "The token may be older, and would then expire earlier than shown. Set \
                 token_minted_at to the date on which you ran `claude setup-token`, for example \
                 \"{}\".",
                format_instant(estimate),
            ),
    )
}

/// A token that is new, and whose mint time is an estimate.
pub(in crate::provider) fn mint_time_estimated(
    place: Place<'_>,
    estimate: Timestamp,
    gaps: &Gaps,
) -> Diagnostic {
    Diagnostic::warning(
        format!("Mint time of {place} is an estimate"),
        estimated(place, gaps)
            + "The token may expire earlier than shown. Stamp it with the date on which it was \
               minted, instead of the date in this command:"
            + place.stamp_command(estimate),
    )
}

/// A source of the mint time that is ignored.
pub(in crate::provider) fn mint_warning(place: Place<'_>, warning: MintWarning) -> Diagnostic {
    Diagnostic::warning(
        format!("Mint time of {place} is in doubt"),
        format!(
            "{warning}. Check which one is right. A token that expires earlier than shown causes \
             an outage."
        ),
    )
}

/// A mint time of the configuration that was an earlier token's.
pub(in crate::provider) fn minted_at_outlived(place: Place<'_>, at: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("token_minted_at is outdated for {place}"),
        format!(
            "It is {at}, the mint time of an earlier token. The current token is dated without it, \
             but if the resource is ever created again, this date would apply. Remove \
             token_minted_at from the configuration."
        ),
    )
    .at(AttributePath::attribute("token_minted_at"))
}

/// A mint time that cannot be true.
pub(in crate::provider) fn minted_after_stored(
    minted_at: Timestamp,
    created_at: Timestamp,
) -> Diagnostic {
    Diagnostic::error(
        "Mint time is later than the token",
        format!(
            "token_minted_at is {}, but the secret has held this token since {} or earlier. Set it \
             to the time at which you ran `claude setup-token` for this token, or remove it.",
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
        let gaps = Gaps {
            history: Some(Timestamp::UNIX_EPOCH),
            spares: vec!["spare-1".to_owned()],
        };
        let detail = mint_time_estimated(place, Timestamp::UNIX_EPOCH, &gaps)
            .detail
            .to_string();
        let command = "\n    terraform-provider-claude store --mount=kv2 --field=oauth other \
                       --stamp-only --minted-at=1970-01-01T00:00:00Z";
        assert!(detail.contains(command), "{detail}");
        assert!(detail.contains("cannot be read: spare-1."), "{detail}");
    }
}

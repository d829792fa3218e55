//! What a user reads about a token that is looked up and not managed.

use super::{Place, unusable_text};
use crate::protocol::{Diagnostic, Text, text};
use crate::provider::observe::unusable::Unusable;
use crate::sdk::Field;
use crate::token::fingerprint::Fingerprint;
use crate::token::instant::format_instant;
use crate::token::verdict::Verdict;

/// A lookup that finds no usable token.
pub(in crate::provider) fn no_token(place: Place<'_>, unusable: &Unusable) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is {}", unusable.status().as_str()),
        unusable_text(place, unusable)
            + "Until then, fingerprint and dates are null. To make this an error, add a \
               postcondition on status.",
    )
}

/// A place with nothing to hand out: a value that is not a token may be another secret.
pub(in crate::provider) fn nothing_to_hand_out(
    place: Place<'_>,
    unusable: Option<&Unusable>,
) -> Diagnostic {
    let problem = unusable.map_or_else(Text::default, |unusable| unusable_text(place, unusable));
    Diagnostic::error(
        format!("No usable token at {place}"),
        problem + "Then run this again.",
    )
}

/// A token that has expired.
pub(in crate::provider) fn expired_not_handed_out(
    place: Place<'_>,
    expires_at: &str,
) -> Diagnostic {
    Diagnostic::error(
        format!("Token {place} expired {expires_at}"),
        Text::from(
            "An expired token is not returned. Mint a new one with `claude setup-token` in a \
             terminal at least 300 columns wide, run this command, paste the token, and press \
             Enter:",
        ) + place.store_commands()
            + "To get the expired token anyway, set allow_expired = true.",
    )
}

/// A token that was refused when it was last verified, and is passed on anyway.
pub(in crate::provider) fn refused_handed_out(place: Place<'_>, verdict: &Verdict) -> Diagnostic {
    let cause = match verdict.cause.as_str() {
        "" => String::new(),
        cause => format!(" ({cause})"),
    };
    Diagnostic::warning(
        format!("Token {place} was refused"),
        text!(
            "Claude Code reported on {at} that this token is refused{cause}. It was passed on \
             anyway. Mint a new token with `claude setup-token` in a terminal at least 300 columns \
             wide, run this, paste the token, and press Enter:",
            at = format_instant(verdict.at),
        ) + place.store_commands(),
    )
}

/// A token other than the one that `fingerprint` expects, if it is set.
pub(in crate::provider) fn unexpected_token(
    place: Place<'_>,
    found: Fingerprint,
    expected: &Field<String>,
) -> Option<Diagnostic> {
    let expected: Fingerprint = expected.as_str()?.parse().ok()?;
    (found != expected).then(|| {
        Diagnostic::error(
            format!("Token {place} is not the expected token"),
            format!(
                "The secret holds the token {found}, but fingerprint is set to {expected}. No \
                 token was returned. If fingerprint comes from a resource, plan again with a \
                 refresh, so that the resource reads the secret again. Otherwise, set fingerprint \
                 to that of the token you expect.",
                found = found.id(),
                expected = expected.id(),
            ),
        )
    })
}

/// How a data source is read during the apply.
pub(in crate::provider) const READ_AT_APPLY: &str =
    "To read it during the apply, add that resource to depends_on in this block.";

/// How an ephemeral resource is opened during the apply. Terraform opens it in the plan as well
/// unless an argument is unknown, regardless of depends_on.
pub(in crate::provider) const OPEN_AT_APPLY: &str = "To open it during the apply, add that \
                                                     resource to depends_on in this block \
                                                     (OpenTofu), or set one of the block's \
                                                     arguments to a value that is known only after \
                                                     that resource is applied (Terraform).";

/// A lookup that needs an argument of the provider that is unknown at plan.
pub(in crate::provider) fn unknown_until_apply(
    unknown: &str,
    what: &str,
    remedy: &str,
) -> Diagnostic {
    Diagnostic::error(
        format!("{what} needs the provider's {unknown}, which is not known yet"),
        format!(
            "The provider's {unknown} comes from a resource that is not applied yet. {remedy} Or \
             apply that resource first (-target), or set {unknown} to a value that is known during \
             plan."
        ),
    )
}

//! What a user reads when a token is stored or stamped.

use jiff::Timestamp;

use super::{Place, kv, problem, vault_error};
use crate::protocol::{AttributePath, Diagnostic, Text};
use crate::provider::diagnose::refuse::capital;
use crate::provider::observe::Observed;
use crate::token::check::Problem;
use crate::vault::{VaultError, WriteError, WriteFailure};

/// A version without a token to store.
pub(in crate::provider) fn token_needed() -> Diagnostic {
    Diagnostic::error(
        "Missing token_wo",
        "token_wo_version asks for a token to be stored, but token_wo is null, so there is none. \
         Set token_wo to the new token (for example through an ephemeral variable), or set \
         token_wo_version back to its previous value. Nothing was changed.",
    )
    .at(AttributePath::attribute("token_wo_version"))
}

/// A token to store without a version.
pub(in crate::provider) fn version_needed() -> Diagnostic {
    Diagnostic::error(
        "Missing token_wo_version",
        "A write-only value cannot be compared, so it is stored only when token_wo_version \
         changes. Set token_wo_version (for example to 1, and to a new number for each new token), \
         or remove token_wo. Nothing was changed.",
    )
}

/// A version without tokens to store.
pub(in crate::provider) fn pool_tokens_needed() -> Diagnostic {
    Diagnostic::error(
        "Missing tokens_wo",
        "tokens_wo_version asks for tokens to be stored, but tokens_wo is null, so there are none. \
         Set tokens_wo to a map from path to token, or set tokens_wo_version back to its previous \
         value. Nothing was changed.",
    )
    .at(AttributePath::attribute("tokens_wo_version"))
}

/// Tokens to store without a version.
pub(in crate::provider) fn pool_version_needed() -> Diagnostic {
    Diagnostic::error(
        "Missing tokens_wo_version",
        "Write-only values cannot be compared, so they are stored only when tokens_wo_version \
         changes. Set tokens_wo_version (for example to 1, and to a new number for new tokens), or \
         remove tokens_wo. Nothing was changed.",
    )
}

/// A value that is not a token and was to be stored. No path: the host would quote the value.
pub(in crate::provider) fn no_token_to_store(place: Place<'_>, problem: Problem) -> Diagnostic {
    Diagnostic::error(
        format!("No token to store at {place}"),
        format!(
            "{}. {} Nothing was changed.",
            capital(&problem),
            problem.advice()
        ),
    )
}

/// A token of a length that no working token is known to have.
pub(in crate::provider) fn unproven_not_stored(place: Place<'_>, length: usize) -> Diagnostic {
    Diagnostic::error(
        format!("No token to store at {place}"),
        format!("{} Nothing was changed.", unproven(length)),
    )
}

/// Says why a token of such a length is not accepted.
pub(in crate::provider) fn unproven(length: usize) -> String {
    format!(
        "The value has {length} characters, and every token that is known to work has 108. Extra \
         text may be attached to it. Copy the token again from a terminal at least 300 columns \
         wide."
    )
}

/// White space that was removed from a token.
pub(in crate::provider) fn trimmed(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token for {place} was trimmed"),
        "It had white space before or after it, such as the line break at the end of a file. It \
         was stored without that.",
    )
}

fn another_token(place: Place<'_>, detail: impl Into<Text>) -> Diagnostic {
    Diagnostic::error(format!("Secret {place} holds another token"), detail)
}

/// A token that no state tracks, where a new resource was to store one.
pub(in crate::provider) fn token_not_imported(place: Place<'_>) -> Diagnostic {
    another_token(
        place,
        Text::from(
            "The secret already holds a token that is not in this state, and storing over it would \
             break the workloads that use it. Import that token into this resource first, with \
             this id, then apply again:",
        ) + Text::block(format!("    {place}"))
            + "Nothing was changed.",
    )
}

/// A token that the pool does not track, where the pool was to store one.
pub(in crate::provider) fn token_not_tracked(place: Place<'_>) -> Diagnostic {
    another_token(
        place,
        "The secret already holds a token that this pool does not track, and storing over it would \
         break the workloads that use it. To record that token, apply once with the path in paths \
         and an unchanged tokens_wo_version (in a new pool, without tokens_wo and \
         tokens_wo_version). Then set tokens_wo and a new tokens_wo_version, and apply again. \
         Nothing was changed.",
    )
}

/// A token that replaced the one in state before another was stored.
pub(in crate::provider) fn token_replaced(place: Place<'_>) -> Diagnostic {
    another_token(
        place,
        "The secret no longer holds the token in state, so another client replaced it in the \
         meantime. Plan again to see it, then apply. Nothing was changed.",
    )
}

/// A value that is not a token, in a field that no state has recorded.
pub(in crate::provider) fn value_that_is_no_token(place: Place<'_>) -> Diagnostic {
    Diagnostic::error(
        format!("Secret {place} holds a value that is not a token"),
        Text::from(
            "Storing a token over it could break programs that use that value. If nothing needs it, \
             store the token with this command, then apply again with the same token:",
        ) + place.store_command()
            + "If something needs it, set field to another name. Nothing was changed.",
    )
}

/// Adds to the errors of a failure which secrets already hold their new tokens.
pub(in crate::provider) fn after_stored(
    mut failure: Vec<Diagnostic>,
    stored: &[String],
) -> Vec<Diagnostic> {
    let errors = failure
        .iter_mut()
        .filter(|diagnostic| diagnostic.is_error());
    for error in errors.filter(|_| !stored.is_empty()) {
        let stored = stored.join(", ");
        error.detail += format!(
            "These tokens are already stored: {stored}. Once the problem is fixed, apply again \
             with the same tokens."
        );
    }
    failure
}

/// A token that is not stored while a date is rehearsed.
pub(in crate::provider) fn not_stored_while_rehearsed(place: Place<'_>) -> Diagnostic {
    Diagnostic::error(
        format!("Token was not stored at {place}"),
        "While TF_CLAUDE_NOW is set, nothing is written to Vault. Unset it and run \
         this again.",
    )
}

/// A secret whose current version is gone, and over which nothing is written.
pub(in crate::provider) fn nothing_stored_over(place: Place<'_>, gone: &Observed) -> Diagnostic {
    let problem = problem(place, gone, None).unwrap_or_default();
    let summary = format!("Token was not stored at {place}");
    if matches!(gone, Observed::Destroyed(gone) if gone.version == 1) {
        return Diagnostic::error(summary, problem + "Nothing was changed.");
    }
    Diagnostic::error(
        summary,
        problem
            + "Storing a token now would lose the other fields of that version. If nobody needs \
               them or any older version, this command removes the secret for good, with all its \
               versions and metadata:"
            + kv(place.secret, "metadata delete", &[])
            + "Nothing was changed.",
    )
}

/// A write that failed.
pub(in crate::provider) fn write_failure(place: Place<'_>, failure: &WriteFailure) -> Diagnostic {
    let mut diagnostic = match &failure.error {
        WriteError::Vault(error) => vault_error(error, &place.to_string()),
        WriteError::TooLarge => Diagnostic::error(
            format!("Secret {} is too large to write", place.secret),
            "Vault accepts documents up to 1 MiB. Move other fields to a separate secret.",
        ),
        WriteError::CasMismatch | WriteError::CasRequired => too_busy(place),
    };
    diagnostic.detail += if failure.unanswered {
        "Vault did not confirm the write, so the token may already be stored. Run this again; it \
         checks first."
    } else {
        "Nothing was changed."
    };
    diagnostic
}

/// A secret that another client changed during every attempt.
pub(in crate::provider) fn too_busy(place: Place<'_>) -> Diagnostic {
    Diagnostic::error(
        format!("Secret {} is too busy", place.secret),
        "Another client changed the secret during every attempt. Run this again.",
    )
}

/// A stamp that could not be written. `minted_at` is the mint time that it was to have.
pub(in crate::provider) fn not_stamped(
    place: Place<'_>,
    error: &VaultError,
    minted_at: Option<Timestamp>,
) -> Diagnostic {
    let later = minted_at.map_or_else(Text::default, |at| {
        Text::from("Once Vault allows it, this command writes them:") + place.stamp_command(at)
    });
    Diagnostic::warning(
        format!("Token {place} was not stamped"),
        Text::from(
            "Its mint time and expiry are missing from the secret's metadata, where monitors and \
             other stacks look for them. If you do not want them there, set stamp_metadata = false \
             on the resource.",
        ) + later
            + vault_error(error, "").detail,
    )
}

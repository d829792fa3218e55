//! What a user reads when a token is stored or stamped.

use super::{Place, add, command, shell, vault_error};
use crate::protocol::{AttributePath, Diagnostic};
use crate::provider::diagnose::refuse::capital;
use crate::provider::secrets::store::Replaces;
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

/// A value that is no token and was to be stored. No path: the host would quote the value.
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
        "The value has {length} characters, and every token that is known to work has 108. \
         Something may be glued to it. Copy the token again from a terminal at least 300 columns \
         wide."
    )
}

/// White space that was taken off a token.
pub(in crate::provider) fn trimmed(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token for {place} was trimmed"),
        "There was white space before or after it, such as the line break that ends a file. It \
         was stored without.",
    )
}

/// Another token where one was to be stored.
pub(in crate::provider) fn another_token(place: Place<'_>, replaces: Replaces) -> Diagnostic {
    let detail = match replaces {
        Replaces::Nothing => format!(
            "The secret holds a token that this configuration does not know, and storing over it \
             would take it from whoever uses it. Import it first, then store:{}Nothing was \
             changed there.",
            command(&format!(
                "terraform import ADDRESS {}",
                shell(&place.to_string())
            ))
        ),
        Replaces::Untracked => "The secret already holds a token that this pool does not track, \
             and storing over it would take it from whoever uses it. Have it recorded first: \
             apply once with the path in paths and tokens_wo_version as before, or without \
             tokens_wo and tokens_wo_version where the pool is new. Then set tokens_wo and a new \
             tokens_wo_version, and apply again. Nothing was changed there."
            .to_owned(),
        Replaces::Anything | Replaces::Recorded(_) => {
            "The secret holds another token than the state, so somebody \
             replaced it meanwhile. Plan again to see it, then apply. Nothing was changed there."
                .to_owned()
        }
    };
    Diagnostic::error(format!("Another token is at {place}"), detail)
}

/// Adds to a failure which spares hold their new tokens nevertheless.
pub(in crate::provider) fn after_stored(mut failure: Diagnostic, stored: &[String]) -> Diagnostic {
    if !stored.is_empty() {
        let stored = stored.join(", ");
        add(
            &mut failure.detail,
            &format!(
                "Of tokens_wo, these are stored already: {stored}. Once the cause is gone, apply \
                 again with the same tokens, which stores the rest."
            ),
        );
    }
    failure
}

/// A token that is not stored while a date is rehearsed.
pub(in crate::provider) fn not_stored_while_rehearsed(place: Place<'_>) -> Diagnostic {
    Diagnostic::error(
        format!("Token was not stored at {place}"),
        "TF_CLAUDE_NOW is set, and nothing is written to Vault while it is. Unset it and run \
         this again.",
    )
}

/// A secret whose current version is gone, and over which nothing is written.
pub(in crate::provider) fn nothing_stored_over(place: Place<'_>, problem: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Token was not stored at {place}"),
        format!(
            "{problem}A new version now would leave the other fields of that one behind. Where \
             nobody needs them, nor anything older, this removes the secret for good, with all \
             its versions and metadata:{remove}Nothing was changed there.",
            remove = command(&format!(
                "vault kv metadata delete -mount={} {}",
                shell(place.secret.mount()),
                shell(place.secret.path())
            )),
        ),
    )
}

/// A write that did not come about.
pub(in crate::provider) fn write_failure(place: Place<'_>, failure: &WriteFailure) -> Diagnostic {
    let mut diagnostic = match &failure.error {
        WriteError::Vault(error) => vault_error(error, &place.to_string()),
        WriteError::TooLarge => Diagnostic::error(
            format!("Secret {} is too large to be written", place.secret),
            "Vault takes documents up to 1 MiB. Move other fields to a secret of their own.",
        ),
        WriteError::CasMismatch | WriteError::CasRequired => too_busy(place),
    };
    let rest = if failure.unanswered {
        "Vault did not say whether the token was written: it may be there already. Run this \
         again, which looks first."
    } else {
        "Nothing was changed there."
    };
    add(&mut diagnostic.detail, rest);
    diagnostic
}

/// A secret that somebody else wrote each time in between.
pub(in crate::provider) fn too_busy(place: Place<'_>) -> Diagnostic {
    Diagnostic::error(
        format!("Secret {} is too busy", place.secret),
        "Another program wrote it each time in between. Run this again.",
    )
}

/// A stamp that could not be written.
pub(in crate::provider) fn not_stamped(place: Place<'_>, error: &VaultError) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} was not stamped"),
        format!(
            "Its mint time and expiry are missing in the secret's metadata, where monitors and \
             other stacks would find them; where that is intended, set stamp_metadata = false on \
             the resource. {}",
            vault_error(error, "").detail
        ),
    )
}

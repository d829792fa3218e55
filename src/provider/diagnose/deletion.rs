//! What a user reads about a version that Vault deletes before its token expires.

use jiff::Timestamp;

use super::place::{Place, kv};
use crate::protocol::{Command, Diagnostic, Text, text};
use crate::token::instant::format_instant;

/// A token that works, and ends when its version is deleted.
pub(in crate::provider) fn deleted_early(place: Place<'_>, at: Timestamp) -> Diagnostic {
    Diagnostic::warning(
        format!("Vault deletes token {place} on {}", format_instant(at)),
        deletion_ends(place, at, false),
    )
}

/// What ends the token, and how to stop it. `at_once` says that a new version would be due when it
/// is written, so that no date promotes a spare.
pub(in crate::provider) fn deletion_ends(place: Place<'_>, at: Timestamp, at_once: bool) -> Text {
    let secret = place.secret;
    let no_spare = if at_once {
        "A new version would be due as soon as it is written, so no spare is promoted because of \
         a date."
    } else {
        ""
    };
    text!(
        "Vault deletes the version that holds this token on {}, because delete_version_after is \
         set.",
        format_instant(at)
    ) + no_spare
        + "Change the setting of the secret:"
        // `patch` omits a 0. Without -custom-metadata, `put` keeps everything else.
        + kv(secret, "metadata put", &[("-delete-version-after", "0s")])
        + "If the metadata of the secret already shows 0s, the setting belongs to the engine and \
           applies to the whole mount:"
        + Command::new("vault write")
            .word(format!("{}/config", secret.mount()))
            .plain(" delete_version_after=0s")
        + "Then write the same token again, because the current version keeps its deletion time:"
        + place.repair_command()
}

//! What a promotion finds out that a plan did not know.

use super::place::{Place, command, shell};
use crate::protocol::Diagnostic;
use crate::token::expiry::Dates;

/// A plan wanted to rotate the token, and the apply found that it is not due.
pub(in crate::provider) fn not_due_any_more(place: Place<'_>, dates: &Dates) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is not due, so it was kept"),
        format!(
            "The plan rotates this token, but it is due on {} and expires {}. Either the plan is \
             old or was made for another date, or the mint time was corrected since. No spare was \
             promoted. Plan again.",
            dates.rotate_at_text(),
            dates.expires_at_text()
        ),
    )
}

/// What was recorded about a token is gone from the metadata of its secret, and state still knows
/// it. `entries` are the keys and values to restore.
pub(in crate::provider) fn bookkeeping_gone<'a>(
    place: Place<'_>,
    entries: impl Iterator<Item = (&'a String, &'a String)>,
) -> Diagnostic {
    let secret = place.secret;
    let entries: String = entries
        .map(|(key, value)| format!(" -custom-metadata={}", shell(&format!("{key}={value}"))))
        .collect();
    let restore = command(&format!(
        "vault kv metadata patch -mount={}{entries} {}",
        shell(secret.mount()),
        shell(secret.path())
    ));
    Diagnostic::warning(
        format!("Records about token {place} are missing"),
        format!(
            "Another client removed what the provider had recorded in custom_metadata: `vault kv \
             metadata put`, a PushSecret, a custom_metadata block of the vault provider, or a copy \
             to another server replaces all of it. State still has these records, so this stack \
             still follows them, but monitors and other stacks no longer see them. To restore \
             them, run:{restore}The next apply that writes to this secret restores them as well.",
        ),
    )
}

/// The metadata of a secret have as many keys as Vault allows.
pub(in crate::provider) fn metadata_full(place: Place<'_>) -> Diagnostic {
    let secret = place.secret;
    let list = command(&format!(
        "vault kv metadata get -mount={} {}",
        shell(secret.mount()),
        shell(secret.path())
    ));
    Diagnostic::warning(
        format!("Metadata of {place} is full"),
        format!(
            "Vault allows 64 keys in custom_metadata, so there was no room for the provider's \
             records about this token. They were left out. To see which keys you can remove, \
             run:{list}",
        ),
    )
}

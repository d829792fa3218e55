//! What a promotion finds out that a plan did not know.

use super::place::{Place, command, shell};
use super::vault::{policy, vault_error};
use crate::protocol::Diagnostic;
use crate::provider::defaults::DEFAULT_MOUNT;
use crate::token::expiry::{Dates, Status};
use crate::token::fingerprint::Fingerprint;
use crate::vault::{SecretPath, VaultError};

/// A token that is no longer current.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Replaced {
    /// The token's fingerprint.
    pub(in crate::provider) fingerprint: Fingerprint,
    /// Its status when it was replaced.
    pub(in crate::provider) status: Option<Status>,
    /// Whether its version is known to be pruned.
    pub(in crate::provider) is_pruned: bool,
}

impl Replaced {
    /// What happened to it, and what is left to do.
    fn advice(self, mount: &str) -> String {
        let pruned = match self.is_pruned {
            true => {
                "\n\nThe previous token is no longer in the KV history, because max_versions is 1."
            }
            false => "",
        };
        let works = match self.status {
            Some(Status::Expired) => return pruned.to_owned(),
            Some(Status::Refused) => "",
            _ => ", because it works until then",
        };
        let mount = match mount {
            DEFAULT_MOUNT => String::new(),
            mount => format!(" --mount={}", shell(mount)),
        };
        let find = format!(
            "{} find{mount} --fingerprint {}",
            env!("CARGO_PKG_NAME"),
            self.fingerprint.id()
        );
        format!(
            "{pruned}\n\nIf the previous token leaked, also revoke it in the account settings of \
             claude.ai{works}. First find every place that still holds it:{}",
            command(&find).trim_end()
        )
    }
}

/// A rotation that was carried out: what was done, and what is left to do.
pub(in crate::provider) fn rotated(
    place: Place<'_>,
    spare: &str,
    version: u64,
    expires_at: Option<&str>,
    replaced: Option<Replaced>,
) -> Diagnostic {
    let mount = place.secret.mount();
    let until = expires_at.map_or_else(String::new, |at| format!(" and expires {at}"));
    let refill = SecretPath::new(mount, spare).map_or_else(
        |_| String::new(),
        |secret| {
            let refilled = Place {
                secret: &secret,
                field: place.field,
            };
            command(&refilled.store_command())
        },
    );
    let revoke = replaced.map_or_else(String::new, |replaced| replaced.advice(mount));
    Diagnostic::warning(
        format!("Token {place} was rotated"),
        format!(
            "The token of the spare {spare} is now in version {version} of {secret}{until}. Restart \
             the workloads that use it once it has reached them, because they read it only at \
             startup. Then refill the spare. Mint a token with `claude setup-token` in a terminal \
             at least 300 columns wide and run:{refill}{revoke}",
            secret = place.secret,
            refill = refill.trim_end(),
        ),
    )
}

/// A promotion that the policies do not allow. They do not allow its records in the metadata of the
/// secrets at `unrecorded` either, so the policy lines for these follow.
pub(in crate::provider) fn promotion_denied<'a>(
    error: &VaultError,
    place: Place<'_>,
    unrecorded: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let mut denied = vault_error(error, &place.to_string());
    for path in unrecorded {
        let metadata = format!("{}/metadata/{path}", place.secret.mount());
        denied.detail += &format!("\n{}", policy(&metadata, "patch"));
    }
    denied
}

/// A token that `token_wo` brought in place of another.
pub(in crate::provider) fn replaced_by_store(
    place: Place<'_>,
    version: u64,
    expires_at: Option<&str>,
    replaced: Replaced,
) -> Diagnostic {
    let until = expires_at.map_or_else(String::new, |at| format!(" and expires {at}"));
    Diagnostic::warning(
        format!("Token {place} was replaced"),
        format!(
            "The token of token_wo is now in version {version} of {secret}{until}. Restart the \
             workloads that use it once it has reached them, because they read it only at \
             startup.{revoke}",
            secret = place.secret,
            revoke = replaced.advice(place.secret.mount()),
        ),
    )
}

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

/// What was recorded about a token is gone from the metadata of its secret, but state still has it.
/// `entries` are the keys and values to restore.
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
             to another server replaces all of it. State still has these records, so this \
             resource still follows them, but monitors and other resources and stacks no longer \
             see them. To restore them, run:{restore}The next apply that writes to this secret restores them as well.",
        ),
    )
}

/// The metadata of a secret has as many keys as Vault allows.
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

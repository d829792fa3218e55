//! What a promotion finds out that a plan did not know.

use super::place::{Place, kv, own_command};
use super::vault::{policy, vault_error};
use crate::protocol::{Diagnostic, Text, text};
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
    /// Whether another secret holds it on purpose, so that it must not be revoked.
    pub(in crate::provider) is_in_use: bool,
}

impl Replaced {
    /// What happened to it, and what is left to do.
    fn advice(self, mount: &str) -> Text {
        let pruned = Text::default().paragraph(match self.is_pruned {
            true => "The previous token is no longer in the KV history, because max_versions is 1.",
            false => "",
        });
        let works = match self.status {
            _ if self.is_in_use => return pruned,
            Some(Status::Expired) => return pruned,
            Some(Status::InDate | Status::RotationDue) => " It works until then.",
            _ => "",
        };
        let find =
            own_command("find", mount).plain(format!(" --fingerprint {}", self.fingerprint.id()));
        pruned.paragraph(format!(
            "If the previous token leaked, revoke it in the account settings of claude.ai.{works} \
             Before you revoke it, find every place that still holds it:"
        )) + find
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
        |_| Text::default(),
        |secret| {
            let secret = &secret;
            Place { secret, ..place }.store_command().into()
        },
    );
    Diagnostic::warning(
        format!("Token {place} was rotated"),
        text!(
            "The token of the spare {spare} is now in version {version} of {secret}{until}. Restart \
             the workloads that use it once it has reached them, because they read it only at \
             startup. Then refill the spare. Mint a token with `claude setup-token` in a terminal \
             at least 300 columns wide and run:",
            secret = place.secret,
        ) + refill
            + replaced.map_or_else(Text::default, |replaced| replaced.advice(mount)),
    )
}

/// A rotation that a refresh finds: the token is current, but its record is missing.
pub(in crate::provider) fn rotation_unrecorded(
    place: Place<'_>,
    rotated: Diagnostic,
) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} was replaced by the token of a spare"),
        text!(
            "A promotion wrote this token but has not recorded it yet. It was interrupted, could not \
             write the record, or is still running."
        ) + rotated.detail,
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
        denied.detail += policy(&metadata, "patch");
    }
    denied
}

/// A token of the configuration that an apply stored.
pub(in crate::provider) struct StoredToken<'a> {
    /// Where it was stored.
    pub(in crate::provider) place: Place<'a>,
    /// The version that holds it.
    pub(in crate::provider) version: u64,
    /// When it expires, if that is known.
    pub(in crate::provider) expires_at: Option<&'a str>,
    /// Whether only the time of the write dates it.
    pub(in crate::provider) is_dated_by_write: bool,
    /// Whether it is a spare, which no workload uses.
    pub(in crate::provider) is_spare: bool,
    /// The token that it replaced.
    pub(in crate::provider) replaced: Option<Replaced>,
}

/// A token that was stored: where it is, until when it works, and what is left to do.
pub(in crate::provider) fn stored(token: &StoredToken<'_>) -> Diagnostic {
    let place = token.place;
    let (argument, next) = match (token.is_spare, token.replaced.is_some()) {
        (true, _) => ("tokens_wo", ""),
        (false, true) => (
            "token_wo",
            " Restart the workloads that use it once it has reached them, because they read it \
             only at startup.",
        ),
        (false, false) if token.is_dated_by_write => (
            "token_wo",
            " The expiry counts from this write. If the token was minted well before, set \
             token_minted_at.",
        ),
        (false, false) => ("token_wo", ""),
    };
    let done = if token.replaced.is_some() {
        "replaced"
    } else {
        "stored"
    };
    let until = token
        .expires_at
        .map_or_else(String::new, |at| format!(" and expires {at}"));
    Diagnostic::warning(
        format!("Token {place} was {done}"),
        text!(
            "The token of {argument} is now in version {version} of {secret}{until}.{next}",
            version = token.version,
            secret = place.secret,
        ) + token.replaced.map_or_else(Text::default, |replaced| {
            replaced.advice(place.secret.mount())
        }),
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
    let entries: Vec<_> = entries
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| ("-custom-metadata", entry.as_str()))
        .collect();
    Diagnostic::warning(
        format!("Records about token {place} are missing"),
        Text::from(
            "Another client removed what the provider had recorded in custom_metadata: `vault kv \
             metadata put`, a PushSecret, a custom_metadata block of the vault provider, or a copy \
             to another server replaces all of it. State still has these records, so this \
             resource still follows them, but monitors and other resources and stacks no longer \
             see them. To restore them, run:",
        ) + kv(place.secret, "metadata patch", &entries)
            + "The next apply that writes to this secret restores them as well.",
    )
}

/// The metadata of a secret has as many keys as Vault allows.
pub(in crate::provider) fn metadata_full(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Metadata of {place} is full"),
        Text::from(
            "Vault allows 64 keys in custom_metadata, so there was no room for the provider's \
             records about this token. They were left out. To see which keys you can remove, \
             run:",
        ) + kv(place.secret, "metadata get", &[]),
    )
}

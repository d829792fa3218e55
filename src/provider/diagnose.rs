//! What a user reads about tokens and Vault: summary, detail, next step. Errors elsewhere only say
//! what is wrong.
//!
//! Summaries of warnings name the token, because hosts merge warnings with equal summaries and show
//! only the first. No text contains the value of a secret.

mod deletion;
mod due;
mod handed_out;
mod mint;
mod operations;
mod place;
mod promotion;
pub(super) mod refuse;
mod request;
mod returned;
mod skipped;
mod spare;
mod storing;
mod unusable;
mod vault;

pub(super) use deletion::{deleted_early, deletion_ends};
pub(super) use due::{Deletion, Due, spares_not_seen};
pub(super) use handed_out::{
    OPEN_AT_APPLY, READ_AT_APPLY, expired_not_handed_out, no_token, nothing_to_hand_out,
    refused_handed_out, unexpected_token, unknown_until_apply,
};
pub(super) use mint::{
    mint_time_estimated, mint_time_needed, mint_warning, minted_after_stored, minted_at_outlived,
};
pub(super) use operations::{
    account_not_noted, dated_after_storing, mint_date_needed, no_spare_to_promote, no_stamp,
    no_token_to_stamp, not_a_token, not_stamped_by_command, not_stamped_while_rehearsed,
    nothing_at, nothing_below, nothing_to_promote_into, nothing_to_repair, path_meant_otherwise,
    stored_when_due, verdict_not_stamped,
};
pub(super) use place::{Place, kv, otherwise};
pub(super) use promotion::{
    Replaced, StoredToken, bookkeeping_gone, metadata_full, not_due_any_more, promotion_denied,
    rotated, rotation_unrecorded, stored,
};
pub(super) use request::{
    no_spare_for_request, not_a_request, request_answered, rotation_requested,
};
pub(super) use returned::{came_back, stored_again, would_come_back};
pub(super) use skipped::skipped;
pub(super) use spare::{barred_spare, spent, unusable_spare};
pub(super) use storing::{
    after_stored, no_token_to_store, not_stamped, not_stored_while_rehearsed, nothing_stored_over,
    pool_tokens_needed, pool_version_needed, token_needed, token_not_imported, token_not_tracked,
    token_replaced, too_busy, trimmed, unproven, unproven_not_stored, value_that_is_no_token,
    version_needed, write_failure,
};
pub(super) use unusable::{
    Reported, content_problem, form, problem, unusable, unusable_in_short, unusable_text,
    unusable_where_found,
};
pub(super) use vault::vault_error;

use crate::protocol::{AttributePath, Diagnostic, Text, text};
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose::refuse::capital;
use crate::provider::observe::{Content, Observed};
use crate::token::name::{HIDDEN, has_token};
use crate::vault::has_credential;

/// Escapes and shortens a name that somebody else chose, so that it is not mistaken for our text. A
/// credential that was stored as a name is not shown.
fn on_one_line(name: &str) -> String {
    const LONGEST: usize = 100;
    if has_token(name) || has_credential(name) {
        return HIDDEN.to_owned();
    }
    let name = name.escape_debug().to_string();
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// Lists the fields of a secret, for a user who is looking for the right one.
fn fields_of(observed: &Observed) -> String {
    const SHOWN: usize = 10;
    let Observed::Present(document) = observed else {
        return String::new();
    };
    let names = document.field_names().take(SHOWN + 1);
    let names: Vec<_> = names.map(on_one_line).collect();
    match names.len() {
        0 => "The secret has no fields.".to_owned(),
        length if length > SHOWN => {
            format!("The secret has {} and more.", names[..SHOWN].join(", "))
        }
        _ => format!("The secret has {}.", names.join(", ")),
    }
}

/// An adoption that found nothing to adopt.
pub(super) fn nothing_to_adopt(place: Place<'_>, observed: &Observed) -> Diagnostic {
    let field_is_missing = matches!(
        observed,
        Observed::Present(document) if document.field(place.field, None) == Content::Missing
    );
    let (attribute, fields) = if field_is_missing {
        ("field", fields_of(observed))
    } else {
        ("path", String::new())
    };
    Diagnostic::error(
        format!("No token to adopt at {place}"),
        problem(place, observed, None).unwrap_or_default()
            + fields
            + "Then apply again. Nothing was changed in Vault.",
    )
    .at(AttributePath::attribute(attribute))
}

/// A usable token that someone stored between plan and apply.
pub(super) fn replaced_meanwhile(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} was replaced in the meantime"),
        "A usable token was stored there after the plan was made. This apply has nothing left to \
         do, and the next plan picks up that token.",
    )
}

/// A destroy, planned or applied.
pub(super) fn stays_in_vault(place: Place<'_>, expires_at: Option<&str>) -> Diagnostic {
    let until = expires_at.map_or_else(
        || "as long as it is valid".to_owned(),
        |at| format!("until {at}"),
    );
    Diagnostic::warning(
        format!("Token {place} stays in Vault"),
        format!(
            "Only the resource leaves the state: nothing is removed from Vault, and the token is \
             not revoked. It works {until} for everyone who has it. To end it earlier, revoke it \
             in the account settings of claude.ai, then delete it from Vault."
        ),
    )
}

/// A path that begins with its mount or with the `data/` of the API, most likely by mistake.
pub(super) fn path_may_be_wrong(place: Place<'_>, attribute: &'static str) -> Option<Diagnostic> {
    let secret = place.secret;
    let meant = otherwise(secret)?;
    Some(
        Diagnostic::warning(
            format!("Path of {place} may be wrong"),
            format!(
                "Write a path as `vault kv list` shows it: without quotes, without its mount, and \
                 without data/. This one would be {meant}, which is the secret {}/{meant}. Ignore \
                 this warning if you do mean the secret {secret}.",
                secret.mount(),
            ),
        )
        .at(AttributePath::attribute(attribute)),
    )
}

/// An import of a token that does not exist.
pub(super) fn nothing_to_import(place: Place<'_>, observed: &Observed) -> Diagnostic {
    let Place { secret, field } = place;
    let detail = match otherwise(secret) {
        Some(meant) if matches!(observed, Observed::Absent) => {
            let field = match field {
                DEFAULT_FIELD => String::new(),
                field => format!("#{field}"),
            };
            text!(
                "There is no secret at {secret}. Write an id as <mount>/<path>[#field], with the \
                 mount only once and without data/. This one would be:"
            ) + Text::block(format!("    {}/{meant}{field}", secret.mount()))
                + "Nothing was changed."
        }
        _ => {
            problem(place, observed, None).unwrap_or_default()
                + fields_of(observed)
                + "Write an id as <mount>/<path>[#field]. Nothing was changed."
        }
    };
    Diagnostic::error(format!("Nothing to import at {place}"), detail)
}

/// An id or identity that is not valid.
pub(super) fn wrong_import_id(error: &dyn std::error::Error, form: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid import id",
        format!("{}. Write it as {form}.", capital(error)),
    )
}

/// A call that needs an argument of the provider that is not known yet.
pub(super) fn not_configured(unknown: &str, what: &str) -> Diagnostic {
    Diagnostic::error(
        format!("{what} needs the provider's {unknown}, which is not known yet"),
        format!(
            "The provider's {unknown} comes from a resource that is not applied yet. Apply that \
             resource first (-target), or set {unknown} to a value that is known during plan."
        ),
    )
}

/// A refresh without Vault.
pub(super) fn refreshed_without_vault(id: &str, unknown: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("{id} was not refreshed"),
        format!(
            "The provider's {unknown} is not known yet, so Vault was not read. The status was \
             recomputed from the dates in state."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::SecretPath;

    #[test]
    fn a_path_with_its_mount_or_data_is_answered_with_the_path_that_was_meant() {
        for (mount, path, meant) in [
            ("secret", "data/agent", Some("agent")),
            ("secret", "secret/agent", Some("agent")),
            ("secret", "secret/data/agent", Some("agent")),
            ("kv/team", "kv/team/data/a/b", Some("a/b")),
            ("secret", "metadata/agent", Some("agent")),
            ("kv/team", "kv/team/metadata/a/b", Some("a/b")),
            ("secret", "agent", None),
            ("secret", "database/agent", None),
            ("secret", "secrets/agent", None),
        ] {
            let secret = SecretPath::new(mount, path).unwrap();
            let place = Place {
                secret: &secret,
                field: "oauth",
            };
            let warning =
                path_may_be_wrong(place, "path").map(|warning| warning.detail.to_string());
            let id = nothing_to_import(place, &Observed::Absent)
                .detail
                .to_string();
            let named = format!("\n    {mount}/{}#oauth\n", meant.unwrap_or_default());
            match meant {
                Some(meant) => {
                    let warning = warning.unwrap();
                    let text = format!("would be {meant}, which is the secret {mount}/{meant}.");
                    assert!(warning.contains(&text), "{warning}");
                    assert!(id.contains(&named), "{id}");
                }
                None => {
                    assert_eq!(warning, None, "{path}");
                    assert!(!id.contains(&named), "{id}");
                }
            }
        }
    }
}

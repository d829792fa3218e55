//! The one maker of what a user reads about tokens and Vault: summary, detail, next step.
//!
//! Summaries of warnings name the token, because hosts merge warnings with equal summaries and
//! show the first alone. No text holds a value of a secret.

mod due;
mod handed_out;
mod mint;
mod operations;
mod place;
mod promotion;
pub(super) mod refuse;
mod shell_variables;
mod spare;
mod storing;
mod unseen;
mod vault;

pub(super) use due::{Due, rotation_requested, spares_not_seen};
pub(super) use handed_out::{
    OPEN_AT_APPLY, READ_AT_APPLY, expired_not_handed_out, look_at_apply, no_token,
    nothing_to_hand_out, unexpected_token,
};
pub(super) use mint::{mint_time_estimated, mint_time_needed, mint_warning, minted_after_stored};
pub(super) use operations::{
    dated_after_storing, mint_date_needed, no_stamp, no_token_to_stamp, not_stamped_by_command,
    nothing_below, path_meant_otherwise, stored_when_due,
};
pub use place::shell;
pub(super) use place::{Place, add, command, otherwise, store_commands};
pub(super) use promotion::{bookkeeping_gone, deleted_when_due, metadata_full, not_due_any_more};
pub(super) use shell_variables::ShellVariables;
pub(super) use spare::unusable_spare;
pub(super) use storing::{
    after_stored, another_token, no_token_to_store, not_stamped, not_stored_while_rehearsed,
    nothing_stored_over, pool_tokens_needed, pool_version_needed, token_needed, too_busy, trimmed,
    version_needed, write_failure,
};
pub(super) use unseen::unseen;
pub(super) use vault::vault_error;

use crate::protocol::{AttributePath, Diagnostic};
use crate::provider::diagnose::refuse::capital;
use crate::provider::secrets::observe::{Field, Observed};
use crate::token::expiry::Status;
use crate::token::fingerprint::Fingerprint;
use crate::token::name::{HIDDEN, has_token};
use crate::vault::has_credential;

/// Why a place holds no usable token, in words that say what to do; `None` where it holds one.
pub(super) fn problem(
    place: Place<'_>,
    observed: &Observed,
    recorded: Option<&Fingerprint>,
) -> Option<String> {
    let Place { secret, .. } = place;
    Some(match observed {
        Observed::Present(document) => {
            let content = document.field(place.field, recorded);
            return content_problem(place, content);
        }
        Observed::Absent => match otherwise(secret) {
            Some(meant) => format!(
                "There is no secret at {secret}. A path is written as `vault kv list` shows it: \
                 without quotes, without its mount and without data/. This one would be {}. ",
                shell(meant)
            ),
            None => format!(
                "There is no secret at {secret}. Check mount and path, or mint a token with \
                 `claude setup-token` in a terminal at least 300 columns wide, run this, paste it \
                 and press Enter:{put}",
                put = place.create_commands(),
            ),
        },
        Observed::Deleted { version } => format!(
            "Version {version} of {secret} was deleted. Bring it back with:{undelete}",
            undelete = command(&place.version_command("undelete", *version)),
        ),
        Observed::Destroyed { version } => format!(
            "Version {version} of {secret} was destroyed and cannot be brought back. An older \
             version may still be there; the first command lists them, the second makes version \
             N current:{list}{rollback}",
            list = command(&format!(
                "vault kv metadata get -mount={} {}",
                shell(secret.mount()),
                shell(secret.path())
            )),
            rollback = command(&format!(
                "vault kv rollback -mount={} -version=N {}",
                shell(secret.mount()),
                shell(secret.path())
            )),
        ),
    })
}

/// Why a field of a document that is there holds no usable token.
pub(super) fn content_problem(place: Place<'_>, content: Field) -> Option<String> {
    let Place { secret, field } = place;
    let patch = place.store_commands();
    Some(match content {
        Field::Token { .. } => return None,
        Field::Missing => format!(
            "{secret} has no field {field}. Name the right field, or store a token there (the \
             other fields stay as they are): run this, paste it and press Enter:{patch}",
        ),
        Field::NotText(kind) => format!(
            "Field {field} of {secret} holds JSON of the kind {kind}, where a token is a string. \
             Store the token itself: run this, paste it and press Enter:{patch}",
        ),
        Field::Malformed(problem) => format!(
            "Field {field} of {secret} holds no usable token: {problem}. {advice} To store a \
             token, run this, paste it and press Enter:{patch}",
            advice = problem.advice(),
        ),
    })
}

/// Writes a name that somebody else chose so that it is seen to be one, at most so long. A
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

/// Names the fields that a secret has, for a person who looks for the right one.
fn fields_of(observed: &Observed) -> String {
    const SHOWN: usize = 10;
    let Observed::Present(document) = observed else {
        return String::new();
    };
    let names = document.field_names().take(SHOWN + 1);
    let names: Vec<_> = names.map(on_one_line).collect();
    match names.len() {
        0 => "The secret has no fields. ".to_owned(),
        length if length > SHOWN => {
            format!("The secret has {} and more. ", names[..SHOWN].join(", "))
        }
        _ => format!("The secret has {}. ", names.join(", ")),
    }
}

/// An adoption that found nothing to adopt.
pub(super) fn nothing_to_adopt(place: Place<'_>, observed: &Observed) -> Diagnostic {
    let field_is_missing = matches!(
        observed,
        Observed::Present(document) if document.field(place.field, None) == Field::Missing
    );
    let (attribute, fields) = if field_is_missing {
        ("field", fields_of(observed))
    } else {
        ("path", String::new())
    };
    Diagnostic::error(
        format!("No token to adopt at {place}"),
        format!(
            "{}{fields}Then apply again. Nothing was changed in Vault.",
            problem(place, observed, None).unwrap_or_default()
        ),
    )
    .at(AttributePath::attribute(attribute))
}

/// A token that a refresh does not find any more, or finds unusable.
pub(super) fn unusable(place: Place<'_>, status: Status, problem: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is {}", status.as_str()),
        format!(
            "{problem}The resource stays in the state, since a token cannot be made anew from \
             here."
        ),
    )
}

/// A place without a usable token, to somebody who has no resource for it yet.
pub(super) fn unusable_where_found(place: Place<'_>, problem: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is malformed"),
        format!(
            "{problem}It can be imported as it is: every plan shows it until there is a token that \
             can be used."
        ),
    )
}

/// A token of another length than every one that was seen so far.
pub(super) fn unusual_length(place: Place<'_>, length: usize) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} has an unusual length"),
        format!(
            "It has {length} characters, where setup tokens so far had 108. It may be cut or \
             have something glued to it. To try it before you rely on it, run this, paste the \
             token and press Enter:{try_it}",
            try_it = command(
                "(read -rs CLAUDE_CODE_OAUTH_TOKEN; export CLAUDE_CODE_OAUTH_TOKEN; \
                 unset ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN; claude -p hello)"
            ),
        ),
    )
}

/// A token that was replaced by hand between plan and apply.
pub(super) fn replaced_meanwhile(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} was replaced meanwhile"),
        "The plan was made before somebody put a usable token there. Nothing is left to do for \
         this apply; the next plan takes that token up.",
    )
}

/// A destruction, before or after.
pub(super) fn stays_in_vault(place: Place<'_>, expires_at: Option<&str>) -> Diagnostic {
    let until = expires_at.map_or_else(
        || "as long as it is valid".to_owned(),
        |at| format!("until {at}"),
    );
    Diagnostic::warning(
        format!("Token {place} stays in Vault"),
        format!(
            "Terraform forgets it; nothing is removed from Vault and nothing is revoked. It \
             works {until} for everyone who has it. To end it earlier, revoke it in the account \
             settings of claude.ai and delete it from Vault."
        ),
    )
}

/// An import of something that is not there.
pub(super) fn nothing_to_import(place: Place<'_>, observed: &Observed) -> Diagnostic {
    Diagnostic::error(
        format!("Nothing to import at {place}"),
        format!(
            "{}{}An id is written <mount>/<path>[#field]. Nothing was changed.",
            problem(place, observed, None).unwrap_or_default(),
            fields_of(observed)
        ),
    )
}

/// An id or identity that names nothing that could be imported.
pub(super) fn wrong_import_id(error: &dyn std::error::Error, form: &str) -> Diagnostic {
    Diagnostic::error(
        "Wrong import id",
        format!("{}. Write it as {form}.", capital(error)),
    )
}

/// A call that needs an argument of the provider that is not known yet.
pub(super) fn not_configured(unknown: &str, what: &str) -> Diagnostic {
    Diagnostic::error(
        format!("{what} needs the provider's {unknown}, which is not known yet"),
        format!(
            "The provider's {unknown} comes from a resource that is not applied yet. Apply that \
             resource first (-target), or give {unknown} a value that is known at plan."
        ),
    )
}

/// A refresh without Vault.
pub(super) fn refreshed_without_vault(id: &str, unknown: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("{id} was not looked at"),
        format!(
            "The provider's {unknown} is not known yet, so the state of the last run was used \
             and only its dates were compared with the clock."
        ),
    )
}

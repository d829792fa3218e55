//! What a user reads at the command line, beyond what plans and applies say as well.

use jiff::Timestamp;

use super::{Place, mint, otherwise, vault_error};
use crate::protocol::{Command, Diagnostic, Severity, Text, quoted, text};
use crate::provider::diagnose::refuse::capital;
use crate::token::check::Problem;
use crate::token::expiry::Status;
use crate::token::history::HistoryOutcome;
use crate::token::instant::format_instant;
use crate::token::mint::Gaps;
use crate::vault::{SecretPath, VaultError};

/// A token that was to be dated and does not exist.
pub(in crate::provider) fn no_token_to_stamp(place: Place<'_>, problem: Text) -> Diagnostic {
    Diagnostic::error(
        format!("No token to stamp at {place}"),
        problem + "Nothing was changed.",
    )
}

/// A mint time that is later than the version that first held the token.
pub(in crate::provider) fn dated_after_storing(
    place: Place<'_>,
    minted_at: Timestamp,
    created_at: Timestamp,
) -> Diagnostic {
    Diagnostic::error(
        format!("Mint time of {place} is later than the token"),
        format!(
            "--minted-at is {}, but the secret has held this token since {} or earlier. Set it to \
             the time at which you ran `claude setup-token` for this token, or omit it to use the \
             date from the KV history. The token was not stamped.",
            format_instant(minted_at),
            format_instant(created_at)
        ),
    )
}

/// A token that only the user can date.
pub(in crate::provider) fn mint_date_needed(
    place: Place<'_>,
    outcome: HistoryOutcome,
    option: &str,
) -> Diagnostic {
    Diagnostic::error(
        format!("Mint time of {place} is not known"),
        mint::estimated(
            place,
            &Gaps {
                history: Some(outcome.oldest_created_at),
                spares: Vec::new(),
            },
        ) + "The token may be older than that. Run this command with the date on which you ran \
             `claude setup-token`, instead of the date shown:"
            + place.store_command().plain(format!(
                " {option} --minted-at {}",
                format_instant(outcome.oldest_created_at)
            ))
            + "The token was not stamped.",
    )
}

/// A token that is stored, but whose stamp was refused.
pub(in crate::provider) fn not_stamped_by_command(
    place: Place<'_>,
    error: &VaultError,
) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} was not stamped"),
        Text::from(
            "The token is stored, but its mint time is not in the secret's metadata. Monitors and \
             plans use the date of this write from the KV history instead.",
        ) + vault_error(error, "").detail,
    )
}

/// A stamp that was explicitly requested and was refused.
pub(in crate::provider) fn no_stamp(place: Place<'_>, error: &VaultError) -> Diagnostic {
    let mut diagnostic = vault_error(error, &place.to_string());
    diagnostic.detail += "The token was not stamped.";
    diagnostic
}

/// A text that was given as a token and is not one.
pub(in crate::provider) fn not_a_token(problem: Option<Problem>) -> Diagnostic {
    Diagnostic::error(
        "This is not a token",
        problem.map_or_else(String::new, |problem| {
            format!("{}. {}", capital(&problem), problem.advice())
        }),
    )
}

/// A field without a token that could be taken out of it.
pub(in crate::provider) fn nothing_to_repair(place: Place<'_>, problem: Text) -> Diagnostic {
    Diagnostic::error(
        format!("Token {place} cannot be repaired"),
        problem + "Nothing was changed.",
    )
}

/// A primary that is gone, into which nothing is promoted.
pub(in crate::provider) fn nothing_to_promote_into(place: Place<'_>, problem: Text) -> Diagnostic {
    Diagnostic::error(
        format!("No spare can be promoted into {place}"),
        problem + "Nothing was changed.",
    )
}

/// Spares of which none can be promoted.
pub(in crate::provider) fn no_spare_to_promote(place: Place<'_>, refusals: Text) -> Diagnostic {
    Diagnostic::error(
        format!("No spare for {place}"),
        Text::from("No spare can be promoted:") + refusals + "Nothing was changed.",
    )
}

/// A label that Vault did not accept.
pub(in crate::provider) fn account_not_noted(place: Place<'_>, error: &VaultError) -> Diagnostic {
    let mut diagnostic = vault_error(error, &place.to_string());
    diagnostic.severity = Severity::Warning;
    diagnostic.summary = format!("Account label of {place} was not stored");
    diagnostic
}

/// A verdict that Vault did not accept.
pub(in crate::provider) fn verdict_not_stamped(place: Place<'_>, error: &VaultError) -> Diagnostic {
    let mut diagnostic = vault_error(error, &place.to_string());
    diagnostic.severity = Severity::Warning;
    diagnostic.summary = format!("Verdict about {place} was not stamped");
    diagnostic.detail += "The verdict is not recorded, so plans do not act on it. Use --no-stamp to skip this write.";
    diagnostic
}

/// Verdicts that are not stamped while a date is rehearsed.
pub(in crate::provider) fn not_stamped_while_rehearsed() -> Diagnostic {
    Diagnostic::error(
        "Verdicts cannot be stamped now",
        "While TF_CLAUDE_NOW is set, nothing is written to Vault. Unset it, or use --no-stamp.",
    )
}

/// A secret that would be created a second time, at a path that is most likely a mistake.
pub(in crate::provider) fn path_meant_otherwise(place: Place<'_>, meant: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Token was not stored at {place}"),
        text!(
            "There is no secret at {}. Write a path as `vault kv list` shows it: without quotes, \
             without its mount, and without data/. This one would be {}. If you do mean this path, \
             run this command, paste the token, and press Enter:",
            place.secret,
            quoted(meant),
        ) + place.vault_command(Some(0))
            + "Nothing was changed.",
    )
}

/// A path that was named and has no secret.
pub(in crate::provider) fn nothing_at(secret: &SecretPath) -> Diagnostic {
    let meant = otherwise(secret).map_or_else(String::new, |meant| {
        format!(" This one would be {}.", quoted(meant))
    });
    Diagnostic::error(
        format!("There is no secret at {secret}"),
        format!(
            "Write a path as `vault kv list` shows it: without quotes, without its mount, and \
             without data/.{meant} Write a whole folder with a slash at its end, such as team/."
        ),
    )
}

/// A folder that was named and has no token, which is most likely mistyped: no row would show that.
pub(in crate::provider) fn nothing_below(mount: &str, folder: &str, field: &str) -> Diagnostic {
    // The hint is about secrets, such as one in that folder.
    let inside = SecretPath::new(mount, format!("{folder}x")).ok();
    let meant = inside.as_ref().and_then(otherwise);
    let advice = match meant.and_then(|path| path.strip_suffix('x')) {
        Some(meant) => text!(
            "Write a folder as `vault kv list` shows it: without quotes, without its mount, and \
             without data/. This one would be {}.",
            match meant {
                "" => "/, the whole mount".to_owned(),
                folder => quoted(folder),
            }
        ),
        None => {
            Text::from(
                "Check the mount, the folder, and the field. This lists what the mount holds:",
            ) + Command::new("vault kv list").option("-mount", mount)
        }
    };
    Diagnostic::error(
        format!("No token below {mount}/{folder}"),
        text!("The folder does not exist, or no secret in it has the field {field}.") + advice,
    )
}

/// A token that is already due or expired by the dates it was given.
pub(in crate::provider) fn stored_when_due(
    name: &str,
    status: Status,
    expires_at: Timestamp,
) -> Diagnostic {
    let at = format_instant(expires_at);
    let (summary, detail) = if status == Status::Expired {
        (
            format!("Token {name} expired {at}, according to its mint time"),
            "It was stored anyway. Check --minted-at, or mint a new token.",
        )
    } else {
        (
            format!("Token {name} is already due: it expires {at}"),
            "It was stored anyway. Check --minted-at, or mint a new token soon.",
        )
    };
    Diagnostic::warning(summary, detail)
}

//! What a user reads about a place without a usable token.

use super::{Place, kv, otherwise};
use crate::protocol::{Command, Diagnostic, Text, quoted, text};
use crate::provider::diagnose::refuse::capital;
use crate::provider::observe::unusable::Unusable;
use crate::provider::observe::{Content, Observed};
use crate::token::check::Malformed;
use crate::token::expiry::Status;
use crate::token::fingerprint::Fingerprint;

/// What is said before the commands that store a token.
const TO_STORE: &str = "To store a token, run this command, paste the token, and press Enter:";

/// Why a place holds no usable token, in words that say what to do; `None` if it holds one.
pub(in crate::provider) fn problem(
    place: Place<'_>,
    observed: &Observed,
    recorded: Option<&Fingerprint>,
) -> Option<Text> {
    Unusable::at(observed, place.field, recorded).map(|unusable| unusable_text(place, &unusable))
}

/// Why a field of a document holds no usable token.
pub(in crate::provider) fn content_problem(place: Place<'_>, content: Content) -> Option<Text> {
    Unusable::of(content).map(|unusable| unusable_text(place, &unusable))
}

/// Says what is wrong at a place, and what to do.
pub(in crate::provider) fn unusable_text(place: Place<'_>, unusable: &Unusable) -> Text {
    let Place { secret, field } = place;
    match unusable {
        Unusable::Absent => match otherwise(secret) {
            Some(meant) => text!(
                "There is no secret at {secret}. Write a path as `vault kv list` shows it: without \
                 quotes, without its mount, and without data/. This one would be {}.",
                quoted(meant)
            ),
            None => {
                text!(
                    "There is no secret at {secret}. Check the mount and the path, or mint a token \
                     with `claude setup-token` in a terminal at least 300 columns wide. {TO_STORE}"
                ) + place.create_commands()
            }
        },
        Unusable::Folder => {
            text!("{secret} is a folder, not a secret. To list what is in it, run:")
                + kv(secret, "list", &[])
        }
        Unusable::Deleted(version) => {
            text!("Version {version} of {secret} was deleted. To bring it back, run:")
                + undelete(place, *version)
        }
        Unusable::Destroyed(version @ 1) => {
            text!(
                "Version {version} of {secret} was destroyed and cannot be brought back, and there \
                 is no older version. Mint a token with `claude setup-token` in a terminal at \
                 least 300 columns wide. {TO_STORE}"
            ) + place.vault_command(Some(*version))
        }
        Unusable::Destroyed(version) => {
            text!(
                "Version {version} of {secret} was destroyed and cannot be brought back. An older \
                 version may still exist. List the versions:"
            ) + kv(secret, "metadata get", &[])
                + "Then make one of them current with `vault kv rollback` and its number as \
                   -version."
        }
        Unusable::NoField => {
            text!(
                "{secret} has no field {field}. Set the right field, or store a token in this one; \
                 the other fields stay as they are. {TO_STORE}"
            ) + place.store_commands()
        }
        Unusable::Empty => {
            text!("Field {field} of {secret} is empty. {TO_STORE}") + place.store_commands()
        }
        Unusable::NotText(kind) => {
            text!(
                "Field {field} of {secret} holds a JSON {kind}, but a token is a string. {TO_STORE}"
            ) + place.store_commands()
        }
        Unusable::Malformed(malformed) => malformed_text(place, *malformed),
    }
}

fn malformed_text(place: Place<'_>, malformed: Malformed) -> Text {
    let Place { secret, field } = place;
    let Malformed {
        problem,
        repairable,
    } = malformed;
    let cause = text!("Field {field} of {secret} does not hold a token: {problem}.");
    if !repairable {
        return cause + problem.advice() + TO_STORE + place.store_commands();
    }
    let repair = cause
        + "The token can be recovered from it. This command stores only the token again:"
        + place.repair_command();
    if problem.is_leak() {
        repair
            + "Claude Code prints such a value when it starts, so a pod's log may contain the \
               token. Treat it as leaked, and rotate it once it is restored."
    } else {
        repair
    }
}

/// A place without a usable token, as `status` reports it: in full, or in a list of several.
pub(in crate::provider) struct Reported {
    alone: Diagnostic,
    entry: Text,
    /// Whether the path was most likely meant to be another.
    is_misspelled: bool,
}

impl Reported {
    /// Describes what is wrong at a place.
    pub(in crate::provider) fn new(place: Place<'_>, status: Status, unusable: &Unusable) -> Self {
        let status = status.as_str();
        let meant = match unusable {
            Unusable::Absent => otherwise(place.secret).map(quoted),
            Unusable::Folder => Some(quoted(&format!("{}/", place.secret.path()))),
            _ => None,
        };
        let mut alone = unusable_text(place, unusable);
        if let (Unusable::Folder, Some(folder)) = (unusable, &meant) {
            alone += format!("For every token in it, write {folder} with the slash.");
        }
        let entry = text!("- {place} is {status}. {}", unusable_in_short(unusable));
        let entry = match (&meant, unusable) {
            (Some(meant), _) => entry + format!("Did you mean {meant}?"),
            (None, Unusable::Malformed(malformed)) if malformed.problem.is_leak() => {
                entry
                    + "Treat it as leaked, because a pod's log may contain it."
                    + remedy(place, unusable)
            }
            (None, _) => entry + remedy(place, unusable),
        };
        Self {
            entry,
            alone: Diagnostic::warning(format!("Token {place} is {status}"), alone),
            is_misspelled: meant.is_some(),
        }
    }

    /// Puts several places into one warning, with the advice that they share.
    pub(in crate::provider) fn together(mut reported: Vec<Self>) -> Option<Diagnostic> {
        if reported.len() < 2 {
            return reported.pop().map(|reported| reported.alone);
        }
        let advice = if reported.iter().all(|reported| reported.is_misspelled) {
            "Write a path as `vault kv list` shows it: without quotes, without its mount, and \
             without data/."
        } else {
            "For each `store` below, mint a token with `claude setup-token` in a terminal at least \
             300 columns wide, run the command, paste the token, and press Enter."
        };
        let summary = format!("{} tokens are missing or malformed", reported.len());
        let entries = reported.into_iter().map(|reported| reported.entry);
        Some(Diagnostic::warning(
            summary,
            entries.fold(Text::from(advice), Text::paragraph),
        ))
    }
}

/// The command that is the next step for a place without a usable token.
fn remedy(place: Place<'_>, unusable: &Unusable) -> Command {
    match unusable {
        Unusable::Deleted(version) => undelete(place, *version),
        Unusable::Destroyed(version @ 1) => place.vault_command(Some(*version)),
        Unusable::Destroyed(_) => kv(place.secret, "metadata get", &[]),
        Unusable::Malformed(malformed) if malformed.repairable => place.repair_command(),
        _ => place.store_command(),
    }
}

fn undelete(place: Place<'_>, version: u64) -> Command {
    let version = version.to_string();
    kv(place.secret, "undelete", &[("-versions", &version)])
}

/// Says in one sentence why there is no token.
pub(in crate::provider) fn unusable_in_short(unusable: &Unusable) -> String {
    match unusable {
        Unusable::Absent => "There is no such secret.".to_owned(),
        Unusable::Folder => "This is a folder, not a secret.".to_owned(),
        Unusable::Deleted(version) => format!("Version {version} was deleted."),
        Unusable::Destroyed(version) => format!("Version {version} was destroyed."),
        Unusable::NoField => "The secret has no such field.".to_owned(),
        Unusable::Empty => "The field is empty.".to_owned(),
        Unusable::NotText(kind) => format!("The field holds a JSON {kind}, not a string."),
        Unusable::Malformed(malformed) => format!("{}.", capital(&malformed.problem)),
    }
}

/// A token that a refresh no longer finds, or finds unusable. If the secret is gone, the plan has
/// no warning of its own: `fails` says whether the planned apply fails.
pub(in crate::provider) fn unusable(
    place: Place<'_>,
    unusable: &Unusable,
    fails: bool,
) -> Diagnostic {
    let fails = match fails && unusable.is_gone() {
        true => "An apply fails until the secret is back.",
        false => "",
    };
    Diagnostic::warning(
        format!("Token {place} is {}", unusable.status().as_str()),
        unusable_text(place, unusable)
            + "The resource stays in state, because Terraform cannot mint a new token."
            + fails,
    )
}

/// A place without a usable token, for a user who has no resource for it yet.
pub(in crate::provider) fn unusable_where_found(
    place: Place<'_>,
    unusable: &Unusable,
) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is malformed"),
        unusable_text(place, unusable)
            + "You can import it as it is. Every plan reports it until it is repaired.",
    )
}

/// What every read reports about the form of a token that passes the check.
pub(in crate::provider) fn form(place: Place<'_>, content: Content) -> Vec<Diagnostic> {
    let Content::Token {
        unproven, padded, ..
    } = content
    else {
        return Vec::new();
    };
    unproven
        .map(|length| unproven_length(place, length))
        .into_iter()
        .chain(padded.then(|| white_space(place)))
        .collect()
}

/// A token of a length that no working token is known to have.
fn unproven_length(place: Place<'_>, length: usize) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} has an unproven length"),
        text!(
            "It has {length} characters, and every token that is known to work has 108. Extra text \
             may be attached to it. To find out whether it works, run:"
        ) + place.verify_command(),
    )
}

/// White space around a token, which is harmless and can be removed.
fn white_space(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} has white space around it"),
        Text::from(
            "Claude Code ignores it, so the token works. Other programs may not. This command \
             stores the token again without it:",
        ) + place.repair_command(),
    )
}

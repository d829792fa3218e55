//! What a user reads about a token that is due.

use std::fmt::Write as _;

use super::{Place, add};
use crate::protocol::Diagnostic;
use crate::token::expiry::Status;

/// What is said of a token that is due, and when.
pub(in crate::provider) struct Due<'a> {
    /// The token.
    pub(in crate::provider) place: Place<'a>,
    /// What is the matter with it.
    pub(in crate::provider) status: Status,
    /// When it stops or stopped working, where that is known.
    pub(in crate::provider) expires_at: Option<&'a str>,
    /// Why it is not usable, where it is not.
    pub(in crate::provider) problem: Option<&'a str>,
}

/// What a spare can do for a token that is missing.
const BEYOND_SPARES: &str = "A spare can stand in for a missing field (see spare_paths), but \
                             nothing is written over a secret that is gone. ";

impl Due<'_> {
    /// The summary: the token and its state in a few words.
    fn summary(&self) -> String {
        let place = self.place;
        match (self.status, self.expires_at) {
            (Status::RotationDue, Some(at)) => format!("Token {place} is due: expires {at}"),
            (Status::Expired, Some(at)) => format!("Token {place} expired {at}"),
            (status, _) => format!(
                "Token {place} has to be replaced: it is {}",
                status.as_str().replace('_', " ")
            ),
        }
    }

    /// What the person who reads has to do.
    fn advice(&self) -> String {
        let mut text = String::new();
        if let Some(problem) = self.problem {
            let _ = write!(text, "{problem}");
        } else {
            let _ = write!(
                text,
                "Mint {}The old one stays in the KV history. ",
                new_token(self.place)
            );
        }
        text.push_str("The next plan takes the new token up.");
        text
    }

    /// Tells whether there may be no secret that a spare could be copied into: those of one that is
    /// there are looked at.
    fn is_beyond_spares(&self, refused: &str) -> bool {
        self.status == Status::Missing && refused.is_empty()
    }

    /// The warning of a plan. `refused` says of each spare, in lines, why it will not do.
    pub(in crate::provider) fn in_plan(&self, refused: &str) -> Diagnostic {
        let stake = match (self.status.is_working(), refused.is_empty()) {
            _ if self.is_beyond_spares(refused) => {
                &format!("An apply fails until there is a token again. {BEYOND_SPARES}")
            }
            (true, true) => {
                "It has not expired yet, and there is no spare to replace it (see spare_paths). "
            }
            (true, false) => "It has not expired yet, and no spare is usable:\n",
            (false, true) => {
                "There is no spare to replace it (see spare_paths): an apply fails until it is \
                 replaced. "
            }
            (false, false) => {
                "An apply fails until it is replaced or a spare can be used. None is usable:\n"
            }
        };
        Diagnostic::warning(self.summary(), format!("{stake}{refused}{}", self.advice()))
    }

    /// The warning of a plan that takes a spare.
    pub(in crate::provider) fn in_plan_with(&self, spare: &str) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            format!(
                "An apply copies the token of the spare {spare} into it; the one that is there \
                 stays in the KV history."
            ),
        )
    }

    /// The warning of a plan that brings spares along.
    pub(in crate::provider) fn in_plan_with_one_of(&self, spares: &[String]) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            format!(
                "An apply copies the token of the first usable spare into it, if there is one \
                 among {}; the one that is there stays in the KV history.",
                spares.join(", ")
            ),
        )
    }

    /// The warning of a plan that is told to show no change.
    pub(in crate::provider) fn in_plan_without_change(&self) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            format!(
                "No change is planned, since on_rotation_due is \"warn\". {}",
                self.advice()
            ),
        )
    }

    /// The warning of a plan that imports.
    pub(in crate::provider) fn in_import(&self, spares: &[String]) -> Diagnostic {
        let next = if spares.is_empty() {
            self.advice()
        } else {
            "The plan that follows looks at the spares, and takes one if it is usable.".to_owned()
        };
        Diagnostic::warning(
            self.summary(),
            format!("It is imported as it is, and nothing replaces it yet. {next}"),
        )
    }

    /// What an apply that could replace nothing says: a warning while the token works, an error
    /// once it does not. `refused` is what the plan said of the spares.
    pub(in crate::provider) fn in_apply(&self, refused: &str) -> Diagnostic {
        let cause = if self.is_beyond_spares(refused) {
            BEYOND_SPARES
        } else if refused.is_empty() {
            "Nothing was there to replace it with. "
        } else {
            "No spare was usable when this was planned:\n"
        };
        let detail = format!("{cause}{refused}{}", self.advice());
        if self.status.is_working() {
            Diagnostic::warning(self.summary(), detail)
        } else {
            Diagnostic::error(self.summary(), detail)
        }
    }

    /// The warning of an adoption.
    pub(in crate::provider) fn when_adopted(&self) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            format!("It was adopted as it is. {}", self.advice()),
        )
    }
}

/// How a new token comes to be, and to its place: what follows the word "mint".
fn new_token(place: Place<'_>) -> String {
    format!(
        "a new token with `claude setup-token` in a terminal at least 300 columns wide, run this, \
         paste it and press Enter:{}",
        place.store_commands()
    )
}

/// Values in `rotate_when_changed` that a plan sets while it creates or imports the resource.
pub(in crate::provider) fn not_a_request(place: Place<'_>) -> Diagnostic {
    Diagnostic::warning(
        format!("Token {place} is not rotated by its first rotate_when_changed"),
        "This plan creates or imports the resource, so the values of rotate_when_changed are \
         recorded and rotate nothing. If the current token leaked, apply, then change a value and \
         apply again.",
    )
}

/// A rotation that the user asked for by name.
pub(in crate::provider) fn rotation_requested(place: Place<'_>, spares: &[String]) -> Diagnostic {
    let detail = if spares.is_empty() {
        format!(
            "spare_paths names no spare, so an apply fails. Take the change of \
             rotate_when_changed out again, then mint {}The next plan takes the new token up.",
            new_token(place)
        )
    } else {
        format!(
            "An apply copies the token of the best usable spare of {} into it, and fails if there \
             is none. The one that is there stays in the KV history: revoke it in the account \
             settings of claude.ai if it leaked.",
            spares.join(", ")
        )
    };
    Diagnostic::warning(
        format!("Token {place} will be rotated as requested"),
        detail,
    )
}

/// Spares of a token that is due, at which a refresh could not look.
pub(in crate::provider) fn spares_not_seen(place: Place<'_>, cause: &str) -> Diagnostic {
    let mut detail = cause.to_owned();
    add(
        &mut detail,
        "An apply looks at the spares once more, and takes one if it is usable.",
    );
    Diagnostic::warning(format!("Spares of {place} could not be looked at"), detail)
}

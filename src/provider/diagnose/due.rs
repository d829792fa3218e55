//! What a user reads about a token that is due.

use jiff::Timestamp;

use super::deletion::deletion_ends;
use super::{Place, unusable_text};
use crate::protocol::{Diagnostic, Text, text};
use crate::provider::observe::unusable::Unusable;
use crate::token::expiry::Status;

/// A token that is due, and what the messages about it depend on.
pub(in crate::provider) struct Due<'a> {
    /// The token.
    pub(in crate::provider) place: Place<'a>,
    /// Its status.
    pub(in crate::provider) status: Status,
    /// When it stops or stopped working, if that is known.
    pub(in crate::provider) expires_at: Option<&'a str>,
    /// Why it is not usable, if it is not.
    pub(in crate::provider) problem: Option<&'a Unusable>,
    /// The deletion of its version, if that is what ends it.
    pub(in crate::provider) deletion: Option<Deletion>,
    /// Whether a refresh in this process has reported on the token: what is known is not outdated,
    /// and a problem has a warning of its own.
    pub(in crate::provider) is_refreshed: bool,
}

/// The deletion of the version that holds a token, before the token expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) struct Deletion {
    /// When Vault deletes the version.
    pub(in crate::provider) at: Timestamp,
    /// Whether a new version would be due as soon as it is written, so that no date promotes a
    /// spare.
    pub(in crate::provider) at_once: bool,
}

/// What a spare can do for a token that is missing.
const BEYOND_SPARES: &str = "If only the field is missing, an apply can promote a spare (see \
                             spare_paths). If the secret does not exist, restore it first.";

impl Due<'_> {
    /// The summary: the token and its state in a few words.
    fn summary(&self) -> String {
        let place = self.place;
        match (self.status, self.expires_at) {
            (Status::RotationDue, Some(at)) => format!("Token {place} expires {at}"),
            (Status::Expired, Some(at)) => format!("Token {place} expired {at}"),
            (status, _) => format!(
                "Token {place} must be replaced: it is {}",
                status.as_str().replace('_', " ")
            ),
        }
    }

    /// Reports whether a new version would be due as soon as it is written, so that a spare does
    /// not help.
    pub(in crate::provider) fn is_due_at_once(&self) -> bool {
        self.status.is_by_date() && self.deletion.is_some_and(|deletion| deletion.at_once)
    }

    /// The deletion that makes the token due, and how to stop it.
    fn deletion(&self) -> Option<Text> {
        let deletion = self.deletion.filter(|_| self.status.is_by_date())?;
        Some(deletion_ends(self.place, deletion.at, deletion.at_once))
    }

    /// What the reader must do.
    fn advice(&self) -> Text {
        match (self.deletion(), self.problem) {
            (Some(deletion), _) => deletion,
            (None, Some(problem)) => unusable_text(self.place, problem),
            (None, None) => {
                Text::from(
                    "Mint a token with `claude setup-token` in a terminal at least 300 columns \
                     wide, run this command, paste the token, and press Enter:",
                ) + self.place.store_commands()
            }
        }
    }

    /// The advice of a plan, which may have many such tokens.
    fn advice_in_plan(&self) -> Text {
        match (self.deletion(), self.problem) {
            (Some(deletion), _) => deletion,
            (None, Some(problem)) if !self.is_refreshed => unusable_text(self.place, problem),
            (None, Some(_)) => text!(
                "The warning \"Token {} is {}\" says what to do.",
                self.place,
                self.status.as_str()
            ),
            (None, None) => {
                Text::from(
                    "Mint a token with `claude setup-token` in a terminal at least 300 columns \
                     wide, then run:",
                ) + self.place.store_command()
            }
        }
    }

    /// Reports whether there may be no secret that a spare could be copied into: the spares of a
    /// secret that exists are read.
    fn is_beyond_spares(&self, refused: &Text) -> bool {
        self.status == Status::Missing && refused.is_empty()
    }

    /// The warning of a plan. `refused` lists, in lines, why each spare cannot be used.
    pub(in crate::provider) fn in_plan(&self, refused: &Text) -> Diagnostic {
        if let Some(deletion) = self.deletion() {
            return Diagnostic::warning(self.summary(), refused.clone() + deletion);
        }
        let stake = match (self.status.is_working(), refused.is_empty()) {
            _ if self.is_beyond_spares(refused) => {
                &format!("An apply fails until there is a token again. {BEYOND_SPARES}")
            }
            (true, true) => "It still works, and there is no spare (see spare_paths).",
            (true, false) => "It still works, but no spare can be used:",
            (false, true) => {
                "An apply fails until it is replaced, and there is no spare (see spare_paths)."
            }
            (false, false) => "An apply fails until it is replaced. No spare can be used:",
        };
        Diagnostic::warning(
            self.summary(),
            listed(stake, refused) + self.advice_in_plan(),
        )
    }

    /// The warning of a plan that promotes a spare.
    pub(in crate::provider) fn in_plan_with(&self, spare: &str) -> Diagnostic {
        let unless = match self.is_refreshed {
            true => "",
            false => ", unless it or the current token has changed since the last refresh",
        };
        Diagnostic::warning(
            self.summary(),
            text!("An apply promotes the spare {spare}{unless}.")
                + self.deletion().unwrap_or_default(),
        )
    }

    /// The warning of a plan that passes spares on to the apply.
    pub(in crate::provider) fn in_plan_with_one_of(&self, spares: &[String]) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            text!(
                "An apply promotes the best usable spare, if any of these can be used: {}.",
                spares.join(", "),
            ) + self.deletion().unwrap_or_default(),
        )
    }

    /// The warning of a plan that shows no change because of `on_rotation_due`.
    pub(in crate::provider) fn in_plan_without_change(&self) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            Text::from("No change is planned, because on_rotation_due is \"warn\".")
                + self.advice_in_plan(),
        )
    }

    /// The warning of a plan that imports.
    pub(in crate::provider) fn in_import(&self, spares: &[String]) -> Diagnostic {
        let next = if spares.is_empty() || self.deletion().is_some() {
            self.advice_in_plan()
        } else {
            "The next plan reads the spares, and promotes one if it can be used.".into()
        };
        Diagnostic::warning(
            self.summary(),
            Text::from("An import never rotates, so the token stays for now.") + next,
        )
    }

    /// The message of an apply that could not replace the token: a warning while the token works,
    /// an error once it does not. `refused` is what the plan said about the spares.
    pub(in crate::provider) fn in_apply(&self, refused: &Text) -> Diagnostic {
        let cause = if self.deletion().is_some() {
            ""
        } else if self.is_beyond_spares(refused) {
            BEYOND_SPARES
        } else if refused.is_empty() {
            "There was no spare to replace it."
        } else {
            "No spare could be used when this was planned:"
        };
        let detail = listed(cause, refused) + self.advice();
        if self.status.is_working() {
            Diagnostic::warning(self.summary(), detail)
        } else {
            Diagnostic::error(self.summary(), detail)
        }
    }

    /// The warning of a plan if no spare could be promoted at the last refresh, but one may be
    /// usable now.
    pub(in crate::provider) fn in_plan_before_refresh(&self) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            "No spare could be promoted at the last refresh, and one may be usable now. To use it, \
             run plan again with a refresh.",
        )
    }

    /// The same in an apply: the plan left the token as it is.
    pub(in crate::provider) fn in_apply_before_refresh(&self) -> Diagnostic {
        let detail = "No spare could be promoted when this was planned, and one may be usable now. \
                      To use it, apply again.";
        if self.status.is_working() {
            Diagnostic::warning(self.summary(), detail)
        } else {
            Diagnostic::error(self.summary(), detail)
        }
    }

    /// The warning of a plan that was made without a refresh, while the token was replaced or its
    /// mint time corrected.
    pub(in crate::provider) fn in_plan_outdated(&self) -> Diagnostic {
        let place = self.place;
        Diagnostic::warning(
            format!("Token {place} has changed since the last refresh"),
            "The current token works, so an apply keeps it. To see it, run plan again \
             with a refresh.",
        )
    }

    /// The warning of an adoption that no promotion follows. `refused` lists, in lines, why each
    /// spare cannot be used.
    pub(in crate::provider) fn when_adopted(&self, refused: &Text) -> Diagnostic {
        let done = match refused.is_empty() {
            true => "It was adopted anyway.",
            false => "It was adopted anyway. No spare can be used:",
        };
        Diagnostic::warning(
            self.summary(),
            listed(done, refused) + self.advice_in_plan(),
        )
    }

    /// The warning of an adoption that a promotion follows.
    pub(in crate::provider) fn when_adopted_with(&self, spare: &str) -> Diagnostic {
        Diagnostic::warning(
            self.summary(),
            format!("It was adopted anyway. The next apply promotes the spare {spare}."),
        )
    }
}

/// A text with lines of reasons below it, if there are any.
fn listed(text: &str, reasons: &Text) -> Text {
    match reasons.is_empty() {
        true => text.into(),
        false => Text::from(text).line(reasons.clone()).line(""),
    }
}

/// Spares of a token that is due, which a refresh could not read.
pub(in crate::provider) fn spares_not_seen(place: Place<'_>, cause: Text) -> Diagnostic {
    Diagnostic::warning(
        format!("Spares of {place} could not be read"),
        cause + "An apply reads the spares again, and promotes one if it can be used.",
    )
}

//! Why a promotion stopped, and what it reports while it continues.

use super::Report;
use crate::protocol::{Diagnostic, Text};
use crate::provider::diagnose::{self, Place};
use crate::provider::secrets::stamps::Noted;
use crate::vault::VaultError;

/// A promotion that stopped. The caller decides whether that is an error.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Stop {
    summary: String,
    detail: Text,
    leaves: Leaves,
    finds_no_spare: bool,
}

/// What the primary holds after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    /// What it held before.
    TheOld,
    /// Either the old token or the new one; it is not known which.
    Either,
    /// No working token: someone broke or removed it.
    Nothing,
}

impl Stop {
    /// Creates a stop from what happened and what to do.
    pub(super) fn new(summary: impl Into<String>, detail: impl Into<Text>) -> Self {
        Self {
            summary: summary.into(),
            detail: detail.into(),
            leaves: Leaves::TheOld,
            finds_no_spare: false,
        }
    }

    /// Records that the spares were read and none can be promoted.
    pub(super) fn without_a_spare(mut self) -> Self {
        self.finds_no_spare = true;
        self
    }

    /// Reports whether the spares were read and none can be promoted.
    pub(in crate::provider) fn finds_no_spare(&self) -> bool {
        self.finds_no_spare
    }

    /// Records that the new token may be stored already, or may be stored later.
    pub(super) fn may_have_landed(mut self) -> Self {
        self.leaves = Leaves::Either;
        self
    }

    /// Records that someone else left no working token in the primary.
    pub(super) fn without_a_token(mut self) -> Self {
        self.leaves = Leaves::Nothing;
        self
    }

    /// Reports whether the primary is known to hold no working token.
    pub(in crate::provider) fn leaves_nothing(&self) -> bool {
        self.leaves == Leaves::Nothing
    }

    /// Returns whether it is unknown what the primary holds.
    pub(in crate::provider) fn is_open(&self) -> bool {
        self.leaves == Leaves::Either
    }

    /// Creates a stop from the diagnostic of another part.
    pub(super) fn from_diagnostic(diagnostic: Diagnostic) -> Self {
        Self::new(diagnostic.summary, diagnostic.detail)
    }

    /// Creates a stop from a failed request to Vault.
    pub(super) fn vault(error: &VaultError, what: &str) -> Self {
        Self::from_diagnostic(diagnose::vault_error(error, what))
    }

    /// Turns the stop into an error.
    pub(in crate::provider) fn into_error(self) -> Diagnostic {
        Diagnostic::error(self.summary, self.detail)
    }

    /// Turns the stop into a warning about a token that has not expired. Its summary names the
    /// token, because one spare or one secret may stop the rotation of two tokens.
    pub(in crate::provider) fn into_warning(self, place: Place<'_>) -> Diagnostic {
        let id = place.to_string();
        let is_named = self.summary.split([' ', ':']).any(|word| word == id);
        let summary = if is_named {
            self.summary
        } else {
            format!("Token {id} was not rotated: {}", self.summary)
        };
        let detail = match self.leaves {
            Leaves::TheOld => {
                Text::from("The current token has not expired, so it was kept.") + self.detail
            }
            Leaves::Either | Leaves::Nothing => self.detail,
        };
        Diagnostic::warning(summary, detail)
    }
}

/// A promotion without marks: by choice, or because metadata cannot be written.
pub(super) fn without_marks(place: Place<'_>, refusal: Option<&VaultError>) -> Diagnostic {
    let cause = match refusal {
        None => "stamp_metadata is false.".into(),
        Some(error) => diagnose::vault_error(error, "").detail,
    };
    Diagnostic::warning(
        format!("Promotion into {place} left no marks"),
        Text::from(
            "Make sure that no other primary uses these spares. After a crash, another spare may \
             be promoted.",
        ) + cause,
    )
}

impl Report {
    /// Warns if the metadata of a secret had to be written back as a whole.
    pub(super) fn noted(&mut self, noted: Noted, place: Place<'_>, path: &str) {
        if noted == Noted::Replaced {
            self.at_once.push(replaced(place, path));
        }
    }
}

fn replaced(place: Place<'_>, path: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Metadata for {place} was written back as a whole"),
        format!(
            "Vault refused to merge the metadata of {path}, so it was read and written back as a \
             whole. That is safe while only one primary uses these spares. To make it safe for \
             several, grant the merge:\n\n  path \"{}/metadata/*\" {{\n    capabilities = \
             [\"patch\"]\n  }}",
            place.secret.mount(),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::SecretPath;

    #[test]
    fn each_token_that_stays_has_a_warning_of_its_own() {
        let secret = SecretPath::new("secret", "agent").unwrap();
        let place = |field| Place {
            secret: &secret,
            field,
        };
        let denied = VaultError::Sealed;
        for (stop, summary) in [
            (
                Stop::new("Secret secret/agent is too busy", ""),
                "Token secret/agent#a was not rotated: Secret secret/agent is too busy",
            ),
            (
                Stop::vault(&denied, "secret/spare"),
                "Token secret/agent#a was not rotated: Vault is sealed: secret/spare",
            ),
            (
                Stop::vault(&denied, "secret/agent#ab"),
                "Token secret/agent#a was not rotated: Vault is sealed: secret/agent#ab",
            ),
            (
                Stop::vault(&denied, &place("a").to_string()),
                "Vault is sealed: secret/agent#a",
            ),
            (
                Stop::new("No spare for secret/agent#a", ""),
                "No spare for secret/agent#a",
            ),
        ] {
            let warning = stop.into_warning(place("a"));
            assert_eq!(warning.summary, summary);
        }
    }
}

//! Why spares cannot be promoted, as text.

use super::Choice;
use crate::protocol::{Diagnostic, Text, text};
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::promotion::{Promotion, Stop, Tried};

/// Size in bytes of a list of spares after which the remaining spares are only counted.
const LISTED: usize = 4096;

impl Choice {
    /// Returns the stop that reports why no spare can be promoted.
    pub(in crate::provider::promotion) fn nothing_usable(
        &self,
        promotion: &Promotion<'_>,
        tried: &Tried,
    ) -> Stop {
        let primary = promotion.primary;
        let mut refused = self.reasons();
        refused.extend(tried.passed_over.values().cloned());
        let refused = list(refused.iter());
        let cause = if refused.is_empty() {
            "spare_paths does not list any spare.".into()
        } else {
            Text::from("None of the spares can be promoted:") + refused
        };
        let again = promotion.again();
        let next = if promotion.is_on_demand {
            format!(
                "If you store it in a spare, {again}. If you store it in the primary, you are \
                 done."
            )
        } else {
            format!("Then {again}.")
        };
        let detail = cause
            + "Mint a token with `claude setup-token` in a terminal at least 300 columns wide, and \
               store it in a spare, or in the primary itself:"
            + primary.store_commands()
            + next;
        Stop::new(format!("No spare for {primary}"), detail).without_a_spare()
    }

    /// Returns why each unusable spare cannot be promoted, one line per spare.
    pub(in crate::provider) fn refusals(&self) -> Text {
        list(self.reasons().iter())
    }

    fn reasons(&self) -> Vec<(String, Text)> {
        let mut reasons = unreadable(self.readings.failed.clone());
        let question = self.question(self.knowledge());
        for (reading, spare) in self.readings.read.iter().zip(&self.spares) {
            let Some(why) = question.why_not(spare) else {
                continue;
            };
            let text = match (&reading.problem, secret_path(&self.mount, &spare.path)) {
                (Some(problem), Ok(secret)) => {
                    let field = &self.field;
                    let place = Place {
                        secret: &secret,
                        field,
                    };
                    diagnose::unusable_text(place, problem)
                }
                (None, Ok(secret)) => diagnose::unusable_spare(&secret, &why),
                (_, Err(error)) => error.detail,
            };
            reasons.push((spare.path.clone(), text));
        }
        reasons
    }
}

/// Lists paths with their problems, as many as fit on a screen.
fn list<'a>(refused: impl Iterator<Item = &'a (String, Text)>) -> Text {
    let mut list = Text::default();
    let mut length = 0;
    let mut more = 0_usize;
    for (path, why) in refused {
        let entry = text!("- {path}:") + why.clone();
        length += entry.to_string().len() + 1;
        if list.is_empty() || (length <= LISTED && more == 0) {
            list = list.line(entry);
        } else {
            more += 1;
        }
    }
    if more > 0 {
        list = list.line(format!("- and {more} more"));
    }
    list.line("")
}

/// Returns why spares could not be read. If several failed alike, their advice differs only in the
/// path, so it is given once, for the first.
fn unreadable(failed: Vec<(String, Diagnostic)>) -> Vec<(String, Text)> {
    let mut explained: Vec<(String, String)> = Vec::new();
    let mut refused = Vec::new();
    for (path, error) in failed {
        let detail = error.detail.to_string();
        let alike = explained
            .iter()
            .find(|(first, advice)| detail == advice.replace(first, &path));
        let why = if let Some((first, _)) = alike {
            text!("{}, as for {first}", error.summary)
        } else {
            explained.push((path.clone(), detail));
            error.detail
        };
        refused.push((path, why));
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::diagnose::vault_error;
    use crate::vault::VaultError;

    #[test]
    fn a_list_of_many_spares_ends_with_their_number() {
        let refused: Vec<_> = (0..100)
            .map(|number| {
                (
                    format!("spare-{number}"),
                    "it does not hold a token.".repeat(10).into(),
                )
            })
            .collect();
        assert!(list(refused[..0].iter()).is_empty());
        let whole = list(refused[..2].iter()).to_string();
        assert_eq!(whole.lines().count(), 2, "{whole}");
        let cut = list(refused.iter()).to_string();
        assert!(cut.len() < LISTED + 30, "{}", cut.len());
        let named = cut.lines().count() - 1;
        assert!(
            cut.ends_with(&format!("- and {} more", 100 - named)),
            "{cut}"
        );
    }

    #[test]
    fn spares_that_are_denied_alike_share_the_lines_that_grant_it() {
        let denied = |path: &str, capability| VaultError::Forbidden {
            api_path: format!("secret/data/{path}"),
            capability,
            errors: Vec::new(),
        };
        let names: Vec<_> = (1..=20)
            .map(|number| format!("team/spare-{number}"))
            .collect();
        let failed = names.iter().map(|path| {
            let error = denied(path, if path.ends_with("-3") { "list" } else { "read" });
            (
                path.clone(),
                vault_error(&error, &format!("secret/{path}#token")),
            )
        });
        let text = list(unreadable(failed.collect()).iter()).to_string();
        assert!(text.len() <= LISTED, "{}", text.len());
        assert_eq!(text.matches("- team/spare-").count(), 20, "{text}");
        for (number, capability) in [(1, "read"), (3, "list")] {
            let path = format!("team/spare-{number}");
            let whole = format!(
                "- {path}: {}\n",
                vault_error(&denied(&path, capability), "").detail
            );
            assert!(text.contains(&whole), "{text}");
        }
        assert_eq!(text.matches("capabilities = ").count(), 2, "{text}");
        assert!(
            text.contains(
                "- team/spare-20: Vault denied access: secret/team/spare-20#token, as for \
                 team/spare-1"
            ),
            "{text}"
        );
    }
}

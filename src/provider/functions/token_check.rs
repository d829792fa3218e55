//! `token_check`: the token check, for `validation` blocks.

use crate::protocol::Diagnostic;
use crate::provider::diagnose::refuse::capital;
use crate::provider::diagnose::unproven;
use crate::sdk::{Field, Function, model, object};
use crate::secret::Secret;
use crate::token::check::{Check, Kind, Malformed, check};

/// The function.
pub(super) struct TokenCheck;

model! {
    /// The parameters of the function.
    pub(in crate::provider) struct Arguments {
        token: Secret = optional(sensitive) "The value to check, or null. White space around it is \
                                             ignored.";
    }
}

object! {
    /// The result of the check. It contains no part of the value.
    pub(in crate::provider) struct Report {
        /// Whether the value can be stored as a token; false for null.
        valid as "valid": bool;
        /// What the value appears to be.
        kind as "kind": String;
        /// What is wrong and what to do, or an empty text.
        problem as "problem": String;
        /// The fingerprint of a value that passed.
        fingerprint as "fingerprint": String;
    }
}

impl Function for TokenCheck {
    type Arguments = Arguments;
    type Result = Report;

    const NAME: &'static str = "token_check";
    const SUMMARY: &'static str =
        "Whether a value has the form of a token, and what is wrong otherwise.";
    const DESCRIPTION: &'static str = "Checks whether a value has the form of a long-lived OAuth \
                                       token, for `validation` blocks of variables. The function \
                                       checks only the form, not whether the token works. The \
                                       result never contains the value.\n\n- `valid` (bool) \
                                       Whether the value passes. White space around it, such as \
                                       the line break at the end of a file, is ignored, because \
                                       `token_wo` trims it. False for null, and for a token longer \
                                       than every token that is known to work. To accept an \
                                       optional variable, write `var.token == null || …valid`.\n- \
                                       `kind` (string) What the value appears to be: \
                                       `oauth_token`, `refresh_token`, `api_key`, `admin_key`, \
                                       `credentials_json`, `authorization_code`, `unknown`, or \
                                       `none` for null.\n- `problem` (string) What is wrong and \
                                       what to do about it, in full sentences. Empty if `valid` is \
                                       true.\n- `fingerprint` (string) `sha256:` and the SHA-256 \
                                       of the token without the white space, as resources show it. \
                                       Null if the value does not pass.\n\nThe result is as \
                                       sensitive or ephemeral as the argument. Pass tokens in \
                                       ephemeral variables. Terraform prints the value of any \
                                       other variable that fails validation, and Terraform 1.11 \
                                       even prints a sensitive one. The error message for an \
                                       ephemeral variable cannot depend on its value, so `problem` \
                                       is for other variables (wrap it in `nonsensitive()` for a \
                                       sensitive one). `token_wo` reports the same problem later \
                                       in the plan.";

    fn call(&self, arguments: Arguments) -> Result<Report, Diagnostic> {
        Ok(match arguments.token {
            Field::Known(token) => report(&token),
            Field::Unknown => Report {
                valid: Field::Unknown,
                kind: Field::Unknown,
                problem: Field::Unknown,
                fingerprint: Field::Unknown,
            },
            Field::Null => Report {
                valid: Field::Known(false),
                kind: Field::text("none"),
                problem: Field::text("There is no token."),
                fingerprint: Field::Null,
            },
        })
    }
}

fn report(token: &Secret) -> Report {
    let text = token.expose();
    let (fingerprint, problem) = match check(text) {
        Check::Valid {
            unproven: Some(length),
            ..
        } => (None, unproven(length)),
        Check::Valid { fingerprint, .. } => (Some(fingerprint.to_string()), String::new()),
        Check::Malformed(Malformed { problem, .. }) => {
            (None, format!("{}. {}", capital(&problem), problem.advice()))
        }
    };
    Report {
        valid: Field::Known(fingerprint.is_some()),
        kind: Field::text(Kind::of(text).as_str()),
        problem: Field::Known(problem),
        fingerprint: fingerprint.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(token: Option<&str>) -> Report {
        let token = token.map(Secret::new).into();
        TokenCheck.call(Arguments { token }).unwrap()
    }

    fn good() -> String {
        format!("sk-ant-oat01-{}", "A".repeat(95))
    }

    #[test]
    fn a_token_passes_with_white_space_around_it_too() {
        let report = call(Some(&good()));
        assert_eq!(report.valid, Field::Known(true));
        assert_eq!(report.kind.as_str(), Some("oauth_token"));
        assert_eq!(report.problem.as_str(), Some(""));
        assert!(report.fingerprint.as_str().unwrap().starts_with("sha256:"));
        assert_eq!(call(Some(&format!(" {}\r\n", good()))), report);
    }

    #[test]
    fn what_is_no_token_is_told_without_a_fingerprint() {
        let text = good();
        let cases = [
            (
                text[..107].to_owned(),
                "oauth_token",
                "The token has 107 of 108 characters",
            ),
            (text[..80].to_owned(), "oauth_token", "The token is cut off"),
            (
                format!("{} {}", &text[..50], &text[50..]),
                "oauth_token",
                "The value has white space inside",
            ),
            (format!("'{text}'"), "oauth_token", "The value has quotes"),
            (
                text.replace("oat01", "ort01"),
                "refresh_token",
                "The value is a refresh token",
            ),
            (
                text.replace("oat01", "api03"),
                "api_key",
                "The value is an API key",
            ),
            (
                text.replace("oat01", "admin01"),
                "admin_key",
                "The value is an admin key",
            ),
            (
                format!("{{\"accessToken\":\"{text}\"}}"),
                "credentials_json",
                "The value is Claude Code's credentials JSON",
            ),
            (
                "hunter2".to_owned(),
                "unknown",
                "The value does not begin as",
            ),
            (String::new(), "unknown", "The value is empty"),
        ];
        for (value, kind, problem) in cases {
            let report = call(Some(&value));
            assert_eq!(report.valid, Field::Known(false), "{problem}");
            assert_eq!(report.kind.as_str(), Some(kind), "{problem}");
            assert_eq!(report.fingerprint, Field::Null, "{problem}");
            let text = report.problem.as_str().unwrap();
            assert!(text.starts_with(problem) && text.ends_with('.'), "{text}");
            assert!(!text.contains(&"A".repeat(8)), "{text}");
        }
    }

    #[test]
    fn null_is_allowed_and_not_valid() {
        let report = call(None);
        assert_eq!(report.valid, Field::Known(false));
        assert_eq!(report.kind.as_str(), Some("none"));
        assert_eq!(report.fingerprint, Field::Null);
    }

    #[test]
    fn a_token_longer_than_any_that_works_is_not_valid() {
        let report = call(Some(&format!("{}BBB", good())));
        assert_eq!(report.valid, Field::Known(false));
        assert_eq!(report.kind.as_str(), Some("oauth_token"));
        assert!(report.problem.as_str().unwrap().contains("111 characters"));
        assert_eq!(report.fingerprint, Field::Null);
    }
}

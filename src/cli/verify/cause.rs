//! The meaning of Claude Code's texts, in one list.
//!
//! Exit codes and status numbers are not enough. A dead token, a busy account, and a gateway's page
//! all end with exit code 1, some with the same number. So a token is refused only if the text is
//! one that was observed for a refused token.

use crate::words::words;

words! {
    /// Why a token was refused, or why it is unclear whether it works.
    pub(super) enum Cause {
        /// Refused: it has expired.
        Expired = "expired",
        /// Refused: it was revoked.
        Revoked = "revoked",
        /// Refused: the API does not know it.
        UnknownToken = "unknown_token",
        /// Refused: it is not allowed to query the model.
        WrongScope = "wrong_scope",
        /// The account has reached a limit, so the token works.
        Busy = "busy",
        /// The API is overloaded.
        Overloaded = "overloaded",
        /// The API failed.
        Service = "service",
        /// The API cannot be reached.
        Network = "network",
        /// A certificate is not accepted.
        Tls = "tls",
        /// Something in between answered.
        Proxy = "proxy",
        /// Nothing answered in time.
        NoAnswer = "no_answer",
        /// The API does not serve this region or address.
        Region = "region",
        /// The organization is disabled.
        OrganizationOff = "organization_off",
        /// Managed settings allow only one organization.
        OrganizationPin = "organization_pin",
        /// The credit balance is too low.
        Billing = "billing",
        /// The model is not available.
        Model = "model",
        /// Another credential answers instead of the token.
        OtherCredential = "other_credential",
        /// The token did not reach Claude Code.
        NotTaken = "not_taken",
        /// This Claude Code lacks the options that `verify` needs.
        OldClaude = "old_claude",
        /// The program does not exist.
        NoClaude = "no_claude",
        /// It ended without a result.
        NoResult = "no_result",
        /// Anything else.
        Other = "other",
    }
}

impl Cause {
    /// Reports whether the token itself was refused.
    pub(super) fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::Revoked | Self::UnknownToken | Self::WrongScope
        )
    }

    /// Reads a text, with its status if there is one.
    pub(super) fn of(status: Option<u16>, text: &str) -> Option<Self> {
        if is_page(text) {
            return Some(Self::Proxy);
        }
        let text = text.to_lowercase();
        let status = status.or_else(|| number(&text));
        let rule = RULES.iter().find(|(statuses, texts, _)| {
            let fits = statuses.is_empty() || status.is_some_and(|is| statuses.contains(&is));
            fits && texts.iter().any(|part| text.contains(part))
        });
        match (rule, status) {
            (Some((_, _, cause)), _) => Some(*cause),
            (None, Some(407)) => Some(Self::Proxy),
            (None, Some(529)) => Some(Self::Overloaded),
            (None, Some(500..)) => Some(Self::Service),
            (None, _) => None,
        }
    }
}

/// Statuses, where none means any or no status; texts in lower case, one of which must occur; and
/// the meaning. The first rule that matches decides.
type Rule = (&'static [u16], &'static [&'static str], Cause);

const RULES: [Rule; 20] = [
    // Texts without a status.
    (&[], &["oauth token revoked"], Cause::Revoked),
    (
        &[],
        &[
            "your account does not have access to claude. please login again or contact your \
             administrator.",
        ],
        Cause::Revoked,
    ),
    (
        &[],
        &[
            "your organization does not have access to claude",
            "organization has been disabled",
        ],
        Cause::OrganizationOff,
    ),
    (
        &[],
        &["unable to verify organization"],
        Cause::OrganizationPin,
    ),
    (&[], &["not logged in"], Cause::NotTaken),
    (&[], &["unknown option"], Cause::OldClaude),
    // Texts about the token.
    (&[401], &["oauth token has expired"], Cause::Expired),
    (
        &[401, 403],
        &[
            "oauth token has been revoked",
            "oauth access token has been revoked",
        ],
        Cause::Revoked,
    ),
    (
        &[401],
        &[
            "oauth access token is invalid",
            "invalid bearer token",
            "invalid authentication credentials",
            "invalid oauth token",
        ],
        Cause::UnknownToken,
    ),
    (
        &[403],
        &["does not meet scope requirement"],
        Cause::WrongScope,
    ),
    // Texts about anything else.
    (
        &[401],
        &["oauth authentication is currently not supported"],
        Cause::Service,
    ),
    (&[403], &["request not allowed"], Cause::Region),
    (
        &[],
        &[
            "server is temporarily limiting requests",
            "rate limit reached",
            "rate limited",
            "overloaded",
        ],
        Cause::Overloaded,
    ),
    (
        &[],
        &["you've hit your", "you’ve hit your", "usage limit reached"],
        Cause::Busy,
    ),
    (&[], &["credit balance is too low"], Cause::Billing),
    (
        &[],
        &["not_found_error", "selected model", "model_not_found"],
        Cause::Model,
    ),
    (
        &[],
        &[
            "certificate",
            "self_signed",
            "self-signed",
            "unable_to_verify",
            "unable_to_get_issuer",
            "err_ssl",
            "err_tls",
        ],
        Cause::Tls,
    ),
    (&[], &["timed out", "timeout", "etimedout"], Cause::NoAnswer),
    (
        &[],
        &[
            "connection error",
            "connectionrefused",
            "connection refused",
            "unable to connect",
            "econnrefused",
            "econnreset",
            "enotfound",
            "eai_again",
            "ehostunreach",
            "enetunreach",
            "epipe",
            "socket",
            "network",
            "fetch failed",
        ],
        Cause::Network,
    ),
    (&[], &["just a moment", "proxy"], Cause::Proxy),
];

/// Returns the number after `API Error:`.
fn number(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("api error:")?;
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Reports whether a text is a web page, which never comes from the API.
pub(super) fn is_page(text: &str) -> bool {
    let text = text.to_lowercase();
    ["<html", "<!doctype", "<head", "<body", "<title"]
        .iter()
        .any(|tag| text.contains(tag))
}

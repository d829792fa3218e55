//! Which of the caller's variables are passed to a program that runs with a token.
//!
//! Claude Code uses the first of many credentials that it finds, and most of them are variables. A
//! leftover one silently answers instead of the token.

use std::ffi::{OsStr, OsString};

/// The variable that Claude Code reads the token from.
pub(super) const TOKEN: &str = "CLAUDE_CODE_OAUTH_TOKEN";

/// A gateway in front of the API. It receives the token, so the user should know that it is set.
const BASE_URL: &str = "ANTHROPIC_BASE_URL";

/// Variables that make another credential answer, or none.
const SHADOWING: [&str; 15] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_FEDERATION_RULE_ID",
    "ANTHROPIC_IDENTITY_TOKEN",
    "ANTHROPIC_IDENTITY_TOKEN_FILE",
    "ANTHROPIC_PROFILE",
    "ANTHROPIC_UNIX_SOCKET",
    "CLAUDE_CODE_SIMPLE",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
];

/// Prefixes of variables that can influence Claude Code's response, and of Vault's own variables.
const PRIVATE_PREFIXES: [&str; 6] = ["ANTHROPIC_", "CLAUDE_", "_CLAUDE_", "VAULT_", "BAO_", "TF_"];

/// Variables without such a prefix that have the same effect.
const PRIVATE: [&str; 2] = ["AWS_BEARER_TOKEN_BEDROCK", "CLAUDECODE"];

/// Claude Code's own settings for proxies and certificates. Some networks cannot be left without
/// them.
const NETWORK: [&str; 7] = [
    "CLAUDE_CODE_CERT_STORE",
    "CLAUDE_CODE_CLIENT_CERT",
    "CLAUDE_CODE_CLIENT_KEY",
    "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
    "CLAUDE_CODE_HTTP_PROXY",
    "CLAUDE_CODE_HTTPS_PROXY",
    "CLAUDE_CODE_PROXY_RESOLVES_HOSTS",
];

/// Variables that `verify` sets in addition to the token: one retry, a time limit for each attempt,
/// and no telemetry or updates.
pub(super) const FOR_A_QUESTION: [(&str, &str); 6] = [
    ("API_TIMEOUT_MS", "30000"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_MAX_RETRIES", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
    ("DISABLE_TELEMETRY", "1"),
];

/// Returns those of `names` that `exec` removes.
pub(super) fn shadowing(names: &[OsString]) -> Vec<&OsStr> {
    let removes = |name: &str| {
        SHADOWING.contains(&name)
            || name.starts_with("CLAUDE_CODE_OAUTH_")
            || (name.starts_with("CLAUDE_CODE_") && name.ends_with("_FILE_DESCRIPTOR"))
    };
    chosen(names, removes)
}

/// Returns those of `names` that `verify` removes, except the ones to `keep`.
pub(super) fn private<'a>(names: &'a [OsString], keep: &[String]) -> Vec<&'a OsStr> {
    let removes = |name: &str| {
        let is_private = PRIVATE.contains(&name)
            || PRIVATE_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix));
        is_private && !NETWORK.contains(&name) && !keep.iter().any(|kept| kept == name)
    };
    chosen(names, removes)
}

/// Reports whether a gateway is set, which would receive the token.
pub(super) fn has_gateway(names: &[OsString]) -> bool {
    names.iter().any(|name| name == BASE_URL)
}

/// A name that is not UTF-8 is never one of ours, even if its valid part looks like one.
fn chosen(names: &[OsString], removes: impl Fn(&str) -> bool) -> Vec<&OsStr> {
    names
        .iter()
        .filter(|name| name.to_str().is_some_and(&removes))
        .map(OsString::as_os_str)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<OsString> {
        names.iter().map(OsString::from).collect()
    }

    #[test]
    fn exec_keeps_what_only_chooses_a_model_or_a_gateway() {
        let all = names(&[
            "HOME",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL",
            "CLAUDE_CODE_OAUTH_TOKEN",
            "CLAUDE_CODE_OAUTH_SCOPES",
            "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
            "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
            "CLAUDE_CONFIG_DIR",
            "VAULT_ADDR",
        ]);
        assert_eq!(
            shadowing(&all),
            [
                "ANTHROPIC_API_KEY",
                "CLAUDE_CODE_OAUTH_TOKEN",
                "CLAUDE_CODE_OAUTH_SCOPES",
                "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
                "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
            ]
        );
        assert!(has_gateway(&all) && !has_gateway(&all[..2]));
    }

    #[test]
    fn a_question_sees_the_home_folder_and_the_way_out_of_the_network() {
        let all = names(&[
            "HOME",
            "PATH",
            "HTTPS_PROXY",
            "CLAUDE_CODE_HTTPS_PROXY",
            "CLAUDE_CODE_CERT_STORE",
            "CLAUDE_CONFIG_DIR",
            "_CLAUDE_X",
            "CLAUDECODE",
            "ANTHROPIC_BASE_URL",
            "ANTHROPIC_MODEL",
            "VAULT_TOKEN",
            "BAO_ADDR",
            "TF_LOG",
            "AWS_BEARER_TOKEN_BEDROCK",
            "AWS_REGION",
        ]);
        let kept = ["ANTHROPIC_BASE_URL".to_owned()];
        let removed = private(&all, &kept);
        assert_eq!(
            removed,
            [
                "CLAUDE_CONFIG_DIR",
                "_CLAUDE_X",
                "CLAUDECODE",
                "ANTHROPIC_MODEL",
                "VAULT_TOKEN",
                "BAO_ADDR",
                "TF_LOG",
                "AWS_BEARER_TOKEN_BEDROCK",
            ]
        );
    }
}

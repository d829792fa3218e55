//! Names that somebody else chose, and which may contain a token: a person who stores a token
//! manually can confuse the name with the value.

use std::borrow::Cow;

/// What is shown instead of a name that contains a token.
pub const HIDDEN: &str = "(hidden)";

/// Prefix of every Anthropic credential, in plain text and in Base64.
const BEGINNINGS: [&str; 2] = ["sk-ant-", "c2stYW50L"];

/// Number of characters that follow such a prefix when there is more than the kind.
const LEAST: usize = 20;

/// Reports whether a name contains a token, or the beginning of one. `sk-ant-keys` is a name like
/// any other.
pub fn has_token(name: &str) -> bool {
    name.split('/').any(|segment| {
        BEGINNINGS.iter().any(|beginning| {
            let tail = segment.split_once(beginning).map(|(_, tail)| tail);
            tail.is_some_and(|tail| tail.chars().nth(LEAST - 1).is_some())
        })
    })
}

/// Returns the name, unless it contains a token.
pub fn shown(name: &str) -> Cow<'_, str> {
    if has_token(name) {
        HIDDEN.into()
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_token_are_told_from_names_about_one() {
        let tail = "AbCdEfGh-_".repeat(10);
        for name in [
            format!("sk-ant-oat01-{tail}"),
            format!("export TOKEN=sk-ant-ort01-{tail}"),
            format!("team/sk-ant-oat01-{}/agent", &tail[..20]),
            format!("sk-ant-oat01-{}\u{200b}{tail}", &tail[..3]),
            format!("c2stYW50LW9hdDAxL{tail}"),
        ] {
            assert!(has_token(&name), "{name}");
            assert_eq!(shown(&name), HIDDEN);
        }
        for name in [
            "claude_oauth_token",
            "sk-ant-keys",
            "sk-ant-keys/team/agents/primary-of-production",
            "",
        ] {
            assert!(!has_token(name), "{name}");
            assert_eq!(shown(name), name);
        }
    }
}

//! The token check: the one place that tells a token from everything that gets stored instead.

mod problem;

pub use problem::Problem;

use super::fingerprint::Fingerprint;

/// Characters of every setup token that was seen so far.
pub const USUAL_LENGTH: usize = 108;
/// Characters that remain where an 80-column terminal drops one.
const DROPPED_LENGTH: usize = USUAL_LENGTH - 1;
/// Characters that the first line of a token wrapped by an 80-column terminal has at most.
const WRAPPED_LENGTH: usize = 80;
/// How every OAuth access token begins, before two digits and a hyphen.
const PREFIX: &str = "sk-ant-oat";
/// How an OAuth access token begins when it is encoded in Base64.
const PREFIX_IN_BASE64: &str = "c2stYW50LW9hd";

/// What the check says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The value has the form of a token; whether it works, only Anthropic knows.
    Valid {
        /// Names the token from here on.
        fingerprint: Fingerprint,
        /// The number of characters where it is not [`USUAL_LENGTH`], which deserves a warning.
        unusual_length: Option<usize>,
    },
    /// The value is no token.
    Malformed(Problem),
}

impl Check {
    /// Returns the fingerprint of a value that passed.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Valid { fingerprint, .. } => Some(*fingerprint),
            Self::Malformed(_) => None,
        }
    }

    /// Returns what is wrong with a value that failed.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::Valid { .. } => None,
            Self::Malformed(problem) => Some(*problem),
        }
    }
}

/// What a value is by its looks, well-formed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An OAuth access token, of a setup or of a login.
    OauthToken,
    /// The token that renews a login.
    RefreshToken,
    /// A key of the Anthropic API.
    ApiKey,
    /// A key of Anthropic's administration API.
    AdminKey,
    /// The file in which Claude Code keeps a login.
    CredentialsJson,
    /// Anything else.
    Unknown,
}

impl Kind {
    /// Returns the word for the kind, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OauthToken => "oauth_token",
            Self::RefreshToken => "refresh_token",
            Self::ApiKey => "api_key",
            Self::AdminKey => "admin_key",
            Self::CredentialsJson => "credentials_json",
            Self::Unknown => "unknown",
        }
    }

    /// Tells the kind of a value from its beginning, whatever white space or quotes are around.
    pub fn of(text: &str) -> Self {
        let core = core_of(text);
        if core.starts_with(PREFIX) {
            Self::OauthToken
        } else if core.starts_with("sk-ant-ort") {
            Self::RefreshToken
        } else if core.starts_with("sk-ant-api") {
            Self::ApiKey
        } else if core.starts_with("sk-ant-admin") {
            Self::AdminKey
        } else if core.starts_with('{') && has_credentials(core) {
            Self::CredentialsJson
        } else {
            Self::Unknown
        }
    }
}

/// Checks a value as it is stored: nothing is trimmed.
///
/// A token is `sk-ant-oat`, two digits, a hyphen and then only letters, digits, `_` and `-`; it
/// has more than 80 characters and not exactly 107. A digest is computed of a token alone.
pub fn check(text: &str) -> Check {
    match problem_of(text) {
        Some(problem) => Check::Malformed(problem),
        None => accepted(text),
    }
}

/// Checks a value whose fingerprint was once recorded as good, which then stays good.
///
/// A stricter check of a later release must not turn a working token malformed. A value that
/// fails is compared with `recorded`; its own digest is neither returned nor kept.
pub fn check_recorded(text: &str, recorded: &Fingerprint) -> Check {
    match check(text) {
        Check::Malformed(_) if Fingerprint::of(text) == *recorded => accepted(text),
        result => result,
    }
}

/// Takes white space off both ends of a value that a person gave, and tells whether there was any.
pub fn trim(text: &str) -> (&str, bool) {
    let trimmed = text.trim();
    (trimmed, trimmed.len() != text.len())
}

fn accepted(text: &str) -> Check {
    let length = text.chars().count();
    Check::Valid {
        fingerprint: Fingerprint::of(text),
        unusual_length: (length != USUAL_LENGTH).then_some(length),
    }
}

/// Finds the cause that is to be repaired first: a wrong kind before a wrong form, what is inside
/// before what is around.
fn problem_of(text: &str) -> Option<Problem> {
    let core = core_of(text);
    if core.is_empty() {
        return Some(Problem::Empty);
    }
    match Kind::of(text) {
        Kind::OauthToken => problem_inside(core).or_else(|| problem_around(text, core)),
        Kind::RefreshToken => Some(Problem::RefreshToken),
        Kind::ApiKey => Some(Problem::ApiKey),
        Kind::AdminKey => Some(Problem::AdminKey),
        Kind::CredentialsJson => Some(Problem::CredentialsJson),
        Kind::Unknown => Some(problem_of_stranger(core)),
    }
}

fn problem_of_stranger(core: &str) -> Problem {
    if core.starts_with(['{', '[']) {
        Problem::JsonDocument
    } else if core.contains(PREFIX) {
        Problem::TextBefore
    } else if core.starts_with("sk-ant-") {
        Problem::OtherAnthropicKey
    } else if core.starts_with(PREFIX_IN_BASE64) {
        Problem::Base64
    } else {
        Problem::OtherPrefix
    }
}

/// Looks at a value that begins as a token does and has nothing around it.
fn problem_inside(core: &str) -> Option<Problem> {
    if core.contains(char::is_whitespace) {
        let first = core.split_whitespace().next().unwrap_or_default();
        return Some(
            if problem_inside(first).is_none() && first.len() >= USUAL_LENGTH {
                Problem::TextAfter
            } else if core.contains(is_line_break) {
                Problem::LineBreak
            } else {
                Problem::WhiteSpaceInside
            },
        );
    }
    if core.contains(is_quote) {
        return Some(Problem::Quotes);
    }
    if core.contains(['*', '…', '<', '>']) || core.contains("...") {
        return Some(Problem::Masked);
    }
    if !core.chars().all(is_token_character) {
        return Some(Problem::ForeignCharacter);
    }
    match core.len() {
        DROPPED_LENGTH => Some(Problem::DroppedCharacter),
        0..=WRAPPED_LENGTH => Some(Problem::WrappedLine),
        _ if !has_version(core) => Some(Problem::OtherPrefix),
        _ => None,
    }
}

/// Names what stands around a value that would be a token without it.
fn problem_around(text: &str, core: &str) -> Option<Problem> {
    if text.len() == core.len() {
        None
    } else if text.contains(is_quote) {
        Some(Problem::Quotes)
    } else if text.contains(is_invisible) {
        Some(Problem::ForeignCharacter)
    } else if text.contains(is_line_break) {
        Some(Problem::LineBreakAround)
    } else {
        Some(Problem::WhiteSpaceAround)
    }
}

/// Returns the value without white space, quotes and invisible characters at its ends.
fn core_of(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_quote(c) || is_invisible(c))
}

fn has_version(core: &str) -> bool {
    let rest = core.strip_prefix(PREFIX).unwrap_or_default();
    matches!(rest.as_bytes(), [tens, ones, b'-', ..] if tens.is_ascii_digit() && ones.is_ascii_digit())
}

fn has_credentials(core: &str) -> bool {
    ["claudeAiOauth", "accessToken", "refreshToken"]
        .iter()
        .any(|name| core.contains(name))
}

fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '‘' | '’' | '“' | '”')
}

fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Marks of byte order and direction, and characters of no width: copied along unseen.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
    )
}

#[cfg(test)]
mod tests;

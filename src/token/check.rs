//! The token check: the only place that distinguishes a token from anything else that gets stored.

mod extract;
mod problem;

pub use extract::extract;
pub use problem::Problem;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use crate::words::words;

/// Number of characters in every setup token that was ever reported to work.
pub const USUAL_LENGTH: usize = 108;
/// Number of characters that remain when an 80-column terminal drops one.
const DROPPED_LENGTH: usize = USUAL_LENGTH - 1;
/// Maximum number of characters in the first line of a token that an 80-column terminal wraps.
const WRAPPED_LENGTH: usize = 80;
/// Prefix of every OAuth access token, before two digits and a hyphen.
const PREFIX: &str = "sk-ant-oat";
/// Prefix of an OAuth access token that is encoded in Base64.
const PREFIX_IN_BASE64: &str = "c2stYW50LW9hd";
/// Prefix of every Anthropic credential, which occurs in a token only at its start.
const ANY_PREFIX: &str = "sk-ant-";
/// Words that a terminal prints after a token, and that get copied along with it.
const GLUED_WORDS: [&str; 4] = ["Store", "this", "token", "securely"];

/// The result of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The value has the form of a token. Only Anthropic knows whether it works.
    Valid {
        /// Identifies the token from here on.
        fingerprint: Fingerprint,
        /// The number of characters, if no token of that length was ever reported to work.
        unproven: Option<usize>,
        /// Whether there is white space around it, which Claude Code trims.
        padded: bool,
    },
    /// The value is not a token.
    Malformed(Malformed),
}

/// What is wrong with a value that is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Malformed {
    /// The cause.
    pub problem: Problem,
    /// Whether [`extract`] finds the token in it.
    pub repairable: bool,
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
            Self::Malformed(malformed) => Some(malformed.problem),
        }
    }
}

words! {
    /// What a value appears to be, well-formed or not.
    pub enum Kind {
        /// An OAuth access token, of a setup or of a login.
        OauthToken = "oauth_token",
        /// The token that renews a login.
        RefreshToken = "refresh_token",
        /// A key of the Anthropic API.
        ApiKey = "api_key",
        /// A key of Anthropic's administration API.
        AdminKey = "admin_key",
        /// The file in which Claude Code keeps a login.
        CredentialsJson = "credentials_json",
        /// The code that the browser shows for `claude setup-token`.
        AuthorizationCode = "authorization_code",
        /// Anything else.
        Unknown = "unknown",
    }
}

impl Kind {
    /// Returns the kind of a value from its beginning, ignoring white space and quotes around it.
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
        } else if is_authorization_code(core) {
            Self::AuthorizationCode
        } else {
            Self::Unknown
        }
    }
}

/// Checks a value as it is stored, ignoring white space around it.
///
/// A token is `sk-ant-oat`, two digits, a hyphen and then only letters, digits, `_` and `-`. With
/// the digits `01` it has [`USUAL_LENGTH`] characters; a longer one without a known cause is
/// unproven. A digest is computed only for a token.
pub fn check(text: &str) -> Check {
    let (trimmed, padded) = trim(text);
    match problem_of(trimmed) {
        Some(problem) => Check::Malformed(Malformed {
            problem,
            repairable: extract(trimmed).is_some(),
        }),
        None => Check::Valid {
            fingerprint: Fingerprint::of(trimmed),
            unproven: unproven_length(trimmed),
            padded,
        },
    }
}

/// Checks a value, accepting a token whose fingerprint was once recorded as good.
///
/// A stricter check in a later release must not make a working token malformed: the token becomes
/// unproven instead. A value that fails is compared with `recorded`; its own digest is neither
/// returned nor kept.
pub fn check_recorded(text: &str, recorded: &Fingerprint) -> Check {
    match check(text) {
        Check::Malformed(_)
            if [text, trim(text).0]
                .into_iter()
                .any(|text| Fingerprint::of(text) == *recorded) =>
        {
            Check::Valid {
                fingerprint: *recorded,
                unproven: Some(text.chars().count()),
                padded: false,
            }
        }
        result => result,
    }
}

/// Strips the white space that Claude Code trims, including a byte-order mark, and reports whether
/// there was any.
pub fn trim(text: &str) -> (&str, bool) {
    let trimmed =
        text.trim_matches(|c: char| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}'));
    (trimmed, trimmed.len() != text.len())
}

/// Finds the cause to fix first: a wrong kind before a wrong form, and what is inside the value
/// before what surrounds it.
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
        Kind::AuthorizationCode => Some(Problem::AuthorizationCode),
        Kind::Unknown => Some(problem_of_stranger(core)),
    }
}

fn problem_of_stranger(core: &str) -> Problem {
    if core.starts_with(['{', '[']) {
        Problem::JsonDocument
    } else if core.contains(PREFIX) && core.contains('\u{1b}') {
        Problem::ControlCharacter
    } else if core.contains(PREFIX) {
        Problem::TextBefore
    } else if with_plain_dashes(core).starts_with(PREFIX) {
        Problem::LookAlikeDash
    } else if core.starts_with(ANY_PREFIX) {
        Problem::OtherAnthropicKey
    } else if core.starts_with(PREFIX_IN_BASE64) {
        Problem::Base64
    } else {
        Problem::OtherPrefix
    }
}

/// Examines a value that begins like a token and has nothing around it.
fn problem_inside(core: &str) -> Option<Problem> {
    if core.contains(is_line_break) {
        return Some(Problem::LineBreak);
    }
    if core.contains(char::is_whitespace) {
        let first = core.split_whitespace().next().unwrap_or_default();
        return Some(if problem_inside(first).is_none() {
            Problem::TextAfter
        } else {
            Problem::WhiteSpaceInside
        });
    }
    if core.contains(char::is_control) {
        return Some(Problem::ControlCharacter);
    }
    if core.contains(is_quote) {
        return Some(Problem::Quotes);
    }
    if core.contains(['*', '…', '<', '>']) || core.contains("...") {
        return Some(Problem::Masked);
    }
    if core.contains(is_look_alike_dash) {
        return Some(Problem::LookAlikeDash);
    }
    if !core.chars().all(is_token_character) {
        return Some(Problem::ForeignCharacter);
    }
    match (digits_of(core), core.len()) {
        // The length of a later kind of token is unknown.
        (Some(digits), length) if digits != "01" => {
            (length == PREFIX.len() + 3).then_some(Problem::PartMissing)
        }
        (_, 0..=WRAPPED_LENGTH) => Some(Problem::WrappedLine),
        (_, DROPPED_LENGTH) => Some(Problem::DroppedCharacter),
        (None, _) => Some(Problem::OtherPrefix),
        (Some(_), 0..USUAL_LENGTH) => Some(Problem::PartMissing),
        (Some(_), _) => problem_behind(core),
    }
}

/// Explains what makes a value of at least [`USUAL_LENGTH`] token characters too long.
fn problem_behind(core: &str) -> Option<Problem> {
    let is_repeated = core
        .get(ANY_PREFIX.len()..)
        .is_some_and(|rest| rest.contains(ANY_PREFIX));
    if is_repeated {
        Some(Problem::PastedTwice)
    } else if has_glued_word(core) {
        Some(Problem::GluedWord)
    } else {
        None
    }
}

/// Reports whether a whole token is followed by letters that end in a word that terminals print.
fn has_glued_word(core: &str) -> bool {
    core.get(USUAL_LENGTH..).is_some_and(|rest| {
        rest.chars().all(|c| c.is_ascii_alphabetic())
            && GLUED_WORDS.iter().any(|word| rest.ends_with(word))
    })
}

/// Names what surrounds a value that would be a token without it.
fn problem_around(text: &str, core: &str) -> Option<Problem> {
    if text.len() == core.len() {
        None
    } else if text.contains(is_quote) {
        Some(Problem::Quotes)
    } else {
        Some(Problem::ForeignCharacter)
    }
}

/// Returns the length of a token if no report of a working token confirms that length.
fn unproven_length(core: &str) -> Option<usize> {
    (digits_of(core) == Some("01") && core.len() != USUAL_LENGTH).then_some(core.len())
}

/// Returns the value without white space, quotes, or invisible characters at its ends.
fn core_of(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_quote(c) || is_invisible(c))
}

/// Returns the two digits after the prefix, if a hyphen follows them.
fn digits_of(core: &str) -> Option<&str> {
    let (digits, rest) = core.strip_prefix(PREFIX)?.split_at_checked(2)?;
    (digits.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with('-')).then_some(digits)
}

fn has_credentials(core: &str) -> bool {
    ["claudeAiOauth", "accessToken", "refreshToken"]
        .iter()
        .any(|name| core.contains(name))
}

/// Recognizes `code#state` and the address that the browser is sent back to.
fn is_authorization_code(core: &str) -> bool {
    const SHORTEST: usize = 20;
    let is_part = |part: &str| part.len() >= SHORTEST && part.chars().all(is_token_character);
    let is_address = core.starts_with("http://") || core.starts_with("https://");
    (is_address && core.contains("code=") && core.contains("callback"))
        || core
            .split_once('#')
            .is_some_and(|(code, state)| is_part(code) && is_part(state))
}

fn with_plain_dashes(text: &str) -> String {
    text.replace(is_look_alike_dash, "-")
}

fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '‘' | '’' | '“' | '”')
}

/// Dashes that a word processor or a chat substitutes for a hyphen.
fn is_look_alike_dash(c: char) -> bool {
    matches!(
        c,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
    )
}

fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Byte-order marks, direction marks, and zero-width characters, which get copied unnoticed.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
    )
}

#[cfg(test)]
mod tests;

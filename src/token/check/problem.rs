//! Why a value is not a token, and what to do about it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The reason why a value is not a token.
///
/// It has no content of its own, so no message can repeat any part of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Nothing, or only white space and quotes.
    #[error("the value is empty")]
    Empty,
    /// `sk-ant-ort`: the token that renews a login.
    #[error("the value is a refresh token (`sk-ant-ort01-`), not an OAuth token")]
    RefreshToken,
    /// `sk-ant-api`: billed by usage, and read from another variable.
    #[error("the value is an API key (`sk-ant-api03-`), not an OAuth token")]
    ApiKey,
    /// `sk-ant-admin`: a key that manages an organization.
    #[error("the value is an admin key (`sk-ant-admin01-`), not an OAuth token")]
    AdminKey,
    /// `sk-ant-` followed by something unknown.
    #[error("the value is another kind of Anthropic credential, not an OAuth token")]
    OtherAnthropicKey,
    /// The file `.credentials.json` of a login.
    #[error("the value is Claude Code's credentials JSON, not a token")]
    CredentialsJson,
    /// `code#state`, or the address that the browser is sent back to.
    #[error("the value is the code from the browser, not the token")]
    AuthorizationCode,
    /// Any other JSON, perhaps with a token in it.
    #[error("the value is a JSON document, not a token")]
    JsonDocument,
    /// A token encoded as in the data of a Kubernetes Secret.
    #[error("the value is a token encoded in Base64, not the token itself")]
    Base64,
    /// A token with a variable's name, `Bearer` or other text before it.
    #[error("the value has other text before the token")]
    TextBefore,
    /// A whole token with other text after it.
    #[error("the value has other text after the token")]
    TextAfter,
    /// A token shortened with dots or asterisks, or a placeholder from documentation.
    #[error("the value is a masked or shortened token, or a placeholder")]
    Masked,
    /// A value of no known kind.
    #[error("the value does not begin as an OAuth token does (`sk-ant-oat01-`)")]
    OtherPrefix,
    /// Quotes at an end or inside.
    #[error("the value has quotes in or around it")]
    Quotes,
    /// A token on more than one line.
    #[error("the value has a line break inside")]
    LineBreak,
    /// Spaces or tabs between parts of a token.
    #[error("the value has white space inside")]
    WhiteSpaceInside,
    /// A terminal sequence that sets a color or a position.
    #[error("the value has terminal control characters in it")]
    ControlCharacter,
    /// A dash that looks like the hyphen of a token.
    #[error("the value has a dash that only looks like a hyphen")]
    LookAlikeDash,
    /// A character outside the alphabet, visible or invisible.
    #[error("the value has a character that no token contains")]
    ForeignCharacter,
    /// 80 characters or fewer.
    #[error(
        "the token is cut off: it has 80 characters or fewer, so it is the first line of a wrapped \
         token"
    )]
    WrappedLine,
    /// Exactly 107 characters.
    #[error("the token has 107 of 108 characters: an 80-column terminal dropped one")]
    DroppedCharacter,
    /// Any other number below 108.
    #[error("a part of the token is missing: it has fewer than 108 characters")]
    PartMissing,
    /// A second token, or the same one again, after the first.
    #[error("the token was pasted more than once")]
    PastedTwice,
    /// A word that a terminal prints after the token.
    #[error("the next word from the terminal is glued to the token")]
    GluedWord,
}

/// How to get a whole token out of a terminal.
const MINT_AGAIN: &str = "Run `claude setup-token` again in a terminal at least 300 columns wide, \
                          and store the token that it prints.";
/// The next step when something else was stored.
const MINT: &str = "Run `claude setup-token` in a terminal at least 300 columns wide, and store \
                    the token that it prints.";
/// The next step when the value holds the token with other text around it.
const ALONE: &str = "Store only the token, without anything before or after it.";

impl Problem {
    /// Reports whether Claude Code prints such a value, so that a pod's log may contain the token.
    pub fn is_leak(self) -> bool {
        self == Self::LineBreak
    }

    /// Returns the next step, in complete sentences.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Empty
            | Self::RefreshToken
            | Self::ApiKey
            | Self::AdminKey
            | Self::OtherAnthropicKey
            | Self::JsonDocument
            | Self::OtherPrefix => MINT,
            Self::CredentialsJson => {
                "Do not use the access token in that file, because it expires within hours. Run \
                 `claude setup-token` in a terminal at least 300 columns wide, and store the \
                 token that it prints."
            }
            Self::AuthorizationCode => {
                "Paste it into the waiting `claude setup-token`, and store the token that the \
                 command then prints."
            }
            Self::Base64 => "Decode it (`base64 -d`), and store the result.",
            Self::TextBefore | Self::TextAfter | Self::GluedWord | Self::PastedTwice => ALONE,
            Self::Masked => {
                "Store the whole token, as `claude setup-token` printed it. If you have only the \
                 shortened form, mint another token, because no token is shown twice."
            }
            Self::Quotes => "Store the token again without the quotes.",
            Self::LineBreak => {
                "Claude Code prints such a value when it starts, so a pod's log may contain the \
                 token. Treat it as leaked. Run `claude setup-token` again in a terminal at least \
                 300 columns wide, store the token that it prints, and revoke the old one in the \
                 account settings of claude.ai."
            }
            Self::ControlCharacter => {
                "Copy only the token, without the colors of the terminal, and store it again."
            }
            Self::LookAlikeDash => {
                "A word processor or a chat program replaced hyphens. Copy the token from the \
                 terminal, and store it again."
            }
            Self::ForeignCharacter => {
                "After its prefix, a token has only letters, digits, `_`, and `-`. Look for \
                 punctuation or an invisible character that was copied with it, and store the \
                 token without that."
            }
            Self::WhiteSpaceInside
            | Self::WrappedLine
            | Self::DroppedCharacter
            | Self::PartMissing => MINT_AGAIN,
        }
    }
}

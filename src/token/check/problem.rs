//! Why a value is no token, and what to do about it.

use thiserror::Error;

/// Names why a value is no token.
///
/// It has no content of its own, so that no message can repeat any part of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Problem {
    /// Nothing, or nothing but white space and quotes.
    #[error("the value is empty")]
    Empty,
    /// `sk-ant-ort`: the other half of a login.
    #[error("the value is a refresh token (`sk-ant-ort01-`), not an OAuth token")]
    RefreshToken,
    /// `sk-ant-api`: billed by use, and read from another variable.
    #[error("the value is an API key (`sk-ant-api03-`), not an OAuth token")]
    ApiKey,
    /// `sk-ant-admin`: a key that manages an organisation.
    #[error("the value is an admin key (`sk-ant-admin01-`), not an OAuth token")]
    AdminKey,
    /// `sk-ant-` and something that is not known here.
    #[error("the value is another kind of Anthropic credential, not an OAuth token")]
    OtherAnthropicKey,
    /// The file `.credentials.json` of a login.
    #[error("the value is a credentials JSON of Claude Code, not a token by itself")]
    CredentialsJson,
    /// Any other JSON, perhaps with a token in it.
    #[error("the value is a JSON document, not a token by itself")]
    JsonDocument,
    /// A token as the data of a Kubernetes Secret shows it.
    #[error("the value is a token encoded in Base64, not the token itself")]
    Base64,
    /// A token with a variable's name, `Bearer` or other text before it.
    #[error("other text stands before the token")]
    TextBefore,
    /// A whole token with other text after it.
    #[error("other text was copied along after the token")]
    TextAfter,
    /// A token shortened with dots or stars, or a placeholder of a document.
    #[error("the value is a masked or shortened token, or a placeholder")]
    Masked,
    /// Nothing that is known here.
    #[error("the value does not begin as an OAuth token does (`sk-ant-oat01-`)")]
    OtherPrefix,
    /// Quotes at an end or inside.
    #[error("there are quotes in the value or around it")]
    Quotes,
    /// Spaces or tabs before or after a token.
    #[error("there is white space before or after the token")]
    WhiteSpaceAround,
    /// A line break before or after a token.
    #[error("there is a line break before or after the token")]
    LineBreakAround,
    /// A token on more than one line.
    #[error("the token is broken over several lines")]
    LineBreak,
    /// Spaces or tabs between parts of a token.
    #[error("there is white space inside the token")]
    WhiteSpaceInside,
    /// A character outside the alphabet, seen or unseen.
    #[error("a character in the value occurs in no token")]
    ForeignCharacter,
    /// 80 characters or fewer.
    #[error("the token is cut off: 80 characters or fewer are the first line of a wrapped one")]
    WrappedLine,
    /// Exactly 107 characters.
    #[error("one character of the token is lost: it has 107 of 108")]
    DroppedCharacter,
}

/// How to get a whole token out of a terminal.
const MINT_AGAIN: &str =
    "Widen the terminal to 300 columns, run `claude setup-token` again and store what it prints.";
/// What is asked for where something else was stored.
const MINT: &str =
    "Run `claude setup-token` in a terminal of 300 columns and store the token that it prints.";

impl Problem {
    /// Every problem.
    pub const ALL: [Self; 20] = [
        Self::Empty,
        Self::RefreshToken,
        Self::ApiKey,
        Self::AdminKey,
        Self::OtherAnthropicKey,
        Self::CredentialsJson,
        Self::JsonDocument,
        Self::Base64,
        Self::TextBefore,
        Self::TextAfter,
        Self::Masked,
        Self::OtherPrefix,
        Self::Quotes,
        Self::WhiteSpaceAround,
        Self::LineBreakAround,
        Self::LineBreak,
        Self::WhiteSpaceInside,
        Self::ForeignCharacter,
        Self::WrappedLine,
        Self::DroppedCharacter,
    ];

    /// Returns the next step, in whole sentences.
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
                "Do not take the access token out of the file: it lives for hours. Run \
                 `claude setup-token` in a terminal of 300 columns and store the token that it \
                 prints."
            }
            Self::Base64 => "Decode it (`base64 -d`) and store the result.",
            Self::TextBefore => {
                "Store the token alone, without a variable's name, `Bearer` or other text before \
                 it."
            }
            Self::TextAfter => "Store the token alone, up to the first space or line break.",
            Self::Masked => {
                "Store the token whole, as `claude setup-token` printed it. If only the shortened \
                 form is left, mint again: nothing can show a token a second time."
            }
            Self::Quotes => "Store the token again without the quotes.",
            Self::WhiteSpaceAround => "Store the token again without the white space.",
            Self::LineBreakAround => {
                "Store the token again without the line break. `echo` and most editors end their \
                 output with one, and `vault kv patch` takes a file or its input as it is; \
                 `printf %s` adds none."
            }
            Self::LineBreak | Self::WhiteSpaceInside => {
                "A terminal wrapped the token. Do not join the parts, a character may be lost \
                 between them: widen the terminal to 300 columns, run `claude setup-token` again \
                 and store what it prints."
            }
            Self::ForeignCharacter => {
                "A token has only letters, digits, `_` and `-` after its prefix. Look for a colour \
                 code of a terminal, punctuation or an invisible character that was copied along."
            }
            Self::WrappedLine | Self::DroppedCharacter => MINT_AGAIN,
        }
    }
}

//! Why a place holds no usable token, as a fact that state and private data can keep.

use serde::{Deserialize, Serialize};

use super::{Content, Observed};
use crate::token::check::Malformed;
use crate::token::expiry::Status;
use crate::token::fingerprint::Fingerprint;

/// Why a place holds no usable token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::provider) enum Unusable {
    /// The secret does not exist.
    Absent,
    /// The secret does not exist, but a folder with its path does.
    Folder,
    /// This version of the secret was deleted.
    Deleted(u64),
    /// This version of the secret was destroyed.
    Destroyed(u64),
    /// The secret has no such field.
    NoField,
    /// The field is empty.
    Empty,
    /// The field holds JSON of this kind.
    NotText(String),
    /// The field holds text that is not a token.
    Malformed(Malformed),
}

impl Unusable {
    /// Judges what was read; `None` if the place holds a token.
    pub(in crate::provider) fn at(
        observed: &Observed,
        field: &str,
        recorded: Option<&Fingerprint>,
    ) -> Option<Self> {
        match observed {
            Observed::Present(document) => Self::of(document.field(field, recorded)),
            Observed::Deleted(gone) => Some(Self::Deleted(gone.version)),
            Observed::Destroyed(gone) => Some(Self::Destroyed(gone.version)),
            Observed::Absent => Some(Self::Absent),
        }
    }

    /// Judges what a field holds; `None` if that is a token.
    pub(in crate::provider) fn of(content: Content) -> Option<Self> {
        match content {
            Content::Token { .. } => None,
            Content::Missing => Some(Self::NoField),
            Content::Empty => Some(Self::Empty),
            Content::NotText(kind) => Some(Self::NotText(kind.to_owned())),
            Content::Malformed(malformed) => Some(Self::Malformed(malformed)),
        }
    }

    /// Returns whether the secret itself is gone, so that nothing may be written over it.
    pub(in crate::provider) fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::Absent | Self::Folder | Self::Deleted(_) | Self::Destroyed(_)
        )
    }

    /// Returns the status that follows.
    pub(in crate::provider) fn status(&self) -> Status {
        match self {
            Self::Absent
            | Self::Folder
            | Self::Deleted(_)
            | Self::Destroyed(_)
            | Self::NoField
            | Self::Empty => Status::Missing,
            Self::NotText(_) | Self::Malformed(_) => Status::Malformed,
        }
    }
}

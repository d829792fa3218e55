//! Why a value could not be read or written.

use super::number::NumberError;
use super::path::{AttributePath, Step};
use super::ty::MAX_DEPTH;

/// A value does not fit its type, or its bytes do not encode one.
///
/// Reports where and why, and never quotes the value. Below a sensitive or write-only attribute,
/// the path has no map keys either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", place(.path))]
pub struct CodecError {
    /// The part of the value that is invalid; empty for the whole value.
    pub path: AttributePath,
    /// What is wrong with it.
    pub reason: CodecErrorKind,
}

/// What is wrong with a value or its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecErrorKind {
    /// The value has another type. The text is the required type.
    #[error("{0} is required")]
    Required(&'static str),
    /// The object lacks the attribute at the path.
    #[error("the attribute is missing")]
    MissingAttribute,
    /// The object has an attribute that its type does not have.
    #[error("an attribute that the type does not have")]
    UnsupportedAttribute,
    /// An attribute or a key occurs twice.
    #[error("a key comes twice")]
    RepeatedKey,
    /// The tuple has another length.
    #[error("a tuple of {0} elements is required")]
    TupleLength(usize),
    /// The number cannot be read.
    #[error("a number is required: {0}")]
    Number(NumberError),
    /// The type of a dynamic value cannot be read.
    #[error("the type of the dynamic value is not a type constraint")]
    TypeConstraint,
    /// A secret is in an attribute that hosts would show and store in the clear.
    #[error("a secret is not allowed in an attribute that is neither sensitive nor write-only")]
    SecretInClear,
    /// Text is not UTF-8.
    #[error("the text is not UTF-8")]
    Utf8,
    /// The bytes end before the value does.
    #[error("the encoding ends too early")]
    Truncated,
    /// More bytes follow the value.
    #[error("bytes follow after the value")]
    Trailing,
    /// The bytes are not JSON.
    #[error("the text is not JSON")]
    Json,
    /// The value is nested too deeply.
    #[error("nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// A text or a collection is longer than the encoding allows.
    #[error("too long to encode")]
    TooLong,
}

impl CodecErrorKind {
    /// Creates the error for the current value. Callers add its location with
    /// [`CodecError::below`].
    pub(super) fn here(self) -> CodecError {
        CodecError {
            path: AttributePath::new(),
            reason: self,
        }
    }

    /// Creates the error for an attribute of the current object.
    pub(super) fn at_attribute(self, name: &str) -> CodecError {
        CodecError {
            path: AttributePath::attribute(name),
            reason: self,
        }
    }
}

impl CodecError {
    /// Moves the error one step below the current value.
    pub(super) fn below(self, step: Step) -> Self {
        Self {
            path: self.path.below(step),
            ..self
        }
    }
}

/// Writes the location before a reason, or nothing for the whole value.
pub(super) fn place(path: &AttributePath) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_says_where_and_why() {
        let error = CodecErrorKind::Required("a string").here();
        assert_eq!(error.to_string(), "a string is required");
        let nested = error
            .below(Step::Attribute("status".into()))
            .below(Step::Key("a".into()))
            .below(Step::Attribute("spares".into()));
        assert_eq!(
            nested.to_string(),
            r#"spares["a"].status: a string is required"#
        );
    }
}

//! Paths and texts in the argument, and the error about a part of it.

use crate::protocol::{AttributePath, Diagnostic, Text, Type};
use crate::sdk::{Dynamic, Field};

/// Name of the parameter.
pub(super) const PARAMETER: &str = "spec";

/// Returns the path of an attribute of the argument.
pub(super) fn place(attribute: &str) -> AttributePath {
    AttributePath::attribute(PARAMETER).then_attribute(attribute)
}

/// Makes the error about a part of the argument. It quotes no value.
pub(super) fn invalid(path: AttributePath, detail: impl Into<Text>) -> Diagnostic {
    Diagnostic::error("Invalid spec", detail).at(path)
}

/// Reads a text that is not null.
pub(super) fn text(value: &Dynamic, path: AttributePath) -> Result<Field<String>, Diagnostic> {
    match (value.ty(), value.as_str()) {
        (_, Some(text)) => Ok(Field::text(text)),
        (Type::String | Type::Dynamic, None) => Ok(Field::Unknown),
        _ => Err(invalid(path, "A string is required.")),
    }
}

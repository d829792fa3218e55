//! Conversion between wire messages and values.

use super::failure::Diagnostics;
use super::model::Model;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::{Attribute, AttributePath, Diagnostic, Site, Value, wire as codec};

/// The outcome of a call: a response, or why there is none.
pub(super) type Outcome<T> = Result<T, Diagnostics>;

/// Decodes an object with these attributes; null and absent are `None`.
pub(super) fn decode(
    attributes: &[Attribute],
    what: &'static str,
    encoded: Option<&wire::DynamicValue>,
) -> Outcome<Option<Value>> {
    let value = codec::decode_object(encoded, attributes)
        .map_err(|error| vec![undecodable(what, &error.path, &error)])?;
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// Reads a model from a decoded object.
pub(super) fn model<M: Model>(what: &'static str, value: Value) -> Outcome<M> {
    M::from_value(value, &AttributePath::new())
        .map_err(|error| vec![undecodable(what, &error.path, &error)])
}

/// Reports that the host omitted something that it must send.
pub(super) fn missing(what: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Terraform or OpenTofu sent nothing for {what}"),
        "The provider cannot respond without it. Nothing was changed. Please report this with the \
         version of Terraform or OpenTofu.",
    )
}

/// Converts diagnostics to messages.
#[expect(clippy::needless_pass_by_value, reason = "diagnostics end here")]
pub(super) fn to_wire(diagnostics: Diagnostics, site: &Site) -> Vec<wire::Diagnostic> {
    let encode = |diagnostic| codec::encode_diagnostic(diagnostic, site);
    diagnostics.iter().map(encode).collect()
}

/// Converts a value that cannot be decoded to a diagnostic on its attribute.
pub(super) fn undecodable(
    what: &str,
    path: &AttributePath,
    error: &(dyn std::error::Error + 'static),
) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot decode {what}"),
        format!(
            "{error}. Terraform or OpenTofu and this provider disagree on the schema. Check that \
             only one version of the provider is in use. If so, please report this."
        ),
    )
    .at(path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CodecError, CodecErrorKind};

    #[test]
    fn what_cannot_be_decoded_is_told_with_its_place() {
        let path = AttributePath::attribute("size");
        let error = CodecError {
            path: path.clone(),
            reason: CodecErrorKind::Required("a number"),
        };
        let diagnostic = undecodable("the state", &path, &error);
        assert_eq!(diagnostic.summary, "Cannot decode the state");
        assert!(
            diagnostic
                .detail
                .to_string()
                .starts_with("size: a number is required. ")
        );
        assert_eq!(diagnostic.path, Some(path));
    }
}

//! Signatures of functions.

use super::generated::tfplugin6 as wire;
use super::schema::{Attribute, Mode};
use super::ty::Type;

/// The parameters and the result of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The parameters in order. A required one does not accept null; an optional one does. Texts in
    /// a sensitive one decode to secrets, which is not part of the wire signature.
    pub parameters: Vec<Attribute>,
    /// Whether arguments may be unknown. Otherwise, hosts return unknown without a call.
    pub takes_unknown: bool,
    /// The type of the result.
    pub result: Type,
    /// What it does, in one sentence.
    pub summary: String,
    /// What it does, in Markdown.
    pub description: String,
}

impl From<&Signature> for wire::Function {
    fn from(signature: &Signature) -> Self {
        let parameters = signature.parameters.iter();
        Self {
            parameters: parameters
                .map(|parameter| wire::function::Parameter {
                    name: parameter.name.clone().into_owned(),
                    r#type: parameter.implied_type().to_json(),
                    allow_null_value: parameter.mode != Mode::Required,
                    allow_unknown_values: signature.takes_unknown,
                    description: parameter.description.clone(),
                    description_kind: wire::StringKind::Markdown.into(),
                })
                .collect(),
            r#return: Some(wire::function::Return {
                r#type: signature.result.to_json(),
            }),
            summary: signature.summary.clone(),
            description: signature.description.clone(),
            description_kind: wire::StringKind::Markdown.into(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_keep_every_flag() {
        let signature = |takes_unknown| Signature {
            parameters: vec![
                Attribute::required("path", Type::String).description("Where."),
                Attribute::optional("any", Type::Dynamic).sensitive(),
            ],
            takes_unknown,
            result: Type::list(Type::String),
            summary: "Short.".into(),
            description: "Long.".into(),
        };
        let message = wire::Function::from(&signature(true));
        let [path, any] = message.parameters.as_slice() else {
            panic!("two parameters");
        };
        assert_eq!(path.r#type, br#""string""#);
        assert_eq!(any.r#type, br#""dynamic""#);
        assert_eq!(path.description, "Where.");
        assert_eq!(path.description_kind(), wire::StringKind::Markdown);
        assert!(!path.allow_null_value && any.allow_null_value);
        assert!(path.allow_unknown_values && any.allow_unknown_values);
        assert_eq!(message.r#return.unwrap().r#type, br#"["list","string"]"#);
        assert_eq!(message.variadic_parameter, None);
        assert_eq!(
            (message.summary.as_str(), message.description.as_str()),
            ("Short.", "Long.")
        );
        let strict = wire::Function::from(&signature(false));
        assert!(
            strict
                .parameters
                .iter()
                .all(|one| !one.allow_unknown_values)
        );
    }
}

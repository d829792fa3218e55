//! Conversion between our types and the protocol's messages.

use super::diagnostic::{Diagnostic, Severity, Site};
use super::error::CodecError;
use super::generated::tfplugin6 as wire;
use super::path::{AttributePath, Step};
use super::schema::{Attribute, Kind, Mode, Nesting, Schema};
use super::ty::Type;
use super::value::Value;
use super::{json, msgpack};

/// Reads the object that a message carries, from MessagePack or else from JSON. A message that is
/// absent or has neither is null.
///
/// # Errors
///
/// [`CodecError`] if the encoding is invalid or does not hold such an object.
pub fn decode_object(
    message: Option<&wire::DynamicValue>,
    attributes: &[Attribute],
) -> Result<Value, CodecError> {
    decode_with(
        message,
        |bytes| msgpack::decode_object(attributes, bytes),
        |text| json::decode_object(attributes, text),
    )
}

/// Reads the value of one attribute that a message carries, from MessagePack or else from JSON. A
/// message that is absent or has neither is null.
///
/// # Errors
///
/// [`CodecError`] if the encoding is invalid or holds a value of another type.
pub fn decode_attribute(
    message: Option<&wire::DynamicValue>,
    attribute: &Attribute,
) -> Result<Value, CodecError> {
    decode_with(
        message,
        |bytes| msgpack::decode_attribute(attribute, bytes),
        |text| json::decode_attribute(attribute, text),
    )
}

/// Writes an object with these attributes into a message.
///
/// # Errors
///
/// Those of [`msgpack::encode_object`].
pub fn encode_object(
    attributes: &[Attribute],
    value: &Value,
) -> Result<wire::DynamicValue, CodecError> {
    msgpack::encode_object(attributes, value).map(carry)
}

/// Writes a value of a type into a message.
///
/// # Errors
///
/// Those of [`msgpack::encode`].
pub fn encode(ty: &Type, value: &Value) -> Result<wire::DynamicValue, CodecError> {
    msgpack::encode(ty, value).map(carry)
}

fn decode_with(
    message: Option<&wire::DynamicValue>,
    from_msgpack: impl FnOnce(&[u8]) -> Result<Value, CodecError>,
    from_json: impl FnOnce(&[u8]) -> Result<Value, CodecError>,
) -> Result<Value, CodecError> {
    match message {
        Some(carrier) if !carrier.msgpack.is_empty() => from_msgpack(&carrier.msgpack),
        Some(carrier) if !carrier.json.is_empty() => from_json(&carrier.json),
        _ => Ok(Value::Null),
    }
}

fn carry(msgpack: Vec<u8>) -> wire::DynamicValue {
    wire::DynamicValue {
        msgpack,
        json: Vec::new(),
    }
}

impl From<&AttributePath> for wire::AttributePath {
    fn from(path: &AttributePath) -> Self {
        use wire::attribute_path::step::Selector;
        let steps = path.steps().iter().map(|step| wire::attribute_path::Step {
            selector: Some(match step {
                Step::Attribute(name) => Selector::AttributeName(name.clone()),
                Step::Key(key) => Selector::ElementKeyString(key.clone()),
                Step::Index(index) => Selector::ElementKeyInt(*index),
            }),
        });
        Self {
            steps: steps.collect(),
        }
    }
}

/// Writes a diagnostic for readers who are outside the provider block. A path to the whole value is
/// omitted, because hosts reject an empty one.
pub fn encode_diagnostic(diagnostic: &Diagnostic, site: &Site) -> wire::Diagnostic {
    let path = diagnostic.path.as_ref().filter(|path| !path.is_empty());
    let (severity, place) = match diagnostic.severity {
        Severity::Error => (wire::diagnostic::Severity::Error, ""),
        Severity::Warning => (wire::diagnostic::Severity::Warning, site.place.as_str()),
    };
    wire::Diagnostic {
        severity: severity.into(),
        summary: printable(&format!("{}{place}", diagnostic.summary)),
        detail: printable(&diagnostic.detail.render(&site.variables)),
        attribute: path.map(Into::into),
    }
}

/// Reports whether a terminal interprets a character as a command or reorders text because of it.
/// Line breaks and tabs are included.
pub fn acts_on_terminals(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes terminal control characters except line breaks and tabs. Hosts print texts unchanged,
/// and some parts come from other systems.
pub fn printable(text: &str) -> String {
    escaped(text, |character| {
        acts_on_terminals(character) && !matches!(character, '\n' | '\t')
    })
}

/// Escapes terminal control characters in a single line of text.
pub fn printable_line(text: &str) -> String {
    escaped(text, acts_on_terminals)
}

fn escaped(text: &str, acts: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

impl From<&Schema> for wire::Schema {
    fn from(schema: &Schema) -> Self {
        Self {
            version: schema.version,
            block: Some(wire::schema::Block {
                version: schema.version,
                attributes: schema.attributes.iter().map(Into::into).collect(),
                description: schema.description.clone(),
                description_kind: wire::StringKind::Markdown.into(),
                ..Default::default()
            }),
        }
    }
}

impl From<&Attribute> for wire::schema::Attribute {
    fn from(attribute: &Attribute) -> Self {
        let (ty, nested_type) = match &attribute.kind {
            Kind::Plain(ty) => (ty.to_json(), None),
            Kind::Nested {
                nesting,
                attributes,
            } => (Vec::new(), Some(nested(*nesting, attributes))),
        };
        Self {
            name: attribute.name.clone().into_owned(),
            r#type: ty,
            nested_type,
            description: attribute.description.clone(),
            description_kind: wire::StringKind::Markdown.into(),
            required: attribute.mode == Mode::Required,
            optional: matches!(attribute.mode, Mode::Optional | Mode::OptionalComputed),
            computed: attribute.mode.is_computed(),
            sensitive: attribute.sensitive,
            write_only: attribute.write_only,
            ..Default::default()
        }
    }
}

fn nested(nesting: Nesting, attributes: &[Attribute]) -> wire::schema::Object {
    use wire::schema::object::NestingMode;
    let mode = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Map => NestingMode::Map,
    };
    wire::schema::Object {
        attributes: attributes.iter().map(Into::into).collect(),
        nesting: mode.into(),
        ..Default::default()
    }
}

/// Describes attributes as those of an identity, in version 0.
pub fn identity_schema(attributes: &[Attribute]) -> wire::ResourceIdentitySchema {
    use wire::resource_identity_schema::IdentityAttribute;
    let attributes = attributes.iter().map(|attribute| IdentityAttribute {
        name: attribute.name.clone().into_owned(),
        r#type: attribute.implied_type().to_json(),
        required_for_import: attribute.mode == Mode::Required,
        optional_for_import: attribute.mode != Mode::Required,
        description: attribute.description.clone(),
    });
    wire::ResourceIdentitySchema {
        version: 0,
        identity_attributes: attributes.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::error::CodecErrorKind;

    #[test]
    fn msgpack_goes_before_json_and_neither_is_null() {
        let message = |msgpack: &[u8], json: &[u8]| wire::DynamicValue {
            msgpack: msgpack.to_vec(),
            json: json.to_vec(),
        };
        let text = Attribute::optional("a", Type::String);
        let read = |message: &wire::DynamicValue| decode_attribute(Some(message), &text);
        assert_eq!(read(&message(b"\xa1m", b"\"j\"")), Ok(Value::from("m")));
        assert_eq!(read(&message(b"", b"\"j\"")), Ok(Value::from("j")));
        assert_eq!(read(&message(b"", b"")), Ok(Value::Null));
        assert_eq!(decode_attribute(None, &text), Ok(Value::Null));
        assert_eq!(decode_object(None, &[]), Ok(Value::Null));
    }

    #[test]
    fn answers_are_msgpack() {
        let attributes = [Attribute::computed("a", Type::Bool)];
        let object = Value::object([("a", Value::from(true))]);
        let message = encode_object(&attributes, &object).unwrap();
        assert_eq!(message.msgpack, b"\x81\xa1a\xc3");
        assert!(message.json.is_empty());
        assert_eq!(decode_object(Some(&message), &attributes), Ok(object));
        let wrong = encode(&Type::Bool, &Value::from("x")).unwrap_err();
        assert_eq!(wrong.reason, CodecErrorKind::Required("a bool"));
    }

    #[test]
    fn diagnostics_keep_their_place() {
        use wire::attribute_path::step::Selector;
        let path = AttributePath::attribute("m").then_key("k").then_index(2);
        let message = encode_diagnostic(&Diagnostic::warning("s", "d").at(path), &Site::default());
        assert_eq!(message.severity(), wire::diagnostic::Severity::Warning);
        assert_eq!(
            (message.summary.as_str(), message.detail.as_str()),
            ("s", "d")
        );
        let steps = message.attribute.unwrap().steps;
        let selectors: Vec<_> = steps.into_iter().filter_map(|step| step.selector).collect();
        assert_eq!(
            selectors,
            [
                Selector::AttributeName("m".into()),
                Selector::ElementKeyString("k".into()),
                Selector::ElementKeyInt(2)
            ]
        );
        let whole = Diagnostic::error("s", "").at(AttributePath::new());
        let message = encode_diagnostic(&whole, &Site::default());
        assert_eq!(message.severity(), wire::diagnostic::Severity::Error);
        assert_eq!(message.attribute, None);
    }

    #[test]
    fn nothing_in_a_diagnostic_acts_on_a_terminal() {
        let diagnostic = Diagnostic::error("a\u{1b}[2J\u{7}b", "é\r\u{9b}1m\u{202e}txt\n\tend");
        let message = encode_diagnostic(&diagnostic, &Site::default());
        assert_eq!(message.summary, "a\\u{1b}[2J\\u{7}b");
        assert_eq!(message.detail, "é\\u{d}\\u{9b}1m\\u{202e}txt\n\tend");
    }

    #[test]
    fn schemas_keep_every_flag() {
        let schema = Schema {
            version: 3,
            attributes: vec![
                Attribute::required("path", Type::String)
                    .description("Where.")
                    .replaces(),
                Attribute::optional("token_wo", Type::String).write_only(),
                Attribute::optional_computed("field", Type::String),
                Attribute::computed(
                    "spares",
                    Kind::nested(Nesting::Map, [Attribute::computed("n", Type::Number)]),
                )
                .sensitive(),
            ],
            description: "All.".into(),
        };
        let message = wire::Schema::from(&schema);
        assert_eq!(message.version, 3);
        let block = message.block.unwrap();
        assert_eq!(block.description_kind(), wire::StringKind::Markdown);
        assert_eq!(block.description, "All.");
        let [path, token, field, spares] = block.attributes.as_slice() else {
            panic!("four attributes");
        };
        assert_eq!(path.r#type, br#""string""#);
        assert_eq!(
            (path.required, path.optional, path.computed),
            (true, false, false)
        );
        assert_eq!(path.description, "Where.");
        assert!(token.write_only && token.optional && !token.computed && !token.sensitive);
        assert!(field.optional && field.computed && !field.deprecated);
        assert!(spares.sensitive && spares.computed && !spares.optional);
        assert!(spares.r#type.is_empty());
        let nested = spares.nested_type.as_ref().unwrap();
        assert_eq!(nested.nesting(), wire::schema::object::NestingMode::Map);
        assert_eq!(nested.attributes[0].r#type, br#""number""#);
    }

    #[test]
    fn identity_attributes_are_required_or_optional() {
        let message = identity_schema(&[
            Attribute::required("path", Type::String),
            Attribute::optional("mount", Type::String),
        ]);
        let flags: Vec<_> = message
            .identity_attributes
            .iter()
            .map(|part| (part.required_for_import, part.optional_for_import))
            .collect();
        assert_eq!(flags, [(true, false), (false, true)]);
        assert_eq!(message.identity_attributes[0].r#type, br#""string""#);
        assert_eq!(message.version, 0);
    }
}

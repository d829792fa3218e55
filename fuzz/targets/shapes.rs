//! Types and schemas to decode against: one of each kind that the protocol has.

use terraform_provider_claude::protocol::{Attribute, Kind, Nesting, Type, Value};

/// Text that inputs may hold where the schema says that it is secret; no error may repeat it.
pub(crate) const CANARY: &str = "canary";

/// What an input is decoded as.
pub(crate) enum Shape {
    /// A value of a type.
    Of(Type),
    /// An object of a schema.
    Object(Vec<Attribute>),
}

/// Takes the first byte of an input for the number of a shape, and returns what follows it.
pub(crate) fn chosen(input: &[u8]) -> Option<(Shape, &[u8])> {
    let (first, rest) = input.split_first()?;
    let mut shapes = shapes();
    let index = usize::from(*first) % shapes.len();
    Some((shapes.swap_remove(index), rest))
}

fn shapes() -> Vec<Shape> {
    let inner = || {
        vec![
            Attribute::optional("label", Type::String),
            Attribute::optional("secret", Type::String).sensitive(),
            Attribute::computed("count", Type::Number),
        ]
    };
    vec![
        Shape::Of(Type::Dynamic),
        Shape::Of(Type::list(Type::Number)),
        Shape::Of(Type::set(Type::list(Type::String))),
        Shape::Of(Type::map(Type::Dynamic)),
        Shape::Of(Type::Tuple(vec![Type::String, Type::Bool, Type::Number])),
        Shape::Object(vec![
            Attribute::required("path", Type::String),
            Attribute::optional("days", Type::Number),
            Attribute::optional("stamp", Type::Bool),
            Attribute::optional("labels", Type::map(Type::String)),
            Attribute::optional("items", Type::set(Type::String)),
            Attribute::optional("any", Type::Dynamic),
            Attribute::computed("entries", Kind::nested(Nesting::List, inner())),
        ]),
        Shape::Object(vec![
            Attribute::optional("token", Type::String).sensitive(),
            Attribute::optional("token_wo", Type::String).write_only(),
            Attribute::optional("tokens_wo", Type::map(Type::String)).write_only(),
            Attribute::optional("any", Type::Dynamic).sensitive(),
            Attribute::optional("one", Kind::nested(Nesting::Single, inner())).sensitive(),
        ]),
        Shape::Object(vec![
            Attribute::optional("one", Kind::nested(Nesting::Single, inner())),
            Attribute::optional("parts", Kind::nested(Nesting::List, inner())),
            Attribute::optional("slots", Kind::nested(Nesting::Map, inner())),
        ]),
    ]
}

/// Demands that an error says nothing of the input that was secret.
pub(crate) fn assert_silent(shape: &Shape, error: &dyn std::error::Error) {
    // The keys of maps are told, but not below an attribute that is secret as a whole.
    if matches!(shape, Shape::Object(attributes) if attributes.iter().all(Attribute::is_secret)) {
        let text = format!("{error} {error:?}");
        assert!(!text.contains(CANARY), "the error repeats the input");
    }
}

/// Demands that a value, once written, is read back as it was.
///
/// Not every value that is read can be written: a set may name an element twice.
pub(crate) fn assert_reads_back(shape: &Shape, value: &Value) {
    use terraform_provider_claude::protocol::msgpack;
    let written = match shape {
        Shape::Of(ty) => msgpack::encode(ty, value),
        Shape::Object(attributes) => msgpack::encode_object(attributes, value),
    };
    let Ok(bytes) = written else { return };
    let read = match shape {
        Shape::Of(ty) => msgpack::decode(ty, &bytes),
        Shape::Object(attributes) => msgpack::decode_object(attributes, &bytes),
    };
    assert_eq!(read.as_ref(), Ok(value));
}

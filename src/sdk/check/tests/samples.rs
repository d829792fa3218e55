//! One schema with every kind of attribute, for the tests of the rules.

use crate::protocol::{Attribute, Kind, Nesting, Type, Value};

/// Attributes named after their mode and kind.
pub(in crate::sdk::check) fn attributes() -> Vec<Attribute> {
    let inner = || ["label", "seen"].map(|name| Attribute::computed(name, Type::String));
    vec![
        Attribute::computed("id", Type::String),
        Attribute::required("name", Type::String),
        Attribute::optional("note", Type::String),
        Attribute::optional_computed("size", Type::Number),
        Attribute::optional("token_wo", Type::String).write_only(),
        Attribute::optional("items", Type::list(Type::String)),
        Attribute::optional("labels", Type::map(Type::String)),
        Attribute::computed("one", Kind::nested(Nesting::Single, inner())),
        Attribute::computed("parts", Kind::nested(Nesting::List, inner())),
        Attribute::computed("slots", Kind::nested(Nesting::Map, inner())),
    ]
}

/// An object in which every attribute except these is null.
pub(in crate::sdk::check) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let Value::Map(mut object) = Value::null_object(&attributes()) else {
        unreachable!("an object with nulls is a map");
    };
    for (name, value) in members {
        object.insert(name.to_owned(), value);
    }
    Value::Map(object)
}

/// A nested object.
pub(in crate::sdk::check) fn inner(label: impl Into<Value>, seen: impl Into<Value>) -> Value {
    Value::object([("label", label.into()), ("seen", seen.into())])
}

/// A list.
pub(in crate::sdk::check) fn list<const N: usize>(items: [&str; N]) -> Value {
    Value::List(items.into_iter().map(Value::from).collect())
}

/// A map of text.
pub(in crate::sdk::check) fn map<const N: usize>(items: [(&str, &str); N]) -> Value {
    Value::object(items.map(|(key, item)| (key, Value::from(item))))
}

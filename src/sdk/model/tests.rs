//! Models built by the macros: their schema and both conversions.

use super::*;
use crate::protocol::{CodecErrorKind, Mode, wire as codec};
use crate::sdk::Field;

object! {
    /// Wire names that are not Rust names.
    struct Entry {
        secret_key as "secretKey": String;
        flags as "flags": Vec<bool>;
    }
}

model! {
    /// One attribute of each kind.
    struct Thing {
        name: String = required(replaces) "The name.";
        size: i64 = optional_computed() "The size.";
        ratio: Number = optional() "The ratio.";
        token_wo: Secret = optional(write_only) "The token.";
        password: Secret = optional(sensitive) "The password.";
        tags: BTreeMap<String, String> = optional() "The tags.";
        open: Vec<Field<String>> = optional() "Texts, some unknown.";
        entries: Vec<Entry> = computed() "The entries.";
        one: Part = optional() "One part.";
        parts: Vec<Part> = optional() "Parts in a list.";
        slots: BTreeMap<String, Part> = optional() "Parts by key.";
    }
}

model! {
    /// Nested attributes.
    struct Part {
        label: String = optional() "The label.";
        ready: bool = computed() "Whether it is ready.";
    }
}

fn full() -> Thing {
    let part = || Part {
        label: Field::text("l"),
        ready: Field::Unknown,
    };
    Thing {
        name: Field::text("n"),
        size: Field::Known(-3),
        ratio: Field::Known(Number::parse("0.1").unwrap()),
        token_wo: Field::Known(Secret::new("t")),
        password: Field::Known(Secret::new("p")),
        tags: Field::Known([("k".to_owned(), "v".to_owned())].into()),
        open: Field::Known(vec![Field::text("a"), Field::Unknown, Field::Null]),
        entries: Field::Known(vec![Entry {
            secret_key: Field::text("s"),
            flags: Field::Known(vec![true]),
        }]),
        one: Field::Known(part()),
        parts: Field::Known(vec![part()]),
        slots: Field::Known([("s".to_owned(), part())].into()),
    }
}

fn read(value: Value) -> Result<Thing, ModelError> {
    Thing::from_value(value, &AttributePath::new())
}

/// Reads a thing in which one attribute has this value and all others are null, and returns the
/// error.
fn refused(name: &str, value: Value) -> String {
    read(Value::object([(name, value)]))
        .unwrap_err()
        .to_string()
}

#[test]
fn a_model_survives_the_way_over_the_wire() {
    for thing in [full(), Thing::default()] {
        let attributes = Thing::attributes();
        let sent = codec::encode_object(&attributes, &thing.clone().into_value()).unwrap();
        let received = codec::decode_object(Some(&sent), &attributes).unwrap();
        assert_eq!(read(received), Ok(thing));
    }
}

#[test]
fn the_schema_is_what_was_declared() {
    let attributes = Thing::attributes();
    let names: Vec<_> = attributes.iter().map(|one| one.name.as_ref()).collect();
    assert_eq!(
        names,
        [
            "name", "size", "ratio", "token_wo", "password", "tags", "open", "entries", "one",
            "parts", "slots"
        ]
    );
    let find = |name: &str| attributes.iter().find(|one| one.name == name).unwrap();
    let name = find("name");
    assert_eq!((name.mode, name.replaces), (Mode::Required, true));
    assert_eq!(name.description, "The name.");
    assert_eq!(name.kind, Kind::Plain(Type::String));
    assert_eq!(find("size").mode, Mode::OptionalComputed);
    assert_eq!(find("size").kind, Kind::Plain(Type::Number));
    assert!(find("token_wo").write_only && !find("token_wo").sensitive);
    assert!(find("password").sensitive && !find("password").write_only);
    assert_eq!(find("tags").kind, Kind::Plain(Type::map(Type::String)));
    assert_eq!(find("open").kind, Kind::Plain(Type::list(Type::String)));
    assert_eq!(find("entries").mode, Mode::Computed);
    let entry = Type::object([
        ("secretKey", Type::String),
        ("flags", Type::list(Type::Bool)),
    ]);
    assert_eq!(find("entries").kind, Kind::Plain(Type::list(entry)));
    let part = Part::attributes();
    assert_eq!(
        find("one").kind,
        Kind::nested(Nesting::Single, part.clone())
    );
    assert_eq!(
        find("parts").kind,
        Kind::nested(Nesting::List, part.clone())
    );
    assert_eq!(find("slots").kind, Kind::nested(Nesting::Map, part));
}

#[test]
fn a_missing_attribute_is_null() {
    assert_eq!(read(Value::object::<String>([])), Ok(Thing::default()));
}

#[test]
fn an_object_is_no_other_value() {
    for value in [Value::Null, Value::Unknown, Value::from("x")] {
        let error = read(value).unwrap_err();
        assert_eq!((error.path.is_empty(), error.expected), (true, "an object"));
    }
}

#[test]
fn a_value_of_another_type_is_an_error_at_its_place() {
    let text = || Value::from("x");
    for (name, value, expected) in [
        ("name", Value::from(true), "name: a string is required"),
        ("size", text(), "size: a whole number is required"),
        ("ratio", text(), "ratio: a number is required"),
        ("token_wo", Value::from(1), "token_wo: a string is required"),
        ("tags", text(), "tags: a map is required"),
        (
            "tags",
            Value::object([("k", Value::Null)]),
            "tags[\"k\"]: a string is required",
        ),
        ("open", text(), "open: a list is required"),
        (
            "open",
            Value::List(vec![text(), true.into()]),
            "open[1]: a string is required",
        ),
        (
            "entries",
            Value::List(vec![Value::object([("secretKey", Value::from(1))])]),
            "entries[0].secretKey: a string is required",
        ),
        ("one", text(), "one: an object is required"),
        (
            "slots",
            Value::object([("s", Value::object([("ready", text())]))]),
            "slots[\"s\"].ready: a bool is required",
        ),
    ] {
        assert_eq!(refused(name, value), expected);
    }
}

#[test]
fn a_whole_number_has_no_fraction_and_fits() {
    for text in ["1.5", "9223372036854775808"] {
        let number = Value::Number(Number::parse(text).unwrap());
        assert_eq!(refused("size", number), "size: a whole number is required");
    }
}

#[test]
fn a_secret_is_read_from_either_text_and_never_written_in_the_clear() {
    let path = AttributePath::new();
    for value in [Value::from("s"), Value::Secret(Secret::new("s"))] {
        assert_eq!(Secret::from_value(value, &path), Ok(Secret::new("s")));
    }
    let open = [Attribute::optional("name", Type::String)];
    let value = Value::object([("name", Secret::new("s").into_value())]);
    let error = codec::encode_object(&open, &value).unwrap_err();
    assert_eq!(error.reason, CodecErrorKind::SecretInClear);
}

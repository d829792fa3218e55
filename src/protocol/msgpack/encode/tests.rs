use super::*;
use crate::protocol::msgpack::{encode, encode_object};
use crate::protocol::number::Number;
use crate::protocol::path::AttributePath;
use crate::protocol::schema::{Attribute, Kind, Nesting};
use crate::protocol::ty::Type;
use crate::secret::Secret;

fn bytes(ty: &Type, value: impl Into<Value>) -> Vec<u8> {
    encode(ty, &value.into()).unwrap()
}

fn number(text: &str) -> Value {
    Value::Number(Number::parse(text).unwrap())
}

#[test]
fn null_and_unknown_are_the_same_for_every_type() {
    for ty in [
        Type::String,
        Type::Number,
        Type::Bool,
        Type::Dynamic,
        Type::list(Type::String),
        Type::set(Type::String),
        Type::map(Type::String),
        Type::object([("a", Type::String)]),
        Type::Tuple(vec![Type::String]),
    ] {
        assert_eq!(bytes(&ty, Value::Null), [0xc0]);
        assert_eq!(bytes(&ty, Value::Unknown), [0xd4, 0, 0]);
    }
}

#[test]
fn primitives() {
    assert_eq!(bytes(&Type::String, "hi"), b"\xa2hi");
    assert_eq!(bytes(&Type::String, "a".repeat(32))[..2], [0xd9, 32]);
    assert_eq!(bytes(&Type::Bool, true), [0xc3]);
    assert_eq!(bytes(&Type::Bool, false), [0xc2]);
}

#[test]
fn numbers_are_decimal_text() {
    for (value, text) in [
        (number("3"), "3"),
        (number("-7"), "-7"),
        (number("1.5"), "1.5"),
        (number("0.1"), "0.1"),
        (Value::from(i64::MAX), "9223372036854775807"),
        (number("12345678901234567890"), "12345678901234567890"),
        (number("1e30"), "1000000000000000000000000000000"),
    ] {
        let written = bytes(&Type::Number, value);
        assert_eq!(usize::from(written[0] - 0xa0), text.len());
        assert_eq!(&written[1..], text.as_bytes());
    }
}

#[test]
fn collections() {
    let pair = || Value::List(vec![Value::from("a"), Value::from("b")]);
    assert_eq!(bytes(&Type::list(Type::String), pair()), b"\x92\xa1a\xa1b");
    assert_eq!(bytes(&Type::set(Type::String), pair()), b"\x92\xa1a\xa1b");
    assert_eq!(
        bytes(&Type::list(Type::String), Value::List(Vec::new())),
        [0x90]
    );
    assert_eq!(
        bytes(
            &Type::map(Type::Bool),
            Value::object([("k", Value::from(true))])
        ),
        b"\x81\xa1k\xc3"
    );
    assert_eq!(
        bytes(
            &Type::Tuple(vec![Type::String, Type::Bool]),
            Value::List(vec![Value::from("a"), Value::Null])
        ),
        b"\x92\xa1a\xc0"
    );
}

#[test]
fn objects_have_every_attribute() {
    let ty = Type::object([("b", Type::Bool), ("a", Type::String)]);
    let whole = Value::object([("a", Value::from("x")), ("b", Value::Null)]);
    assert_eq!(bytes(&ty, whole), b"\x82\xa1a\xa1x\xa1b\xc0");
    let part = encode(&ty, &Value::object([("a", Value::from("x"))])).unwrap_err();
    assert_eq!(part, CodecErrorKind::MissingAttribute.at_attribute("b"));
    let more = Value::object([("a", Value::Null), ("b", Value::Null), ("c", Value::Null)]);
    assert_eq!(
        encode(&ty, &more),
        Err(CodecErrorKind::UnsupportedAttribute.here())
    );
}

#[test]
fn dynamic_values_bring_their_type() {
    let typed = |ty, inner| Value::Dynamic(ty, Box::new(inner));
    assert_eq!(
        bytes(&Type::Dynamic, typed(Type::String, Value::from("x"))),
        b"\x92\xc4\x08\"string\"\xa1x"
    );
    assert_eq!(
        bytes(&Type::Dynamic, typed(Type::Bool, Value::Null)),
        b"\x92\xc4\x06\"bool\"\xc0"
    );
    assert_eq!(
        bytes(&Type::Dynamic, typed(Type::Bool, Value::Unknown)),
        b"\x92\xc4\x06\"bool\"\xd4\x00\x00"
    );
    assert_eq!(
        bytes(
            &Type::Dynamic,
            typed(Type::Tuple(Vec::new()), Value::List(Vec::new()))
        ),
        b"\x92\xc4\x0c[\"tuple\",[]]\x90"
    );
}

#[test]
fn secrets_go_where_they_are_declared() {
    let secret = || Value::Secret(Secret::new("canary"));
    let attributes = [
        Attribute::optional("token", Type::String).sensitive(),
        Attribute::optional("by_path", Type::map(Type::String)).write_only(),
    ];
    let object = Value::object([
        ("token", secret()),
        ("by_path", Value::object([("p", secret())])),
    ]);
    assert_eq!(
        encode_object(&attributes, &object).unwrap(),
        b"\x82\xa5token\xa6canary\xa7by_path\x81\xa1p\xa6canary"
    );

    let open = [Attribute::optional("token", Type::String)];
    let error = encode_object(&open, &Value::object([("token", secret())])).unwrap_err();
    assert_eq!(error, CodecErrorKind::SecretInClear.at_attribute("token"));
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn errors_name_the_part() {
    let attributes = [Attribute::computed(
        "spares",
        Kind::nested(
            Nesting::Map,
            [Attribute::computed("days", Type::list(Type::Number))],
        ),
    )];
    let days = Value::List(vec![Value::from(1), Value::from("canary")]);
    let object = Value::object([(
        "spares",
        Value::object([("a", Value::object([("days", days)]))]),
    )]);
    let error = encode_object(&attributes, &object).unwrap_err();
    let path = AttributePath::attribute("spares")
        .then_key("a")
        .then_attribute("days")
        .then_index(1);
    assert_eq!(error.path, path);
    assert_eq!(
        error.to_string(),
        r#"spares["a"].days[1]: a number is required"#
    );
}

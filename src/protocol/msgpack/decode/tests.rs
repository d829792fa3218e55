use super::*;
use crate::protocol::msgpack::{decode, decode_object};
use crate::protocol::schema::{Attribute, Kind, Nesting};

fn number(text: &str) -> Value {
    Value::Number(Number::parse(text).unwrap())
}

fn refused(ty: &Type, bytes: &[u8]) -> CodecErrorKind {
    decode(ty, bytes).unwrap_err().reason
}

#[test]
fn numbers_come_in_many_forms() {
    for (bytes, text) in [
        (&b"\x03"[..], "3"),
        (b"\xff", "-1"),
        (b"\xcc\xff", "255"),
        (b"\xcd\x01\x00", "256"),
        (b"\xce\x00\x01\x00\x00", "65536"),
        (b"\xcf\x00\x20\x00\x00\x00\x00\x00\x01", "9007199254740993"),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            "18446744073709551615",
        ),
        (b"\xd0\x80", "-128"),
        (b"\xd1\x80\x00", "-32768"),
        (b"\xd2\x80\x00\x00\x00", "-2147483648"),
        (
            b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
            "-9223372036854775808",
        ),
        (b"\xca\x3f\xc0\x00\x00", "1.5"),
        (b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "1.5"),
        (b"\xa30.1", "0.1"),
        (b"\xb412345678901234567890", "12345678901234567890"),
        (
            b"\xbf1000000000000000000000000000000",
            "1000000000000000000000000000000",
        ),
    ] {
        assert_eq!(decode(&Type::Number, bytes), Ok(number(text)), "{text}");
    }
    let infinite = b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00";
    assert_eq!(
        refused(&Type::Number, infinite),
        CodecErrorKind::Number(NumberError::NotFinite)
    );
    assert_eq!(
        refused(&Type::Number, b"\xa3abc"),
        CodecErrorKind::Number(NumberError::Syntax)
    );
    assert_eq!(
        refused(&Type::Number, b"\xc3"),
        CodecErrorKind::Required("a number")
    );
    assert_eq!(
        refused(&Type::Number, b"\xcd\x01"),
        CodecErrorKind::Truncated
    );
}

#[test]
fn every_extension_is_unknown() {
    let prefix_refinement = b"\xc7\x06\x0c\x82\x01\xc2\x02\xa1a";
    for bytes in [
        &b"\xd4\x00\x00"[..],
        b"\xd4\x01\x07",
        b"\xd5\x0c\x81\x01",
        b"\xd6\x0c\x81\x01\xc2\x00",
        b"\xd7\x00\x01\x02\x03\x04\x05\x06\x07\x08",
        b"\xd8\x00\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08",
        b"\xc7\x00\x01",
        b"\xc8\x00\x03\x0c\x81\x01\xc2",
        b"\xc9\x00\x00\x00\x03\x0c\x81\x01\xc2",
        prefix_refinement,
    ] {
        for ty in [
            Type::String,
            Type::Dynamic,
            Type::object([("a", Type::Bool)]),
        ] {
            assert_eq!(decode(&ty, bytes), Ok(Value::Unknown), "{bytes:x?}");
        }
    }
    assert_eq!(
        refused(&Type::String, b"\xd4\x00"),
        CodecErrorKind::Truncated
    );
    assert_eq!(
        refused(&Type::String, b"\xc7\xff\x0c"),
        CodecErrorKind::Truncated
    );
}

#[test]
fn null_is_null_of_any_type() {
    for ty in [Type::String, Type::Dynamic, Type::list(Type::Bool)] {
        assert_eq!(decode(&ty, b"\xc0"), Ok(Value::Null));
    }
}

#[test]
fn objects_have_every_attribute_in_any_order() {
    let ty = Type::object([("a", Type::String), ("b", Type::Bool)]);
    let expected = Value::object([("a", Value::from("x")), ("b", Value::Null)]);
    assert_eq!(
        decode(&ty, b"\x82\xa1a\xa1x\xa1b\xc0"),
        Ok(expected.clone())
    );
    assert_eq!(decode(&ty, b"\x82\xa1b\xc0\xa1a\xa1x"), Ok(expected));
    let missing = decode(&ty, b"\x81\xa1a\xa1x").unwrap_err();
    assert_eq!(missing, CodecErrorKind::MissingAttribute.at_attribute("b"));
    let empty = decode(&ty, b"\x80").unwrap_err();
    assert_eq!(empty, CodecErrorKind::MissingAttribute.at_attribute("a"));
    let other = decode(&ty, b"\x83\xa1a\xc0\xa1b\xc0\xa1c\xc0").unwrap_err();
    assert_eq!(other, CodecErrorKind::UnsupportedAttribute.here());
    let twice = decode(&ty, b"\x82\xa1a\xc0\xa1a\xc0").unwrap_err();
    assert_eq!(twice, CodecErrorKind::RepeatedKey.at_attribute("a"));
    assert_eq!(
        decode(&Type::Object(BTreeMap::new()), b"\x80"),
        Ok(Value::Map(BTreeMap::new()))
    );
}

#[test]
fn maps_have_no_key_twice() {
    let ty = Type::map(Type::Bool);
    assert_eq!(
        refused(&ty, b"\x82\xa1k\xc3\xa1k\xc2"),
        CodecErrorKind::RepeatedKey
    );
    assert_eq!(
        refused(&ty, b"\x81\x01\xc3"),
        CodecErrorKind::Required("a string")
    );
}

#[test]
fn tuples_have_their_length() {
    let ty = Type::Tuple(vec![Type::String, Type::Bool]);
    assert_eq!(
        decode(&ty, b"\x92\xa1a\xc3"),
        Ok(Value::List(vec![Value::from("a"), Value::from(true)]))
    );
    assert_eq!(refused(&ty, b"\x91\xa1a"), CodecErrorKind::TupleLength(2));
}

#[test]
fn dynamic_values_bring_their_type() {
    let text = Value::Dynamic(Type::String, Box::new(Value::from("x")));
    assert_eq!(
        decode(&Type::Dynamic, b"\x92\xc4\x08\"string\"\xa1x"),
        Ok(text)
    );
    let untyped = refused(&Type::Dynamic, b"\x92\xc4\x04text\xa1x");
    assert_eq!(untyped, CodecErrorKind::TypeConstraint);
    assert_eq!(
        refused(&Type::Dynamic, b"\xa1x"),
        CodecErrorKind::Required("a value with its type")
    );
    assert_eq!(
        refused(&Type::Dynamic, b"\x93\xc4\x08\"string\"\xa1x\xc0"),
        CodecErrorKind::Required("a value with its type")
    );
}

#[test]
fn bytes_that_are_no_value_are_refused() {
    assert_eq!(refused(&Type::String, b""), CodecErrorKind::Truncated);
    assert_eq!(refused(&Type::String, b"\xa2h"), CodecErrorKind::Truncated);
    assert_eq!(
        refused(&Type::String, b"\xa1h\xc0"),
        CodecErrorKind::Trailing
    );
    assert_eq!(refused(&Type::String, b"\xa1\xff"), CodecErrorKind::Utf8);
    assert_eq!(
        refused(&Type::String, b"\xc4\x01h"),
        CodecErrorKind::Required("a string")
    );
    assert_eq!(
        refused(&Type::String, b"\xc1"),
        CodecErrorKind::Required("a string")
    );
    assert_eq!(
        refused(&Type::Bool, b"\x01"),
        CodecErrorKind::Required("a bool")
    );
}

#[test]
fn a_length_alone_allocates_nothing() {
    let list = Type::list(Type::String);
    assert_eq!(
        refused(&list, b"\xdd\xff\xff\xff\xff"),
        CodecErrorKind::Truncated
    );
    let map = Type::map(Type::String);
    assert_eq!(
        refused(&map, b"\xdf\xff\xff\xff\xff"),
        CodecErrorKind::Truncated
    );
    assert_eq!(
        refused(&Type::String, b"\xdb\xff\xff\xff\xff"),
        CodecErrorKind::Truncated
    );
}

#[test]
fn depth_is_bounded() {
    let level = b"\x92\xc4\x09\"dynamic\"";
    let mut bytes = level.repeat(1000);
    bytes.push(0xc0);
    assert_eq!(refused(&Type::Dynamic, &bytes), CodecErrorKind::TooDeep);
}

#[test]
fn texts_of_sensitive_and_write_only_attributes_are_secrets() {
    let attributes = [
        Attribute::optional("open", Type::String),
        Attribute::optional("token", Type::String).sensitive(),
        Attribute::optional("by_path", Type::map(Type::String)).write_only(),
        Attribute::optional(
            "login",
            Kind::nested(
                Nesting::Single,
                [
                    Attribute::required("role", Type::String),
                    Attribute::required("jwt", Type::String).sensitive(),
                ],
            ),
        ),
        Attribute::optional("any", Type::Dynamic).sensitive(),
    ];
    let bytes = b"\x85\xa4open\xa1o\xa5token\xa1t\xa7by_path\x81\xa1p\xa1w\
        \xa5login\x82\xa4role\xa1r\xa3jwt\xa1j\xa3any\x92\xc4\x08\"string\"\xa1d";
    let secret = |text: &str| Value::Secret(Secret::new(text));
    assert_eq!(
        decode_object(&attributes, bytes),
        Ok(Value::object([
            ("open", Value::from("o")),
            ("token", secret("t")),
            ("by_path", Value::object([("p", secret("w"))])),
            (
                "login",
                Value::object([("role", Value::from("r")), ("jwt", secret("j"))])
            ),
            ("any", Value::Dynamic(Type::String, Box::new(secret("d")))),
        ]))
    );
}

#[test]
fn errors_name_the_part_and_not_the_value() {
    let attributes = [Attribute::computed(
        "spares",
        Kind::nested(
            Nesting::Map,
            [Attribute::computed("days", Type::list(Type::Number))],
        ),
    )];
    let bytes = b"\x81\xa6spares\x81\xa1a\x81\xa4days\x92\x01\xa6canary";
    let error = decode_object(&attributes, bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"spares["a"].days[1]: a number is required: not a decimal number"#
    );
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn errors_below_a_secret_name_no_key() {
    let attributes = [Attribute::optional("tokens", Type::map(Type::String)).write_only()];
    let error = decode_object(&attributes, b"\x81\xa6tokens\x81\xa6canary\x01").unwrap_err();
    assert_eq!(
        error,
        CodecErrorKind::Required("a string").at_attribute("tokens")
    );
}

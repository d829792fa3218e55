use proptest::prelude::*;

use super::*;
use crate::protocol::number::NumberError;
use crate::protocol::schema::{Kind, Nesting};
use crate::protocol::tests::arbitrary;

fn read(ty: &Type, json: &str) -> Result<Value, CodecError> {
    decode(ty, json.as_bytes())
}

fn refused(ty: &Type, json: &str) -> CodecErrorKind {
    read(ty, json).unwrap_err().reason
}

#[test]
fn every_type_reads() {
    let list = || Value::List(vec![Value::from("a"), Value::Null]);
    for (ty, json, expected) in [
        (Type::String, r#""aé\n""#, Value::from("aé\n")),
        (Type::Bool, " true ", Value::from(true)),
        (Type::Number, "-3", Value::from(-3)),
        (Type::list(Type::String), r#"["a", null]"#, list()),
        (Type::set(Type::String), r#"["a", null]"#, list()),
        (
            Type::Tuple(vec![Type::String, Type::Bool]),
            "[null,\n false]",
            Value::List(vec![Value::Null, Value::from(false)]),
        ),
        (
            Type::map(Type::Bool),
            r#"{"k": true}"#,
            Value::object([("k", Value::from(true))]),
        ),
        (Type::Dynamic, "null", Value::Null),
    ] {
        assert_eq!(read(&ty, json), Ok(expected), "{json}");
    }
}

#[test]
fn numbers_keep_every_digit() {
    for (json, text) in [
        ("9007199254740993", "9007199254740993"),
        ("0.12345678901234567890123", "0.12345678901234567890123"),
        ("1234567890123456789012345", "1234567890123456789012345"),
        ("1.0", "1"),
        ("1E+3", "1000"),
    ] {
        let number = Number::parse(text).unwrap();
        assert_eq!(read(&Type::Number, json), Ok(Value::Number(number)));
    }
    assert_eq!(
        refused(&Type::Number, "1e9999"),
        CodecErrorKind::Number(NumberError::TooLong)
    );
    assert_eq!(
        refused(&Type::Number, r#""1""#),
        CodecErrorKind::Required("a number")
    );
}

#[test]
fn missing_attributes_are_null_and_others_are_read_over() {
    let attributes = [
        Attribute::required("path", Type::String),
        Attribute::computed("kv_version", Type::Number),
        Attribute::computed(
            "spares",
            Kind::nested(
                Nesting::Map,
                [
                    Attribute::computed("status", Type::String),
                    Attribute::computed("promoted_to", Type::String),
                ],
            ),
        ),
    ];
    let json = br#"{
        "path": "a/b",
        "removed": {"path": [1, 2]},
        "spares": {"x": {"status": "available", "removed": 1}}
    }"#;
    assert_eq!(
        decode_object(&attributes, json),
        Ok(Value::object([
            ("path", Value::from("a/b")),
            ("kv_version", Value::Null),
            (
                "spares",
                Value::object([(
                    "x",
                    Value::object([
                        ("status", Value::from("available")),
                        ("promoted_to", Value::Null)
                    ])
                )])
            ),
        ]))
    );
    assert_eq!(decode_object(&attributes, b"null"), Ok(Value::Null));
}

#[test]
fn dynamic_values_stand_beside_their_type() {
    let expected = Value::Dynamic(
        Type::list(Type::Number),
        Box::new(Value::List(vec![Value::from(1)])),
    );
    for json in [
        r#"{"value":[1],"type":["list","number"]}"#,
        r#"{"type": ["list", "number"], "value": [1]}"#,
    ] {
        assert_eq!(read(&Type::Dynamic, json), Ok(expected.clone()));
    }
    let typed_null = Value::Dynamic(Type::String, Box::new(Value::Null));
    assert_eq!(
        read(&Type::Dynamic, r#"{"value":null,"type":"string"}"#),
        Ok(typed_null)
    );
    for json in [
        "1",
        "{}",
        r#"{"value":1}"#,
        r#"{"value":1,"type":"number","x":1}"#,
    ] {
        assert_eq!(
            refused(&Type::Dynamic, json),
            CodecErrorKind::Required("a value with its type"),
            "{json}"
        );
    }
    assert_eq!(
        refused(&Type::Dynamic, r#"{"value":1,"type":"integer"}"#),
        CodecErrorKind::TypeConstraint
    );
}

#[test]
fn texts_of_sensitive_attributes_are_secrets() {
    let attributes = [Attribute::optional("tokens", Type::map(Type::String)).sensitive()];
    assert_eq!(
        decode_object(&attributes, br#"{"tokens":{"p":"t"}}"#),
        Ok(Value::object([(
            "tokens",
            Value::object([("p", Value::Secret(Secret::new("t")))])
        )]))
    );
    let error = decode_object(&attributes, br#"{"tokens":{"canary":1}}"#).unwrap_err();
    assert_eq!(
        error,
        CodecErrorKind::Required("a string").at_attribute("tokens")
    );
}

#[test]
fn anything_else_is_refused() {
    assert_eq!(refused(&Type::String, ""), CodecErrorKind::Json);
    assert_eq!(refused(&Type::String, "'a'"), CodecErrorKind::Json);
    assert_eq!(refused(&Type::String, r#""a" 1"#), CodecErrorKind::Json);
    assert_eq!(
        decode(&Type::String, b"\"\xff\""),
        Err(CodecErrorKind::Utf8.here())
    );
    assert_eq!(
        refused(&Type::String, "1"),
        CodecErrorKind::Required("a string")
    );
    assert_eq!(
        refused(&Type::String, r#""\ud800""#),
        CodecErrorKind::Required("a string")
    );
    assert_eq!(
        refused(&Type::Bool, r#""true""#),
        CodecErrorKind::Required("a bool")
    );
    assert_eq!(
        refused(&Type::list(Type::Bool), "{}"),
        CodecErrorKind::Required("a list")
    );
    assert_eq!(
        refused(&Type::map(Type::Bool), r#"{"a":true,"a":true}"#),
        CodecErrorKind::RepeatedKey
    );
    assert_eq!(
        read(&Type::object([("a", Type::Bool)]), r#"{"a":true,"a":true}"#),
        Err(CodecErrorKind::RepeatedKey.at_attribute("a"))
    );
    assert_eq!(
        refused(&Type::Tuple(vec![Type::Bool]), "[]"),
        CodecErrorKind::TupleLength(1)
    );
}

#[test]
fn depth_is_bounded() {
    let level = r#"{"type":"dynamic","value":"#;
    let nested = format!("{}null{}", level.repeat(100), "}".repeat(100));
    assert_eq!(refused(&Type::Dynamic, &nested), CodecErrorKind::TooDeep);
    let deep = format!(
        r#"{{"removed":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let object = read(&Type::object([("a", Type::Bool)]), &deep);
    assert_eq!(object, Ok(Value::object([("a", Value::Null)])));
}

#[test]
fn errors_name_the_part_and_not_the_value() {
    let ty = Type::object([("list", Type::list(Type::map(Type::Bool)))]);
    let error = read(&ty, r#"{"list":[{},{"k":"canary"}]}"#).unwrap_err();
    assert_eq!(error.to_string(), r#"list[1]["k"]: a bool is required"#);
    assert!(!format!("{error:?}").contains("canary"));
}

proptest! {
    #[test]
    fn what_hosts_store_reads_back((ty, value) in arbitrary::known_value()) {
        let json = arbitrary::stored(&value);
        prop_assert_eq!(read(&ty, &json), Ok(value));
    }

    #[test]
    fn no_text_makes_it_panic(ty in arbitrary::ty(), json in "[\\[\\]{}\":,a-e0-9.\\-null \\\\]{0,40}") {
        let _ = read(&ty, &json);
    }
}

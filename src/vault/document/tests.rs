//! Tests of what is read, and documents for other tests.

use super::*;

const CREATED: &str = r#""created_time":"2026-11-24T08:09:53.708235547Z""#;

/// Returns the document with these fields, given as JSON from a server.
pub(crate) fn present(fields: &str) -> Document {
    let body = format!(
        r#"{{"data":{{"data":{fields},"metadata":{{{CREATED},"deletion_time":"","version":7}}}}}}"#
    );
    match parse(body.as_bytes(), true) {
        Ok(Some(Reading::Present(document))) => document,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_are_kept_to_the_byte_and_told_apart() {
    let values = [
        ("long", "1234567890123456789012345"),
        ("float", "1.0"),
        ("huge", "1e400"),
        ("null", "null"),
        ("yes", "true"),
        ("list", "[1, 2.50]"),
        ("nested", r#"{"b": {"a": null}, "a": "x"}"#),
        ("text", r#""a\u0062\n\"c""#),
        ("half", r#""\ud800""#),
    ];
    let object = values
        .iter()
        .map(|(name, json)| format!("\"{name}\" : {json}"))
        .collect::<Vec<_>>()
        .join(", ");
    let document = present(&format!("{{{object}}}"));
    let kept: Vec<_> = document
        .fields
        .iter()
        .map(|(name, json)| (name.as_str(), json.expose()))
        .collect();
    assert_eq!(kept, values);
    assert_eq!(
        document.field("text"),
        FieldValue::Text(Secret::new("ab\n\"c"))
    );
    assert_eq!(document.field("long"), FieldValue::NotText("number"));
    assert_eq!(document.field("null"), FieldValue::NotText("null"));
    assert_eq!(document.field("yes"), FieldValue::NotText("boolean"));
    assert_eq!(document.field("list"), FieldValue::NotText("array"));
    assert_eq!(document.field("nested"), FieldValue::NotText("object"));
    assert_eq!(
        document.field("half"),
        FieldValue::NotText("string with an invalid escape")
    );
    assert_eq!(document.field("none"), FieldValue::Missing);
}

/// Comparing each field with all others would take minutes.
#[test]
fn many_fields_take_as_long_as_they_are_many() {
    const COUNT: usize = 100_000;
    let members = |count| -> String { (0..count).map(|n| format!("\"{n}\":1,")).collect() };
    let document = present(&format!("{{{}\"token\":\"x\"}}", members(COUNT)));
    assert_eq!(document.fields().count(), COUNT + 1);
    let last = document.fields().last();
    assert_eq!(last, Some(("token", FieldValue::Text(Secret::new("x")))));
    let twice = format!("{{{}\"0\":2}}", members(COUNT));
    assert!(serde_json::from_str::<Fields>(&twice).is_err());
}

#[test]
fn debug_shows_names_and_no_value() {
    let document = present(r#"{"token":"canary"}"#);
    let shown = format!("{:?}", Reading::Present(document));
    assert!(
        shown.contains("token") && !shown.contains("canary"),
        "{shown}"
    );
}

#[test]
fn an_empty_or_null_document_has_no_fields() {
    assert_eq!(present("{}").field_names().count(), 0);
    assert_eq!(present("null").field_names().count(), 0);
}

#[test]
fn what_is_missing_is_named_and_never_shown() {
    let cases = [
        ("", "no JSON object"),
        ("{}", "`data` is missing"),
        (r#"{"data":"canary"}"#, "`data` is not an object"),
        (r#"{"data":{"canary":"v1"}}"#, "`data.metadata` is missing"),
        (
            r#"{"data":{"data":{},"metadata":[]}}"#,
            "`data.metadata` is odd",
        ),
        (
            r#"{"data":{"data":{},"metadata":{}}}"#,
            "`data.metadata.version` is missing",
        ),
        (
            r#"{"data":{"data":{},"metadata":{"version":1}}}"#,
            "`data.metadata.created_time` is missing",
        ),
        (
            r#"{"data":{"data":{},"metadata":{"version":1,"created_time":"canary"}}}"#,
            "`data.metadata.created_time` is no date",
        ),
    ];
    for (body, what) in cases {
        assert_eq!(parse(body.as_bytes(), true), Err(Odd(what)), "{body}");
    }
    for fields in ["[]", "\"canary\"", r#"{"a":1,"a":2}"#] {
        let body =
            format!(r#"{{"data":{{"data":{fields},"metadata":{{{CREATED},"version":7}}}}}}"#);
        assert_eq!(
            parse(body.as_bytes(), true),
            Err(Odd("`data.data` is not an object"))
        );
    }
}

#[test]
fn a_404_with_a_body_is_a_deleted_or_destroyed_version() {
    let body = |destroyed: bool| {
        format!(
            r#"{{"data":{{"data":null,"metadata":{{{CREATED},"deletion_time":"2026-11-24T09:00:00+01:00","destroyed":{destroyed},"version":2,"custom_metadata":{{"a":"b"}}}}}}}}"#
        )
    };
    let Ok(Some(Reading::Deleted(tombstone))) = parse(body(false).as_bytes(), false) else {
        panic!();
    };
    assert_eq!(tombstone.version, 2);
    assert_eq!(
        tombstone.deletion_at,
        Some("2026-11-24T08:00:00Z".parse().unwrap())
    );
    assert_eq!(tombstone.custom_metadata["a"], "b");
    assert!(matches!(
        parse(body(true).as_bytes(), false),
        Ok(Some(Reading::Destroyed(_)))
    ));
    assert_eq!(parse(br#"{"errors":[]}"#, false), Ok(None));
}

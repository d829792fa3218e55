//! A document to be written: the siblings as they were read, and one field that is new.

use std::fmt;

use super::document::Document;
use super::wiped::WipedBuffer;
use crate::secret::Secret;

/// A whole KV document with one field set, as the JSON text to send.
///
/// It is wiped when dropped, and `Debug` shows none of its content.
pub struct NewDocument {
    json: WipedBuffer,
}

impl Document {
    /// Returns this document with one field set to a text: it replaces the field of that name, or
    /// follows all others if there is none.
    ///
    /// Every sibling keeps its place and the exact text of its value: a number of 25 digits is sent
    /// as it was received.
    pub fn with_field(&self, name: &str, value: &Secret) -> NewDocument {
        let mut object = Object::default();
        let mut replaced = false;
        for (sibling, json) in self.raw_fields() {
            if sibling == name {
                object.text(name, value);
                replaced = true;
            } else {
                object.raw(sibling, json);
            }
        }
        if !replaced {
            object.text(name, value);
        }
        object.end()
    }
}

impl NewDocument {
    /// Returns a document that has only one field, a text.
    pub fn of_field(name: &str, value: &Secret) -> Self {
        let mut object = Object::default();
        object.text(name, value);
        object.end()
    }

    /// Shows the JSON text, which nobody may print or keep.
    pub(super) fn expose(&self) -> &[u8] {
        self.json.as_slice()
    }
}

impl fmt::Debug for NewDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NewDocument(masked)")
    }
}

/// A JSON object that grows by one member at a time.
#[derive(Default)]
struct Object {
    json: WipedBuffer,
}

impl Object {
    /// Adds a member with a value that is already JSON.
    fn raw(&mut self, name: &str, json: &Secret) {
        self.name(name);
        self.json.extend(json.expose().as_bytes());
    }

    /// Adds a member with a text as its value.
    fn text(&mut self, name: &str, value: &Secret) {
        self.name(name);
        self.string(value.expose());
    }

    fn name(&mut self, name: &str) {
        let first = self.json.as_slice().is_empty();
        self.json.extend(if first { b"{" } else { b"," });
        self.string(name);
        self.json.extend(b":");
    }

    #[expect(
        clippy::expect_used,
        reason = "a text is always JSON, and a buffer in memory takes every byte"
    )]
    fn string(&mut self, text: &str) {
        serde_json::to_writer(&mut self.json, text).expect("a text becomes JSON");
    }

    fn end(mut self) -> NewDocument {
        self.json.extend(b"}");
        NewDocument { json: self.json }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::document::tests::present;

    fn shown(document: &NewDocument) -> &str {
        std::str::from_utf8(document.expose()).unwrap()
    }

    #[test]
    fn siblings_keep_their_place_and_every_byte_of_their_value() {
        let siblings = [
            ("long", "1234567890123456789012345"),
            ("float", "1.0"),
            ("huge", "1e400"),
            ("tiny", "-0.10E-5"),
            ("null", "null"),
            ("empty", r#""""#),
            ("list", "[1, 2.50]"),
            ("nested", r#"{"b": {"token": null}, "b": "x"}"#),
            ("escaped", r#""a\u0062\n\"\/c""#),
            ("half", r#""\ud800""#),
            ("key.with.dots", "true"),
            ("", "false"),
        ];
        let with = |token: Option<&str>| {
            let mut members: Vec<_> = siblings
                .iter()
                .map(|(name, json)| format!("\"{name}\":{json}"))
                .collect();
            if let Some(token) = token {
                members.insert(5, format!("\"token\":{token}"));
            }
            members
        };
        let object = |members: &[String]| format!("{{{}}}", members.join(","));

        let there = present(&object(&with(Some(r#"{"old":1}"#))));
        let new = there.with_field("token", &Secret::new("new"));
        assert_eq!(shown(&new), object(&with(Some(r#""new""#))));

        let absent = present(&object(&with(None)));
        let new = absent.with_field("token", &Secret::new("new"));
        let mut appended = with(None);
        appended.push(r#""token":"new""#.into());
        assert_eq!(shown(&new), object(&appended));
    }

    #[test]
    fn names_and_values_are_escaped() {
        let new = NewDocument::of_field("a\"\\\u{1}é", &Secret::new("b\"\\\n\u{7f}日"));
        assert_eq!(
            shown(&new),
            "{\"a\\\"\\\\\\u0001é\":\"b\\\"\\\\\\n\u{7f}日\"}"
        );
        let read = present(r#"{"a\"\\\u0001\u00e9":1,"token":2}"#);
        let new = read.with_field("token", &Secret::new("x"));
        assert_eq!(shown(&new), "{\"a\\\"\\\\\\u0001é\":1,\"token\":\"x\"}");
    }

    #[test]
    fn a_document_without_fields_gets_its_first() {
        for fields in ["{}", "null"] {
            let new = present(fields).with_field("token", &Secret::new("x"));
            assert_eq!(shown(&new), r#"{"token":"x"}"#);
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let new = NewDocument::of_field("name", &Secret::new("canary"));
        assert_eq!(format!("{new:?}"), "NewDocument(masked)");
    }
}

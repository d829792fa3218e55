//! The result of a read: a document with its fields, or what is left of one.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Deref;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::secret::Secret;

/// The answer to a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The version exists.
    Present(Document),
    /// The version was deleted or has expired. An undelete can restore it.
    Deleted(Revision),
    /// The version was destroyed. It cannot be restored.
    Destroyed(Revision),
    /// The secret or version does not exist: it never did, or it was pruned.
    Absent,
}

/// One version of a secret, without its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub version: u64,
    /// When it was written, by the server's clock.
    pub created_at: Timestamp,
    /// When it was deleted, or will be if `delete_version_after` is set.
    pub deletion_at: Option<Timestamp>,
    /// Metadata of the secret, shared by all versions.
    pub custom_metadata: BTreeMap<String, String>,
}

/// One version of a secret with its fields.
///
/// The values are kept as the JSON text that was received, so that a write can send each sibling
/// back byte for byte. They are wiped when dropped, and `Debug` shows only names.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    revision: Revision,
    fields: Vec<(String, Secret)>,
}

impl Deref for Document {
    type Target = Revision;

    fn deref(&self) -> &Revision {
        &self.revision
    }
}

/// What one field of a document holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// There is no field of that name.
    Missing,
    /// A string.
    Text(Secret),
    /// Something else, by its JSON type: `null`, `boolean`, `number`, `array` or `object`.
    NotText(&'static str),
}

impl Document {
    /// Returns the names of all fields, in their original order.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// Returns all fields with the JSON text of their values, in their original order.
    pub(super) fn raw_fields(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.fields.iter().map(|(name, json)| (name.as_str(), json))
    }

    /// Returns all fields with what they hold, in their original order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, FieldValue)> {
        self.raw_fields()
            .map(|(name, json)| (name, FieldValue::read(json.expose())))
    }

    /// Returns one field, by searching all of them: to get many, use [`Document::fields`].
    pub fn field(&self, name: &str) -> FieldValue {
        let mut raw = self.raw_fields();
        raw.find(|(known, _)| *known == name)
            .map_or(FieldValue::Missing, |(_, json)| {
                FieldValue::read(json.expose())
            })
    }
}

impl FieldValue {
    /// Reads the JSON text of a value.
    fn read(json: &str) -> Self {
        match json.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<String>(json) {
                Ok(text) => FieldValue::Text(Secret::new(text)),
                // Valid JSON may still contain half a surrogate pair, which is not text.
                Err(_) => FieldValue::NotText("string with an invalid escape"),
            },
            Some(b'{') => FieldValue::NotText("object"),
            Some(b'[') => FieldValue::NotText("array"),
            Some(b't' | b'f') => FieldValue::NotText("boolean"),
            Some(b'n') => FieldValue::NotText("null"),
            _ => FieldValue::NotText("number"),
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Document")
            .field("version", &self.version)
            .field("created_at", &self.created_at)
            .field("deletion_at", &self.deletion_at)
            .field("fields", &self.field_names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The data of an answer could not be understood; holds the name of the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odd(pub(super) &'static str);

/// Reads the body of a 200, or of a 404 that has one.
///
/// `None` means that the body has no data, as in a 404 for a secret that never existed.
pub(super) fn parse(body: &[u8], found: bool) -> Result<Option<Reading>, Odd> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| Odd("no JSON object"))?;
    let Some(data) = envelope.data else {
        return if found {
            Err(Odd("`data` is missing"))
        } else {
            Ok(None)
        };
    };
    let data: Data<'_> =
        serde_json::from_str(data.get()).map_err(|_| Odd("`data` is not an object"))?;
    let metadata = data.metadata.ok_or(Odd("`data.metadata` is missing"))?;
    let metadata: Metadata =
        serde_json::from_str(metadata.get()).map_err(|_| Odd("`data.metadata` is odd"))?;
    let version = metadata
        .version
        .ok_or(Odd("`data.metadata.version` is missing"))?;
    let created_at = metadata
        .created_time
        .ok_or(Odd("`data.metadata.created_time` is missing"))?
        .parse()
        .map_err(|_| Odd("`data.metadata.created_time` is no date"))?;
    let deletion_at = match metadata.deletion_time.as_deref() {
        None | Some("") => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| Odd("`data.metadata.deletion_time` is no date"))?,
        ),
    };
    let revision = Revision {
        version,
        created_at,
        deletion_at,
        custom_metadata: metadata.custom_metadata.unwrap_or_default(),
    };
    if !found {
        return Ok(Some(if metadata.destroyed {
            Reading::Destroyed(revision)
        } else {
            Reading::Deleted(revision)
        }));
    }
    let fields = match data.data {
        // A document can be `null`, if somebody wrote it that way.
        None => Vec::new(),
        Some(fields) => {
            serde_json::from_str::<Fields>(fields.get())
                .map_err(|_| Odd("`data.data` is not an object"))?
                .0
        }
    };
    Ok(Some(Reading::Present(Document { revision, fields })))
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Metadata {
    version: Option<u64>,
    created_time: Option<String>,
    deletion_time: Option<String>,
    #[serde(default)]
    destroyed: bool,
    custom_metadata: Option<BTreeMap<String, String>>,
}

/// The fields in their order, each value as it was written. A name that occurs twice is refused: a
/// write could not send both back.
struct Fields(Vec<(String, Secret)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Secret)> = Vec::new();
                while let Some((name, json)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((name, Secret::new(json.get())));
                }
                let mut names = HashSet::with_capacity(fields.len());
                if fields.iter().all(|(name, _)| names.insert(name)) {
                    Ok(Fields(fields))
                } else {
                    Err(serde::de::Error::custom("a name comes twice"))
                }
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
pub(super) mod tests;

//! Values as JSON, the form of stored state.
//!
//! State was written by the schema version that was current then, so missing attributes are null,
//! and attributes that the type does not have are ignored. JSON has no unknown values. Numbers are
//! read from their text, at any length.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::repeat;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{CodecError, CodecErrorKind};
use super::number::Number;
use super::path::Step;
use super::schema::Attribute;
use super::shape::{Form, Members, Shape};
use super::ty::{MAX_DEPTH, Type};
use super::value::Value;
use crate::secret::Secret;

/// Reads a value of a type.
///
/// # Errors
///
/// [`CodecError`] if the text is not JSON, or is JSON of another type.
pub fn decode(ty: &Type, json: &[u8]) -> Result<Value, CodecError> {
    decode_shape(Shape::of_type(ty), json)
}

/// Reads an object with these attributes. Texts of sensitive and write-only attributes, and all
/// texts nested in them, become secrets.
///
/// # Errors
///
/// [`CodecError`] if the text is not JSON, or is JSON of another type.
pub fn decode_object(attributes: &[Attribute], json: &[u8]) -> Result<Value, CodecError> {
    decode_shape(Shape::of_object(attributes), json)
}

/// Reads the value of one attribute. Texts in a sensitive or write-only one become secrets.
///
/// # Errors
///
/// [`CodecError`] if the text is not JSON, or is JSON of another type.
pub fn decode_attribute(attribute: &Attribute, json: &[u8]) -> Result<Value, CodecError> {
    decode_shape(Shape::of_attribute(attribute), json)
}

fn decode_shape(shape: Shape<'_>, json: &[u8]) -> Result<Value, CodecError> {
    let text = std::str::from_utf8(json).map_err(|_| CodecErrorKind::Utf8.here())?;
    value(shape, parse::<&RawValue>(text, CodecErrorKind::Json)?, 0)
}

fn value(shape: Shape<'_>, raw: &RawValue, depth: usize) -> Result<Value, CodecError> {
    if depth >= MAX_DEPTH {
        return Err(CodecErrorKind::TooDeep.here());
    }
    let json = raw.get();
    if json == "null" {
        return Ok(Value::Null);
    }
    match shape.form() {
        Form::String => {
            let text: String = parse(json, CodecErrorKind::Required("a string"))?;
            Ok(if shape.secret {
                Value::Secret(Secret::new(text))
            } else {
                Value::String(text)
            })
        }
        Form::Number => number(json),
        Form::Bool => parse(json, CodecErrorKind::Required("a bool")).map(Value::Bool),
        Form::Dynamic => dynamic(shape, json, depth),
        Form::List(element) => {
            let parts = parse(json, CodecErrorKind::Required("a list"))?;
            elements(repeat(element), parts, depth)
        }
        Form::Map(element) => map(element, json, depth),
        Form::Object(members) => object(members, json, depth),
        Form::Tuple(shapes) => {
            let parts: Vec<_> = parse(json, CodecErrorKind::Required("a tuple"))?;
            if parts.len() != shapes.len() {
                return Err(CodecErrorKind::TupleLength(shapes.len()).here());
            }
            elements(shapes.into_iter(), parts, depth)
        }
    }
}

fn number(json: &str) -> Result<Value, CodecError> {
    if json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        let number = Number::parse(json).map_err(|error| CodecErrorKind::Number(error).here())?;
        Ok(Value::Number(number))
    } else {
        Err(CodecErrorKind::Required("a number").here())
    }
}

fn elements<'s>(
    shapes: impl Iterator<Item = Shape<'s>>,
    parts: Vec<&RawValue>,
    depth: usize,
) -> Result<Value, CodecError> {
    let read = (0..).zip(shapes.zip(parts)).map(|(index, (shape, part))| {
        value(shape, part, depth + 1).map_err(|error| error.below(Step::Index(index)))
    });
    read.collect::<Result<_, _>>().map(Value::List)
}

fn map(element: Shape<'_>, json: &str, depth: usize) -> Result<Value, CodecError> {
    let entries: Entries<'_> = parse(json, CodecErrorKind::Required("a map"))?;
    let mut elements = BTreeMap::new();
    for (key, part) in entries.0 {
        let read = value(element, part, depth + 1);
        let read = read.map_err(|error| element.at_key(error, &key))?;
        if elements.insert(key, read).is_some() {
            return Err(CodecErrorKind::RepeatedKey.here());
        }
    }
    Ok(Value::Map(elements))
}

fn object(members: Members<'_>, json: &str, depth: usize) -> Result<Value, CodecError> {
    let entries: Entries<'_> = parse(json, CodecErrorKind::Required("an object"))?;
    let mut attributes = BTreeMap::new();
    for (name, part) in entries.0 {
        let Some(shape) = members.get(&name) else {
            continue;
        };
        let read = value(shape, part, depth + 1);
        let read = read.map_err(|error| error.below(Step::Attribute(name.clone())))?;
        if attributes.contains_key(&name) {
            return Err(CodecErrorKind::RepeatedKey.at_attribute(&name));
        }
        attributes.insert(name, read);
    }
    for (name, _) in members.all() {
        if !attributes.contains_key(name) {
            attributes.insert(name.to_owned(), Value::Null);
        }
    }
    Ok(Value::Map(attributes))
}

/// Reads a value that is stored with its type: `{"value":…,"type":…}`.
fn dynamic(shape: Shape<'_>, json: &str, depth: usize) -> Result<Value, CodecError> {
    const REQUIRED: CodecErrorKind = CodecErrorKind::Required("a value with its type");
    let mut entries: Entries<'_> = parse(json, REQUIRED)?;
    entries.0.sort_by(|one, other| one.0.cmp(&other.0));
    let [(first, ty), (second, part)] = entries.0.as_slice() else {
        return Err(REQUIRED.here());
    };
    if first != "type" || second != "value" {
        return Err(REQUIRED.here());
    }
    let ty = Type::from_json(ty.get().as_bytes()).ok_or(CodecErrorKind::TypeConstraint.here())?;
    let read = value(shape.brought(&ty), part, depth + 1)?;
    Ok(Value::Dynamic(ty, Box::new(read)))
}

/// Parses one layer of JSON.
fn parse<'j, T: Deserialize<'j>>(
    json: &'j str,
    otherwise: CodecErrorKind,
) -> Result<T, CodecError> {
    serde_json::from_str(json).map_err(|_| otherwise.here())
}

/// The entries of a JSON object in order, including duplicate keys.
struct Entries<'j>(Vec<(String, &'j RawValue)>);

impl<'j> Deserialize<'j> for Entries<'j> {
    fn deserialize<D: Deserializer<'j>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'j> Visitor<'j> for EntriesVisitor {
    type Value = Entries<'j>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, part)) = access.next_entry::<String, &RawValue>()? {
            entries.push((key, part));
        }
        Ok(Entries(entries))
    }
}

#[cfg(test)]
mod tests;

//! Reading MessagePack.

use std::collections::BTreeMap;

use rmp::Marker;
use rmp::decode as read;

use crate::protocol::error::{CodecError, CodecErrorKind};
use crate::protocol::number::{Number, NumberError};
use crate::protocol::path::Step;
use crate::protocol::shape::{Form, Members, Shape};
use crate::protocol::ty::{MAX_DEPTH, Type};
use crate::protocol::value::Value;
use crate::secret::Secret;

/// Reads exactly one value.
pub(super) fn decode(shape: Shape<'_>, bytes: &[u8]) -> Result<Value, CodecError> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(shape, 0)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(CodecErrorKind::Trailing.here())
    }
}

/// The remaining input.
///
/// No memory is allocated for a length before its elements are read. Every element takes at least
/// one byte, so the input bounds the output.
struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn value(&mut self, shape: Shape<'_>, depth: usize) -> Result<Value, CodecError> {
        if depth >= MAX_DEPTH {
            return Err(CodecErrorKind::TooDeep.here());
        }
        match self.peek()? {
            Marker::Null => {
                self.take(1)?;
                return Ok(Value::Null);
            }
            marker if is_extension(marker) => {
                self.skip_extension()?;
                return Ok(Value::Unknown);
            }
            _ => {}
        }
        match shape.form() {
            Form::String if shape.secret => Ok(Value::Secret(Secret::new(self.text()?))),
            Form::String => Ok(Value::String(self.text()?.to_owned())),
            Form::Number => self.number().map(Value::Number),
            Form::Bool => self.truth().map(Value::Bool),
            Form::Dynamic => self.dynamic(shape, depth),
            Form::List(element) => {
                let length = self.array_length("a list")?;
                self.elements((0..length).map(|_| element), depth)
            }
            Form::Map(element) => self.map(element, depth),
            Form::Object(members) => self.object(members, depth),
            Form::Tuple(shapes) => {
                let length = self.array_length("a tuple")?;
                if usize::try_from(length) != Ok(shapes.len()) {
                    return Err(CodecErrorKind::TupleLength(shapes.len()).here());
                }
                self.elements(shapes.into_iter(), depth)
            }
        }
    }

    fn elements<'s>(
        &mut self,
        shapes: impl Iterator<Item = Shape<'s>>,
        depth: usize,
    ) -> Result<Value, CodecError> {
        let mut elements = Vec::new();
        for (index, shape) in (0..).zip(shapes) {
            let value = self.value(shape, depth + 1);
            elements.push(value.map_err(|error| error.below(Step::Index(index)))?);
        }
        Ok(Value::List(elements))
    }

    fn map(&mut self, element: Shape<'_>, depth: usize) -> Result<Value, CodecError> {
        let length = self.map_length("a map")?;
        let mut elements = BTreeMap::new();
        for _ in 0..length {
            let key = self.text()?;
            let value = self.value(element, depth + 1);
            let value = value.map_err(|error| element.at_key(error, key))?;
            if elements.insert(key.to_owned(), value).is_some() {
                return Err(CodecErrorKind::RepeatedKey.here());
            }
        }
        Ok(Value::Map(elements))
    }

    fn object(&mut self, members: Members<'_>, depth: usize) -> Result<Value, CodecError> {
        let length = self.map_length("an object")?;
        let mut attributes = BTreeMap::new();
        for _ in 0..length {
            let name = self.text()?;
            let shape = members.get(name);
            let shape = shape.ok_or(CodecErrorKind::UnsupportedAttribute.here())?;
            let value = self.value(shape, depth + 1);
            let value = value.map_err(|error| error.below(Step::Attribute(name.to_owned())))?;
            if attributes.insert(name.to_owned(), value).is_some() {
                return Err(CodecErrorKind::RepeatedKey.at_attribute(name));
            }
        }
        for (name, _) in members.all() {
            if !attributes.contains_key(name) {
                return Err(CodecErrorKind::MissingAttribute.at_attribute(name));
            }
        }
        Ok(Value::Map(attributes))
    }

    fn dynamic(&mut self, shape: Shape<'_>, depth: usize) -> Result<Value, CodecError> {
        const KIND: &str = "a value with its type";
        if self.array_length(KIND)? != 2 {
            return Err(CodecErrorKind::Required(KIND).here());
        }
        let length = read::read_bin_len(&mut self.rest).map_err(|error| because(&error, KIND))?;
        let json = self.take(length)?;
        let ty = Type::from_json(json).ok_or(CodecErrorKind::TypeConstraint.here())?;
        let value = self.value(shape.brought(&ty), depth + 1)?;
        Ok(Value::Dynamic(ty, Box::new(value)))
    }

    fn text(&mut self) -> Result<&'b str, CodecError> {
        let length = read::read_str_len(&mut self.rest);
        let length = length.map_err(|error| because(&error, "a string"))?;
        std::str::from_utf8(self.take(length)?).map_err(|_| CodecErrorKind::Utf8.here())
    }

    fn truth(&mut self) -> Result<bool, CodecError> {
        read::read_bool(&mut self.rest).map_err(|error| because(&error, "a bool"))
    }

    fn number(&mut self) -> Result<Number, CodecError> {
        const KIND: &str = "a number";
        let refused = |error: NumberError| CodecErrorKind::Number(error).here();
        match self.peek()? {
            Marker::F32 => {
                let float = read::read_f32(&mut self.rest);
                let float = float.map_err(|error| because(&error, KIND))?;
                Number::from_f64(f64::from(float)).map_err(refused)
            }
            Marker::F64 => {
                let float = read::read_f64(&mut self.rest);
                Number::from_f64(float.map_err(|error| because(&error, KIND))?).map_err(refused)
            }
            Marker::U64 => {
                let integer = read::read_u64(&mut self.rest);
                Ok(Number::from(
                    integer.map_err(|error| because(&error, KIND))?,
                ))
            }
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                Number::parse(self.text()?).map_err(refused)
            }
            _ => match read::read_int::<i64, _>(&mut self.rest) {
                Ok(integer) => Ok(Number::from(integer)),
                Err(read::NumValueReadError::TypeMismatch(_)) => {
                    Err(CodecErrorKind::Required(KIND).here())
                }
                Err(_) => Err(CodecErrorKind::Truncated.here()),
            },
        }
    }

    fn array_length(&mut self, kind: &'static str) -> Result<u32, CodecError> {
        read::read_array_len(&mut self.rest).map_err(|error| because(&error, kind))
    }

    fn map_length(&mut self, kind: &'static str) -> Result<u32, CodecError> {
        read::read_map_len(&mut self.rest).map_err(|error| because(&error, kind))
    }

    fn skip_extension(&mut self) -> Result<(), CodecError> {
        let meta = read::read_ext_meta(&mut self.rest);
        let meta = meta.map_err(|error| because(&error, "an extension"))?;
        self.take(meta.size)?;
        Ok(())
    }

    fn peek(&self) -> Result<Marker, CodecError> {
        let first = self.rest.first().ok_or(CodecErrorKind::Truncated.here())?;
        Ok(Marker::from_u8(*first))
    }

    fn take(&mut self, length: u32) -> Result<&'b [u8], CodecError> {
        let split = usize::try_from(length).ok();
        let split = split.and_then(|length| self.rest.split_at_checked(length));
        let (taken, rest) = split.ok_or(CodecErrorKind::Truncated.here())?;
        self.rest = rest;
        Ok(taken)
    }
}

fn is_extension(marker: Marker) -> bool {
    matches!(
        marker,
        Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32
    )
}

/// Distinguishes a value of another kind from one that is cut off.
fn because<E: read::RmpReadErr>(error: &read::ValueReadError<E>, kind: &'static str) -> CodecError {
    match error {
        read::ValueReadError::TypeMismatch(_) => CodecErrorKind::Required(kind).here(),
        _ => CodecErrorKind::Truncated.here(),
    }
}

#[cfg(test)]
mod tests;

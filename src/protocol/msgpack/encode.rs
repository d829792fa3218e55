//! Writing MessagePack.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::iter::repeat;

use rmp::Marker;
use rmp::encode::{self as write, ByteBuf, ValueWriteError};

use crate::protocol::error::{CodecError, CodecErrorKind};
use crate::protocol::path::Step;
use crate::protocol::shape::{Form, Members, Shape};
use crate::protocol::ty::MAX_DEPTH;
use crate::protocol::value::Value;

/// An unknown value without refinements: an extension of type 0 with one zero byte.
const UNKNOWN: [u8; 3] = [0xd4, 0x00, 0x00];

/// Writes one value.
pub(super) fn encode(shape: Shape<'_>, value: &Value) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer {
        buffer: ByteBuf::new(),
    };
    writer.value(shape, value, 0)?;
    Ok(writer.buffer.into_vec())
}

struct Writer {
    buffer: ByteBuf,
}

impl Writer {
    fn value(&mut self, shape: Shape<'_>, value: &Value, depth: usize) -> Result<(), CodecError> {
        if depth >= MAX_DEPTH {
            return Err(CodecErrorKind::TooDeep.here());
        }
        match (shape.form(), value) {
            (_, Value::Null) => {
                self.bytes(&[Marker::Null.to_u8()]);
                Ok(())
            }
            (_, Value::Unknown) => {
                self.bytes(&UNKNOWN);
                Ok(())
            }
            (Form::String, Value::String(text)) => self.text(text),
            (Form::String, Value::Secret(secret)) if shape.secret => self.text(secret.expose()),
            (Form::String, Value::Secret(_)) => Err(CodecErrorKind::SecretInClear.here()),
            (Form::Number, Value::Number(number)) => self.text(number.as_str()),
            (Form::Bool, Value::Bool(truth)) => {
                let marker = if *truth { Marker::True } else { Marker::False };
                self.bytes(&[marker.to_u8()]);
                Ok(())
            }
            (Form::Dynamic, Value::Dynamic(ty, inner)) => {
                self.array_length(2)?;
                let json = ty.to_json();
                let length = short(json.len())?;
                sure(write::write_bin_len(&mut self.buffer, length));
                self.bytes(&json);
                self.value(shape.brought(ty), inner, depth + 1)
            }
            (Form::List(element), Value::List(elements)) => {
                self.elements(repeat(element), elements, depth)
            }
            (Form::Tuple(shapes), Value::List(elements)) => {
                if shapes.len() != elements.len() {
                    return Err(CodecErrorKind::TupleLength(shapes.len()).here());
                }
                self.elements(shapes.into_iter(), elements, depth)
            }
            (Form::Map(element), Value::Map(elements)) => {
                self.map_length(elements.len())?;
                for (key, value) in elements {
                    self.text(key)?;
                    let written = self.value(element, value, depth + 1);
                    written.map_err(|error| element.at_key(error, key))?;
                }
                Ok(())
            }
            (Form::Object(members), Value::Map(attributes)) => {
                self.object(members, attributes, depth)
            }
            (form, _) => Err(CodecErrorKind::Required(kind(&form)).here()),
        }
    }

    fn elements<'s>(
        &mut self,
        shapes: impl Iterator<Item = Shape<'s>>,
        elements: &[Value],
        depth: usize,
    ) -> Result<(), CodecError> {
        self.array_length(elements.len())?;
        for (index, (shape, value)) in (0..).zip(shapes.zip(elements)) {
            let written = self.value(shape, value, depth + 1);
            written.map_err(|error| error.below(Step::Index(index)))?;
        }
        Ok(())
    }

    fn object(
        &mut self,
        members: Members<'_>,
        attributes: &BTreeMap<String, Value>,
        depth: usize,
    ) -> Result<(), CodecError> {
        let members = members.all();
        self.map_length(members.len())?;
        for (name, shape) in &members {
            let value = attributes.get(*name);
            let value = value.ok_or_else(|| CodecErrorKind::MissingAttribute.at_attribute(name))?;
            self.text(name)?;
            let written = self.value(*shape, value, depth + 1);
            written.map_err(|error| error.below(Step::Attribute((*name).to_owned())))?;
        }
        // Every attribute was found, so a larger object has extra ones.
        if attributes.len() == members.len() {
            Ok(())
        } else {
            Err(CodecErrorKind::UnsupportedAttribute.here())
        }
    }

    fn text(&mut self, text: &str) -> Result<(), CodecError> {
        let length = short(text.len())?;
        sure(write::write_str_len(&mut self.buffer, length));
        self.bytes(text.as_bytes());
        Ok(())
    }

    fn array_length(&mut self, length: usize) -> Result<(), CodecError> {
        sure(write::write_array_len(&mut self.buffer, short(length)?));
        Ok(())
    }

    fn map_length(&mut self, length: usize) -> Result<(), CodecError> {
        sure(write::write_map_len(&mut self.buffer, short(length)?));
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.as_mut_vec().extend_from_slice(bytes);
    }
}

/// Unwraps the result of a write to memory, which cannot fail.
fn sure<T>(written: Result<T, ValueWriteError<Infallible>>) -> T {
    match written {
        Ok(done) => done,
        Err(
            ValueWriteError::InvalidMarkerWrite(never) | ValueWriteError::InvalidDataWrite(never),
        ) => match never {},
    }
}

fn short(length: usize) -> Result<u32, CodecError> {
    u32::try_from(length).map_err(|_| CodecErrorKind::TooLong.here())
}

fn kind(form: &Form<'_>) -> &'static str {
    match form {
        Form::String => "a string",
        Form::Number => "a number",
        Form::Bool => "a bool",
        Form::Dynamic => "a value with its type",
        Form::List(_) => "a list",
        Form::Map(_) => "a map",
        Form::Object(_) => "an object",
        Form::Tuple(_) => "a tuple",
    }
}

#[cfg(test)]
mod tests;

//! Values as MessagePack, the encoding that hosts send and that every response uses.
//!
//! Decoding accepts everything that a host may send: numbers as integers, floats, or decimal text,
//! and every extension as an unknown value, regardless of its refinements. Encoding always writes
//! numbers as decimal text. Hosts read back exactly what was written, whereas Terraform 1.11 to
//! 1.14 see a difference between a binary integer and the number in state.

mod decode;
mod encode;

use super::error::CodecError;
use super::schema::Attribute;
use super::shape::Shape;
use super::ty::Type;
use super::value::Value;

/// Reads a value of a type.
///
/// # Errors
///
/// [`CodecError`] if the bytes are not exactly one value of the type.
pub fn decode(ty: &Type, bytes: &[u8]) -> Result<Value, CodecError> {
    decode::decode(Shape::of_type(ty), bytes)
}

/// Reads an object with these attributes. Texts of sensitive and write-only attributes, and all
/// texts nested in them, become secrets.
///
/// # Errors
///
/// [`CodecError`] if the bytes are not exactly one object that has every attribute and no other.
pub fn decode_object(attributes: &[Attribute], bytes: &[u8]) -> Result<Value, CodecError> {
    decode::decode(Shape::of_object(attributes), bytes)
}

/// Reads the value of one attribute. Texts in a sensitive or write-only one become secrets.
///
/// # Errors
///
/// [`CodecError`] if the bytes are not exactly one value of the attribute's type.
pub fn decode_attribute(attribute: &Attribute, bytes: &[u8]) -> Result<Value, CodecError> {
    decode::decode(Shape::of_attribute(attribute), bytes)
}

/// Writes a value of a type.
///
/// # Errors
///
/// [`CodecError`] if the value does not fit the type.
pub fn encode(ty: &Type, value: &Value) -> Result<Vec<u8>, CodecError> {
    encode::encode(Shape::of_type(ty), value)
}

/// Writes an object with these attributes.
///
/// # Errors
///
/// [`CodecError`] if an attribute is missing or unknown to the schema, if a value does not fit its
/// type, or if a secret is in an attribute that is neither sensitive nor write-only.
pub fn encode_object(attributes: &[Attribute], value: &Value) -> Result<Vec<u8>, CodecError> {
    encode::encode(Shape::of_object(attributes), value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::tests::arbitrary;

    proptest! {
        #[test]
        fn what_is_written_reads_back((ty, value) in arbitrary::typed_value()) {
            let bytes = encode(&ty, &value).unwrap();
            prop_assert_eq!(decode(&ty, &bytes), Ok(value));
        }

        #[test]
        fn objects_read_back((attributes, value) in arbitrary::object()) {
            let bytes = encode_object(&attributes, &value).unwrap();
            prop_assert_eq!(decode_object(&attributes, &bytes), Ok(value));
        }

        #[test]
        fn no_bytes_make_it_panic(ty in arbitrary::ty(), bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&ty, &bytes);
        }

        #[test]
        fn no_damage_makes_it_panic(
            (ty, value) in arbitrary::typed_value(),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = encode(&ty, &value).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = decode(&ty, &bytes);
            prop_assert!(decode(&ty, &bytes[..at]).is_err());
        }
    }
}

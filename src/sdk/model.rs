//! Typed models whose schema and conversions come from one declaration.

use std::collections::BTreeMap;

use crate::protocol::{Attribute, AttributePath, Kind, Nesting, Number, Type, Value};
use crate::secret::Secret;

/// A value of the wrong type for its attribute.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path}: {expected} is required")]
pub struct ModelError {
    /// The location of the value.
    pub path: AttributePath,
    /// The type that is expected there.
    pub expected: &'static str,
}

/// A Rust type that an attribute can hold.
pub trait AttributeValue: Sized {
    /// The attribute's type, or its nested attributes.
    fn kind() -> Kind;

    /// Reads a decoded value.
    ///
    /// # Errors
    ///
    /// Fails if the value has another type. Null and unknown are errors for every type except
    /// [`Field`](super::Field).
    fn from_value(value: Value, path: &AttributePath) -> Result<Self, ModelError>;

    /// Converts to a value for encoding.
    fn into_value(self) -> Value;
}

/// A struct with one field for each attribute of an object, declared with the `model` macro.
pub trait Model:
    AttributeValue + Clone + Default + std::fmt::Debug + PartialEq + Send + Sync
{
    /// The attributes in the order of their declaration.
    fn attributes() -> Vec<Attribute>;
}

/// Builds the error for a value of another type.
pub(crate) fn mismatch(path: &AttributePath, expected: &'static str) -> ModelError {
    ModelError {
        path: path.clone(),
        expected,
    }
}

/// Implements [`AttributeValue`] for a type that has its own value variant.
macro_rules! plain {
    ($rust:ty, $ty:expr, $expected:literal, $from:pat => $out:expr, $into:expr) => {
        impl AttributeValue for $rust {
            fn kind() -> Kind {
                Kind::Plain($ty)
            }

            fn from_value(value: Value, path: &AttributePath) -> Result<Self, ModelError> {
                match value {
                    $from => $out.ok_or_else(|| mismatch(path, $expected)),
                    _ => Err(mismatch(path, $expected)),
                }
            }

            fn into_value(self) -> Value {
                let convert: fn(Self) -> Value = $into;
                convert(self)
            }
        }
    };
}

plain!(String, Type::String, "a string", Value::String(text) => Some(text), Value::String);
plain!(bool, Type::Bool, "a bool", Value::Bool(flag) => Some(flag), Value::Bool);
plain!(i64, Type::Number, "a whole number", Value::Number(number) => number.as_i64(),
    |number| Value::Number(Number::from(number)));
plain!(Number, Type::Number, "a number", Value::Number(number) => Some(number), Value::Number);

impl AttributeValue for Secret {
    fn kind() -> Kind {
        Kind::Plain(Type::String)
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, ModelError> {
        match value {
            Value::Secret(secret) => Ok(secret),
            Value::String(text) => Ok(Self::new(text)),
            _ => Err(mismatch(path, "a string")),
        }
    }

    fn into_value(self) -> Value {
        Value::Secret(self)
    }
}

impl<T: AttributeValue> AttributeValue for Vec<T> {
    fn kind() -> Kind {
        collection(T::kind(), |ty| Type::List(Box::new(ty)), Nesting::List)
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, ModelError> {
        let Value::List(items) = value else {
            return Err(mismatch(path, "a list"));
        };
        items
            .into_iter()
            .zip(0..)
            .map(|(item, index)| T::from_value(item, &path.clone().then_index(index)))
            .collect()
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: AttributeValue> AttributeValue for BTreeMap<String, T> {
    fn kind() -> Kind {
        collection(T::kind(), |ty| Type::Map(Box::new(ty)), Nesting::Map)
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, ModelError> {
        let Value::Map(items) = value else {
            return Err(mismatch(path, "a map"));
        };
        items
            .into_iter()
            .map(|(key, item)| {
                let item = T::from_value(item, &path.clone().then_key(key.as_str()))?;
                Ok((key, item))
            })
            .collect()
    }

    fn into_value(self) -> Value {
        Value::Map(
            self.into_iter()
                .map(|(key, item)| (key, item.into_value()))
                .collect(),
        )
    }
}

/// Wraps an element's kind: a plain type by a type constructor, nested attributes by a nesting.
fn collection(element: Kind, plain: impl FnOnce(Type) -> Type, nesting: Nesting) -> Kind {
    match element {
        Kind::Plain(ty) => Kind::Plain(plain(ty)),
        Kind::Nested { attributes, .. } => Kind::nested(nesting, attributes),
    }
}

/// Removes one attribute from a decoded object. A missing one is null.
pub(crate) fn take<T: AttributeValue>(
    object: &mut BTreeMap<String, Value>,
    name: &'static str,
    path: &AttributePath,
) -> Result<T, ModelError> {
    let value = object.remove(name).unwrap_or(Value::Null);
    T::from_value(value, &path.clone().then_attribute(name))
}

/// Declares a model: a struct, its schema and its conversions.
///
/// Each line reads `name: Type = mode(flags) "description";`. The mode is `required`, `optional`,
/// `optional_computed`, or `computed`. Flags are `replaces`, `sensitive`, `write_only`, and, for a
/// computed attribute, `set_by("ARGUMENT")`. The struct's fields are [`Field`](super::Field)s of
/// the type.
macro_rules! model {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $($field:ident: $ty:ty = $mode:ident($($flag:ident $(($argument:literal))?),*) $description:literal;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $visibility struct $name {
            $(#[doc = $description] pub $field: $crate::sdk::Field<$ty>,)+
        }

        impl $crate::sdk::Model for $name {
            fn attributes() -> Vec<$crate::protocol::Attribute> {
                vec![$(
                    $crate::protocol::Attribute::$mode(
                        stringify!($field),
                        <$ty as $crate::sdk::AttributeValue>::kind(),
                    )
                    $(.$flag($($argument)?))*
                    .description($description),
                )+]
            }
        }

        impl $crate::sdk::AttributeValue for $name {
            fn kind() -> $crate::protocol::Kind {
                $crate::protocol::Kind::nested(
                    $crate::protocol::Nesting::Single,
                    <Self as $crate::sdk::Model>::attributes(),
                )
            }

            $crate::sdk::object_conversions!($($field, stringify!($field);)+);
        }
    };
}

/// Declares an object type: a struct with a wire name for each field.
///
/// Each line reads `name as "wireName": Type;`.
macro_rules! object {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field:ident as $wire:literal: $ty:ty;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $visibility struct $name {
            $($(#[$field_meta])* pub $field: $crate::sdk::Field<$ty>,)+
        }

        impl $crate::sdk::AttributeValue for $name {
            fn kind() -> $crate::protocol::Kind {
                $crate::protocol::Kind::Plain($crate::protocol::Type::Object(
                    [$((
                        $wire.to_owned(),
                        <$ty as $crate::sdk::AttributeValue>::kind().implied_type(),
                    )),+].into(),
                ))
            }

            $crate::sdk::object_conversions!($($field, $wire;)+);
        }
    };
}

/// Generates the two conversions that models and object types share.
macro_rules! object_conversions {
    ($($field:ident, $wire:expr;)+) => {
        fn from_value(
            value: $crate::protocol::Value,
            path: &$crate::protocol::AttributePath,
        ) -> Result<Self, $crate::sdk::ModelError> {
            let $crate::protocol::Value::Map(mut object) = value else {
                return Err($crate::sdk::mismatch(path, "an object"));
            };
            Ok(Self {
                $($field: $crate::sdk::take(&mut object, $wire, path)?,)+
            })
        }

        fn into_value(self) -> $crate::protocol::Value {
            $crate::protocol::Value::Map(
                [$((
                    $wire.to_owned(),
                    $crate::sdk::AttributeValue::into_value(self.$field),
                )),+].into(),
            )
        }
    };
}

pub(crate) use {model, object, object_conversions};

#[cfg(test)]
mod tests;

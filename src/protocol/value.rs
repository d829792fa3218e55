//! Values as the host knows them: null, unknown, or of some type.

use std::collections::BTreeMap;

use super::number::Number;
use super::schema::Attribute;
use super::ty::Type;
use crate::secret::Secret;

/// A value of some type. The schema holds the type; the value does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// No value, as for an argument that is not set.
    #[default]
    Null,
    /// A value that is not known until apply.
    Unknown,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// Text of a sensitive or write-only attribute.
    Secret(Secret),
    /// The elements of a list, set, or tuple.
    List(Vec<Value>),
    /// The elements of a map or the attributes of an object.
    Map(BTreeMap<String, Value>),
    /// A value of a dynamic attribute, with its type.
    ///
    /// A dynamic attribute may also be [`Value::Null`] or [`Value::Unknown`], without a type.
    Dynamic(Type, Box<Value>),
}

impl Value {
    /// Creates an object or a map from its parts.
    pub fn object<N: Into<String>>(parts: impl IntoIterator<Item = (N, Value)>) -> Self {
        let named = parts.into_iter();
        Self::Map(named.map(|(name, value)| (name.into(), value)).collect())
    }

    /// Creates the object in which every attribute is null.
    pub fn null_object(attributes: &[Attribute]) -> Self {
        let names = attributes.iter().map(|attribute| attribute.name.as_ref());
        Self::object(names.map(|name: &str| (name, Self::Null)))
    }

    /// Reports whether there is no value.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Dynamic(_, inner) => inner.is_null(),
            _ => false,
        }
    }

    /// Reports whether the value as a whole is unknown.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::Dynamic(_, inner) => inner.is_unknown(),
            _ => false,
        }
    }

    /// Reports whether neither the value nor any part of it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::Secret(_) => {
                true
            }
            Self::List(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(elements) => elements.values().all(Self::is_wholly_known),
            Self::Dynamic(_, inner) => inner.is_wholly_known(),
        }
    }

    /// Returns the object attribute or map element with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map()?.get(name)
    }

    /// Returns the elements of a map or the attributes of an object.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::Map(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the elements of a list, set, or tuple.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the text of a string that is not a secret.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Number(integer.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Self::List(elements)
    }
}

/// None becomes null.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_unknown_makes_the_whole_not_wholly_known() {
        let deep = Value::object([("a", Value::List(vec![Value::from("x"), Value::Unknown]))]);
        assert!(!deep.is_wholly_known());
        assert!(!deep.is_unknown());
        assert!(Value::object([("a", Value::Null)]).is_wholly_known());
        assert!(!Value::Dynamic(Type::String, Box::new(Value::Unknown)).is_wholly_known());
    }

    #[test]
    fn a_typed_null_is_null() {
        assert!(Value::Dynamic(Type::String, Box::new(Value::Null)).is_null());
        assert!(Value::from(None::<bool>).is_null());
    }

    #[test]
    fn a_null_object_has_every_attribute() {
        let attributes = [
            Attribute::required("path", Type::String),
            Attribute::computed("id", Type::String),
        ];
        assert_eq!(
            Value::null_object(&attributes),
            Value::object([("id", Value::Null), ("path", Value::Null)])
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let value = Value::object([("token", Value::Secret(Secret::new("canary")))]);
        assert!(!format!("{value:?}").contains("canary"));
    }
}

//! Values that carry their own type.

use std::collections::BTreeMap;

use super::model::{AttributeValue, ModelError, mismatch};
use crate::protocol::{AttributePath, Kind, Type, Value};

/// A value of any type, along with the type.
///
/// Null and unknown values have a type too, which is [`Type::Dynamic`] if it is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamic {
    ty: Type,
    value: Value,
}

impl Dynamic {
    /// Wraps a value that conforms to the type.
    pub fn new(ty: Type, value: Value) -> Self {
        match (ty, value) {
            (Type::Dynamic, Value::Dynamic(ty, value)) => Self::new(ty, *value),
            (ty, value) => Self { ty, value },
        }
    }

    /// Creates a text that may be null or unknown.
    pub fn text(text: impl AttributeValue) -> Self {
        Self::new(Type::String, text.into_value())
    }

    /// Creates an object from its attributes.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Self)>) -> Self {
        let named = attributes.into_iter();
        let (types, values) = named
            .map(|(name, attribute)| {
                let name = name.into();
                ((name.clone(), attribute.ty), (name, attribute.value))
            })
            .unzip();
        Self {
            ty: Type::Object(types),
            value: Value::Map(values),
        }
    }

    /// Returns the type.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// Reports whether there is no value.
    pub fn is_null(&self) -> bool {
        self.value.is_null()
    }

    /// Reports whether the value as a whole is unknown.
    pub fn is_unknown(&self) -> bool {
        self.value.is_unknown()
    }

    /// Returns the text of a known string.
    pub fn as_str(&self) -> Option<&str> {
        self.value.as_str()
    }

    /// Returns a known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the attributes of a known object, or the elements of a known map.
    pub fn attributes(&self) -> Option<BTreeMap<String, Self>> {
        let values = self.value.as_map()?.iter();
        let typed = values.map(|(name, value)| {
            let ty = match &self.ty {
                Type::Object(types) => types.get(name)?,
                Type::Map(element) => element,
                _ => return None,
            };
            Some((name.clone(), Self::new(ty.clone(), value.clone())))
        });
        typed.collect()
    }

    /// Returns the elements of a known list, set, or tuple.
    pub fn elements(&self) -> Option<Vec<Self>> {
        let values = self.value.as_list()?.iter();
        let typed = values.enumerate().map(|(index, value)| {
            let ty = match &self.ty {
                Type::Tuple(types) => types.get(index)?,
                Type::List(element) | Type::Set(element) => element,
                _ => return None,
            };
            Some(Self::new(ty.clone(), value.clone()))
        });
        typed.collect()
    }
}

impl AttributeValue for Dynamic {
    fn kind() -> Kind {
        Kind::Plain(Type::Dynamic)
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, ModelError> {
        match value {
            Value::Dynamic(ty, value) => Ok(Self::new(ty, *value)),
            untyped @ (Value::Null | Value::Unknown) => Ok(Self::new(Type::Dynamic, untyped)),
            _ => Err(mismatch(path, "a value with its type")),
        }
    }

    fn into_value(self) -> Value {
        match self.ty {
            Type::Dynamic => self.value,
            ty => Value::Dynamic(ty, Box::new(self.value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::msgpack;
    use crate::sdk::Field;

    fn read(value: Value) -> Dynamic {
        Dynamic::from_value(value, &AttributePath::new()).unwrap()
    }

    /// Sends a value to a host and back.
    fn travelled(dynamic: Dynamic) -> Dynamic {
        let bytes = msgpack::encode(&Type::Dynamic, &dynamic.into_value()).unwrap();
        read(msgpack::decode(&Type::Dynamic, &bytes).unwrap())
    }

    #[test]
    fn objects_and_tuples_keep_the_types_of_their_parts() {
        let parts = [
            ("known", Dynamic::text(Field::text("x"))),
            ("unknown", Dynamic::new(Type::Number, Value::Unknown)),
            ("untyped", Dynamic::new(Type::Dynamic, Value::Unknown)),
            ("nothing", Dynamic::new(Type::Dynamic, Value::Null)),
            (
                "tuple",
                Dynamic::new(
                    Type::Tuple(vec![Type::Bool, Type::Dynamic]),
                    Value::List(vec![
                        true.into(),
                        Value::Dynamic(Type::String, Box::new("in".into())),
                    ]),
                ),
            ),
        ];
        let object = Dynamic::object(parts.clone());
        assert_eq!(object.attributes(), Some(BTreeMap::from(parts.map(own))));
        assert_eq!(travelled(object.clone()), object);
        let attributes = object.attributes().unwrap();
        let elements = attributes["tuple"].elements().unwrap();
        assert_eq!(elements[0].ty(), &Type::Bool);
        assert_eq!(
            (elements[1].ty(), elements[1].as_str()),
            (&Type::String, Some("in"))
        );
        assert!(attributes["unknown"].is_unknown() && attributes["untyped"].is_unknown());
        assert!(attributes["nothing"].is_null());
    }

    fn own((name, value): (&str, Dynamic)) -> (String, Dynamic) {
        (name.to_owned(), value)
    }

    #[test]
    fn maps_and_lists_give_their_elements_one_type() {
        let map = Dynamic::new(Type::map(Type::String), Value::object([("a", "b".into())]));
        assert_eq!(
            map.attributes().unwrap()["a"],
            Dynamic::text(Field::text("b"))
        );
        let set = Dynamic::new(Type::set(Type::String), vec![Value::Unknown].into());
        assert!(set.elements().unwrap()[0].is_unknown());
        assert_eq!(set.attributes(), None);
        assert_eq!(map.elements(), None);
    }

    #[test]
    fn what_is_null_or_unknown_keeps_its_type() {
        for value in [Value::Null, Value::Unknown] {
            let typed = Dynamic::new(Type::list(Type::Bool), value.clone());
            assert_eq!(travelled(typed.clone()), typed);
            assert_eq!((typed.elements(), typed.attributes()), (None, None));
            let untyped = Dynamic::new(Type::Dynamic, value.clone());
            assert_eq!(untyped.clone().into_value(), value);
            assert_eq!(travelled(untyped.clone()), untyped);
        }
    }

    #[test]
    fn a_value_without_a_type_is_refused() {
        let error = Dynamic::from_value("x".into(), &AttributePath::attribute("spec"));
        assert_eq!(
            error.unwrap_err().to_string(),
            "spec: a value with its type is required"
        );
    }
}

//! Type constraints and their JSON form.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// Maximum nesting depth of types, and therefore of values.
pub const MAX_DEPTH: usize = 64;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// UTF-8 text.
    String,
    /// A decimal number of any size.
    Number,
    /// True or false.
    Bool,
    /// Any type: the value carries its own.
    Dynamic,
    /// Ordered elements of one type.
    List(Box<Type>),
    /// Distinct, unordered elements of one type.
    Set(Box<Type>),
    /// Elements of one type, by text key.
    Map(Box<Type>),
    /// Named attributes, each with its own type.
    Object(BTreeMap<String, Type>),
    /// A fixed number of elements, each with its own type.
    Tuple(Vec<Type>),
}

/// The text is not the JSON form of a type.
#[derive(Debug, thiserror::Error)]
#[error("not a type constraint")]
pub struct TypeError(#[source] serde_json::Error);

impl Type {
    /// Creates a list type.
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// Creates a set type.
    pub fn set(element: Type) -> Self {
        Self::Set(Box::new(element))
    }

    /// Creates a map type.
    pub fn map(element: Type) -> Self {
        Self::Map(Box::new(element))
    }

    /// Creates an object type.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        let named = attributes.into_iter();
        Self::Object(named.map(|(name, ty)| (name.into(), ty)).collect())
    }

    /// Returns the JSON form, such as `["list","string"]`, without whitespace.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = String::new();
        self.write_json(&mut text);
        text.into_bytes()
    }

    /// Reads the JSON form. The names of optional attributes, an object type's optional third
    /// element, are ignored.
    ///
    /// # Errors
    ///
    /// [`TypeError`] if the text is not JSON, not a type, or nested more than 64 levels deep.
    pub fn from_json(json: &[u8]) -> Result<Self, TypeError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let seed = TypeSeed { depth: 0 };
        let ty = seed.deserialize(&mut reader).map_err(TypeError)?;
        reader.end().map_err(TypeError)?;
        Ok(ty)
    }

    fn write_json(&self, text: &mut String) {
        let collection = |text: &mut String, name: &str, element: &Type| {
            text.push_str("[\"");
            text.push_str(name);
            text.push_str("\",");
            element.write_json(text);
            text.push(']');
        };
        match self {
            Self::String => text.push_str("\"string\""),
            Self::Number => text.push_str("\"number\""),
            Self::Bool => text.push_str("\"bool\""),
            Self::Dynamic => text.push_str("\"dynamic\""),
            Self::List(element) => collection(text, "list", element),
            Self::Set(element) => collection(text, "set", element),
            Self::Map(element) => collection(text, "map", element),
            Self::Object(attributes) => {
                text.push_str("[\"object\",{");
                for (position, (name, ty)) in attributes.iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    text.push_str(&serde_json::Value::from(name.as_str()).to_string());
                    text.push(':');
                    ty.write_json(text);
                }
                text.push_str("}]");
            }
            Self::Tuple(elements) => {
                text.push_str("[\"tuple\",[");
                for (position, ty) in elements.iter().enumerate() {
                    if position > 0 {
                        text.push(',');
                    }
                    ty.write_json(text);
                }
                text.push_str("]]");
            }
        }
    }
}

/// Reads one type that is nested inside `depth` others.
#[derive(Clone, Copy)]
struct TypeSeed {
    depth: usize,
}

impl TypeSeed {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth + 1 >= MAX_DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for TypeSeed {
    type Value = Type;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Type, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TypeSeed {
    type Value = Type;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a type constraint")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Type, E> {
        match name {
            "string" => Ok(Type::String),
            "number" => Ok(Type::Number),
            "bool" => Ok(Type::Bool),
            "dynamic" => Ok(Type::Dynamic),
            _ => Err(E::custom("no primitive type has this name")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Type, A::Error> {
        let missing = || A::Error::custom("a part is missing");
        let name: String = parts.next_element()?.ok_or_else(missing)?;
        let inner = self.deeper()?;
        let ty = match name.as_str() {
            "list" => Type::list(parts.next_element_seed(inner)?.ok_or_else(missing)?),
            "set" => Type::set(parts.next_element_seed(inner)?.ok_or_else(missing)?),
            "map" => Type::map(parts.next_element_seed(inner)?.ok_or_else(missing)?),
            "tuple" => {
                let elements = parts.next_element_seed(TupleSeed(inner))?;
                Type::Tuple(elements.ok_or_else(missing)?)
            }
            "object" => {
                let attributes = parts.next_element_seed(ObjectSeed(inner))?;
                let attributes = attributes.ok_or_else(missing)?;
                let _optional_names: Option<Vec<String>> = parts.next_element()?;
                Type::Object(attributes)
            }
            _ => return Err(A::Error::custom("no compound type has this name")),
        };
        match parts.next_element::<IgnoredAny>()? {
            None => Ok(ty),
            Some(_) => Err(A::Error::custom("a part too many")),
        }
    }
}

/// Reads the element types of a tuple.
struct TupleSeed(TypeSeed);

impl<'de> DeserializeSeed<'de> for TupleSeed {
    type Value = Vec<Type>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Vec<Type>, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for TupleSeed {
    type Value = Vec<Type>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of types")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Vec<Type>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = parts.next_element_seed(self.0)? {
            elements.push(element);
        }
        Ok(elements)
    }
}

/// Reads the attribute types of an object.
struct ObjectSeed(TypeSeed);

impl<'de> DeserializeSeed<'de> for ObjectSeed {
    type Value = BTreeMap<String, Type>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed {
    type Value = BTreeMap<String, Type>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("types by attribute name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut attributes = BTreeMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            let ty = entries.next_value_seed(self.0)?;
            if attributes.insert(name, ty).is_some() {
                return Err(A::Error::custom("an attribute is named twice"));
            }
        }
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Type, TypeError> {
        Type::from_json(json.as_bytes())
    }

    #[test]
    fn every_type_has_its_json_form() {
        for (ty, json) in [
            (Type::String, r#""string""#),
            (Type::Number, r#""number""#),
            (Type::Bool, r#""bool""#),
            (Type::Dynamic, r#""dynamic""#),
            (Type::list(Type::String), r#"["list","string"]"#),
            (Type::set(Type::Bool), r#"["set","bool"]"#),
            (Type::map(Type::Number), r#"["map","number"]"#),
            (
                Type::object([("b", Type::String), ("a", Type::list(Type::Dynamic))]),
                r#"["object",{"a":["list","dynamic"],"b":"string"}]"#,
            ),
            (Type::Object(BTreeMap::new()), r#"["object",{}]"#),
            (
                Type::Tuple(vec![Type::String, Type::Bool]),
                r#"["tuple",["string","bool"]]"#,
            ),
            (Type::Tuple(Vec::new()), r#"["tuple",[]]"#),
        ] {
            assert_eq!(String::from_utf8(ty.to_json()).unwrap(), json);
            assert_eq!(read(json).unwrap(), ty);
        }
    }

    #[test]
    fn attribute_names_are_escaped() {
        let ty = Type::object([("a\"\n", Type::String)]);
        assert_eq!(ty.to_json(), br#"["object",{"a\"\n":"string"}]"#);
        assert_eq!(Type::from_json(&ty.to_json()).unwrap(), ty);
    }

    #[test]
    fn names_of_optional_attributes_are_read_over() {
        let ty = read(r#" ["object", {"a": "string"}, ["a"]] "#).unwrap();
        assert_eq!(ty, Type::object([("a", Type::String)]));
    }

    #[test]
    fn anything_else_is_refused() {
        for json in [
            "",
            "string",
            "null",
            "7",
            r#""text""#,
            "[]",
            r#"["list"]"#,
            r#"["list","string","string"]"#,
            r#"["string"]"#,
            r#"["tuple","string"]"#,
            r#"["object",["string"]]"#,
            r#"["object",{"a":"string","a":"bool"}]"#,
            r#"["object",{"a":"string"},["a"],1]"#,
            r#""string" x"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| {
            let mut json = r#"["list","#.repeat(levels);
            json.push_str("\"string\"");
            json.push_str(&"]".repeat(levels));
            json
        };
        assert!(read(&nested(MAX_DEPTH - 1)).is_ok());
        assert!(read(&nested(MAX_DEPTH)).is_err());
        assert!(read(&nested(100_000)).is_err());
    }
}

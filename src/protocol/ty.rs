//! Type constraints and their JSON form.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

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
        self.json().to_string().into_bytes()
    }

    /// Reads the JSON form. The names of optional attributes, an object type's optional third
    /// element, are ignored. Returns `None` if the text is not JSON, not a type, or nested more
    /// than 64 levels deep.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        Self::read(&serde_json::from_slice(json).ok()?, 0)
    }

    fn json(&self) -> Json {
        match self {
            Self::String => "string".into(),
            Self::Number => "number".into(),
            Self::Bool => "bool".into(),
            Self::Dynamic => "dynamic".into(),
            Self::List(element) => json!(["list", element.json()]),
            Self::Set(element) => json!(["set", element.json()]),
            Self::Map(element) => json!(["map", element.json()]),
            Self::Object(attributes) => {
                let named = attributes.iter();
                let named: Map<_, _> = named.map(|(name, ty)| (name.clone(), ty.json())).collect();
                json!(["object", named])
            }
            Self::Tuple(elements) => {
                let elements: Vec<_> = elements.iter().map(Self::json).collect();
                json!(["tuple", elements])
            }
        }
    }

    fn read(json: &Json, depth: usize) -> Option<Self> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let read = |json| Self::read(json, depth + 1);
        if let Some(name) = json.as_str() {
            return match name {
                "string" => Some(Self::String),
                "number" => Some(Self::Number),
                "bool" => Some(Self::Bool),
                "dynamic" => Some(Self::Dynamic),
                _ => None,
            };
        }
        let (name, parts) = json.as_array()?.split_first()?;
        match (name.as_str()?, parts) {
            ("list", [element]) => read(element).map(Self::list),
            ("set", [element]) => read(element).map(Self::set),
            ("map", [element]) => read(element).map(Self::map),
            ("tuple", [Json::Array(elements)]) => {
                let elements: Option<_> = elements.iter().map(read).collect();
                elements.map(Self::Tuple)
            }
            ("object", [Json::Object(attributes)] | [Json::Object(attributes), Json::Array(_)]) => {
                let named = attributes.iter();
                let named = named.map(|(name, json)| Some((name.clone(), read(json)?)));
                named.collect::<Option<_>>().map(Self::Object)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Type> {
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
            r#"["object",{"a":"string"},["a"],1]"#,
            r#""string" x"#,
        ] {
            assert_eq!(read(json), None, "{json}");
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
        assert!(read(&nested(MAX_DEPTH - 1)).is_some());
        assert!(read(&nested(MAX_DEPTH)).is_none());
        assert!(read(&nested(100_000)).is_none());
    }
}

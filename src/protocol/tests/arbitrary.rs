//! Random types, values, and schemas for tests.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::protocol::number::Number;
use crate::protocol::schema::{Attribute, Kind, Nesting};
use crate::protocol::ty::Type;
use crate::protocol::value::Value;
use crate::secret::Secret;

/// Generates any type, up to a few levels deep.
pub(in crate::protocol) fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::String),
        Just(Type::Number),
        Just(Type::Bool),
        Just(Type::Dynamic),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            btree_map("[a-z]{1,3}", inner.clone(), 0..4).prop_map(Type::Object),
            vec(inner, 0..4).prop_map(Type::Tuple),
        ]
    })
}

/// Generates a type and any value of it.
pub(in crate::protocol) fn typed_value() -> impl Strategy<Value = (Type, Value)> {
    ty().prop_flat_map(|ty| {
        let value = value(&ty, true);
        (Just(ty), value)
    })
}

/// Generates a type and a value of it without unknown parts.
pub(in crate::protocol) fn known_value() -> impl Strategy<Value = (Type, Value)> {
    ty().prop_flat_map(|ty| {
        let value = value(&ty, false);
        (Just(ty), value)
    })
}

/// Generates attributes, some of them secret or nested, and an object that has them.
pub(in crate::protocol) fn object() -> impl Strategy<Value = (Vec<Attribute>, Value)> {
    attributes(2).prop_flat_map(|attributes| {
        let object = object_of(&attributes, false);
        (Just(attributes), object)
    })
}

fn attributes(depth: u32) -> BoxedStrategy<Vec<Attribute>> {
    let plain = ty().prop_map(Kind::Plain).boxed();
    let kind = if depth == 0 {
        plain
    } else {
        let nesting = prop_oneof![
            Just(Nesting::Single),
            Just(Nesting::List),
            Just(Nesting::Map)
        ];
        let nested = (nesting, attributes(depth - 1));
        let nested = nested.prop_map(|(nesting, attributes)| Kind::Nested {
            nesting,
            attributes,
        });
        prop_oneof![2 => plain, 1 => nested].boxed()
    };
    let named = btree_map("[a-z]{1,3}", (kind, any::<bool>()), 0..4);
    named
        .prop_map(|named| {
            let made = named
                .into_iter()
                .map(|(name, (kind, sensitive))| Attribute {
                    sensitive,
                    ..Attribute::optional(name, kind)
                });
            made.collect()
        })
        .boxed()
}

fn object_of(attributes: &[Attribute], secret: bool) -> BoxedStrategy<Value> {
    let mut object = Just(BTreeMap::new()).boxed();
    for attribute in attributes {
        let name = attribute.name.clone().into_owned();
        let secret = secret || attribute.is_secret();
        let part = match &attribute.kind {
            Kind::Plain(ty) => with_secrets(value(ty, true), secret),
            Kind::Nested {
                nesting,
                attributes,
            } => arranged(*nesting, object_of(attributes, secret)),
        };
        object = (object, part)
            .prop_map(move |(mut object, part)| {
                object.insert(name.clone(), part);
                object
            })
            .boxed();
    }
    object.prop_map(Value::Map).boxed()
}

fn arranged(nesting: Nesting, object: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    match nesting {
        Nesting::Single => object,
        Nesting::List => vec(object, 0..3).prop_map(Value::List).boxed(),
        Nesting::Map => btree_map("[a-z]{0,3}", object, 0..3)
            .prop_map(Value::Map)
            .boxed(),
    }
}

fn with_secrets(value: BoxedStrategy<Value>, secret: bool) -> BoxedStrategy<Value> {
    if secret {
        value.prop_map(hide).boxed()
    } else {
        value
    }
}

fn hide(value: Value) -> Value {
    match value {
        Value::String(text) => Value::Secret(Secret::new(text)),
        Value::List(elements) => Value::List(elements.into_iter().map(hide).collect()),
        Value::Map(elements) => {
            let hidden = elements.into_iter();
            Value::Map(hidden.map(|(key, value)| (key, hide(value))).collect())
        }
        Value::Dynamic(ty, inner) => Value::Dynamic(ty, Box::new(hide(*inner))),
        other => other,
    }
}

fn value(ty: &Type, unknowns: bool) -> BoxedStrategy<Value> {
    let present = match ty {
        Type::String => ".{0,40}".prop_map(Value::String).boxed(),
        Type::Number => "-?[0-9]{1,25}(\\.[0-9]{1,25})?"
            .prop_map(|text| Value::Number(Number::parse(&text).unwrap()))
            .boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Dynamic => simple_ty()
            .prop_flat_map(move |ty| {
                let inner = value(&ty, unknowns);
                inner.prop_map(move |inner| Value::Dynamic(ty.clone(), Box::new(inner)))
            })
            .boxed(),
        Type::List(element) => vec(value(element, unknowns), 0..20)
            .prop_map(Value::List)
            .boxed(),
        Type::Set(element) => vec(value(element, unknowns), 0..4)
            .prop_map(distinct)
            .boxed(),
        Type::Map(element) => btree_map(".{0,5}", value(element, unknowns), 0..4)
            .prop_map(Value::Map)
            .boxed(),
        Type::Object(attributes) => {
            let attributes = attributes.iter();
            let parts: Vec<_> = attributes
                .map(|(name, ty)| {
                    value(ty, unknowns).prop_map({
                        let name = name.clone();
                        move |part| (name.clone(), part)
                    })
                })
                .collect();
            parts.prop_map(Value::object).boxed()
        }
        Type::Tuple(elements) => {
            let parts: Vec<_> = elements.iter().map(|ty| value(ty, unknowns)).collect();
            parts.prop_map(Value::List).boxed()
        }
    };
    let unknown = if unknowns {
        Value::Unknown
    } else {
        Value::Null
    };
    prop_oneof![8 => present, 1 => Just(Value::Null), 1 => Just(unknown)].boxed()
}

/// Generates the types of dynamic values. They are not dynamic again, so values stay small.
fn simple_ty() -> impl Strategy<Value = Type> {
    prop_oneof![
        Just(Type::String),
        Just(Type::Number),
        Just(Type::list(Type::Bool)),
        Just(Type::object([("a", Type::String), ("b", Type::Bool)])),
        Just(Type::Tuple(vec![Type::String])),
    ]
}

fn distinct(elements: Vec<Value>) -> Value {
    let mut kept: Vec<Value> = Vec::new();
    for element in elements {
        if !kept.contains(&element) {
            kept.push(element);
        }
    }
    Value::List(kept)
}

/// Writes a value in the form in which hosts store it.
pub(in crate::protocol) fn stored(value: &Value) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match value {
        Value::Null | Value::Unknown => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Secret(secret) => quoted(secret.expose()),
        Value::List(elements) => {
            let parts: Vec<_> = elements.iter().map(stored).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Map(elements) => {
            let parts = elements.iter();
            let parts = parts.map(|(key, value)| format!("{}: {}", quoted(key), stored(value)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(",\n"))
        }
        Value::Dynamic(ty, inner) => {
            let ty = String::from_utf8(ty.to_json()).unwrap();
            format!(r#"{{"value":{},"type":{ty}}}"#, stored(inner))
        }
    }
}

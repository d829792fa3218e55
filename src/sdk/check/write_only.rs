//! Write-only attributes: values that appear only in a configuration.

use super::clear_where::clear_where;
use crate::protocol::{Attribute, AttributePath, Kind, Nesting, Value};

/// Returns the paths of the write-only attributes that have a value.
pub(in crate::sdk) fn find(attributes: &[Attribute], object: &Value) -> Vec<AttributePath> {
    let mut found = Vec::new();
    find_below(attributes, object, &AttributePath::new(), &mut found);
    found
}

fn find_below(
    attributes: &[Attribute],
    object: &Value,
    path: &AttributePath,
    found: &mut Vec<AttributePath>,
) {
    let Value::Map(members) = object else {
        return;
    };
    for attribute in attributes {
        let Some(value) = members.get(attribute.name.as_ref()) else {
            continue;
        };
        let path = path.clone().then_attribute(attribute.name.as_ref());
        if attribute.write_only {
            if !value.is_null() {
                found.push(path);
            }
            continue;
        }
        let Kind::Nested {
            nesting,
            attributes,
        } = &attribute.kind
        else {
            continue;
        };
        match (nesting, value) {
            (Nesting::Map, Value::Map(items)) => {
                for (key, item) in items {
                    find_below(attributes, item, &path.clone().then_key(key), found);
                }
            }
            (_, Value::List(items)) => {
                for (item, index) in items.iter().zip(0..) {
                    find_below(attributes, item, &path.clone().then_index(index), found);
                }
            }
            _ => find_below(attributes, value, &path, found),
        }
    }
}

/// Sets every write-only attribute to null.
pub(in crate::sdk) fn clear(attributes: &[Attribute], object: &mut Value) {
    clear_where(attributes, object, |attribute| attribute.write_only);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Type;

    fn attributes() -> Vec<Attribute> {
        let token = Attribute::optional("token_wo", Type::String).write_only();
        let name = Attribute::optional("name", Type::String);
        let inner = [token.clone(), name.clone()];
        vec![
            token,
            name,
            Attribute::optional("one", Kind::single(inner.clone())),
            Attribute::optional("list", Kind::list(inner.clone())),
            Attribute::optional("map", Kind::map(inner)),
        ]
    }

    fn object(token: &Value) -> Value {
        let inner = Value::object([("token_wo", token.clone()), ("name", "n".into())]);
        Value::object([
            ("token_wo", token.clone()),
            ("name", "n".into()),
            ("one", inner.clone()),
            ("list", Value::List(vec![inner.clone()])),
            ("map", Value::object([("k", inner)])),
        ])
    }

    #[test]
    fn every_depth_is_found_and_cleared() {
        let mut value = object(&Value::Unknown);
        let found = find(&attributes(), &value);
        let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "token_wo",
                "one.token_wo",
                "list[0].token_wo",
                "map[\"k\"].token_wo"
            ]
        );
        clear(&attributes(), &mut value);
        assert_eq!(value, object(&Value::Null));
        assert!(find(&attributes(), &value).is_empty());
    }

    #[test]
    fn nothing_is_found_where_there_is_no_object() {
        for mut value in [Value::Null, Value::Unknown] {
            let before = value.clone();
            assert!(find(&attributes(), &value).is_empty());
            clear(&attributes(), &mut value);
            assert_eq!(value, before);
        }
    }
}

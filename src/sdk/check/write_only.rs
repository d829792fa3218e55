//! Write-only attributes: values that appear only in a configuration.
//!
//! They occur only at the top of a schema, and no configured attribute has a computed part
//! (`tests/rpc/lint.rs` checks this).

use crate::protocol::{Attribute, AttributePath, Value};

/// Returns the paths of the write-only attributes that have a value.
pub(in crate::sdk) fn find(attributes: &[Attribute], object: &Value) -> Vec<AttributePath> {
    attributes
        .iter()
        .filter(|attribute| attribute.write_only)
        .filter(|attribute| {
            object
                .get(&attribute.name)
                .is_some_and(|value| !value.is_null())
        })
        .map(|attribute| AttributePath::attribute(attribute.name.as_ref()))
        .collect()
}

/// Sets every write-only attribute to null.
pub(in crate::sdk) fn clear(attributes: &[Attribute], object: &mut Value) {
    clear_where(attributes, object, |attribute, _| attribute.write_only);
}

/// Sets every attribute that is `chosen` to null.
pub(in crate::sdk) fn clear_where(
    attributes: &[Attribute],
    object: &mut Value,
    chosen: impl Fn(&Attribute, &Value) -> bool,
) {
    let Value::Map(members) = object else {
        return;
    };
    for attribute in attributes {
        if let Some(value) = members.get_mut(attribute.name.as_ref())
            && chosen(attribute, value)
        {
            *value = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Type;

    fn attributes() -> [Attribute; 2] {
        [
            Attribute::optional("token_wo", Type::String).write_only(),
            Attribute::optional("name", Type::String),
        ]
    }

    fn object(token: &Value) -> Value {
        Value::object([("token_wo", token.clone()), ("name", "n".into())])
    }

    #[test]
    fn values_are_found_and_cleared() {
        let mut value = object(&Value::Unknown);
        let found = find(&attributes(), &value);
        assert_eq!(found, [AttributePath::attribute("token_wo")]);
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

//! Attributes that are set to null wherever they occur.

use crate::protocol::{Attribute, Kind, Nesting, Value};

/// Sets every attribute that is `chosen` to null, including those in nested objects.
pub(in crate::sdk) fn clear_where(
    attributes: &[Attribute],
    object: &mut Value,
    chosen: fn(&Attribute) -> bool,
) {
    let Value::Map(members) = object else {
        return;
    };
    for attribute in attributes {
        let Some(value) = members.get_mut(attribute.name.as_ref()) else {
            continue;
        };
        if chosen(attribute) {
            *value = Value::Null;
        } else if let Kind::Nested {
            nesting,
            attributes,
        } = &attribute.kind
        {
            let clear = |item: &mut Value| clear_where(attributes, item, chosen);
            match (nesting, value) {
                (Nesting::Map, Value::Map(items)) => items.values_mut().for_each(clear),
                (_, Value::List(items)) => items.iter_mut().for_each(clear),
                (_, value) => clear(value),
            }
        }
    }
}

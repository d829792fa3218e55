//! Required attributes that are set to null, which a host lets pass.

use crate::protocol::{Attribute, AttributePath, Diagnostic, Kind, Mode, Nesting, Value};
use crate::sdk::failure::Diagnostics;

/// Returns an error for each required attribute that is null.
///
/// Beside a secret there is no path on it: a host would quote the lines of the whole object.
pub(in crate::sdk) fn missing(attributes: &[Attribute], object: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    below(attributes, object, &AttributePath::new(), true, &mut found);
    found
}

fn below(
    attributes: &[Attribute],
    object: &Value,
    path: &AttributePath,
    quotable: bool,
    found: &mut Diagnostics,
) {
    let Value::Map(members) = object else {
        return;
    };
    for attribute in attributes {
        let value = members.get(attribute.name.as_ref()).unwrap_or(&Value::Null);
        let path = path.clone().then_attribute(attribute.name.as_ref());
        if attribute.mode == Mode::Required && value.is_null() {
            let error = Diagnostic::error(
                format!("{path} is required"),
                format!(
                    "{path} is null. Set it; null is what an argument has that comes from an \
                     optional variable without a value."
                ),
            );
            found.push(if quotable { error.at(path) } else { error });
            continue;
        }
        if let Kind::Nested {
            nesting,
            attributes,
        } = &attribute.kind
        {
            let quotable = quotable && !attributes.iter().any(Attribute::is_secret);
            match (nesting, value) {
                (Nesting::Map, Value::Map(items)) => {
                    for (key, item) in items {
                        let path = path.clone().then_key(key.as_str());
                        below(attributes, item, &path, quotable, found);
                    }
                }
                (_, Value::List(items)) => {
                    for (item, index) in items.iter().zip(0..) {
                        let path = path.clone().then_index(index);
                        below(attributes, item, &path, quotable, found);
                    }
                }
                _ => below(attributes, value, &path, quotable, found),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Type;

    #[test]
    fn null_is_no_value_for_a_required_attribute() {
        let attributes = [
            Attribute::required("path", Type::String),
            Attribute::optional("note", Type::String),
            Attribute::optional(
                "login",
                Kind::single([
                    Attribute::required("role", Type::String),
                    Attribute::required("jwt", Type::String).sensitive(),
                ]),
            ),
        ];
        let login = Value::object([("role", Value::Null), ("jwt", Value::from("x"))]);
        let config = Value::object([("path", Value::Null), ("login", login)]);
        let found = missing(&attributes, &config);
        let summaries: Vec<_> = found.iter().map(|error| error.summary.as_str()).collect();
        assert_eq!(summaries, ["path is required", "login.role is required"]);
        assert_eq!(found[0].path, Some(AttributePath::attribute("path")));
        assert_eq!(found[1].path, None, "the lines would show the jwt");

        let unknown = Value::object([("path", Value::Unknown), ("login", Value::Null)]);
        assert_eq!(missing(&attributes, &unknown), []);
    }
}

//! Mistakes in a configuration that hosts leave to providers: required attributes that are null,
//! and read-only ones that are set.

use crate::protocol::{Attribute, AttributePath, Diagnostic, Kind, Mode, Value};
use crate::sdk::failure::Diagnostics;

/// Returns an error for each required attribute that is null, and for each read-only one that is
/// not. Nested attributes that a configuration sets are single objects.
///
/// Next to a secret, the error has no path, because the host would quote the lines of the whole
/// object.
pub(in crate::sdk) fn mistakes(attributes: &[Attribute], object: &Value) -> Diagnostics {
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
        let mistake = match attribute.mode {
            Mode::Required if value.is_null() => Some(Diagnostic::error(
                format!("{path} is required"),
                format!(
                    "{path} is null. Set it. If it comes from an optional variable, that variable \
                     has no value."
                ),
            )),
            Mode::Computed if !value.is_null() => Some(Diagnostic::error(
                format!("Unexpected argument {path}"),
                match &attribute.argument {
                    Some(argument) => format!(
                        "{path} is read-only: the provider computes it. To change it, set \
                         {argument} instead."
                    ),
                    None => format!(
                        "{path} is read-only: the provider computes it. Remove it from the \
                         configuration."
                    ),
                },
            )),
            _ => None,
        };
        if let Some(error) = mistake {
            let quotable = quotable && !attribute.is_secret();
            found.push(if quotable { error.at(path) } else { error });
            continue;
        }
        if let Kind::Nested { attributes, .. } = &attribute.kind {
            let quotable = quotable && !attributes.iter().any(Attribute::is_secret);
            below(attributes, value, &path, quotable, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Nesting, Type};

    #[test]
    fn null_is_no_value_for_a_required_attribute() {
        let attributes = [
            Attribute::required("path", Type::String),
            Attribute::optional("note", Type::String),
            Attribute::optional(
                "login",
                Kind::nested(
                    Nesting::Single,
                    [
                        Attribute::required("role", Type::String),
                        Attribute::required("jwt", Type::String).sensitive(),
                    ],
                ),
            ),
        ];
        let login = Value::object([("role", Value::Null), ("jwt", Value::from("x"))]);
        let config = Value::object([("path", Value::Null), ("login", login)]);
        let found = mistakes(&attributes, &config);
        let summaries: Vec<_> = found.iter().map(|error| error.summary.as_str()).collect();
        assert_eq!(summaries, ["path is required", "login.role is required"]);
        assert_eq!(found[0].path, Some(AttributePath::attribute("path")));
        assert_eq!(found[1].path, None, "the lines would show the jwt");

        let unknown = Value::object([("path", Value::Unknown), ("login", Value::Null)]);
        assert_eq!(mistakes(&attributes, &unknown), []);
    }

    #[test]
    fn a_read_only_attribute_that_is_set_names_the_argument_that_was_meant() {
        let attributes = [
            Attribute::optional_computed("field", Type::String),
            Attribute::computed("minted_at", Type::String).set_by("token_minted_at"),
            Attribute::computed("status", Type::String),
            Attribute::computed("token", Type::String).sensitive(),
        ];
        let set = ["field", "minted_at", "status", "token"].map(|name| (name, Value::Unknown));
        let found = mistakes(&attributes, &Value::object(set));
        let shown: Vec<_> = found
            .iter()
            .map(|error| (error.summary.as_str(), error.path.is_some()))
            .collect();
        assert_eq!(
            shown,
            [
                ("Unexpected argument minted_at", true),
                ("Unexpected argument status", true),
                ("Unexpected argument token", false),
            ]
        );
        assert!(
            found[0]
                .detail
                .to_string()
                .ends_with("set token_minted_at instead.")
        );
        assert_eq!(
            mistakes(&attributes, &Value::object([("field", Value::Null)])),
            []
        );
    }
}

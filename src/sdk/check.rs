//! The host's rules for our responses, checked before a response is sent.
//!
//! A host that receives an invalid response reports a bug in the provider without useful details,
//! and may lose the state. Catching it here names the attribute and keeps the state.
//!
//! Attributes are texts, numbers, bools, and objects, and lists and maps of them. Sets, tuples, and
//! dynamic values, which have their own rules of equality, occur only in functions.

mod applied;
pub(super) mod config;
mod planned;
pub(super) mod write_only;

use std::borrow::Cow;

pub(super) use applied::applied;
pub(super) use planned::planned;

use crate::protocol::shape::{Form, Shape};
use crate::protocol::{Attribute, AttributePath, CodecError, Diagnostic, Value};

/// A response that a host would reject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// The attribute, or empty for the whole object.
    pub(super) path: AttributePath,
    /// The rule that it violates, without a value.
    pub(super) rule: Cow<'static, str>,
}

impl Violation {
    /// Converts to the text that the user reads, without a value.
    ///
    /// The diagnostic has no path: a host would quote the source line, which may hold a secret.
    pub(super) fn into_diagnostic(self, call: &str, type_name: &str) -> Diagnostic {
        let place = if self.path.is_empty() {
            "the whole object".to_owned()
        } else {
            self.path.to_string()
        };
        Diagnostic::error(
            format!("Provider bug: invalid response to {call}"),
            format!(
                "For {type_name}, {place}: {rule}. The response was discarded, and the last known \
                 state is kept. This is a bug in the provider. Please report it with the \
                 provider's version and this text.",
                rule = self.rule,
            ),
        )
    }
}

/// A response that cannot be encoded does not conform to its schema.
impl From<CodecError> for Violation {
    fn from(error: CodecError) -> Self {
        Self {
            path: error.path,
            rule: Cow::Owned(error.reason.to_string()),
        }
    }
}

/// Shorthand for the checks.
type Checked = Result<(), Violation>;

fn violation(path: &AttributePath, rule: &'static str) -> Checked {
    Err(Violation {
        path: path.clone(),
        rule: Cow::Borrowed(rule),
    })
}

/// Checks an object that a host will record: present, fully known, and without write-only values.
pub(super) fn recorded(attributes: &[Attribute], state: &Value) -> Checked {
    if !matches!(state, Value::Map(_)) {
        return violation(&AttributePath::new(), "the object is absent");
    }
    known(attributes, state, "the value is unknown after the fact")?;
    match write_only::find(attributes, state).first() {
        Some(path) => violation(path, "a write-only attribute must be null"),
        None => Ok(()),
    }
}

/// Checks the result of a data source or an ephemeral resource: fully known, with the configured
/// values unchanged.
pub(super) fn found(attributes: &[Attribute], config: &Value, found: &Value) -> Checked {
    recorded(attributes, found)?;
    planned(attributes, &Value::Null, config, found)
}

/// Checks an identity: fully known, and the same as before.
pub(super) fn identity(
    attributes: &[Attribute],
    prior: Option<&Value>,
    identity: &Value,
) -> Checked {
    known(attributes, identity, "the identity is not known")?;
    let root = AttributePath::new();
    match prior {
        Some(prior) if !all_null(prior) && prior != identity => {
            violation(&root, "the identity differs from the one recorded")
        }
        _ if all_null(identity) => violation(&root, "the identity is missing"),
        _ => Ok(()),
    }
}

fn all_null(value: &Value) -> bool {
    match value {
        Value::Map(members) => members.values().all(Value::is_null),
        other => other.is_null(),
    }
}

fn known(attributes: &[Attribute], value: &Value, rule: &'static str) -> Checked {
    match unknown(Shape::of_object(attributes), value, AttributePath::new()) {
        Some(path) => violation(&path, rule),
        None => Ok(()),
    }
}

/// Returns the path to the first unknown value.
fn unknown(shape: Shape<'_>, value: &Value, path: AttributePath) -> Option<AttributePath> {
    if value.is_wholly_known() {
        return None;
    }
    let below = match (shape.form(), value) {
        (Form::Object(members), Value::Map(_)) => {
            members.all().into_iter().find_map(|(name, shape)| {
                unknown(
                    shape,
                    member(value, name),
                    path.clone().then_attribute(name),
                )
            })
        }
        (Form::Map(element), Value::Map(items)) => items
            .iter()
            .find_map(|(key, item)| unknown(element, item, path.clone().then_key(key.as_str()))),
        (Form::List(element), Value::List(items)) => items
            .iter()
            .zip(0..)
            .find_map(|(item, index)| unknown(element, item, path.clone().then_index(index))),
        _ => None,
    };
    // Encoding finds values that do not fit their type.
    Some(below.unwrap_or(path))
}

/// Returns a member of an object. All members of a null or unknown object are null.
fn member<'a>(object: &'a Value, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests;

//! Rules for the result of an apply.

use super::{Checked, member, recorded, violation};
use crate::protocol::shape::{Form, Shape};
use crate::protocol::{Attribute, AttributePath, Value};

/// Checks the object that an apply returns against what was planned.
pub(in crate::sdk) fn applied(attributes: &[Attribute], planned: &Value, state: &Value) -> Checked {
    recorded(attributes, state)?;
    let shape = Shape::of_object(attributes);
    kept(shape, planned, state, &AttributePath::new())
}

/// Every known planned value must come back unchanged. Unknown ones may become any value.
fn kept(shape: Shape<'_>, planned: &Value, state: &Value, path: &AttributePath) -> Checked {
    match (shape.form(), planned, state) {
        (_, Value::Unknown, _) => Ok(()),
        (Form::Object(members), Value::Map(_), Value::Map(_)) => {
            members.all().into_iter().try_for_each(|(name, shape)| {
                let path = path.clone().then_attribute(name);
                kept(shape, member(planned, name), member(state, name), &path)
            })
        }
        (Form::Map(element), Value::Map(plans), Value::Map(states)) => {
            if !plans.keys().eq(states.keys()) {
                return violation(path, "the keys are not the planned ones");
            }
            plans
                .iter()
                .zip(states.values())
                .try_for_each(|((key, planned), state)| {
                    kept(
                        element,
                        planned,
                        state,
                        &path.clone().then_key(key.as_str()),
                    )
                })
        }
        (Form::List(element), Value::List(plans), Value::List(states)) => {
            if plans.len() != states.len() {
                return violation(path, "the length is not the planned one");
            }
            plans
                .iter()
                .zip(states)
                .zip(0..)
                .try_for_each(|((planned, state), index)| {
                    kept(element, planned, state, &path.clone().then_index(index))
                })
        }
        _ if planned == state => Ok(()),
        _ => violation(path, "the value is not the planned one"),
    }
}

#[cfg(test)]
mod tests;

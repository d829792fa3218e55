//! What an apply may bring about.

use super::same::same;
use super::{Checked, at_key, correspond, member, recorded, violation};
use crate::protocol::shape::{Form, Shape};
use crate::protocol::{Attribute, AttributePath, Value};

/// Checks the object that an apply returns against what was planned.
pub(in crate::sdk) fn applied(attributes: &[Attribute], planned: &Value, state: &Value) -> Checked {
    recorded(attributes, state)?;
    let shape = Shape::of_object(attributes);
    kept(shape, planned, state, &AttributePath::new())
}

/// Every known planned value must come back unchanged; unknown ones may become anything.
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
                    kept(element, planned, state, &at_key(path, element, key))
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
        (Form::Set(element), Value::List(plans), Value::List(states)) => {
            // Unknown elements may turn out to be equal, so that there are fewer then.
            let fits = |planned: &Value, state: &Value| kept(element, planned, state, path).is_ok();
            if states.len() <= plans.len() && correspond(plans, states, fits) {
                Ok(())
            } else {
                violation(path, "the elements are not the planned ones")
            }
        }
        (Form::Tuple(elements), Value::List(plans), Value::List(states)) => {
            if plans.len() != states.len() {
                return violation(path, "the length is not the planned one");
            }
            elements
                .into_iter()
                .zip(plans.iter().zip(states))
                .zip(0..)
                .try_for_each(|((element, (planned, state)), index)| {
                    kept(element, planned, state, &path.clone().then_index(index))
                })
        }
        (
            Form::Dynamic,
            Value::Dynamic(planned_type, planned),
            Value::Dynamic(state_type, state),
        ) => {
            if planned_type != state_type {
                return violation(path, "the type is not the planned one");
            }
            kept(shape.brought(planned_type), planned, state, path)
        }
        _ if same(shape, planned, state) => Ok(()),
        _ => violation(path, "the value is not the planned one"),
    }
}

#[cfg(test)]
mod tests;

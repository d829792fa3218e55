//! Equality as a host sees it: the order of a set's elements means nothing.

use super::{correspond, member};
use crate::protocol::Value;
use crate::protocol::shape::{Form, Shape};

/// Tells whether two values are one to a host.
pub(super) fn same(shape: Shape<'_>, one: &Value, other: &Value) -> bool {
    if one == other {
        return true;
    }
    match (shape.form(), one, other) {
        (Form::Object(members), Value::Map(_), Value::Map(_)) => members
            .all()
            .into_iter()
            .all(|(name, shape)| same(shape, member(one, name), member(other, name))),
        (Form::Map(element), Value::Map(one), Value::Map(other)) => {
            one.keys().eq(other.keys())
                && one
                    .values()
                    .zip(other.values())
                    .all(|(one, other)| same(element, one, other))
        }
        (Form::List(element), Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| same(element, one, other))
        }
        (Form::Set(element), Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && correspond(one, other, |one, other| same(element, one, other))
        }
        (Form::Tuple(elements), Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && elements
                    .into_iter()
                    .zip(one.iter().zip(other))
                    .all(|(element, (one, other))| same(element, one, other))
        }
        (Form::Dynamic, Value::Dynamic(ty, one), Value::Dynamic(other_type, other)) => {
            ty == other_type && same(shape.brought(ty), one, other)
        }
        _ => false,
    }
}

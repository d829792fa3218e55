//! Rules for a plan.

use super::{Checked, at_key, member, violation, write_only};
use crate::protocol::shape::{Form, Shape};
use crate::protocol::{Attribute, AttributePath, Kind, Value};

const NOT_AN_OBJECT: &str = "a configured object is planned as absent or unknown";

/// Checks a planned object for an instance that will exist.
///
/// `prior` is null for a create. The rules are in the host's order, and the first match decides.
/// Write-only attributes come first, because hosts reject one that has a value even if it equals
/// the configured one.
pub(in crate::sdk) fn planned(
    attributes: &[Attribute],
    prior: &Value,
    config: &Value,
    planned: &Value,
) -> Checked {
    let root = AttributePath::new();
    if !matches!(planned, Value::Map(_)) {
        return violation(&root, "planned for absence, but the configuration wants it");
    }
    if let Some(path) = write_only::find(attributes, planned).first() {
        return violation(path, "a write-only attribute must be null in a plan");
    }
    let shape = Shape::of_object(attributes);
    object(attributes, shape, prior, config, planned, &root)
}

fn object(
    attributes: &[Attribute],
    shape: Shape<'_>,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &AttributePath,
) -> Checked {
    let (Form::Object(members), Value::Map(_), Value::Map(_)) = (shape.form(), config, planned)
    else {
        return if planned == config {
            Ok(())
        } else {
            violation(path, NOT_AN_OBJECT)
        };
    };
    attributes
        .iter()
        .zip(members.all())
        .try_for_each(|(attribute, (name, shape))| {
            planned_attribute(
                attribute,
                shape,
                member(prior, name),
                member(config, name),
                member(planned, name),
                &path.clone().then_attribute(name),
            )
        })
}

fn planned_attribute(
    attribute: &Attribute,
    shape: Shape<'_>,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &AttributePath,
) -> Checked {
    let not_configured = config.is_null() || !attribute.mode.is_configurable();
    if attribute.write_only || (attribute.mode.is_computed() && not_configured) {
        return Ok(());
    }
    if planned == config || (!prior.is_null() && !config.is_null() && planned == prior) {
        return Ok(());
    }
    match &attribute.kind {
        _ if config.is_null() => {
            violation(path, "a value is planned for an attribute that is not set")
        }
        Kind::Nested { attributes, .. } => nested(attributes, shape, prior, config, planned, path),
        Kind::Plain(_) => violation(path, "the planned value is not the configured one"),
    }
}

fn nested(
    attributes: &[Attribute],
    shape: Shape<'_>,
    prior: &Value,
    config: &Value,
    planned: &Value,
    path: &AttributePath,
) -> Checked {
    match (shape.form(), config, planned) {
        (Form::Map(element), Value::Map(configs), Value::Map(plans)) => {
            if !configs.keys().eq(plans.keys()) {
                return violation(path, "the planned keys are not the configured ones");
            }
            configs
                .iter()
                .zip(plans.values())
                .try_for_each(|((key, config), planned)| {
                    let path = at_key(path, element, key);
                    object(
                        attributes,
                        element,
                        member(prior, key),
                        config,
                        planned,
                        &path,
                    )
                })
        }
        (Form::List(element), Value::List(configs), Value::List(plans)) => {
            if configs.len() != plans.len() {
                return violation(path, "the planned length is not the configured one");
            }
            let priors = prior.as_list().unwrap_or_default();
            let priors = priors.iter().chain(std::iter::repeat(&Value::Null));
            configs.iter().zip(plans).zip(priors).zip(0..).try_for_each(
                |(((config, planned), prior), index)| {
                    let path = path.clone().then_index(index);
                    object(attributes, element, prior, config, planned, &path)
                },
            )
        }
        _ => object(attributes, shape, prior, config, planned, path),
    }
}

#[cfg(test)]
mod tests;

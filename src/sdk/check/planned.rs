//! Rules for a plan.

use super::{Checked, member, violation, write_only};
use crate::protocol::{Attribute, AttributePath, Value};

/// Checks a planned object for an instance that will exist.
///
/// `prior` is null for a create. The rules are in the host's order, and the first match decides.
/// Write-only attributes come first, because hosts reject one that has a value even if it equals
/// the configured one.
///
/// Configured values are compared as a whole, because no configured attribute has a computed part
/// (`tests/rpc/lint.rs` checks this).
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
    attributes.iter().try_for_each(|attribute| {
        let name = attribute.name.as_ref();
        planned_attribute(
            attribute,
            member(prior, name),
            member(config, name),
            member(planned, name),
        )
    })
}

fn planned_attribute(
    attribute: &Attribute,
    prior: &Value,
    config: &Value,
    planned: &Value,
) -> Checked {
    let not_configured = config.is_null() || !attribute.mode.is_configurable();
    if attribute.write_only || (attribute.mode.is_computed() && not_configured) {
        return Ok(());
    }
    if planned == config || (!prior.is_null() && !config.is_null() && planned == prior) {
        return Ok(());
    }
    let rule = if config.is_null() {
        "a value is planned for an attribute that is not set"
    } else {
        "the planned value is not the configured one"
    };
    violation(&AttributePath::attribute(attribute.name.as_ref()), rule)
}

#[cfg(test)]
mod tests;

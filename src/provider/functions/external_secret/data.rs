//! The entries of `spec.data`: what the operator would refuse is refused here.

use std::collections::HashSet;

use super::spec::{place, text, wrong};
use crate::external_secret::validate_secret_key;
use crate::protocol::{AttributePath, Diagnostic};
use crate::provider::diagnose::refuse::capital;
use crate::sdk::{Dynamic, Field};

/// What an entry looks like.
const FORM: &str =
    "An entry is written { secretKey = \"…\", remoteRef = { key = \"…\", property = \"…\" } }.";

/// Checks what is known of the entries. Fields that are not known here are the operator's business.
pub(super) fn check(data: &Dynamic) -> Result<(), Diagnostic> {
    if data.is_unknown() {
        return Ok(());
    }
    let path = place("data");
    let entries = data.elements().ok_or_else(|| {
        wrong(
            path.clone(),
            format!("A list of entries is required. {FORM}"),
        )
    })?;
    if entries.is_empty() {
        return Err(wrong(
            path,
            "There is no entry, and the operator takes no ExternalSecret without one.",
        ));
    }
    let mut keys = HashSet::new();
    for (index, entry) in (0..).zip(&entries) {
        let at = path.clone().then_index(index);
        if let Field::Known(key) = check_entry(entry, &at)?
            && !keys.insert(key)
        {
            return Err(wrong(
                at.then_attribute("secretKey"),
                "An entry before this one has the same key, and a Secret has it once.",
            ));
        }
    }
    Ok(())
}

/// Checks one entry and returns its key.
fn check_entry(entry: &Dynamic, at: &AttributePath) -> Result<Field<String>, Diagnostic> {
    if entry.is_unknown() {
        return Ok(Field::Unknown);
    }
    let fields = entry.attributes().ok_or_else(|| {
        let hint = match entry.elements() {
            Some(_) => " Join lists with concat instead of nesting them.",
            None => "",
        };
        wrong(at.clone(), format!("An object is required.{hint} {FORM}"))
    })?;
    let required = |name: &str| {
        let field = fields.get(name).filter(|field| !field.is_null());
        field.ok_or_else(|| wrong(at.clone(), format!("{name} is missing. {FORM}")))
    };
    let at_key = at.clone().then_attribute("secretKey");
    let key = text(required("secretKey")?, at_key.clone())?;
    if let Some(Err(error)) = key.as_str().map(validate_secret_key) {
        return Err(wrong(at_key, format!("{}.", capital(&error))));
    }
    check_reference(
        required("remoteRef")?,
        &at.clone().then_attribute("remoteRef"),
    )?;
    Ok(key)
}

fn check_reference(reference: &Dynamic, at: &AttributePath) -> Result<(), Diagnostic> {
    if reference.is_unknown() {
        return Ok(());
    }
    let fields = reference
        .attributes()
        .ok_or_else(|| wrong(at.clone(), format!("An object is required. {FORM}")))?;
    if fields.get("key").is_none_or(Dynamic::is_null) {
        return Err(wrong(at.clone(), format!("key is missing. {FORM}")));
    }
    for name in ["key", "property"] {
        if let Some(field) = fields.get(name).filter(|field| !field.is_null()) {
            let at = at.clone().then_attribute(name);
            // Without a property, the operator delivers the whole secret; a key it must have.
            if text(field, at.clone())?.as_str() == Some("") && name == "key" {
                return Err(wrong(at, "The key is empty. It is the path of the secret."));
            }
        }
    }
    Ok(())
}

//! The entries of `spec.data`: what the operator would refuse is refused here.

use std::collections::HashSet;

use super::argument::{invalid, place, text};
use crate::external_secret::validate_secret_key;
use crate::protocol::{AttributePath, Diagnostic};
use crate::provider::defaults::{DEFAULT_FIELD, DEFAULT_SECRET_KEY};
use crate::provider::diagnose::refuse::capital;
use crate::sdk::{Dynamic, Field};

/// Example of an entry.
const FORM: &str =
    "Write an entry as { secretKey = \"…\", remoteRef = { key = \"…\", property = \"…\" } }.";
/// Ways of decoding that turn a token into other bytes: a token is valid Base64URL.
const HARMFUL_STRATEGIES: [&str; 2] = ["Auto", "Base64URL"];

/// The names in an entry.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// Key in the Kubernetes Secret.
    pub(super) key: Field<String>,
    /// Field of the secret in Vault.
    property: Field<String>,
}

impl Entry {
    /// Returns whether the entry delivers a Claude token: its field or its key has the default
    /// name. `None` if that depends on an unknown name.
    pub(super) fn is_token(&self) -> Option<bool> {
        let names = [
            (&self.key, DEFAULT_SECRET_KEY),
            (&self.property, DEFAULT_FIELD),
        ];
        if names.iter().any(|(name, own)| name.as_str() == Some(*own)) {
            return Some(true);
        }
        match names.iter().any(|(name, _)| name.is_unknown()) {
            true => None,
            false => Some(false),
        }
    }
}

/// Checks the known parts of the entries. Fields that are not known here pass through.
pub(super) fn read(data: &Dynamic) -> Result<Field<Vec<Entry>>, Diagnostic> {
    if data.is_unknown() {
        return Ok(Field::Unknown);
    }
    let path = place("data");
    let elements = data.elements().ok_or_else(|| {
        invalid(
            path.clone(),
            format!("A list of entries is required. {FORM}"),
        )
    })?;
    if elements.is_empty() {
        return Err(invalid(
            path,
            "The list is empty. The operator requires at least one entry.",
        ));
    }
    let mut keys = HashSet::new();
    let mut entries = Vec::new();
    for (index, element) in (0..).zip(&elements) {
        let at = path.clone().then_index(index);
        let entry = read_entry(element, &at)?;
        if let Some(key) = entry.key.as_str()
            && !keys.insert(key.to_owned())
        {
            return Err(invalid(
                at.then_attribute("secretKey"),
                "An earlier entry has the same key.",
            ));
        }
        entries.push(entry);
    }
    Ok(Field::Known(entries))
}

fn read_entry(element: &Dynamic, at: &AttributePath) -> Result<Entry, Diagnostic> {
    if element.is_unknown() {
        return Ok(Entry {
            key: Field::Unknown,
            property: Field::Unknown,
        });
    }
    let fields = element.attributes().ok_or_else(|| {
        let hint = match element.elements() {
            Some(_) => " Join lists with concat instead of nesting them.",
            None => "",
        };
        invalid(at.clone(), format!("An object is required.{hint} {FORM}"))
    })?;
    let required = |name: &str| {
        let field = fields.get(name).filter(|field| !field.is_null());
        field.ok_or_else(|| invalid(at.clone(), format!("{name} is missing. {FORM}")))
    };
    let at_key = at.clone().then_attribute("secretKey");
    let key = text(required("secretKey")?, at_key.clone())?;
    if let Some(Err(error)) = key.as_str().map(validate_secret_key) {
        return Err(invalid(at_key, format!("{}.", capital(&error))));
    }
    let reference = required("remoteRef")?;
    let at = at.clone().then_attribute("remoteRef");
    read_reference(key, reference, &at)
}

fn read_reference(
    key: Field<String>,
    reference: &Dynamic,
    at: &AttributePath,
) -> Result<Entry, Diagnostic> {
    if reference.is_unknown() {
        return Ok(Entry {
            key,
            property: Field::Unknown,
        });
    }
    let fields = reference
        .attributes()
        .ok_or_else(|| invalid(at.clone(), format!("An object is required. {FORM}")))?;
    let read = |name: &'static str| match fields.get(name).filter(|field| !field.is_null()) {
        Some(field) => text(field, at.clone().then_attribute(name)),
        None => Ok(Field::Null),
    };
    match read("key")? {
        Field::Null => return Err(invalid(at.clone(), format!("key is missing. {FORM}"))),
        Field::Known(key) if key.is_empty() => {
            return Err(invalid(
                at.clone().then_attribute("key"),
                "The key is empty. It is the path of the secret.",
            ));
        }
        _ => {}
    }
    let entry = Entry {
        key,
        property: read("property")?,
    };
    let strategy = "decodingStrategy";
    if entry.is_token() == Some(true)
        && let Some(given) = fields.get(strategy).and_then(Dynamic::as_str)
        && HARMFUL_STRATEGIES.contains(&given)
    {
        return Err(invalid(
            at.clone().then_attribute(strategy),
            format!(
                "Every Claude token is also valid Base64URL. With `{given}`, the operator would \
                 decode the token and deliver bytes that no longer work. Remove {strategy}."
            ),
        ));
    }
    Ok(entry)
}

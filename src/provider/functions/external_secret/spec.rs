//! What the argument says, checked.

use std::collections::BTreeMap;

use super::data;
use super::nearest::nearest;
use crate::external_secret::{
    refresh_interval, validate_annotation_key, validate_name, validate_namespace,
};
use crate::protocol::{AttributePath, Diagnostic, Type};
use crate::provider::diagnose::refuse::capital;
use crate::sdk::{Dynamic, Field};

/// Name of the parameter.
pub(super) const PARAMETER: &str = "spec";
/// Attributes of the argument.
const ATTRIBUTES: [&str; 8] = [
    "name",
    "namespace",
    "data",
    "store_name",
    "store_kind",
    "refresh_interval",
    "target_name",
    "annotations",
];
/// Store where none is named.
const DEFAULT_STORE_NAME: &str = "vault-kv";
/// Kind of the store where none is named.
const DEFAULT_STORE_KIND: &str = "ClusterSecretStore";
/// The two kinds of stores.
const STORE_KINDS: [&str; 2] = [DEFAULT_STORE_KIND, "SecretStore"];
/// Time between two looks where none is given, as the operator's API writes it.
const DEFAULT_REFRESH_INTERVAL: &str = "1h0m0s";

/// The argument with its defaults.
#[derive(Debug, PartialEq)]
pub(super) struct Spec {
    pub(super) name: Field<String>,
    pub(super) namespace: Field<String>,
    pub(super) data: Dynamic,
    pub(super) store_name: Field<String>,
    pub(super) store_kind: Field<String>,
    pub(super) refresh_interval: Field<String>,
    pub(super) target_name: Field<String>,
    pub(super) annotations: Option<Dynamic>,
}

impl Spec {
    /// Reads an argument that is neither null nor unknown as a whole.
    pub(super) fn read(argument: &Dynamic) -> Result<Self, Diagnostic> {
        let attributes = argument.attributes().ok_or_else(|| {
            let detail = format!("An object is required, with {}.", list(&ATTRIBUTES));
            wrong(AttributePath::attribute(PARAMETER), detail)
        })?;
        only_known(&attributes)?;
        let mut given = Given(attributes);
        let name = given.required_text("name")?;
        let namespace = given.required_text("namespace")?;
        let data = given.required("data")?;
        let store_name = given.text("store_name")?;
        let store_kind = given.text("store_kind")?;
        let interval = given.text("refresh_interval")?;
        let target_name = given.text("target_name")?;
        let annotations = given.optional("annotations");
        for (attribute, text) in [
            ("name", &name),
            ("store_name", &store_name),
            ("target_name", &target_name),
        ] {
            check(attribute, text, validate_name)?;
        }
        check("namespace", &namespace, validate_namespace)?;
        if store_kind
            .as_str()
            .is_some_and(|kind| !STORE_KINDS.contains(&kind))
        {
            let detail = format!("The kind of a store is {}.", STORE_KINDS.join(" or "));
            return Err(wrong(place("store_kind"), detail));
        }
        data::check(&data)?;
        if let Some(annotations) = &annotations {
            check_annotations(annotations)?;
        }
        Ok(Self {
            target_name: target_name.or(name.clone()),
            name,
            namespace,
            data,
            store_name: store_name.or(Field::text(DEFAULT_STORE_NAME)),
            store_kind: store_kind.or(Field::text(DEFAULT_STORE_KIND)),
            refresh_interval: match &interval {
                Field::Known(text) => Field::Known(refresh_interval(text).map_err(|error| {
                    wrong(place("refresh_interval"), format!("{}.", capital(&error)))
                })?),
                unset => unset.clone().or(Field::text(DEFAULT_REFRESH_INTERVAL)),
            },
            annotations,
        })
    }
}

/// The attributes of the argument that were not read yet.
struct Given(BTreeMap<String, Dynamic>);

impl Given {
    /// Takes an attribute; null counts as left out.
    fn optional(&mut self, name: &'static str) -> Option<Dynamic> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn required(&mut self, name: &'static str) -> Result<Dynamic, Diagnostic> {
        self.optional(name).ok_or_else(|| {
            let detail = format!("{name} is missing. Set it; it must not be null.");
            wrong(AttributePath::attribute(PARAMETER), detail)
        })
    }

    fn text(&mut self, name: &'static str) -> Result<Field<String>, Diagnostic> {
        match self.optional(name) {
            Some(value) => text(&value, place(name)),
            None => Ok(Field::Null),
        }
    }

    fn required_text(&mut self, name: &'static str) -> Result<Field<String>, Diagnostic> {
        text(&self.required(name)?, place(name))
    }
}

/// Refuses attributes that nothing would read.
fn only_known(attributes: &BTreeMap<String, Dynamic>) -> Result<(), Diagnostic> {
    let mut names = attributes.keys().map(String::as_str);
    let Some(name) = names.find(|name| !ATTRIBUTES.contains(name)) else {
        return Ok(());
    };
    let meant = match nearest(name, &ATTRIBUTES) {
        Some(meant) => format!(" Did you mean {meant}?"),
        None => String::new(),
    };
    let detail = format!(
        "There is no attribute {name}.{meant} The attributes are {}.",
        list(&ATTRIBUTES)
    );
    Err(wrong(AttributePath::attribute(PARAMETER), detail))
}

/// Reads a text that is not null.
pub(super) fn text(value: &Dynamic, path: AttributePath) -> Result<Field<String>, Diagnostic> {
    match (value.ty(), value.as_str()) {
        (_, Some(text)) => Ok(Field::text(text)),
        (Type::String | Type::Dynamic, None) => Ok(Field::Unknown),
        _ => Err(wrong(path, "A string is required.")),
    }
}

/// Annotations are texts, and their keys have a form.
fn check_annotations(annotations: &Dynamic) -> Result<(), Diagnostic> {
    if annotations.is_unknown() {
        return Ok(());
    }
    let path = place("annotations");
    let each = annotations
        .attributes()
        .ok_or_else(|| wrong(path.clone(), "A map of strings is required."))?;
    for (key, value) in &each {
        let path = path.clone().then_key(key.as_str());
        validate_annotation_key(key)
            .map_err(|error| wrong(path.clone(), format!("{}.", capital(&error))))?;
        if !value.is_null() {
            text(value, path)?;
        }
    }
    Ok(())
}

fn check<E: std::error::Error>(
    attribute: &'static str,
    text: &Field<String>,
    rule: fn(&str) -> Result<(), E>,
) -> Result<(), Diagnostic> {
    match text.as_str().map(rule) {
        Some(Err(error)) => Err(wrong(place(attribute), format!("{}.", capital(&error)))),
        _ => Ok(()),
    }
}

/// Returns the path of an attribute of the argument.
pub(super) fn place(attribute: &str) -> AttributePath {
    AttributePath::attribute(PARAMETER).then_attribute(attribute)
}

/// Makes the error about a part of the argument. It quotes no value.
pub(super) fn wrong(path: AttributePath, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("Wrong spec", detail).at(path)
}

/// Writes names as a sentence does: `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        names => names.concat(),
    }
}

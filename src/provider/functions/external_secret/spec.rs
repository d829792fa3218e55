//! The argument, checked.

use std::collections::BTreeMap;

use super::argument::{PARAMETER, invalid, place, text};
use super::nearest::nearest;
use super::{data, template};
use crate::external_secret::{
    NameError, refresh_interval, validate_annotation_key, validate_label_value, validate_name,
    validate_namespace,
};
use crate::protocol::{AttributePath, Diagnostic, Type};
use crate::provider::diagnose::refuse::capital;
use crate::sdk::{Dynamic, Field};

/// Attributes of the argument.
const ATTRIBUTES: [&str; 12] = [
    "name",
    "namespace",
    "data",
    "store_name",
    "store_kind",
    "refresh_interval",
    "refresh_policy",
    "target_name",
    "annotations",
    "secret_annotations",
    "secret_labels",
    "reject_malformed",
];
/// Default name of the store.
const DEFAULT_STORE_NAME: &str = "vault-kv";
/// Default kind of the store.
const DEFAULT_STORE_KIND: &str = "ClusterSecretStore";
/// The two kinds of stores.
const STORE_KINDS: [&str; 2] = [DEFAULT_STORE_KIND, "SecretStore"];
/// Default interval, which is the operator's own.
const DEFAULT_REFRESH_INTERVAL: &str = "1h0m0s";
/// The policy that reads the secret at the interval, which is the operator's default.
const PERIODIC: &str = "Periodic";
/// The policy that reads the secret only after a change of the ExternalSecret.
const ON_CHANGE: &str = "OnChange";
/// The policy that reads the secret once.
const CREATED_ONCE: &str = "CreatedOnce";

/// The argument with its defaults.
#[derive(Debug, PartialEq)]
pub(super) struct Spec {
    pub(super) name: Field<String>,
    pub(super) namespace: Field<String>,
    pub(super) data: Dynamic,
    pub(super) store_name: Field<String>,
    pub(super) store_kind: Field<String>,
    pub(super) refresh_interval: Field<String>,
    pub(super) refresh_policy: Field<String>,
    pub(super) target_name: Field<String>,
    pub(super) annotations: Option<Dynamic>,
    pub(super) template: Option<Dynamic>,
}

impl Spec {
    /// Reads an argument that is neither null nor unknown as a whole.
    pub(super) fn read(argument: &Dynamic) -> Result<Self, Diagnostic> {
        let attributes = argument.attributes().ok_or_else(|| {
            let detail = format!("An object is required, with {}.", list(&ATTRIBUTES));
            invalid(AttributePath::attribute(PARAMETER), detail)
        })?;
        only_known(&attributes)?;
        let mut given = Given(attributes);
        let name = given.required_text("name")?;
        let namespace = given.required_text("namespace")?;
        let data = given.required("data")?;
        let store_name = given.text("store_name")?;
        let store_kind = given.text("store_kind")?;
        let interval = given.text("refresh_interval")?;
        let policy = given.text("refresh_policy")?;
        let target_name = given.text("target_name")?;
        let annotations = given.texts("annotations", |_| Ok(()))?;
        let wanted = template::Wanted {
            annotations: given.texts("secret_annotations", |_| Ok(()))?,
            labels: given.texts("secret_labels", validate_label_value)?,
            reject_malformed: given.optional("reject_malformed"),
        };
        for (attribute, text) in [
            ("name", &name),
            ("store_name", &store_name),
            ("target_name", &target_name),
        ] {
            check(attribute, text, validate_name)?;
        }
        check("namespace", &namespace, validate_namespace)?;
        one_of("store_kind", &store_kind, &STORE_KINDS)?;
        one_of(
            "refresh_policy",
            &policy,
            &[PERIODIC, ON_CHANGE, CREATED_ONCE],
        )?;
        check("refresh_interval", &interval, |text| {
            refresh_interval(text).map(drop)
        })?;
        let interval = interval.or(Field::text(DEFAULT_REFRESH_INTERVAL));
        let policy = policy.or(Field::text(PERIODIC));
        if annotations.as_ref().is_some_and(has_entries) {
            syncs(&policy, &interval)?;
        }
        if let Some(reject) = &wanted.reject_malformed
            && !matches!(reject.ty(), Type::Bool | Type::Dynamic)
        {
            return Err(invalid(place("reject_malformed"), "A bool is required."));
        }
        let entries = data::read(&data)?;
        Ok(Self {
            target_name: target_name.or(name.clone()),
            name,
            namespace,
            store_name: store_name.or(Field::text(DEFAULT_STORE_NAME)),
            store_kind: store_kind.or(Field::text(DEFAULT_STORE_KIND)),
            refresh_interval: interval,
            refresh_policy: policy,
            annotations,
            template: template::of(wanted, &entries)?,
            data,
        })
    }
}

/// Refuses annotations whose changes the operator would ignore.
fn syncs(policy: &Field<String>, interval: &Field<String>) -> Result<(), Diagnostic> {
    let (attribute, cause) = match (policy.as_str(), interval.as_str()) {
        (Some(CREATED_ONCE), _) => (
            "refresh_policy",
            "With `CreatedOnce`, the operator reads the secret once, so a change of `annotations` \
             would sync nothing. Use `OnChange`, or remove `annotations`.",
        ),
        (Some(PERIODIC), Some(text)) if refresh_interval(text).is_ok_and(|it| it.is_zero()) => (
            "refresh_interval",
            "With an interval of 0, the operator reads the secret once, so a change of \
             `annotations` would sync nothing. To sync on changes only, set \
             `refresh_policy = \"OnChange\"`.",
        ),
        _ => return Ok(()),
    };
    Err(invalid(place(attribute), cause))
}

fn has_entries(map: &Dynamic) -> bool {
    map.attributes().is_some_and(|entries| !entries.is_empty())
}

fn one_of(
    attribute: &'static str,
    text: &Field<String>,
    values: &[&str],
) -> Result<(), Diagnostic> {
    match text.as_str() {
        Some(text) if !values.contains(&text) => {
            let detail = format!("{attribute} must be {}.", choice(values));
            Err(invalid(place(attribute), detail))
        }
        _ => Ok(()),
    }
}

/// The attributes of the argument that have not been read yet.
struct Given(BTreeMap<String, Dynamic>);

impl Given {
    /// Removes and returns an attribute. A literal null is the same as leaving the attribute out. A
    /// null with a type stays, because it may have been unknown at plan.
    fn optional(&mut self, name: &'static str) -> Option<Dynamic> {
        let value = self.0.remove(name)?;
        (!value.is_null() || *value.ty() != Type::Dynamic).then_some(value)
    }

    fn required(&mut self, name: &'static str) -> Result<Dynamic, Diagnostic> {
        let given = self.optional(name).filter(|value| !value.is_null());
        given.ok_or_else(|| {
            let detail = format!("{name} is missing. Set it; it must not be null.");
            invalid(AttributePath::attribute(PARAMETER), detail)
        })
    }

    fn text(&mut self, name: &'static str) -> Result<Field<String>, Diagnostic> {
        match self.optional(name).filter(|value| !value.is_null()) {
            Some(value) => text(&value, place(name)),
            None => Ok(Field::Null),
        }
    }

    /// Removes and returns annotations or labels, if their values pass a test.
    fn texts(
        &mut self,
        name: &'static str,
        rule: fn(&str) -> Result<(), NameError>,
    ) -> Result<Option<Dynamic>, Diagnostic> {
        let map = self.optional(name);
        if let Some(map) = &map
            && !map.is_unknown()
            && !map.is_null()
        {
            check_texts(map, &place(name), rule)?;
        }
        Ok(map)
    }

    fn required_text(&mut self, name: &'static str) -> Result<Field<String>, Diagnostic> {
        text(&self.required(name)?, place(name))
    }
}

/// Refuses unknown attributes.
fn only_known(attributes: &BTreeMap<String, Dynamic>) -> Result<(), Diagnostic> {
    let mut names = attributes.keys().map(String::as_str);
    let Some(name) = names.find(|name| !ATTRIBUTES.contains(name)) else {
        return Ok(());
    };
    let meant = match nearest(name, &ATTRIBUTES) {
        Some(meant) => format!(" Did you mean `{meant}`?"),
        None => String::new(),
    };
    let detail = format!(
        "There is no attribute `{name}`.{meant} The attributes are {}.",
        list(&ATTRIBUTES)
    );
    Err(invalid(AttributePath::attribute(PARAMETER), detail))
}

/// Checks the keys and values of annotations or labels.
fn check_texts(
    map: &Dynamic,
    path: &AttributePath,
    rule: fn(&str) -> Result<(), NameError>,
) -> Result<(), Diagnostic> {
    let each = map
        .attributes()
        .ok_or_else(|| invalid(path.clone(), "A map of strings is required."))?;
    for (key, value) in &each {
        let path = path.clone().then_key(key.as_str());
        let refused = |error: NameError| invalid(path.clone(), format!("{}.", capital(&error)));
        validate_annotation_key(key).map_err(refused)?;
        if !value.is_null()
            && let Some(text) = text(value, path.clone())?.as_str()
        {
            rule(text).map_err(refused)?;
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
        Some(Err(error)) => Err(invalid(place(attribute), format!("{}.", capital(&error)))),
        _ => Ok(()),
    }
}

/// Writes names as a sentence does: `a, b, and c`.
fn list(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{}, and {last}", before.join(", ")),
        names => names.concat(),
    }
}

/// Writes values as a sentence does: `a, b, or c`.
fn choice(values: &[&str]) -> String {
    match values {
        [one, other] => format!("`{one}` or `{other}`"),
        [before @ .., last] => format!("`{}`, or `{last}`", before.join("`, `")),
        [] => String::new(),
    }
}

//! What hosts refuse in a schema, so that a test finds it before a host does.
//!
//! A host that refuses one schema loads none of the provider. What the types of
//! the schema cannot express needs no rule here.

use std::collections::HashSet;

use terraform_provider_claude::protocol::ty::MAX_DEPTH;
use terraform_provider_claude::protocol::{
    Attribute, AttributePath, Kind, Nesting, Schema, Signature, Type,
};

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The configuration of the provider.
    Provider,
    /// A managed resource.
    Resource,
    /// A data source, or anything else that is neither of the two.
    Other,
}

/// A rule that a schema breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {rule}")]
pub(super) struct Violation {
    /// The attribute that breaks the rule; empty for the schema as a whole.
    pub(super) path: AttributePath,
    /// The rule.
    pub(super) rule: Rule,
}

/// A rule that every schema must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rule {
    /// Versions count up from 0.
    #[error("a schema version is 0 or more")]
    NegativeVersion,
    /// Names are lower case and can be written in configuration.
    #[error("a name consists of a-z, 0-9 and _, and starts with a letter")]
    NameSyntax,
    /// No two attributes of an object have one name.
    #[error("the name is taken by another attribute")]
    DuplicateName,
    /// Some names have a meaning of their own in configuration.
    #[error("the name is an argument that every block of this kind has already")]
    ReservedName,
    /// The value of a write-only attribute is the configuration's alone.
    #[error("a write-only attribute cannot be computed")]
    WriteOnlyComputed,
    /// Only managed resources have write-only attributes, and only there are they searched for.
    #[error("a write-only attribute is possible only at the top of managed resources")]
    WriteOnlyOutsideResource,
    /// Elements of a set have one type.
    #[error("a dynamic type is not possible within a set")]
    DynamicInSet,
    /// The checks of answers compare attributes by their plain values.
    #[error("an attribute has no set, tuple or dynamic value")]
    NotCompared,
    /// Configured values are compared as a whole, and write-only ones are searched for at the top.
    #[error("a nested attribute is computed, or a single object in a provider block")]
    NestedConfiguration,
    /// An empty map is the encoding of no object that has attributes.
    #[error("a nested attribute has at least one attribute")]
    NoNestedAttributes,
    /// A type has a bounded depth.
    #[error("a type is nested {MAX_DEPTH} levels deep at most")]
    TooDeep,
    /// The caller gives every argument.
    #[error("a parameter cannot be computed")]
    ComputedParameter,
    /// Identities are compared and written on one line.
    #[error("an identity attribute is a string, a number, a bool or a list of one of them")]
    IdentityType,
}

/// Names that mean something else in every resource, data source and the like.
const RESERVED_IN_RESOURCES: [&str; 7] = [
    "connection",
    "count",
    "depends_on",
    "for_each",
    "lifecycle",
    "provider",
    "provisioner",
];

/// Names that mean something else in the configuration of a provider, or are kept for that.
const RESERVED_IN_PROVIDERS: [&str; 8] = [
    "alias",
    "count",
    "depends_on",
    "for_each",
    "lifecycle",
    "locals",
    "source",
    "version",
];

/// Returns everything that hosts refuse in a schema.
pub(super) fn schema(role: Role, schema: &Schema) -> Vec<Violation> {
    let mut lint = Lint::default();
    let root = AttributePath::new();
    if schema.version < 0 {
        lint.add(&root, Rule::NegativeVersion);
    }
    let reserved: &[&str] = match role {
        Role::Provider => &RESERVED_IN_PROVIDERS,
        Role::Resource | Role::Other => &RESERVED_IN_RESOURCES,
    };
    for attribute in &schema.attributes {
        if reserved.contains(&attribute.name.as_ref()) {
            let path = AttributePath::attribute(attribute.name.as_ref());
            lint.add(&path, Rule::ReservedName);
        }
    }
    let place = Place {
        write_only_possible: role == Role::Resource,
        is_compared: role != Role::Provider,
        depth: 1,
    };
    lint.attributes(&root, &schema.attributes, place);
    lint.violations
}

/// Returns everything that hosts refuse in the attributes of an identity.
pub(super) fn identity(attributes: &[Attribute]) -> Vec<Violation> {
    let mut lint = Lint::default();
    let names = attributes.iter().map(|attribute| attribute.name.as_ref());
    lint.names(&AttributePath::new(), names);
    for attribute in attributes {
        let ty = attribute.implied_type();
        let element = match &ty {
            Type::List(element) => element.as_ref(),
            other => other,
        };
        if !matches!(element, Type::String | Type::Number | Type::Bool) {
            let path = AttributePath::attribute(attribute.name.as_ref());
            lint.add(&path, Rule::IdentityType);
        }
    }
    lint.violations
}

/// Returns everything that hosts refuse in a function.
pub(super) fn function(name: &str, signature: &Signature) -> Vec<Violation> {
    let mut lint = Lint::default();
    let root = AttributePath::new();
    if !is_name(name) {
        lint.add(&root, Rule::NameSyntax);
    }
    for parameter in &signature.parameters {
        if parameter.mode.is_computed() {
            let path = AttributePath::attribute(parameter.name.as_ref());
            lint.add(&path, Rule::ComputedParameter);
        }
    }
    let place = Place {
        write_only_possible: false,
        is_compared: false,
        depth: 0,
    };
    lint.attributes(&root, &signature.parameters, place);
    if has_dynamic_in_set(&signature.result, false) {
        lint.add(&root, Rule::DynamicInSet);
    }
    if depth(&signature.result) > MAX_DEPTH {
        lint.add(&root, Rule::TooDeep);
    }
    lint.violations
}

/// What the surroundings of an attribute allow.
#[derive(Clone, Copy)]
struct Place {
    write_only_possible: bool,
    is_compared: bool,
    depth: usize,
}

#[derive(Default)]
struct Lint {
    violations: Vec<Violation>,
}

impl Lint {
    fn add(&mut self, path: &AttributePath, rule: Rule) {
        let path = path.clone();
        self.violations.push(Violation { path, rule });
    }

    fn names<'n>(&mut self, parent: &AttributePath, names: impl Iterator<Item = &'n str>) {
        let mut seen = HashSet::new();
        for name in names {
            let path = parent.clone().then_attribute(name);
            if !is_name(name) {
                self.add(&path, Rule::NameSyntax);
            }
            if !seen.insert(name) {
                self.add(&path, Rule::DuplicateName);
            }
        }
    }

    fn attributes(&mut self, parent: &AttributePath, attributes: &[Attribute], place: Place) {
        self.names(
            parent,
            attributes.iter().map(|attribute| attribute.name.as_ref()),
        );
        for attribute in attributes {
            let path = parent.clone().then_attribute(attribute.name.as_ref());
            self.attribute(&path, attribute, place);
        }
    }

    fn attribute(&mut self, path: &AttributePath, attribute: &Attribute, place: Place) {
        if attribute.write_only {
            if attribute.mode.is_computed() {
                self.add(path, Rule::WriteOnlyComputed);
            }
            if !place.write_only_possible {
                self.add(path, Rule::WriteOnlyOutsideResource);
            }
        }
        match &attribute.kind {
            Kind::Plain(ty) => {
                if place.is_compared && !is_compared(ty) {
                    self.add(path, Rule::NotCompared);
                }
                if has_dynamic_in_set(ty, false) {
                    self.add(path, Rule::DynamicInSet);
                }
                if place.depth + depth(ty) > MAX_DEPTH {
                    self.add(path, Rule::TooDeep);
                }
            }
            Kind::Nested {
                nesting,
                attributes,
            } => {
                if attributes.is_empty() {
                    self.add(path, Rule::NoNestedAttributes);
                }
                let compared = place.is_compared || *nesting != Nesting::Single;
                if attribute.mode.is_configurable() && compared {
                    self.add(path, Rule::NestedConfiguration);
                }
                let levels = if *nesting == Nesting::Single { 1 } else { 2 };
                let within = Place {
                    write_only_possible: false,
                    depth: place.depth + levels,
                    ..place
                };
                self.attributes(path, attributes, within);
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(allowed)
}

/// Tells whether two values of a type are equal only if they are written alike.
fn is_compared(ty: &Type) -> bool {
    match ty {
        Type::String | Type::Number | Type::Bool => true,
        Type::Dynamic | Type::Set(_) | Type::Tuple(_) => false,
        Type::List(element) | Type::Map(element) => is_compared(element),
        Type::Object(attributes) => attributes.values().all(is_compared),
    }
}

fn has_dynamic_in_set(ty: &Type, in_set: bool) -> bool {
    match ty {
        Type::String | Type::Number | Type::Bool => false,
        Type::Dynamic => in_set,
        Type::Set(element) => has_dynamic_in_set(element, true),
        Type::List(element) | Type::Map(element) => has_dynamic_in_set(element, in_set),
        Type::Object(attributes) => attributes
            .values()
            .any(|attribute| has_dynamic_in_set(attribute, in_set)),
        Type::Tuple(elements) => elements
            .iter()
            .any(|element| has_dynamic_in_set(element, in_set)),
    }
}

/// Counts the levels of a type, itself among them.
fn depth(ty: &Type) -> usize {
    let below = match ty {
        Type::String | Type::Number | Type::Bool | Type::Dynamic => None,
        Type::List(element) | Type::Set(element) | Type::Map(element) => Some(depth(element)),
        Type::Object(attributes) => attributes.values().map(depth).max(),
        Type::Tuple(elements) => elements.iter().map(depth).max(),
    };
    1 + below.unwrap_or(0)
}

mod tests;

use super::*;

/// Lints the schema of a managed resource and returns its violations as text.
fn resource(attributes: impl Into<Vec<Attribute>>) -> Vec<String> {
    violations(Role::Resource, &Schema::new(attributes))
}

fn violations(role: Role, linted: &Schema) -> Vec<String> {
    texts(&schema(role, linted))
}

fn texts(found: &[Violation]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

fn text(name: &'static str) -> Attribute {
    Attribute::optional(name, Type::String)
}

fn broken(path: &str, rule: Rule) -> Vec<String> {
    vec![format!("{path}: {rule}")]
}

#[test]
fn a_schema_that_keeps_every_rule_has_no_violation() {
    let found = resource([
        Attribute::required("path", Type::String).replaces(),
        text("token_wo").write_only(),
        Attribute::optional_computed("field_2", Type::String),
        Attribute::computed("spares", Kind::nested(Nesting::Map, [text("status")])),
    ]);
    assert_eq!(found, Vec::<String>::new());
    let nothing = Schema::default();
    assert_eq!(schema(Role::Provider, &nothing), []);
}

#[test]
fn versions_are_not_negative() {
    let negative = Schema {
        version: -1,
        ..Schema::default()
    };
    assert_eq!(
        violations(Role::Resource, &negative),
        broken("", Rule::NegativeVersion)
    );
}

#[test]
fn names_can_be_written_in_configuration() {
    for name in ["Path", "a-b", "1st", "_x", "ä", "a b"] {
        assert_eq!(resource([text(name)]), broken(name, Rule::NameSyntax));
    }
    let nested = Attribute::computed("outer", Kind::nested(Nesting::List, [text("In")]));
    assert_eq!(resource([nested]), broken("outer.In", Rule::NameSyntax));
}

#[test]
fn names_are_not_taken_twice() {
    assert_eq!(
        resource([text("a"), text("b"), text("a")]),
        broken("a", Rule::DuplicateName)
    );
    let nested = Attribute::computed(
        "outer",
        Kind::nested(Nesting::Single, [text("a"), text("a")]),
    );
    assert_eq!(
        resource([text("a"), nested]),
        broken("outer.a", Rule::DuplicateName)
    );
}

#[test]
fn reserved_names_are_not_taken_at_the_top() {
    for name in RESERVED_IN_RESOURCES {
        let linted = Schema::new([text(name)]);
        assert_eq!(
            violations(Role::Resource, &linted),
            broken(name, Rule::ReservedName)
        );
        assert_eq!(
            violations(Role::Other, &linted),
            broken(name, Rule::ReservedName)
        );
    }
    for name in RESERVED_IN_PROVIDERS {
        let linted = Schema::new([text(name)]);
        assert_eq!(
            violations(Role::Provider, &linted),
            broken(name, Rule::ReservedName)
        );
    }
    let alias = [text("alias"), text("version"), text("source")];
    assert_eq!(resource(alias), Vec::<String>::new());
    let nested = Attribute::computed("outer", Kind::nested(Nesting::Single, [text("count")]));
    assert_eq!(resource([nested]), Vec::<String>::new());
}

#[test]
fn write_only_attributes_are_not_computed() {
    for attribute in [
        Attribute::computed("a", Type::String),
        Attribute::optional_computed("a", Type::String),
    ] {
        assert_eq!(
            resource([attribute.write_only()]),
            broken("a", Rule::WriteOnlyComputed)
        );
    }
}

#[test]
fn write_only_attributes_are_in_managed_resources() {
    let linted = Schema::new([text("a").write_only()]);
    for role in [Role::Provider, Role::Other] {
        assert_eq!(
            violations(role, &linted),
            broken("a", Rule::WriteOnlyOutsideResource)
        );
    }
}

#[test]
fn nested_attributes_are_computed_as_a_whole() {
    let inner = [text("b")];
    let login = Attribute::optional("a", Kind::nested(Nesting::Single, inner.clone()));
    assert_eq!(
        resource([login.clone()]),
        broken("a", Rule::NestedConfiguration)
    );
    assert_eq!(
        violations(Role::Provider, &Schema::new([login])),
        Vec::<String>::new()
    );
    for kind in [
        Kind::nested(Nesting::List, inner.clone()),
        Kind::nested(Nesting::Map, inner),
    ] {
        let linted = Schema::new([Attribute::optional("a", kind)]);
        let found = violations(Role::Provider, &linted);
        assert_eq!(found, broken("a", Rule::NestedConfiguration));
    }
    let hidden = Attribute::computed("a", Kind::nested(Nesting::Single, [text("b").write_only()]));
    assert_eq!(
        resource([hidden]),
        broken("a.b", Rule::WriteOnlyOutsideResource)
    );
}

#[test]
fn attributes_that_are_compared_are_plain() {
    for ty in [
        Type::Dynamic,
        Type::set(Type::String),
        Type::list(Type::Tuple(vec![Type::String])),
        Type::object([("a", Type::map(Type::Dynamic))]),
    ] {
        let found = resource([Attribute::optional("a", ty)]);
        assert_eq!(found, broken("a", Rule::NotCompared));
    }
}

#[test]
fn nested_attributes_are_not_empty() {
    assert_eq!(
        resource([Attribute::computed("a", Kind::nested(Nesting::Single, []))]),
        broken("a", Rule::NoNestedAttributes)
    );
}

#[test]
fn types_are_not_too_deep_for_the_codecs() {
    let nested = |levels| (0..levels).fold(Type::String, |ty, _| Type::list(ty));
    let fits = Attribute::optional("a", nested(MAX_DEPTH - 2));
    assert_eq!(resource([fits.clone()]), Vec::<String>::new());
    assert!(Type::from_json(&fits.implied_type().to_json()).is_some());
    let deeper = Attribute::optional("a", nested(MAX_DEPTH - 1));
    assert_eq!(resource([deeper]), broken("a", Rule::TooDeep));
    let inner = Attribute::computed("row", Kind::nested(Nesting::List, [fits]));
    assert_eq!(resource([inner]), broken("row.a", Rule::TooDeep));
}

#[test]
fn identity_attributes_are_primitives_or_lists_of_them() {
    let linted = |ty: Type| identity(&[Attribute::required("a", ty)]);
    for ty in [Type::String, Type::Number, Type::list(Type::Bool)] {
        assert_eq!(linted(ty), []);
    }
    for ty in [
        Type::map(Type::String),
        Type::set(Type::String),
        Type::object([("b", Type::String)]),
        Type::list(Type::list(Type::String)),
        Type::Tuple(vec![Type::String]),
        Type::Dynamic,
    ] {
        let found = texts(&linted(ty));
        assert_eq!(found, broken("a", Rule::IdentityType));
    }
}

#[test]
fn identities_keep_the_rules_of_names() {
    let attributes = ["a", "a", "B"].map(|name| Attribute::optional(name, Type::String));
    let rules: Vec<_> = identity(&attributes)
        .iter()
        .map(|found| found.rule)
        .collect();
    assert_eq!(rules, [Rule::DuplicateName, Rule::NameSyntax]);
}

#[test]
fn all_violations_are_told_at_once() {
    let found = resource([
        text("Count"),
        text("count"),
        Attribute::computed("a", Type::set(Type::Dynamic)).write_only(),
    ]);
    assert_eq!(found.len(), 5);
}

#[test]
fn functions_keep_the_rules_of_names_modes_and_types() {
    let signature = |parameters: Vec<Attribute>, result| Signature {
        parameters,
        takes_unknown: false,
        result,
        summary: String::new(),
        description: String::new(),
    };
    let good = signature(
        vec![
            Attribute::required("path", Type::Dynamic),
            Attribute::optional("token", Type::String).sensitive(),
        ],
        Type::list(Type::Dynamic),
    );
    assert_eq!(function("token_check", &good), []);
    let bad = signature(
        vec![
            Attribute::required("A", Type::String),
            Attribute::computed("b", Type::String),
            Attribute::optional("c", Type::set(Type::Dynamic)).write_only(),
            Attribute::optional("c", Type::String),
        ],
        Type::set(Type::Dynamic),
    );
    let told = function("Token", &bad);
    let told: Vec<_> = told.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            format!(": {}", Rule::NameSyntax),
            format!("b: {}", Rule::ComputedParameter),
            format!("A: {}", Rule::NameSyntax),
            format!("c: {}", Rule::DuplicateName),
            format!("c: {}", Rule::WriteOnlyOutsideResource),
            format!("c: {}", Rule::DynamicInSet),
            format!(": {}", Rule::DynamicInSet),
        ]
    );
}

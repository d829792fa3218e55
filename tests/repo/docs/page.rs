//! One page: front matter, example, arguments, attributes, import.

use std::fmt::Write as _;

use terraform_provider_claude::protocol::{Attribute, Kind, Mode, Nesting, Schema, Type};

/// What a page is made of.
pub(super) struct Page<'a> {
    pub(super) title: String,
    pub(super) heading: String,
    pub(super) schema: &'a Schema,
    pub(super) example: String,
    pub(super) import: Option<Import>,
    /// What follows the generated parts.
    pub(super) end: String,
}

/// The ways to import a resource.
pub(super) struct Import {
    pub(super) command: String,
    pub(super) by_id: String,
    pub(super) by_identity: String,
    pub(super) identity: Vec<Attribute>,
}

impl Page<'_> {
    /// Writes the page in Markdown.
    pub(super) fn text(&self) -> String {
        let description = &self.schema.description;
        let mut text = format!(
            "---\npage_title: \"{}\"\nsubcategory: \"\"\ndescription: |-\n  {}.\n---\n\n\
             # {}\n\n{description}\n\n\
             ## Example Usage\n\n{}",
            self.title,
            first_sentence(description),
            self.heading,
            code("terraform", &self.example),
        );
        let attributes = &self.schema.attributes;
        let of = |wanted: fn(&Attribute) -> bool| {
            let chosen = attributes.iter().filter(move |attribute| wanted(attribute));
            chosen.collect::<Vec<_>>()
        };
        let required = of(|attribute| attribute.mode == Mode::Required);
        let optional =
            of(|attribute| matches!(attribute.mode, Mode::Optional | Mode::OptionalComputed));
        let computed = of(|attribute| attribute.mode == Mode::Computed);
        text.push_str("\n## Arguments\n");
        section(&mut text, "Required", &required);
        section(&mut text, "Optional", &optional);
        if !computed.is_empty() {
            text.push_str("\n## Attributes\n\nIn addition to the arguments:\n\n");
            list(&mut text, &computed);
        }
        for attribute in attributes {
            if let Kind::Nested { attributes, .. } = &attribute.kind {
                let _ = write!(
                    text,
                    "\n<a id=\"nested-{name}\"></a>\n### `{name}`\n\n",
                    name = attribute.name
                );
                nested(&mut text, attribute.mode, attributes);
            }
        }
        if let Some(import) = &self.import {
            import.write(&mut text);
        }
        text.push_str(&self.end);
        text
    }
}

impl Import {
    fn write(&self, text: &mut String) {
        let _ = write!(
            text,
            "\n## Import\n\nWith an `import` block:\n\n{}\n\
             By identity (Terraform or OpenTofu 1.12 and newer):\n\n{}\nThe identity has these attributes:\n\n",
            code("terraform", &self.by_id),
            code("terraform", &self.by_identity),
        );
        for attribute in &self.identity {
            let need = if attribute.mode == Mode::Required {
                "required"
            } else {
                "optional"
            };
            let _ = writeln!(
                text,
                "- `{}` (`{}`, {need}) {}",
                attribute.name,
                type_name(&attribute.implied_type()),
                attribute.description
            );
        }
        let _ = write!(
            text,
            "\nWith the command line:\n\n{}",
            code("shell", &self.command)
        );
    }
}

fn section(text: &mut String, title: &str, attributes: &[&Attribute]) {
    if !attributes.is_empty() {
        let _ = write!(text, "\n### {title}\n\n");
        list(text, attributes);
    }
}

fn list(text: &mut String, attributes: &[&Attribute]) {
    for attribute in attributes {
        let (meaning, default) = default(&attribute.description);
        let _ = write!(
            text,
            "- `{}` ({}) {meaning}",
            attribute.name,
            facts(attribute)
        );
        if let Kind::Nested { .. } = attribute.kind {
            let _ = write!(text, " See [below](#nested-{}).", attribute.name);
        }
        if let Some(default) = default {
            let _ = write!(text, " **Default:** {default}.");
        }
        text.push('\n');
    }
}

/// Lists the attributes of an object, the required ones first where the configuration gives it.
fn nested(text: &mut String, mode: Mode, attributes: &[Attribute]) {
    let (required, others): (Vec<_>, Vec<_>) = attributes
        .iter()
        .partition(|attribute| attribute.mode == Mode::Required);
    if mode.is_configurable() && !required.is_empty() {
        text.push_str("Required:\n\n");
        list(text, &required);
        if !others.is_empty() {
            text.push_str("\nOptional:\n\n");
        }
    }
    list(text, &others);
}

/// The type, and what is out of the ordinary.
fn facts(attribute: &Attribute) -> String {
    let mut facts = vec![match &attribute.kind {
        Kind::Plain(ty @ (Type::String | Type::Number | Type::Bool)) => type_name(ty),
        Kind::Plain(ty) => format!("`{}`", type_name(ty)),
        Kind::Nested { nesting, .. } => match nesting {
            Nesting::Single => "object",
            Nesting::List => "list of objects",
            Nesting::Map => "map of objects",
        }
        .to_owned(),
    }];
    if attribute.write_only {
        facts.push("write-only".to_owned());
    }
    if attribute.sensitive {
        facts.push("sensitive".to_owned());
    }
    if attribute.replaces {
        facts.push("replaces when changed".to_owned());
    }
    facts.join(", ")
}

/// Writes a type as configuration does.
pub(super) fn type_name(ty: &Type) -> String {
    match ty {
        Type::String => "string".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::Dynamic => "any".to_owned(),
        Type::List(element) => format!("list({})", type_name(element)),
        Type::Set(element) => format!("set({})", type_name(element)),
        Type::Map(element) => format!("map({})", type_name(element)),
        Type::Object(attributes) => {
            let attributes = attributes
                .iter()
                .map(|(name, ty)| format!("{name} = {}", type_name(ty)));
            format!(
                "object({{ {} }})",
                attributes.collect::<Vec<_>>().join(", ")
            )
        }
        Type::Tuple(elements) => {
            let elements = elements.iter().map(type_name);
            format!("tuple([{}])", elements.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Splits the sentence that tells the default from the others.
pub(super) fn default(description: &str) -> (String, Option<&str>) {
    const START: &str = "Defaults to ";
    let Some((before, rest)) = description.split_once(START) else {
        return (description.to_owned(), None);
    };
    let (default, after) = rest
        .split_once(". ")
        .unwrap_or((rest.trim_end_matches('.'), ""));
    let meaning = format!("{before}{after}");
    (meaning.trim_end().to_owned(), Some(default))
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first)
}

pub(super) fn code(language: &str, text: &str) -> String {
    format!("```{language}\n{text}```\n")
}

#[test]
fn the_sentence_with_the_default_is_found() {
    assert_eq!(
        default("What it is. Defaults to `https://127.0.0.1:8200`. More."),
        (
            "What it is. More.".to_owned(),
            Some("`https://127.0.0.1:8200`")
        )
    );
    assert_eq!(
        default("What it is. Defaults to none."),
        ("What it is.".to_owned(), Some("none"))
    );
    assert_eq!(default("What it is."), ("What it is.".to_owned(), None));
}

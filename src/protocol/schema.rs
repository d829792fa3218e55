//! Schemas: the attributes of a provider, resource, or data source.
//!
//! There are only attributes, no nested blocks.

use std::borrow::Cow;

use super::ty::Type;

/// Who sets an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The configuration must set it.
    Required,
    /// The configuration may set it; otherwise, it is null.
    Optional,
    /// The configuration may set it; otherwise, the provider does.
    OptionalComputed,
    /// The provider sets it.
    Computed,
}

impl Mode {
    /// Reports whether the provider may set the value.
    pub fn is_computed(self) -> bool {
        matches!(self, Self::Computed | Self::OptionalComputed)
    }

    /// Reports whether the configuration may set the value.
    pub fn is_configurable(self) -> bool {
        !matches!(self, Self::Computed)
    }
}

/// How the objects of a nested attribute are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of objects.
    List,
    /// A map of objects.
    Map,
}

/// The values that an attribute accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Values of one type.
    Plain(Type),
    /// Objects whose attributes have their own schemas.
    Nested {
        /// How the objects are arranged.
        nesting: Nesting,
        /// The attributes of each object.
        attributes: Vec<Attribute>,
    },
}

impl Kind {
    /// Returns the type of the values.
    pub fn implied_type(&self) -> Type {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::Nested {
                nesting,
                attributes,
            } => {
                let object = object_type(attributes);
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::list(object),
                    Nesting::Map => Type::map(object),
                }
            }
        }
    }

    /// Creates a kind of objects with these attributes.
    pub fn nested(nesting: Nesting, attributes: impl Into<Vec<Attribute>>) -> Self {
        Self::Nested {
            nesting,
            attributes: attributes.into(),
        }
    }
}

impl From<Type> for Kind {
    fn from(ty: Type) -> Self {
        Self::Plain(ty)
    }
}

/// One attribute of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name in configuration and on the wire.
    pub name: Cow<'static, str>,
    /// The values that it accepts.
    pub kind: Kind,
    /// Who sets its value.
    pub mode: Mode,
    /// Whether hosts hide the value. Texts in it decode to secrets.
    pub sensitive: bool,
    /// Whether hosts send the value only in the configuration and store it nowhere. Texts in it
    /// decode to secrets.
    pub write_only: bool,
    /// Whether changing the value replaces the resource. Not part of the wire schema.
    pub replaces: bool,
    /// The argument that determines the computed value, if there is one. Not part of the wire
    /// schema.
    pub argument: Option<&'static str>,
    /// The description, in Markdown.
    pub description: String,
}

impl Attribute {
    /// Creates an attribute that the configuration must set.
    pub fn required(name: impl Into<Cow<'static, str>>, kind: impl Into<Kind>) -> Self {
        Self::new(name.into(), kind.into(), Mode::Required)
    }

    /// Creates an attribute that the configuration may set.
    pub fn optional(name: impl Into<Cow<'static, str>>, kind: impl Into<Kind>) -> Self {
        Self::new(name.into(), kind.into(), Mode::Optional)
    }

    /// Creates an attribute that the configuration may set, and the provider sets otherwise.
    pub fn optional_computed(name: impl Into<Cow<'static, str>>, kind: impl Into<Kind>) -> Self {
        Self::new(name.into(), kind.into(), Mode::OptionalComputed)
    }

    /// Creates an attribute that the provider sets.
    pub fn computed(name: impl Into<Cow<'static, str>>, kind: impl Into<Kind>) -> Self {
        Self::new(name.into(), kind.into(), Mode::Computed)
    }

    /// Sets the description, in Markdown.
    #[must_use]
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.description = markdown.into();
        self
    }

    /// Makes hosts hide the value.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Makes hosts store the value nowhere.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Makes a change of the value replace the resource.
    #[must_use]
    pub fn replaces(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// Sets the argument that determines the computed value.
    #[must_use]
    pub fn set_by(mut self, argument: &'static str) -> Self {
        self.argument = Some(argument);
        self
    }

    /// Returns the type of the values.
    pub fn implied_type(&self) -> Type {
        self.kind.implied_type()
    }

    /// Reports whether texts in the value are secrets.
    pub fn is_secret(&self) -> bool {
        self.sensitive || self.write_only
    }

    fn new(name: Cow<'static, str>, kind: Kind, mode: Mode) -> Self {
        Self {
            name,
            kind,
            mode,
            sensitive: false,
            write_only: false,
            replaces: false,
            argument: None,
            description: String::new(),
        }
    }
}

/// The schema of a provider, resource, or data source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Version of the state's shape; stored states of older versions must be upgraded. 0 or more.
    pub version: i64,
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// The description, in Markdown.
    pub description: String,
}

impl Schema {
    /// Creates the schema of version 0 with these attributes.
    pub fn new(attributes: impl Into<Vec<Attribute>>) -> Self {
        Self {
            attributes: attributes.into(),
            ..Self::default()
        }
    }

    /// Sets the description, in Markdown.
    #[must_use]
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.description = markdown.into();
        self
    }
}

fn object_type(attributes: &[Attribute]) -> Type {
    let named = attributes.iter();
    Type::object(named.map(|attribute| (attribute.name.as_ref(), attribute.implied_type())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_attributes_imply_objects() {
        let leaf = || [Attribute::required("a", Type::String)];
        let object = Type::object([("a", Type::String)]);
        let schema = Kind::nested(
            Nesting::Single,
            [
                Attribute::optional("one", Kind::nested(Nesting::Single, leaf())),
                Attribute::optional("row", Kind::nested(Nesting::List, leaf())),
                Attribute::computed("by_key", Kind::nested(Nesting::Map, leaf())),
            ],
        );
        assert_eq!(
            schema.implied_type(),
            Type::object([
                ("one", object.clone()),
                ("row", Type::list(object.clone())),
                ("by_key", Type::map(object)),
            ])
        );
    }

    #[test]
    fn write_only_texts_are_secrets_too() {
        assert!(
            Attribute::optional("a", Type::String)
                .write_only()
                .is_secret()
        );
        assert!(
            Attribute::optional("a", Type::String)
                .sensitive()
                .is_secret()
        );
        assert!(!Attribute::optional("a", Type::String).is_secret());
    }
}

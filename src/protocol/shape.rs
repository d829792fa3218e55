//! What a codec expects at one position: a bare type, or part of a schema, which also marks
//! secrets.

use std::collections::BTreeMap;

use super::error::CodecError;
use super::path::Step;
use super::schema::{Attribute, Kind, Nesting};
use super::ty::Type;

/// What is expected of one value.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'s> {
    node: Node<'s>,
    /// Whether texts in it are secrets.
    pub(crate) secret: bool,
}

#[derive(Clone, Copy)]
enum Node<'s> {
    Type(&'s Type),
    Nested(Nesting, &'s [Attribute]),
}

/// The outermost layer of a shape.
pub(crate) enum Form<'s> {
    String,
    Number,
    Bool,
    Dynamic,
    List(Shape<'s>),
    Map(Shape<'s>),
    Object(Members<'s>),
    Tuple(Vec<Shape<'s>>),
}

/// The attributes of an object.
#[derive(Clone, Copy)]
pub(crate) struct Members<'s> {
    source: Source<'s>,
    secret: bool,
}

#[derive(Clone, Copy)]
enum Source<'s> {
    Types(&'s BTreeMap<String, Type>),
    Attributes(&'s [Attribute]),
}

impl<'s> Shape<'s> {
    /// Expects a value of a type, with no secrets in it.
    pub(crate) fn of_type(ty: &'s Type) -> Self {
        Self {
            node: Node::Type(ty),
            secret: false,
        }
    }

    /// Expects an object with these attributes.
    pub(crate) fn of_object(attributes: &'s [Attribute]) -> Self {
        Self {
            node: Node::Nested(Nesting::Single, attributes),
            secret: false,
        }
    }

    /// Expects the value of one attribute.
    pub(crate) fn of_attribute(attribute: &'s Attribute) -> Self {
        Self {
            node: match &attribute.kind {
                Kind::Plain(ty) => Node::Type(ty),
                Kind::Nested {
                    nesting,
                    attributes,
                } => Node::Nested(*nesting, attributes),
            },
            secret: attribute.is_secret(),
        }
    }

    /// Expects a value of the type that a dynamic value carries.
    pub(crate) fn brought<'t>(self, ty: &'t Type) -> Shape<'t> {
        Shape {
            node: Node::Type(ty),
            secret: self.secret,
        }
    }

    pub(crate) fn form(self) -> Form<'s> {
        let part = |node| Shape {
            node,
            secret: self.secret,
        };
        let members = |source| {
            Form::Object(Members {
                source,
                secret: self.secret,
            })
        };
        match self.node {
            Node::Type(Type::String) => Form::String,
            Node::Type(Type::Number) => Form::Number,
            Node::Type(Type::Bool) => Form::Bool,
            Node::Type(Type::Dynamic) => Form::Dynamic,
            Node::Type(Type::List(element) | Type::Set(element)) => {
                Form::List(part(Node::Type(element)))
            }
            Node::Type(Type::Map(element)) => Form::Map(part(Node::Type(element))),
            Node::Type(Type::Object(attributes)) => members(Source::Types(attributes)),
            Node::Type(Type::Tuple(elements)) => {
                let shapes = elements.iter().map(|element| part(Node::Type(element)));
                Form::Tuple(shapes.collect())
            }
            Node::Nested(nesting, attributes) => {
                let object = || part(Node::Nested(Nesting::Single, attributes));
                match nesting {
                    Nesting::Single => members(Source::Attributes(attributes)),
                    Nesting::List => Form::List(object()),
                    Nesting::Map => Form::Map(object()),
                }
            }
        }
    }

    /// Moves an error below a key of this map, or leaves it at the map if its keys may be secret.
    pub(crate) fn at_key(self, error: CodecError, key: &str) -> CodecError {
        if self.secret {
            error
        } else {
            error.below(Step::Key(key.to_owned()))
        }
    }
}

impl<'s> Members<'s> {
    /// Returns the shape of the attribute with this name.
    pub(crate) fn get(self, name: &str) -> Option<Shape<'s>> {
        match self.source {
            Source::Types(types) => types.get(name).map(|ty| self.typed(ty)),
            Source::Attributes(attributes) => {
                let attribute = attributes.iter().find(|attribute| attribute.name == name);
                attribute.map(|attribute| self.described(attribute))
            }
        }
    }

    /// Returns all attributes, in the order of the type or the schema.
    pub(crate) fn all(self) -> Vec<(&'s str, Shape<'s>)> {
        match self.source {
            Source::Types(types) => {
                let named = types.iter();
                named
                    .map(|(name, ty)| (name.as_str(), self.typed(ty)))
                    .collect()
            }
            Source::Attributes(attributes) => {
                let named = attributes.iter();
                named
                    .map(|attribute| (attribute.name.as_ref(), self.described(attribute)))
                    .collect()
            }
        }
    }

    fn typed(self, ty: &'s Type) -> Shape<'s> {
        Shape {
            node: Node::Type(ty),
            secret: self.secret,
        }
    }

    fn described(self, attribute: &'s Attribute) -> Shape<'s> {
        let shape = Shape::of_attribute(attribute);
        Shape {
            secret: self.secret || shape.secret,
            ..shape
        }
    }
}

//! The location of a part within a value.

use std::fmt;

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the attribute of an object.
    Attribute(String),
    /// To the element of a map.
    Key(String),
    /// To the element of a list, counted from 0.
    ///
    /// Elements of a set have no address, so the path to one ends at the set.
    Index(i64),
}

/// The path from the root of a value to one of its parts. An empty path is the whole value.
///
/// Hosts require the first step to be an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AttributePath(Vec<Step>);

impl AttributePath {
    /// Returns the path to the whole value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the path to a top-level attribute.
    pub fn attribute(name: impl Into<String>) -> Self {
        Self::new().then_attribute(name)
    }

    /// Adds a step to the attribute of an object.
    #[must_use]
    pub fn then_attribute(self, name: impl Into<String>) -> Self {
        self.then(Step::Attribute(name.into()))
    }

    /// Adds a step to the element of a map.
    #[must_use]
    pub fn then_key(self, key: impl Into<String>) -> Self {
        self.then(Step::Key(key.into()))
    }

    /// Adds a step to the element of a list, counted from 0.
    #[must_use]
    pub fn then_index(self, index: i64) -> Self {
        self.then(Step::Index(index))
    }

    /// Adds one step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// Returns the steps, starting at the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Reports whether the path is the path to the whole value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a step before the first one, to a parent of the current root.
    pub(crate) fn below(mut self, parent: Step) -> Self {
        self.0.insert(0, parent);
        self
    }
}

impl FromIterator<Step> for AttributePath {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl fmt::Display for AttributePath {
    /// Writes the path in configuration syntax: `spares["a"].status`, `list[0]`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => formatter.write_str(name)?,
                Step::Attribute(name) => write!(formatter, ".{name}")?,
                Step::Key(key) => write!(formatter, "[{key:?}]")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_reads_like_a_reference_in_configuration() {
        let nested = AttributePath::attribute("client_auth").then_attribute("cert_file");
        assert_eq!(nested.to_string(), "client_auth.cert_file");
        let element = AttributePath::attribute("spares")
            .then_key("a")
            .then_attribute("status");
        assert_eq!(element.to_string(), r#"spares["a"].status"#);
        assert_eq!(
            AttributePath::attribute("list").then_index(0).to_string(),
            "list[0]"
        );
        assert_eq!(AttributePath::new().to_string(), "");
    }

    #[test]
    fn display_escapes_a_quote_in_a_key() {
        let path = AttributePath::attribute("map").then_key("a\"b");
        assert_eq!(path.to_string(), r#"map["a\"b"]"#);
    }
}

//! The value of one attribute, in the three states that a host distinguishes.

use super::model::{AttributeValue, ModelError};
use crate::protocol::{AttributePath, Kind, Value};

/// A value that may be null (not set) or unknown (determined later).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Field<T> {
    /// Not set.
    #[default]
    Null,
    /// Set to a value that is not known yet.
    Unknown,
    /// Set to this value.
    Known(T),
}

impl<T> Field<T> {
    /// Returns the value if it is known and not null.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Reports whether the value is not set.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Reports whether the value is not known yet.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Applies a function to a known value, and keeps the other states.
    pub fn map<U>(&self, function: impl FnOnce(&T) -> U) -> Field<U> {
        match self {
            Self::Null => Field::Null,
            Self::Unknown => Field::Unknown,
            Self::Known(value) => Field::Known(function(value)),
        }
    }

    /// Replaces null with a default, which may itself be unknown or null.
    #[must_use]
    pub fn or(self, default: Self) -> Self {
        match self {
            Self::Null => default,
            set => set,
        }
    }
}

impl Field<String> {
    /// Creates a known string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Known(text.into())
    }

    /// Returns the known text.
    pub fn as_str(&self) -> Option<&str> {
        self.known().map(String::as_str)
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

impl<T: AttributeValue> AttributeValue for Field<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn from_value(value: Value, path: &AttributePath) -> Result<Self, ModelError> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Unknown => Ok(Self::Unknown),
            known => T::from_value(known, path).map(Self::Known),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.into_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Type;

    fn read(value: Value) -> Result<Field<bool>, ModelError> {
        Field::from_value(value, &AttributePath::attribute("flag"))
    }

    #[test]
    fn three_states_are_read_and_written() {
        for (value, field) in [
            (Value::Null, Field::Null),
            (Value::Unknown, Field::Unknown),
            (Value::from(true), Field::Known(true)),
        ] {
            assert_eq!(read(value.clone()), Ok(field.clone()));
            assert_eq!(field.into_value(), value);
        }
    }

    #[test]
    fn another_type_is_an_error_at_its_place() {
        let error = read(Value::from("yes")).unwrap_err();
        assert_eq!(error.to_string(), "flag: a bool is required");
    }

    #[test]
    fn a_field_has_the_kind_of_its_value() {
        assert_eq!(Field::<bool>::kind(), Kind::Plain(Type::Bool));
    }

    #[test]
    fn only_a_known_value_is_seen_and_mapped() {
        let known = Field::text("x");
        assert_eq!(known.as_str(), Some("x"));
        assert_eq!(known.map(String::len), Field::Known(1));
        for unset in [Field::<String>::Null, Field::Unknown] {
            assert_eq!(unset.known(), None);
            assert_eq!(unset.as_str(), None);
        }
        assert_eq!(Field::<String>::Null.map(String::len), Field::Null);
        assert_eq!(Field::<String>::Unknown.map(String::len), Field::Unknown);
        assert!(Field::<String>::Null.is_null() && !known.is_null());
        assert!(Field::<String>::Unknown.is_unknown() && !known.is_unknown());
    }

    #[test]
    fn a_default_stands_in_for_null_alone() {
        assert_eq!(Field::Null.or(Field::Known(1)), Field::Known(1));
        assert_eq!(Field::<i64>::Null.or(Field::Unknown), Field::Unknown);
        assert_eq!(Field::Unknown.or(Field::Known(1)), Field::Unknown);
        assert_eq!(Field::Known(2).or(Field::Known(1)), Field::Known(2));
    }

    #[test]
    fn an_option_is_null_or_known() {
        assert_eq!(Field::from(None::<bool>), Field::Null);
        assert_eq!(Field::from(Some(true)), Field::Known(true));
    }
}

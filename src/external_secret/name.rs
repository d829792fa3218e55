//! Names of Kubernetes objects.

use thiserror::Error;

/// Maximum length of an object's name.
const MAXIMUM_NAME: usize = 253;
/// Maximum length of a namespace's name.
const MAXIMUM_NAMESPACE: usize = 63;
/// Maximum length of the key of an annotation or label, not counting the domain before it, and of
/// the value of a label.
const MAXIMUM_KEY_NAME: usize = 63;

/// Why the name of an object is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// The name is empty.
    #[error("the name is empty")]
    Empty,
    /// The name is too long.
    #[error("the name has {length} characters, more than {most}")]
    TooLong {
        /// How many characters it has.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// A character is not allowed there, or not at the beginning or end of a part.
    #[error(
        "the name must have only lowercase letters, digits, `-`, and `.`, and must begin and end \
         with a letter or a digit"
    )]
    Form,
    /// The same for a namespace, which cannot have dots.
    #[error(
        "the name must have only lowercase letters, digits, and `-`, and must begin and end with a \
         letter or a digit"
    )]
    NamespaceForm,
    /// The same for the key of an annotation or label.
    #[error(
        "the part of the key after `/` must have only letters, digits, `-`, `_`, and `.`, must \
         begin and end with a letter or a digit, and must have at most 63 characters"
    )]
    KeyForm,
    /// The same for the value of a label, which may be empty.
    #[error(
        "the value of a label must have only letters, digits, `-`, `_`, and `.`, must begin and \
         end with a letter or a digit, and must have at most 63 characters"
    )]
    LabelForm,
}

/// Checks the name of an object, such as a store or a Secret: parts between dots, each of lowercase
/// letters, digits, and hyphens.
pub fn validate_name(name: &str) -> Result<(), NameError> {
    let is_good = name.split('.').all(is_label);
    validate(name, MAXIMUM_NAME, is_good, NameError::Form)
}

/// Checks the name of a namespace, which cannot have dots and has at most 63 characters.
pub fn validate_namespace(name: &str) -> Result<(), NameError> {
    validate(
        name,
        MAXIMUM_NAMESPACE,
        is_label(name),
        NameError::NamespaceForm,
    )
}

/// Checks the key of an annotation or label: a name, with an optional domain and `/` before it.
pub fn validate_annotation_key(key: &str) -> Result<(), NameError> {
    let name = match key.split_once('/') {
        Some((domain, name)) => {
            validate_name(domain)?;
            name
        }
        None => key,
    };
    match is_qualified(name) {
        true => Ok(()),
        false => Err(NameError::KeyForm),
    }
}

/// Checks the value of a label. Templates are accepted, because the operator fills them in.
pub fn validate_label_value(value: &str) -> Result<(), NameError> {
    match value.is_empty() || value.contains("{{") || is_qualified(value) {
        true => Ok(()),
        false => Err(NameError::LabelForm),
    }
}

fn is_qualified(name: &str) -> bool {
    let ends = [name.bytes().next(), name.bytes().next_back()];
    name.len() <= MAXIMUM_KEY_NAME
        && ends
            .iter()
            .all(|end| end.is_some_and(|end| end.is_ascii_alphanumeric()))
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn validate(name: &str, most: usize, is_good: bool, form: NameError) -> Result<(), NameError> {
    match name.len() {
        0 => Err(NameError::Empty),
        _ if !is_good => Err(form),
        length if length > most => Err(NameError::TooLong { length, most }),
        _ => Ok(()),
    }
}

fn is_label(label: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [label.bytes().next(), label.bytes().next_back()];
    ends.iter().all(|end| end.is_some_and(is_alphanumeric))
        && label
            .bytes()
            .all(|byte| byte == b'-' || is_alphanumeric(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_api() {
        for name in ["a", "vault-kv", "a.b-1.c", "9", &"n".repeat(253)] {
            assert_eq!(validate_name(name), Ok(()), "{name}");
        }
        for name in [
            "-a", "a-", "A", "a_b", "a..b", ".a", "a.", "a b", "é", "a.-b",
        ] {
            assert_eq!(validate_name(name), Err(NameError::Form), "{name}");
        }
        let long = NameError::TooLong {
            length: 254,
            most: 253,
        };
        assert_eq!(validate_name(&"n".repeat(254)), Err(long));
        assert_eq!(validate_name(""), Err(NameError::Empty));
    }

    #[test]
    fn a_namespace_has_no_dots() {
        assert_eq!(validate_namespace(&"n".repeat(63)), Ok(()));
        assert_eq!(
            validate_namespace("a.b").unwrap_err().to_string(),
            "the name must have only lowercase letters, digits, and `-`, and must begin and end \
             with a letter or a digit"
        );
        let long = NameError::TooLong {
            length: 64,
            most: 63,
        };
        assert_eq!(validate_namespace(&"n".repeat(64)), Err(long));
    }

    #[test]
    fn the_key_of_an_annotation_may_have_a_domain() {
        for key in ["a", "A_b.c-9", "example.com/owner", &"k".repeat(63)] {
            assert_eq!(validate_annotation_key(key), Ok(()), "{key}");
        }
        for key in ["", "a b", "_a", "a.", "a/b/c", "a/", &"k".repeat(64)] {
            assert_eq!(
                validate_annotation_key(key),
                Err(NameError::KeyForm),
                "{key}"
            );
        }
        assert_eq!(validate_annotation_key("/a"), Err(NameError::Empty));
        assert_eq!(validate_annotation_key("A/a"), Err(NameError::Form));
    }

    #[test]
    fn the_value_of_a_label_may_be_empty_or_a_template() {
        for value in [
            "",
            "a",
            "A_b.c-9",
            "{{ .TOKEN | sha256sum }}",
            &"k".repeat(63),
        ] {
            assert_eq!(validate_label_value(value), Ok(()), "{value}");
        }
        for value in ["a b", "a/b", "_a", &"k".repeat(64)] {
            let error = Err(NameError::LabelForm);
            assert_eq!(validate_label_value(value), error, "{value}");
        }
    }
}

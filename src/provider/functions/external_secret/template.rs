//! `target.template`: what the operator makes of the values before they reach the Secret.

use super::argument::{invalid, place};
use super::data::Entry;
use crate::protocol::{Diagnostic, Type, Value};
use crate::sdk::{Dynamic, Field};

/// Form of a token of 108 characters, for Go's `regexp`.
const TOKEN: &str = "^sk-ant-oat[0-9]{2}-[A-Za-z0-9_-]{95}$";

/// The attributes of the argument that need a template. `None` for an attribute that is left out.
pub(super) struct Wanted {
    /// Annotations of the Secret.
    pub(super) annotations: Option<Dynamic>,
    /// Labels of the Secret.
    pub(super) labels: Option<Dynamic>,
    /// Whether the operator refuses values that are not tokens.
    pub(super) reject_malformed: Option<Dynamic>,
}

/// Writes the template. `None` if no attribute needs one, and null if one that is given turns out
/// to need none: at plan, it may have been unknown.
pub(super) fn of(
    wanted: Wanted,
    entries: &Field<Vec<Entry>>,
) -> Result<Option<Dynamic>, Diagnostic> {
    let Wanted {
        annotations,
        labels,
        reject_malformed,
    } = wanted;
    let given = [&annotations, &labels, &reject_malformed];
    let given: Vec<_> = given.into_iter().flatten().collect();
    if given.is_empty() {
        return Ok(None);
    }
    if given.iter().any(|value| value.is_unknown()) {
        return Ok(Some(unknown()));
    }
    let metadata = [("annotations", annotations), ("labels", labels)];
    let metadata: Vec<_> = metadata
        .into_iter()
        .filter_map(|(name, map)| Some((name, map.filter(|map| !map.is_null())?)))
        .collect();
    let mut template = Vec::new();
    if !metadata.is_empty() {
        template.push(("metadata", Dynamic::object(metadata)));
    }
    if reject_malformed.is_some_and(|reject| reject.as_bool() == Some(true)) {
        template.push(("data", values(entries)?));
        // With the operator's default, `Replace`, only values of `data` reach the Secret.
        template.push(("mergePolicy", Dynamic::text(Field::text("Merge"))));
    }
    Ok(Some(match template.is_empty() {
        true => Dynamic::new(Type::Dynamic, Value::Null),
        false => Dynamic::object(template),
    }))
}

fn unknown() -> Dynamic {
    Dynamic::new(Type::Dynamic, Value::Unknown)
}

/// Writes the template of each token.
fn values(entries: &Field<Vec<Entry>>) -> Result<Dynamic, Diagnostic> {
    let Some(entries) = entries.known() else {
        return Ok(unknown());
    };
    let mut values = Vec::new();
    for entry in entries {
        match (entry.is_token(), entry.key.as_str()) {
            (Some(true), Some(key)) => {
                values.push((key, Dynamic::text(Field::text(checked(key)))));
            }
            (Some(false), _) => {}
            (None, _) | (_, None) => return Ok(unknown()),
        }
    }
    match values.is_empty() {
        true => Err(invalid(
            place("reject_malformed"),
            "There is no token to check: no entry of data has the property `claude_oauth_token` \
             or the secretKey `CLAUDE_CODE_OAUTH_TOKEN`.",
        )),
        false => Ok(Dynamic::object(values)),
    }
}

/// Writes the template that delivers a token trimmed, and fails for any other value.
fn checked(key: &str) -> String {
    format!(
        "{{{{ $token := trim (index . \"{key}\") }}}}\
         {{{{ if not (regexMatch \"{TOKEN}\" $token) }}}}\
         {{{{ fail \"{key} is not a Claude token of 108 characters\" }}}}\
         {{{{ end }}}}{{{{ $token }}}}"
    )
}

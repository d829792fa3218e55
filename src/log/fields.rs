//! Values of log fields in the two forms that every host reads: text and number.

use std::fmt;

use serde_json::{Number, Value};
use tracing::field::{Field, Visit};

/// Maximum length of one value in bytes, before JSON escapes, which can turn one byte into six.
const MAX_TEXT_BYTES: usize = 4096;

/// Largest number that hosts keep exactly, because they read numbers as 64-bit floats.
const MAX_EXACT: u64 = 1 << 53;

/// Name of the field that holds an event's text.
const MESSAGE: &str = "message";

/// Fields of one event or span, in order.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// Sets a field, replacing one with the same name.
    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Sets every field of another list.
    pub(super) fn set_all(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            self.set(name, value.clone());
        }
    }

    /// Removes and returns the event's text, which is empty if there is none.
    pub(super) fn take_message(&mut self) -> String {
        let Some(index) = self.0.iter().position(|(name, _)| *name == MESSAGE) else {
            return String::new();
        };
        match self.0.remove(index).1 {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Lists the fields that a line may contain. Names with `@` belong to the host, and a value of
    /// another type there ends its process.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0
            .iter()
            .filter(|(name, _)| !name.starts_with('@'))
            .map(|(name, value)| (*name, value))
    }

    fn set_text(&mut self, field: &Field, text: String) {
        self.set(field.name(), Value::String(shortened(text)));
    }
}

/// Cuts text that is too long, and marks the cut.
fn shortened(mut text: String) -> String {
    if text.len() > MAX_TEXT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
        text.push('…');
    }
    text
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set_text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set_text(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if value.unsigned_abs() <= MAX_EXACT {
            self.set(field.name(), Value::Number(value.into()));
        } else {
            self.set_text(field, value.to_string());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if value <= MAX_EXACT {
            self.set(field.name(), Value::Number(value.into()));
        } else {
            self.set_text(field, value.to_string());
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        match Number::from_f64(value) {
            Some(number) => self.set(field.name(), Value::Number(number)),
            None => self.set_text(field, value.to_string()),
        }
    }
}

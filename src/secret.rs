//! The one type for values that must never be read by accident.

use std::fmt;

use zeroize::Zeroizing;

/// Text that is never printed and is wiped from memory when dropped.
///
/// `Debug` shows a mask, and there is no `Display` or `Serialize`. The text can be read only
/// through [`Secret::expose`], so a search for that word lists every place that reads one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text. The caller must neither print nor keep it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reports whether the text is empty, which is not a secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(masked)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_text_nor_length() {
        let short = format!("{:?}", Secret::new("a"));
        let long = format!("{:#?}", Secret::new("a much longer text"));
        assert_eq!(short, "Secret(masked)");
        assert_eq!(short, long);
    }
}

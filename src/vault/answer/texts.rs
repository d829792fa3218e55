//! Error texts of an answer, no more of them than anybody would read.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Number of error texts that are kept of one answer.
pub(super) const KEPT_TEXTS: usize = 100;
/// Maximum number of bytes of a text that is kept. A longer one counts as empty: a part of it could
/// be a part of a credential, which nobody would recognize.
pub(super) const LONGEST_TEXT: usize = 16 << 10;

/// The first texts of a list, however long the list is; the rest is skipped.
#[derive(Default)]
pub(super) struct Texts(Vec<String>);

impl Texts {
    /// Returns them in their original order.
    pub(super) fn into_list(self) -> Vec<String> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Texts;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of errors")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while texts.len() < KEPT_TEXTS {
                    let Some(json) = list.next_element::<&RawValue>()? else {
                        return Ok(Texts(texts));
                    };
                    if json.get().len() > LONGEST_TEXT {
                        texts.push(String::new());
                    } else if let Ok(text) = serde_json::from_str(json.get()) {
                        texts.push(text);
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Texts(texts))
            }
        }

        deserializer.deserialize_seq(Visit)
    }
}

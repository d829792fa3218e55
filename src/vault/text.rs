//! What may be shown of a text from a server.

use std::sync::{Mutex, PoisonError};

use crate::secret::Secret;

/// Longest text shown, in characters.
const LIMIT: usize = 300;
/// Maximum number of texts shown of one answer.
const TEXTS: usize = 5;
/// Shorter credentials would be found inside ordinary words.
const SHORTEST: usize = 4;
/// The text that replaces a credential.
const MASK: &str = "(hidden)";

/// Prefixes of credentials that are hidden even if they were never registered, and the minimum
/// number of characters that follow.
const SHAPES: [(&str, usize); 8] = [
    ("hvs.", 16),
    ("hvb.", 16),
    ("hvr.", 16),
    ("s.", 24),
    ("b.", 24),
    ("r.", 24),
    ("sk-ant-", 8),
    ("eyJ", 40),
];

/// Makes a server's texts safe to show: without credentials or control characters, and bounded.
#[derive(Default)]
pub(super) struct Censor {
    known: Mutex<Vec<Secret>>,
}

impl Censor {
    /// Registers a credential that no text may show from now on.
    pub(super) fn hide(&self, secret: &Secret) {
        if secret.expose().len() >= SHORTEST {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if !known.contains(secret) {
                known.push(secret.clone());
            }
        }
    }

    /// Makes one text safe to show.
    pub(super) fn show(&self, text: &str) -> String {
        // Twice, because removing a control character can join the parts of a credential.
        let text = self.mask_known(&plain(&self.mask_known(text)));
        let text = mask_shapes(&text);
        match text.char_indices().nth(LIMIT) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// Makes a list of texts safe to show; empty ones and those beyond a few are omitted.
    pub(super) fn show_all(&self, texts: &[String]) -> Vec<String> {
        texts
            .iter()
            .map(|text| self.show(text))
            .filter(|text| !text.is_empty())
            .take(TEXTS)
            .collect()
    }

    fn mask_known(&self, text: &str) -> String {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for secret in known.iter() {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), MASK);
            }
        }
        text
    }
}

/// Drops terminal sequences, control and invisible characters, and joins white space.
fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // Sequences are ESC `[`, parameters and one final letter, or ESC `]` and a text up to
            // BEL or the next ESC.
            '\u{1b}' => match characters.next_if(|next| matches!(next, '[' | ']')) {
                Some('[') => {
                    characters.by_ref().find(|next| matches!(next, '@'..='~'));
                }
                Some(_) => {
                    while characters
                        .next_if(|next| !"\u{7}\u{1b}".contains(*next))
                        .is_some()
                    {}
                }
                None => {}
            },
            _ if character.is_whitespace() => {
                if !kept.ends_with(' ') {
                    kept.push(' ');
                }
            }
            // Marks that change the direction of text, or are invisible.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {}
            '\u{feff}' => {}
            _ if character.is_control() => {}
            _ => kept.push(character),
        }
    }
    kept.trim().to_owned()
}

/// Reports whether a text contains something that looks like a credential.
pub fn has_credential(text: &str) -> bool {
    mask_shapes(text) != text
}

fn mask_shapes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let mut inside_word = false;
    while let Some(character) = rest.chars().next() {
        let hidden = if inside_word { None } else { shape(rest) };
        if let Some(length) = hidden {
            shown.push_str(MASK);
            rest = &rest[length..];
            inside_word = true;
        } else {
            shown.push(character);
            rest = &rest[character.len_utf8()..];
            inside_word = character.is_alphanumeric();
        }
    }
    shown
}

/// Returns the length in bytes of the credential at the beginning of the text.
fn shape(text: &str) -> Option<usize> {
    SHAPES.iter().find_map(|(prefix, least)| {
        let tail = text.strip_prefix(prefix)?;
        let length = tail
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
            .unwrap_or(tail.len());
        (length >= *least).then_some(prefix.len() + length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_wherever_they_come_from() {
        let censor = Censor::default();
        censor.hide(&Secret::new("canary-token"));
        assert_eq!(
            censor.show("token canary-token is canary-\u{1b}[1mtoken or canary\u{0}-token"),
            "token (hidden) is (hidden) or (hidden)"
        );
        assert_eq!(
            censor.show("saw hvs.CAESIJ0123456789abcdef and s.ZW1ZAC0MMZL3t4XBD6sIjqIi."),
            "saw (hidden) and (hidden)"
        );
        assert_eq!(censor.show("sk-ant-oat01-AbCdEfGh1234_-"), "(hidden)",);
    }

    #[test]
    fn ordinary_words_stay() {
        let censor = Censor::default();
        censor.hide(&Secret::new("a"));
        let text = "paths.with.dots/and.abcdefghijklmnopqrstuvwxyz and s.short stay";
        assert_eq!(censor.show(text), text);
    }

    #[test]
    fn control_sequences_go_and_length_is_bounded() {
        let censor = Censor::default();
        assert_eq!(
            censor.show("1 error occurred:\n\t* permission denied\n\n"),
            "1 error occurred: * permission denied"
        );
        assert_eq!(
            censor.show("\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}\u{202e}txt\u{9b}\r\n"),
            "red txt"
        );
        let long = censor.show(&"é".repeat(1000));
        assert_eq!(long.chars().count(), LIMIT + 1);
        assert_eq!(censor.show_all(&vec!["x".to_owned(); 9]).len(), TEXTS);
    }

    #[test]
    fn a_credential_across_the_cut_leaves_no_part() {
        let censor = Censor::default();
        censor.hide(&Secret::new("canary-token"));
        let shown = censor.show(&format!("{} canary-token", "x".repeat(LIMIT - 5)));
        assert!(!shown.contains("cana"), "{shown}");
    }
}

//! Turns key presses into the text of a line.

use zeroize::Zeroizing;

use crate::cli::input::{InputError, append, buffer, secret};
use crate::secret::Secret;

/// Keys with a special meaning.
mod key {
    /// Ctrl-C.
    pub(super) const INTERRUPT: u8 = 0x03;
    /// Ctrl-D.
    pub(super) const END: u8 = 0x04;
    /// Backspace as some terminals send it.
    pub(super) const BACKSPACE: u8 = 0x08;
    /// Ctrl-U.
    pub(super) const KILL: u8 = 0x15;
    /// Ctrl-Z.
    pub(super) const SUSPEND: u8 = 0x1a;
    /// Ctrl-\.
    pub(super) const QUIT: u8 = 0x1c;
    /// Backspace as most terminals send it.
    pub(super) const DELETE: u8 = 0x7f;
}

/// The markers that terminals put around a paste if a program enabled them and did not disable
/// them.
const PASTE_MARKS: [&[u8]; 2] = [b"\x1b[200~", b"\x1b[201~"];

/// The effect of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// End the program.
    Interrupt,
    /// Suspend the program.
    Suspend,
    /// Add to the line.
    Other,
}

/// A line that is being typed.
pub(super) struct Line {
    text: Zeroizing<Vec<u8>>,
    is_ended: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            text: buffer(),
            is_ended: false,
        }
    }
}

impl Line {
    /// Reports whether Enter was pressed. The rest of a paste may still follow.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Processes keys. A key that ends or suspends the program drops the keys after it.
    pub(super) fn press(&mut self, keys: &[u8]) -> Result<Key, InputError> {
        for &key in keys {
            match key {
                key::INTERRUPT | key::QUIT => return Ok(Key::Interrupt),
                key::SUSPEND => return Ok(Key::Suspend),
                key::END => self.is_ended = true,
                key::BACKSPACE | key::DELETE => self.remove_character(),
                key::KILL => self.text.clear(),
                b'\r' | b'\n' => {
                    self.is_ended = true;
                    append(&mut self.text, b"\n")?;
                }
                byte => append(&mut self.text, &[byte])?,
            }
        }
        Ok(Key::Other)
    }

    fn remove_character(&mut self) {
        while let Some(byte) = self.text.pop() {
            let continues = byte & 0b1100_0000 == 0b1000_0000;
            if !continues {
                return;
            }
        }
    }

    /// Returns the text without the paste markers and the final Enter, and its number of
    /// characters.
    pub(super) fn finish(mut self) -> Result<(Secret, usize), InputError> {
        for mark in PASTE_MARKS {
            self.remove(mark);
        }
        let end = self.text.iter().rposition(|byte| *byte != b'\n');
        self.text.truncate(end.map_or(0, |end| end + 1));
        let secret = secret(&self.text)?;
        let count = secret.expose().chars().count();
        Ok((secret, count))
    }

    fn remove(&mut self, mark: &[u8]) {
        while let Some(at) = self.text.windows(mark.len()).position(|part| part == mark) {
            self.text.drain(at..at + mark.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Result<String, InputError> {
        let mut line = Line::default();
        match line.press(keys)? {
            Key::Interrupt => Err(InputError::Interrupted),
            _ => line.finish().map(|(secret, count)| {
                assert_eq!(secret.expose().chars().count(), count);
                secret.expose().to_owned()
            }),
        }
    }

    #[test]
    fn keys_become_a_line() {
        assert_eq!(typed(b"abc\r").unwrap(), "abc");
        assert_eq!(typed(b"abc\n").unwrap(), "abc");
        assert_eq!(typed(b"abx\x7fc\x04").unwrap(), "abc");
        assert_eq!(typed("abö\x7fc\r".as_bytes()).unwrap(), "abc");
        assert_eq!(typed(b"\x7f\x7fa\r").unwrap(), "a");
        assert_eq!(typed(b"wrong\x15abc").unwrap(), "abc");
        assert_eq!(typed(b" abc \n").unwrap(), " abc ");
        assert!(matches!(typed(b"\n"), Err(InputError::Empty)));
        assert!(matches!(typed(b""), Err(InputError::Empty)));
        assert!(matches!(typed(b"abc\x03"), Err(InputError::Interrupted)));
        assert!(matches!(typed(b"\xff\n"), Err(InputError::NotText)));
        assert!(matches!(typed(&[b'x'; 70_000]), Err(InputError::TooLong)));
    }

    #[test]
    fn all_lines_of_a_paste_belong_to_it() {
        assert_eq!(typed(b"abc\rdef\r\r").unwrap(), "abc\ndef");
        assert_eq!(typed(b"\x1b[200~abc\x1b[201~\r").unwrap(), "abc");
        assert_eq!(typed(b"\x1b[200~abc\rdef\x1b[201~\r").unwrap(), "abc\ndef");
    }

    #[test]
    fn a_pause_keeps_what_was_typed() {
        let mut line = Line::default();
        assert_eq!(line.press(b"ab\x1a").unwrap(), Key::Suspend);
        assert_eq!(line.press(b"c\r").unwrap(), Key::Other);
        assert!(line.is_ended());
        assert_eq!(line.finish().unwrap().0.expose(), "abc");
    }
}

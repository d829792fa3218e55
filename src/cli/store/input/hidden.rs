//! A prompt that shows nothing of what is typed.
//!
//! The terminal hands over each key at once and makes no signals of them, so that Ctrl-C and
//! Ctrl-Z never leave a terminal behind that shows nothing. Signals from elsewhere end the prompt
//! in the same way.

use std::fs::File;
use std::io::{self, Read};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::{InputError, append, buffer, secret, unbuffered};
use crate::cli::output;
use crate::secret::Secret;

/// Keys that mean something to whoever types.
mod key {
    /// Ctrl-C.
    pub(super) const INTERRUPT: u8 = 0x03;
    /// Ctrl-D.
    pub(super) const END: u8 = 0x04;
    /// Backspace as some terminals send it.
    pub(super) const BACKSPACE: u8 = 0x08;
    /// Ctrl-U.
    pub(super) const KILL: u8 = 0x15;
    /// Ctrl-\.
    pub(super) const QUIT: u8 = 0x1c;
    /// Backspace as most terminals send it.
    pub(super) const DELETE: u8 = 0x7f;
}

/// A terminal that shows nothing, until this is dropped.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn start() -> io::Result<Self> {
        let terminal = unbuffered()?;
        let before = tcgetattr(&terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes &=
            !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Drain, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // What was pasted behind a line break must not reach the shell as a command.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

/// Asks for the token and reads it to the end of its line.
pub(super) async fn token(name: &str) -> Result<Secret, InputError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let hidden = Hidden::start()?;
    output::note(&format!(
        "Paste the token for {} and press Enter (nothing is shown): ",
        output::plain(name)
    ));
    let mut keys = hidden.terminal.try_clone()?;
    let typed = tokio::task::spawn_blocking(move || line(&mut keys));
    let outcome = tokio::select! {
        typed = typed => typed.unwrap_or_else(|error| Err(io::Error::other(error).into())),
        _ = interrupt.recv() => Err(InputError::Interrupted),
        _ = terminate.recv() => Err(InputError::Interrupted),
        _ = hang_up.recv() => Err(InputError::Interrupted),
    };
    drop(hidden);
    output::note("\n");
    outcome
}

/// Reads keys until Enter.
fn line(keys: &mut impl Read) -> Result<Secret, InputError> {
    let mut buffer = buffer();
    let mut chunk = Zeroizing::new([0; 1]);
    loop {
        match keys.read(&mut *chunk) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        }
        match chunk[0] {
            b'\n' | b'\r' | key::END => break,
            key::INTERRUPT | key::QUIT => return Err(InputError::Interrupted),
            key::BACKSPACE | key::DELETE => {
                buffer.pop();
            }
            key::KILL => buffer.clear(),
            byte => append(&mut buffer, &[byte])?,
        }
    }
    secret(&buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(mut keys: &[u8]) -> Result<String, InputError> {
        line(&mut keys).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn keys_become_a_line() {
        assert_eq!(typed(b"abc\rdef").unwrap(), "abc");
        assert_eq!(typed(b"abc\n").unwrap(), "abc");
        assert_eq!(typed(b"abx\x7fc\x04").unwrap(), "abc");
        assert_eq!(typed(b"wrong\x15abc").unwrap(), "abc");
        assert_eq!(typed(b" abc \n").unwrap(), " abc ");
        assert!(matches!(typed(b"\n"), Err(InputError::Empty)));
        assert!(matches!(typed(b""), Err(InputError::Empty)));
        assert!(matches!(typed(b"abc\x03"), Err(InputError::Interrupted)));
        assert!(matches!(typed(b"\xff\n"), Err(InputError::NotText)));
        assert!(matches!(typed(&[b'x'; 70_000]), Err(InputError::TooLong)));
    }
}

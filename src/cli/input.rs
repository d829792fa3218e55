//! Reads a token from standard input, from a hidden prompt or a pipe. Every buffer that holds it is
//! wiped.

mod hidden;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};

use thiserror::Error;
use zeroize::Zeroizing;

use super::output;
use crate::secret::Secret;

/// Maximum number of bytes read. A token has 108, and a credentials file has several hundred.
const LIMIT: usize = 64 << 10;

/// Why no token was read.
#[derive(Debug, Error)]
pub(super) enum InputError {
    /// Standard input was empty.
    #[error("Standard input has no token")]
    Empty,
    /// Nothing was typed or pasted at the prompt.
    #[error("No token was entered")]
    NotEntered,
    /// The input is far longer than a token.
    #[error("Standard input is much longer than a token")]
    TooLong,
    /// The bytes are not text.
    #[error("Standard input is not text")]
    NotText,
    /// The user pressed Ctrl-C, or the program was asked to end.
    #[error("Interrupted")]
    Interrupted,
    /// Reading failed.
    #[error("Standard input cannot be read")]
    Unreadable(#[from] io::Error),
}

/// Reads a token. If it is for one place, `name` is the name of that place for people.
pub(super) async fn token(name: Option<&str>) -> Result<Secret, InputError> {
    if io::stdin().is_terminal() {
        return hidden::token(name).await.map_err(|error| match error {
            InputError::Empty => InputError::NotEntered,
            error => error,
        });
    }
    let mut input = unbuffered()?;
    // Not on the runtime's own thread, which must receive signals in the meantime.
    let piped = tokio::task::spawn_blocking(move || whole(&mut input));
    piped
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

/// Asks a yes-or-no question in the terminal. Only `y` means yes.
pub(super) async fn yes(question: &str) -> io::Result<bool> {
    output::note(&format!("{question} [y/N] "));
    let mut input = unbuffered()?;
    let answered = tokio::task::spawn_blocking(move || {
        let mut answer = Vec::new();
        let mut key = [0];
        while input.read(&mut key)? == 1 && key[0] != b'\n' {
            answer.extend(key);
        }
        Ok(matches!(answer.trim_ascii(), b"y" | b"Y" | b"yes"))
    });
    answered
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Reads to the end.
fn whole(input: &mut impl Read) -> Result<Secret, InputError> {
    let mut buffer = buffer();
    loop {
        let mut chunk = Zeroizing::new([0; 4096]);
        match input.read(&mut *chunk) {
            Ok(0) => break,
            Ok(count) => append(&mut buffer, &chunk[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    secret(&buffer)
}

/// Creates a buffer that never grows, because growing leaves a copy behind.
fn buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(LIMIT))
}

fn append(buffer: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) -> Result<(), InputError> {
    if buffer.len() + bytes.len() > LIMIT {
        return Err(InputError::TooLong);
    }
    buffer.extend_from_slice(bytes);
    Ok(())
}

fn secret(bytes: &[u8]) -> Result<Secret, InputError> {
    let text = std::str::from_utf8(bytes).map_err(|_| InputError::NotText)?;
    if text.trim().is_empty() {
        return Err(InputError::Empty);
    }
    // `echo` and files end with a line break, which is not a mistake.
    let line = text.strip_suffix('\n').unwrap_or(text);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line)))
}

/// Opens standard input without the buffer of the library, which is not wiped.
fn unbuffered() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

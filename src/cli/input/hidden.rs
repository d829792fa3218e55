//! A prompt that hides what is typed.
//!
//! The terminal passes on each key immediately and generates no signals, so no key can leave a
//! terminal that hides its input. Signals from elsewhere end or suspend the prompt in the same way.
//! A token that a terminal wrapped arrives as several lines. The prompt therefore keeps reading
//! after Enter until no more input arrives, because the shell would execute the rest.

mod line;

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{InputError, unbuffered};
use crate::cli::output;
use crate::cli::signals::Interrupts;
use crate::secret::Secret;
use line::{Key, Line};

/// Time without input that ends the prompt after Enter.
const SILENCE: Duration = Duration::from_millis(150);
/// Interval at which the reader checks whether its result is still needed.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// A terminal that hides its input until this is dropped.
struct Hidden {
    terminal: File,
    before: Termios,
}

impl Hidden {
    fn start() -> io::Result<Self> {
        let terminal = unbuffered()?;
        let before = tcgetattr(&terminal)?;
        let hidden = Self { terminal, before };
        hidden.hide()?;
        Ok(hidden)
    }

    fn hide(&self) -> io::Result<()> {
        let mut hidden = self.before.clone();
        hidden.local_modes &=
            !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        Ok(tcsetattr(&self.terminal, OptionalActions::Drain, &hidden)?)
    }

    fn show(&self) {
        // A paste that was not read must not reach the shell as a command.
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }

    /// Suspends this process like Ctrl-Z, with the terminal restored, until it is continued.
    fn pause(&self) -> io::Result<()> {
        self.show();
        kill_process(getpid(), Signal::STOP)?;
        self.hide()
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.show();
    }
}

/// Key presses, read by a separate thread that ends with this.
struct Keys {
    keys: mpsc::UnboundedReceiver<io::Result<Zeroizing<Vec<u8>>>>,
    is_over: Arc<AtomicBool>,
}

impl Keys {
    fn of(terminal: &File) -> io::Result<Self> {
        let mut terminal = terminal.try_clone()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (sender, keys) = mpsc::unbounded_channel();
        let over = Arc::clone(&is_over);
        tokio::task::spawn_blocking(move || {
            while !over.load(Ordering::Relaxed) {
                let read = next(&mut terminal);
                let ends = matches!(&read, Ok(Some(keys)) if keys.is_empty()) || read.is_err();
                if let Some(read) = read.transpose()
                    && sender.send(read).is_err()
                {
                    return;
                }
                if ends {
                    return;
                }
            }
        });
        Ok(Self { keys, is_over })
    }

    /// Returns the next keys, or none once the terminal is gone.
    async fn come(&mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        self.keys
            .recv()
            .await
            .unwrap_or_else(|| Ok(Zeroizing::default()))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Reads the available input: `None` if there is none for a moment, no bytes at the end.
fn next(terminal: &mut File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut waiting = [PollFd::new(terminal, PollFlags::IN)];
    match poll(&mut waiting, Some(&LOOK)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
        Ok(_) => {}
        Err(error) => return Err(error.into()),
    }
    let mut chunk = Zeroizing::new(vec![0; 1024]);
    match terminal.read(&mut chunk) {
        Ok(count) => {
            chunk.truncate(count);
            Ok(Some(chunk))
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}

/// Prompts for the token and reads it, with everything that is pasted along with it.
pub(super) async fn token(name: Option<&str>) -> Result<Secret, InputError> {
    let place = name.map_or_else(String::new, |name| format!(" for {}", output::plain(name)));
    let prompt = format!("Paste the token{place} and press Enter (nothing is shown): ");
    let (text, count) = typed(&prompt).await?;
    let characters = if count == 1 {
        "character"
    } else {
        "characters"
    };
    output::note(&format!("{count} {characters} read\n"));
    Ok(text)
}

/// Reads a line after a prompt, and counts its characters.
async fn typed(prompt: &str) -> Result<(Secret, usize), InputError> {
    let mut interrupts = Interrupts::catch()?;
    let mut stop = signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?;
    let hidden = Hidden::start()?;
    output::note(prompt);
    let mut keys = Keys::of(&hidden.terminal)?;
    let mut line = Line::default();
    let outcome = loop {
        let is_ended = line.is_ended();
        let more = async {
            if is_ended {
                timeout(SILENCE, keys.come()).await.ok()
            } else {
                Some(keys.come().await)
            }
        };
        let pressed = tokio::select! {
            () = interrupts.come() => break Err(InputError::Interrupted),
            _ = stop.recv() => Key::Suspend,
            more = more => match more {
                None => break line.finish(),
                Some(Err(error)) => break Err(error.into()),
                Some(Ok(keys)) if keys.is_empty() => break line.finish(),
                Some(Ok(keys)) => match line.press(&keys) {
                    Ok(pressed) => pressed,
                    Err(error) => break Err(error),
                },
            },
        };
        match pressed {
            Key::Interrupt => break Err(InputError::Interrupted),
            Key::Suspend => {
                hidden.pause()?;
                output::note(prompt);
            }
            Key::Other => {}
        }
    };
    drop(keys);
    drop(hidden);
    output::note("\n");
    outcome
}

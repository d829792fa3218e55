//! Signals that a terminal or a supervisor sends.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What an interrupt from the terminal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// Nothing. The interrupt goes to the whole process group, and the host sends a call that says
    /// what to do.
    Ignored,
    /// The user wants this process to end.
    Ends,
}

/// Signals that this process handles instead of the system.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    meaning: Interrupt,
}

impl Signals {
    /// Installs the handlers; from then on, none of these signals kills the process.
    pub(super) fn install(meaning: Interrupt) -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            meaning,
        })
    }

    /// Returns at the next signal that asks the process to end.
    pub(super) async fn received(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => {
                    if self.meaning == Interrupt::Ends {
                        return;
                    }
                    tracing::debug!("an interrupt was left to the host");
                }
            }
        }
    }
}

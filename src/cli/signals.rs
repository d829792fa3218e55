//! Signals that ask a command to end. Each command catches them, so that it never leaves terminals
//! in a changed state, or folders and programs behind.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit code after an interrupt, as in shells after Ctrl-C.
pub(super) const EXIT_INTERRUPTED: u8 = 130;

/// Waits for the signals that end a program by default and can be caught.
pub(super) struct Interrupts([Signal; 5]);

impl Interrupts {
    /// Catches them from now on.
    ///
    /// # Errors
    ///
    /// Fails if the system does not allow it.
    pub(super) fn catch() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::quit())?,
            signal(SignalKind::alarm())?,
        ]))
    }

    /// Returns when a signal arrives.
    pub(super) async fn come(&mut self) {
        let [interrupt, terminate, hang_up, quit, alarm] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = quit.recv() => {}
            _ = alarm.recv() => {}
        }
    }
}

//! Whether a request may have done its work without anybody saying so.

use std::sync::atomic::{AtomicBool, Ordering};

/// Notes for the requests of one write whether any of them may have landed, or may still land.
///
/// It is shared with the caller, so that the note outlives an attempt that is given up half way.
#[derive(Default)]
pub(super) struct Doubt(AtomicBool);

impl Doubt {
    /// Tells whether there is doubt.
    pub(super) fn exists(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Starts to doubt, as an attempt is about to be sent. Returns whether there was doubt before.
    pub(super) fn raise(&self) -> bool {
        self.0.swap(true, Ordering::AcqRel)
    }

    /// Goes back to what there was before an attempt that surely did nothing.
    pub(super) fn restore(&self, before: bool) {
        self.0.store(before, Ordering::Release);
    }
}

//! Whether a write may have landed without an answer, and until when it may be sent.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::clock;

/// Records, for the attempts of one write, whether any of them may have landed, or may still land.
///
/// It is shared with the caller, so that it outlives an attempt that is abandoned halfway.
#[derive(Default)]
pub(super) struct Landing {
    may_have_landed: AtomicBool,
    latest: Option<Timestamp>,
}

impl Landing {
    /// Starts a write that sends no attempt after `latest`, by the clock of this machine: the clock
    /// that times attempts stops while a machine sleeps.
    pub(super) fn no_later_than(latest: Timestamp) -> Self {
        Self {
            latest: Some(latest),
            ..Self::default()
        }
    }

    /// Reports whether an attempt may have landed.
    pub(super) fn is_possible(&self) -> bool {
        self.may_have_landed.load(Ordering::Acquire)
    }

    /// Reports whether it is too late for another attempt.
    pub(super) fn is_overdue(&self) -> bool {
        self.latest.is_some_and(|latest| clock::now() > latest)
    }

    /// Records that an attempt is about to be sent. Returns what was known before.
    pub(super) fn begin(&self) -> bool {
        self.may_have_landed.swap(true, Ordering::AcqRel)
    }

    /// Restores what was known before an attempt that certainly did nothing.
    pub(super) fn restore(&self, before: bool) {
        self.may_have_landed.store(before, Ordering::Release);
    }
}

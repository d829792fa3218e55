//! When a failed attempt is repeated, and how long all attempts may take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::VaultError;
use super::settings::Limits;
use crate::deadline::Deadline;

/// Longest wait between two attempts that the server did not ask for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);
/// Clients are spread over this many times the wait that the server asks for.
const SPREAD: u32 = 8;

/// Time that one operation has, shared by all requests that it makes.
pub(super) struct Budget {
    deadline: Deadline,
    ends: Instant,
    cause: Mutex<Option<VaultError>>,
}

impl Budget {
    /// Starts an operation for a request that must be over by `deadline`.
    pub(super) fn start(limits: &Limits, deadline: Option<Deadline>) -> Self {
        let deadline = Deadline::within(limits.operation).or_earlier(deadline);
        Self {
            deadline,
            ends: deadline.ends(),
            cause: Mutex::default(),
        }
    }

    /// Lets a write that is in progress continue after the deadline, to learn its outcome.
    pub(super) fn for_write(self, limits: &Limits) -> Self {
        Self {
            ends: Instant::now() + limits.operation,
            ..self
        }
    }

    /// Returns when the operation must be over.
    pub(super) fn ends(&self) -> Instant {
        self.ends
    }

    /// Returns how long the time was that is over.
    pub(super) fn limit(&self) -> Duration {
        self.deadline.limit()
    }

    /// Records why the operation is not over yet: the server gave no usable answer, and the request
    /// is sent again. Once the time is over, that cause is more useful than a timeout.
    pub(super) fn note(&self, error: &VaultError) {
        let is_silence = matches!(error, VaultError::DeadlineExceeded { .. });
        *self.cause() = (!is_silence).then(|| error.clone());
    }

    /// Records that the operation waits only for the answer to the current request.
    pub(super) fn forget(&self) {
        *self.cause() = None;
    }

    /// Returns what was recorded last.
    pub(super) fn last_cause(&self) -> Option<VaultError> {
        self.cause().clone()
    }

    fn cause(&self) -> MutexGuard<'_, Option<VaultError>> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports whether another attempt may begin after the given wait. After the deadline, an
    /// attempt is allowed only if it finds out whether an earlier one has landed.
    pub(super) fn allows(&self, wait: Duration, may_have_landed: bool) -> bool {
        let last = if may_have_landed {
            self.ends
        } else {
            self.deadline.ends()
        };
        // A server may ask for more time than an instant can hold.
        Instant::now()
            .checked_add(wait)
            .is_some_and(|next| next < last)
    }
}

/// Returns the wait after the given failed attempt, counted from 1. It is four times as long each
/// time, so that a few attempts outlast the election of a leader, and `jitter` (in 0..1) shortens
/// it to between half and all of that. What the server asks for is added, so that clients that it
/// asked at the same time do not return at the same time.
pub(super) fn backoff(
    base: Duration,
    attempt: u32,
    retry_after: Option<Duration>,
    jitter: f64,
) -> Duration {
    let grown = base.saturating_mul(4_u32.saturating_pow(attempt.saturating_sub(1)));
    let longest = grown.min(LONGEST_BACKOFF);
    match retry_after {
        Some(asked) => {
            let spread = asked.saturating_mul(SPREAD).min(LONGEST_BACKOFF);
            asked.saturating_add(spread.max(longest).mul_f64(jitter))
        }
        None => longest.mul_f64(0.5 + jitter / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound_and_heed_the_server() {
        let base = Duration::from_millis(250);
        let full = |attempt| backoff(base, attempt, None, 1.0).as_millis();
        assert_eq!(
            [full(1), full(2), full(3), full(4)],
            [250, 1000, 4000, 8000]
        );
        assert_eq!(full(30), 8000);
        assert_eq!(full(u32::MAX), 8000);
        assert_eq!(backoff(base, 1, None, 0.0).as_millis(), 125);
        let asked = Some(Duration::from_secs(3));
        assert_eq!(backoff(base, 1, asked, 0.5).as_millis(), 7000);
        assert_eq!(backoff(base, 3, asked, 0.0).as_millis(), 3000);
        let shortest: u128 = (1..=4)
            .map(|n| backoff(base, n, None, 0.0).as_millis())
            .sum();
        assert!(shortest > 6_000, "an election takes seconds");
    }

    #[test]
    fn no_attempt_starts_after_the_deadline_but_for_one_that_learns_an_outcome() {
        let second = Duration::from_secs(1);
        let limits = Limits {
            operation: 30 * second,
            ..Limits::default()
        };
        let alone = Budget::start(&limits, None);
        assert!(alone.allows(29 * second, false));
        assert!(!alone.allows(31 * second, true));
        assert!(!alone.allows(Duration::MAX, true));
        let read = Budget::start(&limits, Some(Deadline::within(10 * second)));
        assert!(read.allows(9 * second, false));
        assert!(!read.allows(11 * second, true));
        let write = read.for_write(&limits);
        assert!(!write.allows(11 * second, false));
        assert!(write.allows(11 * second, true));
        assert!(!write.allows(31 * second, true));
    }
}

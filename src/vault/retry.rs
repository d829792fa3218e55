//! When a failed attempt is repeated, and how long it all may take.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::settings::Limits;

/// Longest wait between two attempts that nobody asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

tokio::task_local! {
    /// When the work that several operations do together must be over.
    static SHARED_END: Instant;
}

/// Runs work whose operations, one after the other or at once, must all be over in the time that
/// one of them has. Work inside other such work shares its time.
pub(super) async fn sharing_one_budget<T>(limits: &Limits, work: impl Future<Output = T>) -> T {
    let ends = Budget::start(limits).ends;
    SHARED_END.scope(ends, work).await
}

/// Tells whether the time of such work is over; outside of it there is none.
pub(super) fn shared_time_is_over() -> bool {
    SHARED_END
        .try_with(|ends| *ends <= Instant::now())
        .unwrap_or(false)
}

/// Time that one operation has, shared by all requests that it makes.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    retries_end: Instant,
    ends: Instant,
}

impl Budget {
    /// Starts an operation.
    pub(super) fn start(limits: &Limits) -> Self {
        let now = Instant::now();
        let own = now + limits.operation;
        Self {
            retries_end: now + limits.retries,
            ends: SHARED_END
                .try_with(|shared| own.min(*shared))
                .unwrap_or(own),
        }
    }

    /// Returns when the operation must be over.
    pub(super) fn ends(&self) -> Instant {
        self.ends
    }

    /// Tells whether there is no time left.
    pub(super) fn is_over(&self) -> bool {
        self.ends <= Instant::now()
    }

    /// Returns how long to wait before another attempt, `None` where there is no time for one.
    pub(super) fn wait(&self, wait: Duration) -> Option<Duration> {
        // A server may ask for more time than an instant can hold.
        let next = Instant::now().checked_add(wait)?;
        (next < self.retries_end && next < self.ends).then_some(wait)
    }
}

/// Returns the wait after the given failed attempt, counted from 1: doubled each time, between
/// half and all of it by chance (`jitter` in 0..1), and not shorter than the server asks.
pub(super) fn backoff(
    base: Duration,
    attempt: u32,
    retry_after: Option<Duration>,
    jitter: f64,
) -> Duration {
    let doubled = base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let chosen = doubled.min(LONGEST_BACKOFF).mul_f64(0.5 + jitter / 2.0);
    chosen.max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_heed_the_server() {
        let base = Duration::from_millis(250);
        let full = |attempt| backoff(base, attempt, None, 1.0).as_millis();
        assert_eq!([full(1), full(2), full(3), full(4)], [250, 500, 1000, 2000]);
        assert_eq!(full(30), 8000);
        assert_eq!(full(u32::MAX), 8000);
        assert_eq!(backoff(base, 1, None, 0.0).as_millis(), 125);
        let asked = Some(Duration::from_secs(3));
        assert_eq!(backoff(base, 1, asked, 0.5).as_secs(), 3);
    }

    #[test]
    fn no_attempt_starts_after_the_time_for_retries() {
        let budget = Budget::start(&Limits::default());
        let second = Duration::from_secs(1);
        assert_eq!(budget.wait(second), Some(second));
        assert_eq!(budget.wait(Duration::from_secs(31)), None);
        assert_eq!(budget.wait(Duration::MAX), None);
    }
}

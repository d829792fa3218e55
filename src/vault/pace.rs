//! How fast requests follow each other: learned from a server that limits them, for all requests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::VaultError;
use super::retry::Budget;

/// Time between two requests below which there is no point in spacing them.
const SHORTEST: Duration = Duration::from_millis(20);
/// Longest time between two requests, however few the server has served.
const LONGEST: Duration = Duration::from_secs(2);
/// Longest time for which requests are held back. No request has as much time.
const LONGEST_HOLD: Duration = Duration::from_secs(3600);
/// Number of served requests that are remembered.
const REMEMBERED: usize = 256;

/// Holds requests back after one was refused by a rate limit, and spaces those that follow.
///
/// What the server served while it refused other requests shows the limit. Each request that is
/// served after that shortens the spacing a little, and each refusal lengthens it again, because
/// other clients may share the limit.
#[derive(Default)]
pub(super) struct Pace {
    turn: tokio::sync::Mutex<()>,
    learned: Mutex<Learned>,
}

#[derive(Default)]
struct Learned {
    /// Nothing is sent before this time.
    next: Option<Instant>,
    interval: Duration,
    /// The interval that the last refusal has shown to be too short, plus a margin.
    floor: Duration,
    /// The period over which the server counts requests, as far as it is known.
    window: Duration,
    /// When the latest requests that the server has served were sent.
    served: VecDeque<Instant>,
    /// When the last refusal that changed the interval arrived.
    refused: Option<Instant>,
    /// What the server asked for last, in seconds.
    asked: Option<u64>,
}

impl Pace {
    /// Waits until a request may be sent. A wait that exceeds `budget` is skipped: the limit may
    /// apply to other paths.
    pub(super) async fn turn(&self, budget: &Budget, may_have_landed: bool) {
        let limit = self.limit();
        if let Some(error) = &limit {
            budget.note(error);
        }
        let _turn = self.turn.lock().await;
        while let Some(wait) = self.wait()
            && budget.allows(wait, may_have_landed)
        {
            tokio::time::sleep(wait).await;
        }
        if limit.is_some() {
            budget.forget();
        }
        let mut learned = self.learned();
        if learned.interval > Duration::ZERO {
            let next = Instant::now() + learned.interval;
            learned.next = learned.next.max(Some(next));
        }
    }

    /// Returns for how long requests are held back from now.
    pub(super) fn wait(&self) -> Option<Duration> {
        let wait = self.learned().next?.duration_since(Instant::now());
        (wait > Duration::ZERO).then_some(wait)
    }

    /// Records a request that was sent at that time and was not refused for its rate.
    pub(super) fn served(&self, sent: Instant) {
        let mut learned = self.learned();
        if learned.served.len() == REMEMBERED {
            learned.served.pop_front();
        }
        learned.served.push_back(sent);
        match learned.refused {
            // It was in flight at the time, so it is one of those that the limit allows.
            Some(refused) if sent <= refused => learned.measure(refused),
            _ => {
                learned.interval = learned.interval.mul_f64(0.97);
                if learned.interval < SHORTEST {
                    learned.interval = Duration::ZERO;
                }
            }
        }
    }

    /// Records a request that was sent at that time and refused. No other request is sent for the
    /// duration `hold`; the server asked for `asked`.
    pub(super) fn refused(&self, sent: Instant, asked: Option<Duration>, hold: Duration) {
        let now = Instant::now();
        let mut learned = self.learned();
        learned.asked = asked.map(|asked| asked.as_secs());
        // Refusals of other requests that were in flight add no information.
        if learned.refused.is_none_or(|refused| sent > refused) {
            learned.refused = Some(now);
            learned.window = asked.unwrap_or(hold).max(hold / 2);
            learned.floor = learned.interval.mul_f64(1.5);
            learned.measure(now);
        }
        let resumes = now + hold.min(LONGEST_HOLD);
        learned.next = learned.next.max(Some(resumes));
    }

    fn limit(&self) -> Option<VaultError> {
        self.wait()?;
        Some(VaultError::RateLimited {
            seconds: self.learned().asked,
        })
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Learned {
    /// Derives the interval from the requests that were served in the period before a refusal.
    fn measure(&mut self, refused: Instant) {
        let window = self.window;
        let counts = |sent: &&Instant| refused.saturating_duration_since(**sent) < window;
        let served = self.served.iter().filter(counts).count();
        let shown = window / u32::try_from(served.max(1)).unwrap_or(u32::MAX);
        self.interval = shown.max(self.floor).clamp(SHORTEST, LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Semaphore;

    use super::*;
    use crate::vault::settings::Limits;

    /// A server that serves so many requests in each second, and then asks clients to wait for a
    /// second.
    struct Quota {
        per_second: u32,
        start: Instant,
        used: Mutex<(u64, u32)>,
        refusals: AtomicU32,
    }

    impl Quota {
        fn serves(&self) -> bool {
            let second = self.start.elapsed().as_secs();
            let mut used = self.used.lock().unwrap();
            if used.0 != second {
                *used = (second, 0);
            }
            used.1 += 1;
            let serves = used.1 <= self.per_second;
            if !serves {
                self.refusals.fetch_add(1, Ordering::Relaxed);
            }
            serves
        }
    }

    /// Sends that many requests the way the channel does, and returns the most attempts that a
    /// single request took, all refusals, and the time.
    async fn send(requests: u32, per_second: u32) -> (u32, u32, Duration) {
        let limits = Limits::default();
        let quota = Arc::new(Quota {
            per_second,
            start: Instant::now(),
            used: Mutex::default(),
            refusals: AtomicU32::default(),
        });
        let pace = Arc::new(Pace::default());
        let permits = Arc::new(Semaphore::new(limits.concurrency));
        let started = Instant::now();
        let mut tasks = Vec::new();
        for number in 0..requests {
            let (quota, pace, permits) = (quota.clone(), pace.clone(), permits.clone());
            let budget = Budget::start(&limits, None);
            tasks.push(tokio::spawn(async move {
                let jitter = f64::from(number % 7) / 7.0;
                for attempt in 1.. {
                    let _permit = permits.acquire().await.unwrap();
                    pace.turn(&budget, false).await;
                    let sent = Instant::now();
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    if quota.serves() {
                        pace.served(sent);
                        return attempt;
                    }
                    let second = Duration::from_secs(1);
                    pace.refused(sent, Some(second), second.mul_f64(1.0 + jitter));
                }
                unreachable!("the loop has no end");
            }));
        }
        let mut most = 0;
        for task in tasks {
            most = most.max(task.await.unwrap());
        }
        let refusals = quota.refusals.load(Ordering::Relaxed);
        (most, refusals, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_learned_from_a_few_refusals() {
        let (most, refusals, took) = send(60, 5).await;
        assert!(most < 5, "{most} attempts, and a request has five");
        assert!(refusals <= 20, "{refusals} refusals");
        assert!(took < Duration::from_secs(25), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_held_back() {
        let (most, refusals, took) = send(600, 10_000).await;
        assert_eq!((most, refusals), (1, 0));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_there_is_no_time_for_is_not_waited_for() {
        let pace = Pace::default();
        let hour = Duration::from_secs(3600);
        pace.refused(Instant::now(), Some(hour), Duration::MAX);
        let started = Instant::now();
        pace.turn(&Budget::start(&Limits::default(), None), false)
            .await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

//! When the work for one request must be over.

use std::time::Duration;

use tokio::time::Instant;

/// The end of the time that one request has, whatever it takes: waits, retries, logins, reads of
/// other secrets. It is made where the request arrives and carried to every call that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    ends: Instant,
    limit: Duration,
}

impl Deadline {
    /// Time that a host's request has, and a command for each secret.
    pub const LIMIT: Duration = Duration::from_secs(60);

    /// Starts the time of a request that has just arrived.
    pub fn start() -> Self {
        Self::within(Self::LIMIT)
    }

    /// Starts a time of the given length.
    pub fn within(limit: Duration) -> Self {
        Self {
            ends: Instant::now() + limit,
            limit,
        }
    }

    /// Returns when the time is over.
    pub fn ends(self) -> Instant {
        self.ends
    }

    /// Returns how long the time was when it started.
    pub fn limit(self) -> Duration {
        self.limit
    }

    /// Reports whether the time is over.
    pub fn is_over(self) -> bool {
        self.ends <= Instant::now()
    }

    /// Returns whichever ends first.
    #[must_use]
    pub fn or_earlier(self, other: Option<Self>) -> Self {
        other.filter(|other| other.ends < self.ends).unwrap_or(self)
    }
}

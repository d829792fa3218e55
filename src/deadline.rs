//! The time limit for the work of one request.

use std::time::Duration;

use tokio::time::Instant;

/// The end of the time that one request has for everything: waits, retries, logins, and reads of
/// other secrets. It is created when the request arrives and passed to every call that the request
/// causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    ends: Instant,
    limit: Duration,
}

impl Deadline {
    /// Time for a host's request, or for each secret of a command.
    pub const LIMIT: Duration = Duration::from_secs(60);

    /// Starts the time limit of a request that has just arrived.
    pub fn start() -> Self {
        Self::within(Self::LIMIT)
    }

    /// Starts a time limit of the given length.
    pub fn within(limit: Duration) -> Self {
        Self {
            ends: Instant::now() + limit,
            limit,
        }
    }

    /// Returns when the time ends.
    pub fn ends(self) -> Instant {
        self.ends
    }

    /// Returns the length of the time limit.
    pub fn limit(self) -> Duration {
        self.limit
    }

    /// Reports whether the time has ended.
    pub fn is_over(self) -> bool {
        self.ends <= Instant::now()
    }

    /// Returns the one that ends first.
    #[must_use]
    pub fn or_earlier(self, other: Option<Self>) -> Self {
        other.filter(|other| other.ends < self.ends).unwrap_or(self)
    }
}

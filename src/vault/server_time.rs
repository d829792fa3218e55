//! The time according to the server.

use std::sync::{Mutex, PoisonError};

use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::clock;

/// The server's time when its last answer arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// The `Date` of the answer.
    pub date: Timestamp,
    /// When the answer arrived, by the clock of this machine.
    pub received_at: Timestamp,
    received: Instant,
}

impl ServerTime {
    /// Returns the current time at the server: the date, plus the time passed since.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.received.elapsed()).unwrap_or_default();
        self.date.saturating_add(passed).unwrap_or(self.date)
    }
}

/// Keeps the last `Date`.
#[derive(Default)]
pub(super) struct LastDate(Mutex<Option<ServerTime>>);

impl LastDate {
    /// Returns the last date.
    pub(super) fn get(&self) -> Option<ServerTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an answer's date; a date that cannot be read is ignored.
    pub(super) fn note(&self, header: &HeaderValue) {
        if let Some(date) = parse_http_date(header) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ServerTime {
                date,
                received_at: clock::now(),
                received: Instant::now(),
            });
        }
    }
}

/// Reads a date in the form that HTTP uses, such as `Tue, 24 Nov 2026 08:09:53 GMT`.
pub(super) fn parse_http_date(header: &HeaderValue) -> Option<Timestamp> {
    static PARSER: jiff::fmt::rfc2822::DateTimeParser = jiff::fmt::rfc2822::DateTimeParser::new();
    PARSER.parse_timestamp(header.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_date_that_can_be_read_counts() {
        let last = LastDate::default();
        last.note(&HeaderValue::from_static("yesterday"));
        assert_eq!(last.get(), None);
        last.note(&HeaderValue::from_static("Tue, 24 Nov 2026 08:09:53 GMT"));
        let date = "2026-11-24T08:09:53Z".parse::<Timestamp>().unwrap();
        let time = last.get().unwrap();
        assert_eq!(time.date, date);
        assert!(time.now() >= date);
        last.note(&HeaderValue::from_static(""));
        assert_eq!(last.get(), Some(time));
    }
}

//! The wall clock, read only here, so that all other code receives the time as a value.

use jiff::Timestamp;

/// Returns the current time by the clock of this machine.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the wall clock"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

//! How long tokens live, and how long before expiry they become due.

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// The longest lifetime that is accepted, in days: a century.
pub const MAXIMUM_DAYS: u32 = 36_500;

/// How long tokens live and how long before expiry they become due, both in whole days.
///
/// `rotate_before_days` is always less than `lifetime_days`, so no token is due when it is minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    lifetime_days: u32,
    rotate_before_days: u32,
}

impl Lifetime {
    /// Combines the two numbers of days, each checked on its own and then against the other.
    pub fn new(lifetime_days: i64, rotate_before_days: i64) -> Result<Self, LifetimeError> {
        let lifetime_days = validate_lifetime_days(lifetime_days)?;
        let rotate_before_days = validate_rotate_before_days(rotate_before_days)?;
        if rotate_before_days >= lifetime_days {
            return Err(LifetimeError::DueAtBirth {
                lifetime_days,
                rotate_before_days,
            });
        }
        Ok(Self {
            lifetime_days,
            rotate_before_days,
        })
    }

    /// Returns how many days a token lives.
    pub fn lifetime_days(self) -> u32 {
        self.lifetime_days
    }

    /// Returns how many days before expiry a token becomes due.
    pub fn rotate_before_days(self) -> u32 {
        self.rotate_before_days
    }

    /// Reports whether a new token would be due immediately, if Vault deletes its version as soon
    /// after creation as this one.
    pub fn is_due_at_once(self, created_at: Timestamp, deletion_time: Option<Timestamp>) -> bool {
        let due_before = SignedDuration::from_hours(24 * i64::from(self.rotate_before_days));
        deletion_time.is_some_and(|deleted_at| deleted_at.duration_since(created_at) <= due_before)
    }
}

/// Why numbers of days are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LifetimeError {
    /// The lifetime is less than a day or more than a century.
    #[error("`lifetime_days` must be from 1 to {MAXIMUM_DAYS}, not {0}")]
    Lifetime(i64),
    /// The time before expiry is negative or more than a century.
    #[error("`rotate_before_days` must be 0 or more and less than `lifetime_days`, not {0}")]
    RotateBefore(i64),
    /// A token would be due from its first day.
    #[error(
        "`rotate_before_days` ({rotate_before_days}) must be less than `lifetime_days` ({lifetime_days})"
    )]
    DueAtBirth {
        /// The lifetime given.
        lifetime_days: u32,
        /// The time before expiry given.
        rotate_before_days: u32,
    },
}

/// Checks a lifetime on its own: from one day to [`MAXIMUM_DAYS`].
pub fn validate_lifetime_days(days: i64) -> Result<u32, LifetimeError> {
    match u32::try_from(days) {
        Ok(days @ 1..=MAXIMUM_DAYS) => Ok(days),
        _ => Err(LifetimeError::Lifetime(days)),
    }
}

/// Checks a time before expiry on its own: at least zero and less than [`MAXIMUM_DAYS`].
pub fn validate_rotate_before_days(days: i64) -> Result<u32, LifetimeError> {
    match u32::try_from(days) {
        Ok(days @ 0..MAXIMUM_DAYS) => Ok(days),
        _ => Err(LifetimeError::RotateBefore(days)),
    }
}

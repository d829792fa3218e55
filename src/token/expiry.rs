//! When a token expires, when it becomes due, and its status at a point in time.

mod lifetime;

use jiff::Timestamp;

pub use lifetime::{
    Lifetime, LifetimeError, MAXIMUM_DAYS, validate_lifetime_days, validate_rotate_before_days,
};

use super::instant::{add_days, format_instant, whole_seconds};
use crate::words::words;

/// The timestamps that determine a token's status, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// When the token was minted.
    pub minted_at: Timestamp,
    /// When the token stops working, or its version is deleted.
    pub expires_at: Timestamp,
    /// When the token becomes due for rotation; never after `expires_at`.
    pub rotate_at: Timestamp,
}

impl Dates {
    /// Computes the dates of a token that lives for `lifetime` from `minted_at`.
    ///
    /// `deletion_time` is when Vault will delete the version that holds the token; the earlier end
    /// applies. Dates beyond the calendar are capped at its last timestamp.
    pub fn new(minted_at: Timestamp, lifetime: Lifetime, deletion_time: Option<Timestamp>) -> Self {
        let minted_at = whole_seconds(minted_at);
        let own_end = add_days(minted_at, i64::from(lifetime.lifetime_days()));
        let expires_at = match deletion_time {
            Some(deleted_at) => own_end.min(whole_seconds(deleted_at)),
            None => own_end,
        };
        Self {
            minted_at,
            expires_at,
            rotate_at: add_days(expires_at, -i64::from(lifetime.rotate_before_days())),
        }
    }

    /// Returns the deletion time that applies to a token that was seen before.
    ///
    /// Each write to a sibling makes a version that is deleted later. That changes nothing: the
    /// `kept` time, which is that of the version in which the token was first seen, applies until
    /// the token is due by it. A `found` time that ends the token earlier applies at once. So does
    /// one that does not end it, because it means that the setting was changed.
    pub fn deletion_of_known(
        minted_at: Timestamp,
        lifetime: Lifetime,
        kept: Option<Timestamp>,
        found: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let by_kept = Self::new(minted_at, lifetime, kept);
        let by_found = Self::new(minted_at, lifetime, found);
        let counts = by_found.expires_at < by_kept.expires_at
            || (by_found != by_kept
                && (status_at(&by_kept, now).is_due()
                    || !Self::ends_with_version(minted_at, lifetime, found)));
        if counts { found } else { kept }
    }

    /// Reports whether the deletion of its version ends a token earlier than its lifetime does.
    pub fn ends_with_version(
        minted_at: Timestamp,
        lifetime: Lifetime,
        deletion_time: Option<Timestamp>,
    ) -> bool {
        let with = Self::new(minted_at, lifetime, deletion_time);
        with.expires_at < Self::new(minted_at, lifetime, None).expires_at
    }

    /// Returns `expires_at` in seconds since the epoch.
    pub fn expires_at_unix(&self) -> i64 {
        self.expires_at.as_second()
    }

    /// Returns `minted_at` as RFC 3339 text.
    pub fn minted_at_text(&self) -> String {
        format_instant(self.minted_at)
    }

    /// Returns `expires_at` as RFC 3339 text.
    pub fn expires_at_text(&self) -> String {
        format_instant(self.expires_at)
    }

    /// Returns `rotate_at` as RFC 3339 text.
    pub fn rotate_at_text(&self) -> String {
        format_instant(self.rotate_at)
    }
}

words! {
    /// The status of the token in a field.
    pub enum Status {
        /// The token works and is not due yet.
        InDate = "in_date",
        /// The token works and should be replaced.
        RotationDue = "rotation_due",
        /// The token has expired.
        Expired = "expired",
        /// Claude Code found that the token is refused.
        Refused = "refused",
        /// The field holds something that is not a token.
        Malformed = "malformed",
        /// The secret or the field does not exist, or the field is empty.
        Missing = "missing",
    }
}

impl Status {
    /// Reports whether the token still works according to its dates.
    pub fn is_working(self) -> bool {
        matches!(self, Self::InDate | Self::RotationDue)
    }

    /// Reports whether only a date makes the token due.
    pub fn is_by_date(self) -> bool {
        matches!(self, Self::RotationDue | Self::Expired)
    }

    /// Reports whether the token needs any action.
    pub fn is_due(self) -> bool {
        self != Self::InDate
    }
}

/// Returns the status of a well-formed token; at a threshold, the later status applies.
pub fn status_at(dates: &Dates, now: Timestamp) -> Status {
    if now >= dates.expires_at {
        Status::Expired
    } else if now >= dates.rotate_at {
        Status::RotationDue
    } else {
        Status::InDate
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::instant::parse_instant;
    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_instant(text).unwrap()
    }

    fn year() -> Lifetime {
        Lifetime::new(365, 30).unwrap()
    }

    #[test]
    fn a_year_is_365_days_of_24_hours() {
        // 2028 is a leap year, so the day of the month moves back by one.
        let dates = Dates::new(at("2027-04-15T09:30:00.9Z"), year(), None);
        assert_eq!(dates.minted_at_text(), "2027-04-15T09:30:00Z");
        assert_eq!(dates.expires_at_text(), "2028-04-14T09:30:00Z");
        assert_eq!(dates.rotate_at_text(), "2028-03-15T09:30:00Z");
        assert_eq!(dates.expires_at_unix(), 1_839_317_400);
    }

    #[test]
    fn a_deletion_counts_only_when_it_comes_first() {
        let minted_at = at("2026-01-01T00:00:00Z");
        let early = Dates::new(minted_at, year(), Some(at("2026-06-01T00:00:00.25Z")));
        assert_eq!(early.expires_at_text(), "2026-06-01T00:00:00Z");
        assert_eq!(early.rotate_at_text(), "2026-05-02T00:00:00Z");
        let late = Dates::new(minted_at, year(), Some(at("2030-01-01T00:00:00Z")));
        assert_eq!(late, Dates::new(minted_at, year(), None));
    }

    #[test]
    fn a_deletion_that_is_put_off_counts_once_the_token_is_due() {
        let minted_at = at("2026-01-01T00:00:00Z");
        let june = Some(at("2026-06-01T00:00:00Z"));
        let july = Some(at("2026-07-01T00:00:00Z"));
        let never = Some(at("2030-01-01T00:00:00Z"));
        for (kept, found, now, counts) in [
            (june, july, "2026-05-01T00:00:00Z", june),
            (june, july, "2026-05-02T00:00:00Z", july),
            (june, None, "2026-05-01T00:00:00Z", None),
            (june, never, "2026-05-01T00:00:00Z", never),
            (june, None, "2026-05-02T00:00:00Z", None),
            (july, june, "2026-01-02T00:00:00Z", june),
            (None, june, "2026-01-02T00:00:00Z", june),
            // A deletion after the token's own expiry does not change the dates.
            (None, never, "2026-12-15T00:00:00Z", None),
            (never, None, "2026-12-15T00:00:00Z", never),
        ] {
            assert_eq!(
                Dates::deletion_of_known(minted_at, year(), kept, found, at(now)),
                counts,
                "{kept:?}, then {found:?}, at {now}"
            );
        }
    }

    #[test]
    fn a_deletion_within_the_days_before_the_end_makes_each_version_due_at_once() {
        let created_at = at("2026-01-01T00:00:00Z");
        for (deleted_at, due) in [
            (None, false),
            (Some(at("2026-01-31T00:00:00Z")), true),
            (Some(at("2026-01-31T00:00:01Z")), false),
        ] {
            assert_eq!(
                year().is_due_at_once(created_at, deleted_at),
                due,
                "{deleted_at:?}"
            );
        }
    }

    #[test]
    fn thresholds_belong_to_what_follows() {
        let dates = Dates::new(at("2026-01-01T00:00:00Z"), year(), None);
        let status = |text| status_at(&dates, at(text));
        assert_eq!(status("2026-12-01T23:59:59Z"), Status::InDate);
        assert_eq!(status("2026-12-02T00:00:00Z"), Status::RotationDue);
        assert_eq!(status("2026-12-31T23:59:59Z"), Status::RotationDue);
        assert_eq!(status("2027-01-01T00:00:00Z"), Status::Expired);
        let never_due = Dates::new(
            at("2026-01-01T00:00:00Z"),
            Lifetime::new(1, 0).unwrap(),
            None,
        );
        assert_eq!(
            status_at(&never_due, at("2026-01-01T23:59:59Z")),
            Status::InDate
        );
        assert_eq!(
            status_at(&never_due, at("2026-01-02T00:00:00Z")),
            Status::Expired
        );
    }

    #[test]
    fn days_out_of_range_are_refused() {
        use LifetimeError::{DueAtBirth, Lifetime as Length, RotateBefore};
        assert_eq!(Lifetime::new(0, 0), Err(Length(0)));
        assert_eq!(Lifetime::new(-1, 0), Err(Length(-1)));
        assert_eq!(Lifetime::new(36_501, 0), Err(Length(36_501)));
        assert_eq!(Lifetime::new(i64::MAX, 0), Err(Length(i64::MAX)));
        assert_eq!(Lifetime::new(365, -1), Err(RotateBefore(-1)));
        assert_eq!(Lifetime::new(365, i64::MIN), Err(RotateBefore(i64::MIN)));
        let equal = DueAtBirth {
            lifetime_days: 30,
            rotate_before_days: 30,
        };
        assert_eq!(Lifetime::new(30, 30), Err(equal));
        assert_eq!(
            equal.to_string(),
            "`rotate_before_days` (30) must be less than `lifetime_days` (30)"
        );
        assert!(Lifetime::new(36_500, 36_499).is_ok());
        assert!(Lifetime::new(1, 0).is_ok());
    }

    #[test]
    fn words_round_trip() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(Status::parse("In_Date"), None);
    }

    fn instants() -> impl Strategy<Value = Timestamp> {
        (
            Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
            0..1_000_000_000_i32,
        )
            .prop_filter_map("in range", |(second, fraction)| {
                Timestamp::new(second, fraction).ok()
            })
    }

    fn lifetimes() -> impl Strategy<Value = Lifetime> {
        (1..=36_500_i64)
            .prop_flat_map(|days| (Just(days), 0..days))
            .prop_filter_map("valid", |(days, before)| Lifetime::new(days, before).ok())
    }

    proptest! {
        #[test]
        fn dates_are_ordered_whole_seconds(minted_at in instants(), lifetime in lifetimes(), deleted_at in proptest::option::of(instants())) {
            let dates = Dates::new(minted_at, lifetime, deleted_at);
            prop_assert!(dates.minted_at <= minted_at);
            prop_assert!(dates.rotate_at <= dates.expires_at);
            if deleted_at.is_none() {
                prop_assert!(dates.minted_at <= dates.expires_at);
            }
            for instant in [dates.minted_at, dates.rotate_at, dates.expires_at] {
                prop_assert_eq!(instant.subsec_nanosecond(), 0);
            }
        }

        #[test]
        fn a_later_mint_or_a_longer_life_never_ends_earlier(
            one in instants(), other in instants(), lifetime in lifetimes(), longer in 0..1_000_i64,
        ) {
            let (early, late) = (one.min(other), one.max(other));
            let early = Dates::new(early, lifetime, None);
            let late = Dates::new(late, lifetime, None);
            prop_assert!(early.expires_at <= late.expires_at);
            prop_assert!(early.rotate_at <= late.rotate_at);
            let days = (i64::from(lifetime.lifetime_days()) + longer).min(36_500);
            let longer = Lifetime::new(days, i64::from(lifetime.rotate_before_days())).unwrap();
            prop_assert!(early.expires_at <= Dates::new(early.minted_at, longer, None).expires_at);
        }

        #[test]
        fn status_only_gets_worse(minted_at in instants(), lifetime in lifetimes(), one in instants(), other in instants()) {
            let dates = Dates::new(minted_at, lifetime, None);
            let severity = |now| Status::ALL.iter().position(|&s| s == status_at(&dates, now)).unwrap();
            prop_assert!(severity(one.min(other)) <= severity(one.max(other)));
        }
    }
}

//! Timestamps as text: RFC 3339 in, `YYYY-MM-DDTHH:MM:SSZ` out.

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Seconds in a day; a UTC day always has exactly 24 hours.
pub(super) const SECONDS_PER_DAY: i64 = 86_400;

/// One day, the most that two sources of a mint time may differ by.
pub const DAY: SignedDuration = SignedDuration::from_secs(SECONDS_PER_DAY);

/// Positions of the parts of an RFC 3339 timestamp up to the seconds; `0` is any digit.
const SHAPE: &[u8; 19] = b"0000-00-00T00:00:00";

/// Why a text is not a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InstantError {
    /// The text has another form, such as only a date, or no offset.
    #[error("the value is not an RFC 3339 timestamp, such as `2026-03-01T00:00:00Z`")]
    Form,
    /// The form is right, but the calendar or the clock has no such time.
    #[error("the date or time does not exist")]
    Calendar,
    /// A mint time is further in the future than clocks may differ.
    #[error("a mint time cannot be more than a day in the future")]
    Ahead,
}

/// Reads an RFC 3339 timestamp with `Z` or an offset, and drops the fraction of a second.
pub fn parse_instant(text: &str) -> Result<Timestamp, InstantError> {
    let (head, tail) = text
        .split_at_checked(SHAPE.len())
        .filter(|(head, _)| has_shape(head.as_bytes()))
        .ok_or(InstantError::Form)?;
    let offset = without_fraction(tail);
    if !is_offset(offset.as_bytes()) {
        return Err(InstantError::Form);
    }
    // Any number of digits may follow the point, more than the library reads.
    format!("{head}{offset}")
        .parse()
        .ok()
        .filter(|instant| has_four_digit_year(*instant))
        .ok_or(InstantError::Calendar)
}

/// Reads a mint time that a person gave, which may be at most a day in the future.
pub fn parse_minted_at(text: &str, now: Timestamp) -> Result<Timestamp, InstantError> {
    let minted_at = parse_instant(text)?;
    if minted_at.duration_since(now) > DAY {
        return Err(InstantError::Ahead);
    }
    Ok(minted_at)
}

/// Writes a timestamp as `YYYY-MM-DDTHH:MM:SSZ`, without a fraction.
pub fn format_instant(instant: Timestamp) -> String {
    whole_seconds(instant).to_string()
}

/// Drops the fraction of a second, towards the past.
pub fn whole_seconds(instant: Timestamp) -> Timestamp {
    let second = instant.as_second() - i64::from(instant.subsec_nanosecond() < 0);
    from_second(second)
}

/// Returns the timestamp that many days later, or the last possible one.
pub(super) fn add_days(instant: Timestamp, days: i64) -> Timestamp {
    let seconds = days.saturating_mul(SECONDS_PER_DAY);
    from_second(instant.as_second().saturating_add(seconds))
}

/// Returns the timestamp of that second since the epoch, or the first or last possible one.
fn from_second(second: i64) -> Timestamp {
    let bounded = second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(bounded).unwrap_or(Timestamp::MAX)
}

/// Reports whether the text has the form of RFC 3339, section 5.6, even with impossible numbers.
fn has_shape(head: &[u8]) -> bool {
    head.iter().zip(SHAPE).all(|(&byte, &shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'T' => byte.eq_ignore_ascii_case(&b'T'),
        _ => byte == shape,
    })
}

/// Strips a point and the digits after it; a point without digits stays and is refused.
fn without_fraction(tail: &str) -> &str {
    match tail.strip_prefix('.') {
        Some(rest) => {
            let offset = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if offset.len() == rest.len() {
                tail
            } else {
                offset
            }
        }
        None => tail,
    }
}

/// Reports whether the text is `Z` or an offset that RFC 3339 allows: less than a day.
fn is_offset(text: &[u8]) -> bool {
    match text {
        [zulu] => zulu.eq_ignore_ascii_case(&b'Z'),
        [
            b'+' | b'-',
            tens @ b'0'..=b'2',
            ones,
            b':',
            b'0'..=b'5',
            last,
        ] => ones.is_ascii_digit() && last.is_ascii_digit() && (*tens < b'2' || *ones < b'4'),
        _ => false,
    }
}

/// Reports whether the timestamp can be written with a year of four digits in UTC.
fn has_four_digit_year(instant: Timestamp) -> bool {
    // 0000-01-01T00:00:00Z; the library's last timestamp is in the year 9999.
    const FIRST: i64 = -62_167_219_200;
    instant.as_second() >= FIRST
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn second(text: &str) -> i64 {
        parse_instant(text).unwrap().as_second()
    }

    #[test]
    fn reads_offsets_and_drops_fractions() {
        assert_eq!(second("1970-01-01T00:00:00Z"), 0);
        assert_eq!(second("1970-01-01t00:00:01z"), 1);
        assert_eq!(second("1970-01-01T02:00:00+02:00"), 0);
        assert_eq!(second("1969-12-31T19:00:00-05:00"), 0);
        assert_eq!(second("2026-08-01T10:11:12.987654321Z"), 1_785_579_072);
        assert_eq!(second("2026-08-01T10:11:12.9876543210123Z"), 1_785_579_072);
        assert_eq!(second("1969-12-31T23:59:59.5Z"), -1);
        assert_eq!(second("1970-01-02T00:00:00+23:59"), 60);
        assert_eq!(second("0000-01-01T00:00:00Z"), -62_167_219_200);
    }

    #[test]
    fn refuses_what_rfc_3339_does_not_have() {
        for text in [
            "",
            "2026-08-01",
            "2026-08-01T10:11:12",
            "2026-08-01 10:11:12Z",
            "2026-08-01T10:11Z",
            "2026-08-01T10:11:12+0200",
            "2026-08-01T10:11:12+02",
            "2026-08-01T10:11:12.Z",
            "2026-08-01T10:11:12,5Z",
            "2026-08-01T10:11:12Z[UTC]",
            "2026-08-01T10:11:12Z ",
            " 2026-08-01T10:11:12Z",
            "1785579072",
            "2026-08-01T10:11:12+aa:bb",
            "2026-08-01T10:11:12+24:00",
            "2026-08-01T10:11:12-25:59",
            "2026-08-01T10:11:12+10:60",
        ] {
            assert_eq!(parse_instant(text), Err(InstantError::Form), "{text}");
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-23:59",
        ] {
            assert_eq!(parse_instant(text), Err(InstantError::Calendar), "{text}");
        }
    }

    #[test]
    fn a_mint_time_may_be_a_day_ahead() {
        let now = parse_instant("2026-08-01T00:00:00Z").unwrap();
        assert!(parse_minted_at("2026-08-02T00:00:00Z", now).is_ok());
        assert_eq!(
            parse_minted_at("2026-08-02T00:00:01Z", now),
            Err(InstantError::Ahead)
        );
    }

    #[test]
    fn far_dates_stop_at_the_last_instant() {
        let last = add_days(Timestamp::MAX, 36_500);
        assert_eq!(last.as_second(), Timestamp::MAX.as_second());
        let first = add_days(Timestamp::MIN, -36_500);
        assert_eq!(first.as_second(), Timestamp::MIN.as_second());
    }

    proptest! {
        #[test]
        fn written_form_is_read_back(second in -62_135_596_800_i64..253_402_207_200, nanosecond in 0..1_000_000_000_i32) {
            let instant = Timestamp::new(second, 0).unwrap();
            let text = format_instant(instant);
            prop_assert_eq!(text.len(), 20);
            prop_assert_eq!(parse_instant(&text), Ok(instant));
            let fraction = Timestamp::new(second, nanosecond).unwrap();
            prop_assert_eq!(whole_seconds(fraction), instant);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[0-9TZ:+.-]{0,40}") {
            if let Ok(instant) = parse_instant(&text) {
                prop_assert_eq!(format_instant(instant).len(), 20);
            }
        }
    }
}

//! The refresh interval of an ExternalSecret.

use std::time::Duration;

use thiserror::Error;

/// Nanoseconds of each unit that Go's durations have.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
/// Decimals that can change a whole number of nanoseconds.
const DECIMALS: usize = 18;

/// Why a refresh interval is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IntervalError {
    /// The text is not a duration.
    #[error("write an interval in hours, minutes, and seconds, such as `15m` or `1h30m`")]
    Form,
    /// The interval is too long for the operator's type.
    #[error("the interval is too long")]
    TooLong,
}

/// Reads a refresh interval in the format of Go's durations (`1h30m`, `1.5h`, `90s`, `0`).
///
/// # Errors
///
/// [`IntervalError`] if the text has another format, is negative, or is longer than 292 years.
pub fn refresh_interval(text: &str) -> Result<Duration, IntervalError> {
    let mut rest = match text {
        "" => return Err(IntervalError::Form),
        "0" => "",
        _ => text,
    };
    let mut total = 0_u128;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let end = rest.find(|c| !is_number(c)).ok_or(IntervalError::Form)?;
        let (number, tail) = rest.split_at(end);
        let end = tail.find(is_number).unwrap_or(tail.len());
        let (name, tail) = tail.split_at(end);
        let unit = UNITS.iter().find(|(unit, _)| *unit == name);
        let (_, unit) = unit.ok_or(IntervalError::Form)?;
        total += nanoseconds(number, *unit)?;
        rest = tail;
    }
    let total = i64::try_from(total).map_err(|_| IntervalError::TooLong)?;
    Ok(Duration::from_nanos(total.unsigned_abs()))
}

/// Multiplies a decimal number by a unit.
fn nanoseconds(number: &str, unit: u128) -> Result<u128, IntervalError> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && decimals.is_empty() || decimals.contains('.') {
        return Err(IntervalError::Form);
    }
    let decimals = decimals.get(..DECIMALS).unwrap_or(decimals);
    let value = |digits: &str| match digits {
        "" => Ok(0),
        digits => digits.parse::<u64>().map_err(|_| IntervalError::TooLong),
    };
    let parts = (0..decimals.len()).fold(1_u128, |scale, _| scale * 10);
    Ok(u128::from(value(whole)?) * unit + u128::from(value(decimals)?) * unit / parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_durations_of_go() {
        for (text, milliseconds) in [
            ("1h", 3_600_000),
            ("1h0m0s", 3_600_000),
            ("1.5h", 5_400_000),
            (".5m", 30_000),
            ("1.m", 60_000),
            ("5s5s", 10_000),
            ("500ms", 500),
            ("2000µs", 2),
            ("3000000ns", 3),
            ("0", 0),
            ("0s", 0),
            ("0h0m", 0),
            ("0.0000000000000000000000001h", 0),
            ("2562047h47m16s", 9_223_372_036_000),
        ] {
            let interval = refresh_interval(text);
            assert_eq!(interval, Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "1", "h", "1d", "1w", "-1h", "+1h", "1h 30m", " 1h", "1h ", "hourly", "1hh", "1H",
            "1h30", ".h", "..5h", "1.2.3h", "1e3s", "١h",
        ] {
            assert_eq!(refresh_interval(text), Err(IntervalError::Form), "{text}");
        }
        for text in ["2562047h47m17s", "99999999999999999999h"] {
            assert_eq!(
                refresh_interval(text),
                Err(IntervalError::TooLong),
                "{text}"
            );
        }
    }
}

//! How often the operator reads a secret anew.

use thiserror::Error;

/// Seconds of each unit that a whole second has room for.
const UNITS: [(char, u64); 3] = [('h', 3600), ('m', 60), ('s', 1)];
/// Most seconds that the operator's own type has room for.
const MAXIMUM_SECONDS: u64 = 9_223_372_036;
/// Most digits after a point: more do not change a whole number of seconds.
const MAXIMUM_DECIMALS: u32 = 9;

/// Why a refresh interval is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IntervalError {
    /// The text is none or has another form.
    #[error("the interval is not written as hours, minutes and seconds, such as `15m` or `1h30m`")]
    Form,
    /// The interval has a fraction of a second.
    #[error("the interval is not a whole number of seconds")]
    Fraction,
    /// No machine waits so long.
    #[error("the interval is too long")]
    TooLong,
}

/// Writes a refresh interval the way that the operator's API writes it back: `15m` is `15m0s`.
///
/// Any other way comes back changed, and every later plan would find a difference. `0` and `0s`
/// have the operator read once.
///
/// # Errors
///
/// [`IntervalError`] where the text is no duration in the form of Go (`1h30m`, `1.5h`, `90s`), is
/// negative, or is not whole seconds.
pub fn refresh_interval(text: &str) -> Result<String, IntervalError> {
    let seconds = match text {
        "0" => 0,
        _ => seconds(text)?,
    };
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Ok(match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    })
}

fn seconds(text: &str) -> Result<u64, IntervalError> {
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic());
        let (number, tail) = rest.split_at(end.ok_or(IntervalError::Form)?);
        let unit = tail.chars().next();
        let unit = UNITS.iter().find(|(name, _)| Some(*name) == unit);
        let (_, unit) = unit.ok_or(IntervalError::Form)?;
        rest = &tail[1..];
        // What remains of a unit of fractions of a second, such as `ms`.
        if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(IntervalError::Form);
        }
        total = total
            .checked_add(part(number, *unit)?)
            .filter(|total| *total <= MAXIMUM_SECONDS)
            .ok_or(IntervalError::TooLong)?;
    }
    match text {
        "" => Err(IntervalError::Form),
        _ => Ok(total),
    }
}

/// Multiplies a decimal number by a unit.
fn part(number: &str, unit: u64) -> Result<u64, IntervalError> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let decimals = decimals.trim_end_matches('0');
    let digits = [whole, decimals].concat();
    if number == "." || number.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(IntervalError::Form);
    }
    let scale = u32::try_from(decimals.len()).unwrap_or(u32::MAX);
    if scale > MAXIMUM_DECIMALS {
        return Err(IntervalError::Fraction);
    }
    let digits: u64 = match digits.as_str() {
        "" => 0,
        digits => digits.parse().map_err(|_| IntervalError::TooLong)?,
    };
    let product = digits.checked_mul(unit).ok_or(IntervalError::TooLong)?;
    let scale = 10_u64.pow(scale);
    match product % scale {
        0 => Ok(product / scale),
        _ => Err(IntervalError::Fraction),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_the_api_writes_them() {
        for (text, written) in [
            ("1h", "1h0m0s"),
            ("15m", "15m0s"),
            ("1h0m0s", "1h0m0s"),
            ("90m", "1h30m0s"),
            ("1.5h", "1h30m0s"),
            ("0.25m", "15s"),
            (".5m", "30s"),
            ("1.m", "1m0s"),
            ("1.50h", "1h30m0s"),
            ("90s", "1m30s"),
            ("30s", "30s"),
            ("24h", "24h0m0s"),
            ("0", "0s"),
            ("0s", "0s"),
            ("0h0m", "0s"),
            ("5s5s", "10s"),
            ("2562047h47m16s", "2562047h47m16s"),
        ] {
            let interval = refresh_interval(text);
            assert_eq!(interval.as_deref(), Ok(written), "{text}");
            assert_eq!(refresh_interval(written), interval, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "1", "h", "1d", "1w", "-1h", "+1h", "1h 30m", " 1h", "1h ", "hourly", "1hh", "1H",
            "500ms", "10ns", "1µs", "1h30", ".h", "..5h", "1e3s", "١h",
        ] {
            assert_eq!(refresh_interval(text), Err(IntervalError::Form), "{text}");
        }
        for text in ["0.5s", "1.0001m", "0.0000000001h"] {
            assert_eq!(
                refresh_interval(text),
                Err(IntervalError::Fraction),
                "{text}"
            );
        }
        for text in [
            "2562047h47m17s",
            "99999999999999999999h",
            "9999999999999999999h",
        ] {
            assert_eq!(
                refresh_interval(text),
                Err(IntervalError::TooLong),
                "{text}"
            );
        }
    }
}

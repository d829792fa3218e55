//! Numbers as exact decimal text, because a binary float would alter what the user wrote.

use std::fmt;

/// Maximum number of digits, before and after the point together.
///
/// A host computes with 512 bits, which is 155 digits. The longest binary float that it may send
/// has 1075.
const MAX_DIGITS: usize = 1100;

/// A finite decimal number of any size that a host can send, kept exactly.
///
/// Equal numbers have equal text: no exponent, no `+`, no redundant zeros, and no negative zero.
/// Hosts compare numbers by this text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(String);

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    Syntax,
    /// The number is infinite or NaN.
    #[error("not a finite number")]
    NotFinite,
    /// The number has more digits than any host sends.
    #[error("more than {MAX_DIGITS} digits")]
    TooLong,
}

impl Number {
    /// Reads a decimal number, with or without a point and an exponent.
    ///
    /// # Errors
    ///
    /// [`NumberError::Syntax`] if the text is not a decimal number, [`NumberError::TooLong`] if
    /// writing it without an exponent would take more than 1100 digits, or the exponent is as large.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => ("-", unsigned),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let exponent: i32 = exponent.parse().map_err(|_| NumberError::Syntax)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberError::Syntax);
        }
        let shift = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
        if shift > MAX_DIGITS {
            return Err(NumberError::TooLong);
        }
        // With as many zeros as the point moves, it stays inside the digits.
        let zeros = "0".repeat(shift);
        let (digits, point) = if exponent < 0 {
            (zeros + &digits, whole.len())
        } else {
            (digits + &zeros, whole.len() + shift)
        };
        let (whole, fraction) = digits.split_at(point);
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if whole.len() + fraction.len() > MAX_DIGITS {
            return Err(NumberError::TooLong);
        }
        Ok(Self(match (whole, fraction) {
            ("", "") => "0".to_owned(),
            (whole, "") => format!("{sign}{whole}"),
            ("", fraction) => format!("{sign}0.{fraction}"),
            (whole, fraction) => format!("{sign}{whole}.{fraction}"),
        }))
    }

    /// Converts a float by the shortest text that reads back as the same float.
    ///
    /// # Errors
    ///
    /// [`NumberError::NotFinite`] for infinities and NaN.
    pub fn from_f64(float: f64) -> Result<Self, NumberError> {
        if float.is_finite() {
            Self::parse(&float.to_string())
        } else {
            Err(NumberError::NotFinite)
        }
    }

    /// Returns the number as an integer, or none if it is not whole or does not fit.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// Returns the canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self(integer.to_string())
    }
}

impl From<u64> for Number {
    fn from(integer: u64) -> Self {
        Self(integer.to_string())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> String {
        Number::parse(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn equal_numbers_have_equal_text() {
        for (text, expected) in [
            ("1", "1"),
            ("1.0", "1"),
            ("+1", "1"),
            ("001.500", "1.5"),
            ("-0", "0"),
            ("0.000", "0"),
            ("-0.0e9", "0"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1000"),
            ("1.5E+2", "150"),
            ("1.25e1", "12.5"),
            ("15e-1", "1.5"),
            ("-15e-4", "-0.0015"),
            ("1e30", "1000000000000000000000000000000"),
            ("12345678901234567890", "12345678901234567890"),
            ("0.12345678901234567890123", "0.12345678901234567890123"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "", "-", ".", "e3", "1e", "1e+", "0x10", "1_000", " 1", "NaN", "Infinity", "1.2.3", "٣",
        ] {
            assert_eq!(Number::parse(text), Err(NumberError::Syntax), "{text}");
        }
    }

    #[test]
    fn length_is_bounded() {
        for text in ["1e1100", "1e-1101", "1e99999999", "1e-99999999"] {
            assert_eq!(Number::parse(text), Err(NumberError::TooLong), "{text}");
        }
        assert_eq!(canonical("1e1000").len(), 1001);
        assert!(Number::from_f64(f64::MAX).is_ok());
        assert!(Number::from_f64(f64::from_bits(1)).is_ok());
    }

    #[test]
    fn floats_take_the_shortest_text() {
        assert_eq!(Number::from_f64(0.1).unwrap().as_str(), "0.1");
        assert_eq!(
            Number::from_f64(1e21).unwrap().as_str(),
            "1000000000000000000000"
        );
        assert_eq!(Number::from_f64(-0.0).unwrap().as_str(), "0");
        assert_eq!(Number::from_f64(f64::NAN), Err(NumberError::NotFinite));
        assert_eq!(
            Number::from_f64(f64::NEG_INFINITY),
            Err(NumberError::NotFinite)
        );
    }

    #[test]
    fn integers_are_whole_and_fit() {
        assert_eq!(Number::from(i64::MIN).as_i64(), Some(i64::MIN));
        assert_eq!(Number::from(u64::MAX).as_i64(), None);
        assert_eq!(Number::parse("1.5").unwrap().as_i64(), None);
        assert_eq!(Number::parse("3e2").unwrap().as_i64(), Some(300));
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back_as_itself(text in "-?[0-9]{1,30}(\\.[0-9]{1,30})?(e-?[0-9]{1,2})?") {
            let number = Number::parse(&text).unwrap();
            prop_assert_eq!(Number::parse(number.as_str()), Ok(number));
        }

        #[test]
        fn floats_read_back_as_themselves(float in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            let number = Number::from_f64(float).unwrap();
            prop_assert_eq!(number.as_str().parse::<f64>().unwrap(), float);
        }

        #[test]
        fn parsing_never_panics(text in "\\PC{0,20}") {
            let _ = Number::parse(&text);
        }
    }
}

//! What state and stamps may hold about a token: a digest of it, whole or shortened.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::digest::sha256;

/// Text before the digits of a whole fingerprint.
const PREFIX: &str = "sha256:";

/// Identifies a token by its SHA-256, written `sha256:` and 64 lower-case hexadecimal digits.
///
/// Only the token check creates a fingerprint from text: the digest of a value that is not a token
/// could be searched for a weak secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Hashes the text of a token that passed the check.
    pub(super) fn of(token: &str) -> Self {
        Self(sha256(token))
    }

    /// Returns the first 8 hexadecimal digits, by which messages identify a token.
    pub fn id(&self) -> String {
        let [a, b, c, d, ..] = self.0;
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// Returns the first 16 hexadecimal digits, as stamps and marks hold them.
    pub fn short(&self) -> ShortFingerprint {
        let mut bytes = [0; 8];
        for (short, whole) in bytes.iter_mut().zip(self.0) {
            *short = whole;
        }
        ShortFingerprint(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(PREFIX)?;
        write_digits(&self.0, formatter)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads `sha256:` and 64 lower-case hexadecimal digits, and nothing else.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits = text
            .strip_prefix(PREFIX)
            .ok_or(FingerprintError::Algorithm)?;
        read_digits(digits).map(Self)
    }
}

/// The first 16 hexadecimal digits of a [`Fingerprint`], without the algorithm's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortFingerprint([u8; 8]);

impl fmt::Display for ShortFingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_digits(&self.0, formatter)
    }
}

impl fmt::Debug for ShortFingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for ShortFingerprint {
    type Err = FingerprintError;

    /// Reads 16 lower-case hexadecimal digits, and nothing else.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        read_digits(text).map(Self)
    }
}

/// Why a text is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FingerprintError {
    /// The text does not start with the name of the only algorithm in use.
    #[error("a fingerprint must start with `sha256:`")]
    Algorithm,
    /// There are too few or too many digits.
    #[error("a fingerprint has {expected} hexadecimal digits")]
    Length {
        /// How many digits there should be.
        expected: usize,
    },
    /// A character is not a digit, or is an upper-case one.
    #[error("a fingerprint has only the digits 0 to 9 and a to f")]
    Digit,
}

fn write_digits(bytes: &[u8], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes
        .iter()
        .try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

/// Reads exactly `2 * N` lower-case hexadecimal digits.
pub(super) fn read_digits<const N: usize>(digits: &str) -> Result<[u8; N], FingerprintError> {
    if digits.len() != 2 * N {
        return Err(FingerprintError::Length { expected: 2 * N });
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        for &digit in pair {
            *byte = (*byte << 4) | nibble(digit)?;
        }
    }
    Ok(bytes)
}

fn nibble(digit: u8) -> Result<u8, FingerprintError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(FingerprintError::Digit),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The digest of `abc` as FIPS 180-2 prints it.
    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn is_the_sha256_of_the_text() {
        assert_eq!(Fingerprint::of("abc").to_string(), ABC);
        assert_eq!(Fingerprint::of("abc").short().to_string(), &ABC[7..23]);
        assert_eq!(Fingerprint::of("abc").id(), &ABC[7..15]);
    }

    #[test]
    fn other_spellings_are_refused() {
        let refused = |text: &str| text.parse::<Fingerprint>().unwrap_err();
        assert_eq!(refused(&ABC[7..]), FingerprintError::Algorithm);
        assert_eq!(refused(&ABC.to_uppercase()), FingerprintError::Algorithm);
        let upper = format!("sha256:{}", ABC[7..].to_uppercase());
        assert_eq!(refused(&upper), FingerprintError::Digit);
        let length = FingerprintError::Length { expected: 64 };
        assert_eq!(refused(&ABC[..70]), length);
        assert_eq!(refused(&format!("{ABC}0")), length);
        assert_eq!(refused("sha256:"), length);
        assert_eq!(refused(&format!(" {ABC}")), FingerprintError::Algorithm);
        // 64 bytes, 32 characters: the length in bytes must not cut a character.
        let accents = format!("sha256:{}", "é".repeat(32));
        assert_eq!(refused(&accents), FingerprintError::Digit);
        assert!("ba7816bf8f01cfe".parse::<ShortFingerprint>().is_err());
        assert!("BA7816BF8F01CFEA".parse::<ShortFingerprint>().is_err());
    }

    proptest! {
        #[test]
        fn text_form_round_trips(token: String) {
            let fingerprint = Fingerprint::of(&token);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            let short = fingerprint.short();
            prop_assert_eq!(short.to_string().parse(), Ok(short));
        }

        #[test]
        fn order_is_that_of_the_text(one: String, other: String) {
            let (one, other) = (Fingerprint::of(&one), Fingerprint::of(&other));
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            if let Ok(fingerprint) = text.parse::<Fingerprint>() {
                prop_assert_eq!(fingerprint.to_string(), text);
            }
        }
    }
}

//! The entries of a secret's `custom_metadata`: their keys, their limits, and the numbers in them.

use std::str::FromStr;

use jiff::Timestamp;

/// Bytes that Vault allows in a value of `custom_metadata`.
pub const MAXIMUM_VALUE_BYTES: usize = 512;
/// Keys that Vault allows in `custom_metadata`.
pub const MAXIMUM_KEYS: usize = 64;

/// The keys of a stamp, which follow the field and a dot.
pub mod key {
    /// The first 16 digits of the fingerprint of the token that the stamp is about.
    pub const FINGERPRINT: &str = "fingerprint";
    /// When the token was minted, RFC 3339.
    pub const MINTED_AT: &str = "minted_at";
    /// When the token expires, RFC 3339; written for monitors, never read back.
    pub const EXPIRES_AT: &str = "expires_at";
    /// Path of the spare that the token was promoted from.
    pub const ROTATED_FROM: &str = "rotated_from";
    /// The first 16 digits of the digest of the request that the token answers.
    pub const REQUESTED: &str = "requested";
    /// A label that the user chose, such as the account of the token.
    pub const ACCOUNT: &str = "account";
    /// What was found when the token was tried: a verdict.
    pub const VERIFIED: &str = "verified";
    /// The tokens that the field held before.
    pub const RETIRED: &str = "retired";
    /// The stamp of a token that is about to be written.
    pub const NEXT: &str = "next";
}

/// Returns the metadata key under which a stamp of `field` keeps `key`.
pub fn stamp_key(field: &str, key: &str) -> String {
    format!("{field}.{key}")
}

/// Reads seconds since the epoch, digits only.
pub(super) fn read_seconds(text: &str) -> Option<Timestamp> {
    read_number(text).and_then(|second| Timestamp::from_second(second).ok())
}

/// Reads a number of digits only.
pub(super) fn read_number<T: FromStr>(text: &str) -> Option<T> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

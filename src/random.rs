//! Random numbers from the system's generator.
//!
//! A generator that seeds itself from clocks gives two processes that start in the same tick the
//! same numbers.

/// Returns a random number.
///
/// # Errors
///
/// Fails where the system has no generator.
pub fn random_u64() -> std::io::Result<u64> {
    getrandom::u64().map_err(std::io::Error::from)
}

/// Returns a number in 0..1 that spreads requests of many processes over time, or 1 where the
/// system has no generator.
pub fn jitter() -> f64 {
    random_u64().map_or(1.0, |number| (number >> 11) as f64 / (1_u64 << 53) as f64)
}

//! Random numbers from the system's generator.
//!
//! A generator that is seeded from the clock gives the same numbers to two processes that start in
//! the same tick.

/// Returns a random number.
///
/// # Errors
///
/// Fails if the system has no generator.
pub fn random_u64() -> std::io::Result<u64> {
    getrandom::u64().map_err(std::io::Error::from)
}

/// Returns a number in 0..1 that spreads the requests of many processes over time, or 1 if the
/// system has no generator.
pub fn jitter() -> f64 {
    random_u64().map_or(1.0, |number| (number >> 11) as f64 / (1_u64 << 53) as f64)
}

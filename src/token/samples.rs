//! Invented values for the tests of the domain.

use jiff::Timestamp;

use super::check::check;
use super::fingerprint::Fingerprint;
use super::instant::parse_instant;

/// Makes a token of the usual length whose last characters are `name`.
pub(super) fn token(name: &str) -> String {
    format!("sk-ant-oat01-{name:A>95}")
}

/// Returns the fingerprint of [`token`] for the same name.
pub(super) fn fingerprint(name: &str) -> Fingerprint {
    check(&token(name)).fingerprint().unwrap()
}

/// Reads an instant, `T00:00:00Z` being understood after a date.
pub(super) fn at(text: &str) -> Timestamp {
    match text.len() {
        10 => parse_instant(&format!("{text}T00:00:00Z")).unwrap(),
        _ => parse_instant(text).unwrap(),
    }
}

//! Invented values for the tests of the domain.

use jiff::Timestamp;

use crate::token::check::check;
use crate::token::expiry::{Dates, Lifetime};
use crate::token::fingerprint::Fingerprint;
use crate::token::instant::parse_instant;
use crate::token::mint::MintSource;
use crate::token::spare::{ReadSpare, ReadToken, Slot};

/// Returns a token of the usual length whose last characters are `name`.
pub(in crate::token) fn token(name: &str) -> String {
    format!("sk-ant-oat01-{name:A>95}")
}

/// Returns the fingerprint of [`token`] for the same name.
pub(in crate::token) fn fingerprint(name: &str) -> Fingerprint {
    check(&token(name)).fingerprint().unwrap()
}

/// Returns the dates of a token with the usual lifetime.
pub(in crate::token) fn dates(minted_at: Timestamp) -> Dates {
    Dates::new(minted_at, Lifetime::new(365, 30).unwrap(), None)
}

/// Returns a token of a spare.
pub(in crate::token) fn read_token(name: &str, minted_at: Timestamp) -> ReadToken {
    ReadToken {
        fingerprint: fingerprint(name),
        version: 1,
        deletion_at: None,
        source: MintSource::Stamp,
        dates: dates(minted_at),
        is_unproven: false,
        is_primary: false,
        unknown_mark: None,
        account: None,
    }
}

/// Returns a spare.
pub(in crate::token) fn spare(path: &str, slot: Slot) -> ReadSpare {
    ReadSpare {
        path: path.to_owned(),
        slot,
    }
}

/// Returns a spare that holds the token `name`.
pub(in crate::token) fn holding(path: &str, name: &str, minted_at: &str) -> ReadSpare {
    spare(path, Slot::Token(read_token(name, at(minted_at))))
}

/// Reads a timestamp; a date without a time means `T00:00:00Z`.
pub(in crate::token) fn at(text: &str) -> Timestamp {
    match text.len() {
        10 => parse_instant(&format!("{text}T00:00:00Z")).unwrap(),
        _ => parse_instant(text).unwrap(),
    }
}

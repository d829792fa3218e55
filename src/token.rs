//! The domain of long-lived tokens: what a token is, when it expires, and which spare comes next.
//!
//! It owns every rule about one token, its dates, its bookkeeping in `custom_metadata`, and the
//! comparison of spares. It uses no clock, network, or environment: the current time and everything
//! read elsewhere are passed in as values, so each rule depends only on its arguments. A token's
//! text is borrowed only for the duration of a call.

pub mod check;
mod digest;
pub mod expiry;
pub mod fingerprint;
pub mod history;
pub mod instant;
pub mod mark;
pub mod metadata;
pub mod mint;
pub mod name;
pub mod path_list;
pub mod paths;
pub mod pool;
pub mod prefix;
pub mod retired;
pub mod spare;
pub mod stamp;
pub mod verdict;

pub use check::{Check, Problem, check, check_recorded, trim};
pub use expiry::{Dates, Lifetime, Status, status_at};
pub use fingerprint::{Fingerprint, ShortFingerprint};
pub use history::{HistoryOutcome, HistoryWalk, PastVersion};
pub use mint::{MintSource, Minted};

#[cfg(test)]
mod tests {
    pub(super) mod samples;
}

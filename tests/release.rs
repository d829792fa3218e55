//! The scripts under `release/`: what they publish, and what they refuse.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod installed;
mod notices;
mod packed;
mod refused;
mod repository;
mod signed;

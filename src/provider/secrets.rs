//! What is read in secrets, how it is dated, and what is recorded and stored in them.

pub(super) mod date;
pub(super) mod spares;
pub(super) mod stamps;

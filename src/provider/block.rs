//! The provider block: its arguments, what they come to, and the time by which tokens are judged.

pub(super) mod configured;
pub(super) mod days;
pub(super) mod now;
pub(super) mod schema;
mod settings;

//! The provider block: its arguments, the settings that result from them, and the time by which
//! tokens are judged.

pub(super) mod configured;
pub(super) mod days;
pub(super) mod now;
pub(super) mod schema;
mod settings;
mod site;

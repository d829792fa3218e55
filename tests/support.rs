//! What several test modules share.

pub(crate) mod cargo;
pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod host;
pub(crate) mod openbao;
pub(crate) mod process;
pub(crate) mod provision;
pub(crate) mod proxy;
pub(crate) mod secrets;
pub(crate) mod terraform;

//! The managed resources, one module for each type.

pub(super) mod oauth_token;
pub(super) mod token_spare_pool;

//! The managed resources, one module for each type.

mod ids;
pub(super) mod oauth_token;
pub(super) mod token_spare_pool;

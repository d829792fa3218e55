//! The data sources, one module for each type.

pub(super) mod oauth_token;
pub(super) mod oauth_tokens;

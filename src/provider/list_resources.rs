//! The resource types that can be listed, one module for each.

pub(super) mod oauth_token;

//! The ephemeral resources, one module for each type.

pub(super) mod oauth_token;

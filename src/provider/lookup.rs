//! A read without state: for data sources, the ephemeral resource, and lists.

pub(super) mod arguments;
pub(super) mod attributes;
pub(super) mod describe;

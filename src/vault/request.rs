//! What an endpoint reports about itself, without its type, so that the code that sends requests is
//! compiled once and not once for each endpoint.

use http::Method;
use rustify::endpoint::Endpoint;
use tokio_util::bytes::Bytes;
use zeroize::Zeroizing;

use super::error::VaultError;

/// A request before anything about its sender is known.
pub(super) struct Request {
    pub(super) method: Method,
    /// Path below `/v1/`.
    pub(super) api_path: String,
    pub(super) query: Option<String>,
    /// Wiped when its last copy is dropped.
    pub(super) body: Bytes,
}

impl Request {
    /// Takes the parts from an endpoint.
    pub(super) fn of(endpoint: &impl Endpoint) -> Result<Self, VaultError> {
        let unsendable = |_| VaultError::Unsendable;
        let body = endpoint.body().map_err(unsendable)?.unwrap_or_default();
        let query = endpoint.query().map_err(unsendable)?;
        Ok(Self {
            method: endpoint.method().into(),
            // Some paths start with a tab or a slash.
            api_path: endpoint.path().trim_start_matches(['\t', '/']).to_owned(),
            // An endpoint without parameters still has an empty query.
            query: query.filter(|query| !query.is_empty()),
            body: Bytes::from_owner(Zeroizing::new(body)),
        })
    }
}

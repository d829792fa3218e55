//! What every request carries, as a `rustify` middleware.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, Uri};
use rustify::endpoint::{Endpoint, MiddleWare};
use rustify::errors::ClientError;

/// Newest state that an answer told of.
pub(super) const X_VAULT_INDEX: HeaderName = HeaderName::from_static("x-vault-index");
/// What a node does that lags behind that state.
const X_VAULT_INCONSISTENT: HeaderName = HeaderName::from_static("x-vault-inconsistent");
const X_VAULT_NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Proves to an agent in between that no browser was tricked into the request.
const X_VAULT_REQUEST: HeaderName = HeaderName::from_static("x-vault-request");
const X_VAULT_TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// Puts the API prefix before the path and sets the headers of Vault.
pub(super) struct Headers<'a> {
    /// Path of the address, without a slash at the end.
    pub(super) prefix: &'a str,
    pub(super) token: Option<HeaderValue>,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) index: Option<HeaderValue>,
}

impl MiddleWare for Headers<'_> {
    fn request<E: Endpoint>(
        &self,
        _endpoint: &E,
        request: &mut Request<Vec<u8>>,
    ) -> Result<(), ClientError> {
        let path = request.uri().path();
        // An endpoint without parameters still has an empty query.
        let query = request
            .uri()
            .query()
            .filter(|query| !query.is_empty())
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let target = format!("{}/v1{path}{query}", self.prefix);
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(
            target
                .parse::<PathAndQuery>()
                .map_err(|source| ClientError::UrlBuildError { source })?,
        );
        *request.uri_mut() =
            Uri::from_parts(parts).map_err(|source| ClientError::GenericError {
                source: source.into(),
            })?;

        let has_body = !request.body().is_empty();
        // Vault takes a PATCH of this type alone.
        let content_type = if request.method() == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let headers = request.headers_mut();
        headers.insert(X_VAULT_REQUEST, HeaderValue::from_static("true"));
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(token) = &self.token {
            headers.insert(X_VAULT_TOKEN, token.clone());
        }
        if let Some(namespace) = &self.namespace {
            headers.insert(X_VAULT_NAMESPACE, namespace.clone());
        }
        if let Some(index) = &self.index {
            headers.insert(X_VAULT_INDEX, index.clone());
            headers.insert(
                X_VAULT_INCONSISTENT,
                HeaderValue::from_static("forward-active-node"),
            );
        }
        Ok(())
    }

    fn response<E: Endpoint>(
        &self,
        _endpoint: &E,
        _response: &mut Response<Vec<u8>>,
    ) -> Result<(), ClientError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vaultrs::api::kv2::requests::ReadSecretRequest;

    fn request(path: &str, version: Option<u64>, prefix: &str) -> Request<Vec<u8>> {
        let headers = Headers {
            prefix,
            token: Some(HeaderValue::from_static("t")),
            namespace: None,
            index: Some(HeaderValue::from_static("i")),
        };
        ReadSecretRequest {
            mount: "team/kv".into(),
            path: path.into(),
            version,
        }
        .with_middleware(&headers)
        .request("https://vault:8200/")
        .unwrap()
    }

    #[test]
    fn paths_are_encoded_and_stand_behind_the_prefix() {
        let uri = |path, version| request(path, version, "").uri().to_string();
        assert_eq!(uri("ci/a", None), "https://vault:8200/v1/team/kv/data/ci/a");
        assert_eq!(
            uri("a b%2f?é&=+", Some(3)),
            "https://vault:8200/v1/team/kv/data/a%20b%252f%3F%C3%A9&=+?version=3"
        );
        assert_eq!(
            request("a", None, "/proxy").uri().to_string(),
            "https://vault:8200/proxy/v1/team/kv/data/a"
        );
    }

    #[test]
    fn an_index_is_sent_with_what_to_do_about_it() {
        let request = request("a", None, "");
        assert_eq!(request.headers()["x-vault-request"], "true");
        assert_eq!(request.headers()["x-vault-token"], "t");
        assert_eq!(request.headers()["x-vault-index"], "i");
        assert_eq!(
            request.headers()["x-vault-inconsistent"],
            "forward-active-node"
        );
        assert!(!request.headers().contains_key("x-vault-namespace"));
    }
}

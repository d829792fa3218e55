//! What every request carries.

use http::Method;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

/// Newest state that an answer reported.
pub(super) const X_VAULT_INDEX: HeaderName = HeaderName::from_static("x-vault-index");
/// What a node does if it lags behind that state.
const X_VAULT_INCONSISTENT: HeaderName = HeaderName::from_static("x-vault-inconsistent");
const X_VAULT_NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Proves to an agent in between that the request was not forged through a browser.
const X_VAULT_REQUEST: HeaderName = HeaderName::from_static("x-vault-request");
const X_VAULT_TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// What every request carries.
pub(super) struct Headers {
    pub(super) token: Option<HeaderValue>,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) index: Option<HeaderValue>,
}

impl Headers {
    /// Returns the headers of a request with the method, with a body or without one.
    pub(super) fn of(self, method: &Method, has_body: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(X_VAULT_REQUEST, HeaderValue::from_static("true"));
        if has_body {
            // Vault accepts only this type for a PATCH.
            let content_type = if method == Method::PATCH {
                "application/merge-patch+json"
            } else {
                "application/json"
            };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(token) = self.token {
            headers.insert(X_VAULT_TOKEN, token);
        }
        if let Some(namespace) = self.namespace {
            headers.insert(X_VAULT_NAMESPACE, namespace);
        }
        if let Some(index) = self.index {
            headers.insert(X_VAULT_INDEX, index);
            headers.insert(
                X_VAULT_INCONSISTENT,
                HeaderValue::from_static("forward-active-node"),
            );
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_sent_with_what_to_do_about_it() {
        let headers = Headers {
            token: Some(HeaderValue::from_static("t")),
            namespace: None,
            index: Some(HeaderValue::from_static("i")),
        };
        let headers = headers.of(&Method::PATCH, true);
        assert_eq!(headers["x-vault-request"], "true");
        assert_eq!(headers["x-vault-token"], "t");
        assert_eq!(headers["x-vault-index"], "i");
        assert_eq!(headers["x-vault-inconsistent"], "forward-active-node");
        assert_eq!(headers["content-type"], "application/merge-patch+json");
        assert!(!headers.contains_key("x-vault-namespace"));
    }
}

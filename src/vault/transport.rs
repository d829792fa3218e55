//! One attempt over the network: redirects, and bodies of bounded size.

use std::time::Duration;

use http::header::{CONTENT_ENCODING, LOCATION, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use thiserror::Error;
use tokio_util::bytes::Bytes;
use url::Url;

use super::connect::{Connector, proxy_authorization};
use super::error::{Server, VaultError};
use super::failure;
use super::proxy::Proxies;
use super::settings::{Address, Limits, Origin};
use super::tls::TlsMaterial;
use super::wiped::WipedBuffer;

/// How long an unused connection is kept. Requests of one plan follow each other faster, and what a
/// connection has read last stays in its buffer for as long as the connection is kept.
const IDLE_LIMIT: Duration = Duration::from_secs(2);
const OUR_NAME: HeaderValue = HeaderValue::from_static(concat!(
    env!("CARGO_PKG_NAME"),
    "/",
    env!("CARGO_PKG_VERSION")
));

/// Sends requests.
pub(super) struct Transport {
    root: Url,
    client: Client<Connector, Full<Bytes>>,
    proxies: Proxies,
    shown: Server,
    shows_certificate: bool,
    longest_body: usize,
}

/// A request to the server.
pub(super) struct Message {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Wiped when the last layer that holds it drops it.
    pub(super) body: Bytes,
}

/// Why an attempt got no answer.
#[derive(Debug, Error)]
#[error("{error}")]
pub(super) struct NoAnswer {
    pub(super) error: VaultError,
    /// The request may have reached a server that acts on it, now or later.
    pub(super) may_have_landed: bool,
}

impl NoAnswer {
    /// The request was never sent.
    pub(super) fn unsent(error: VaultError) -> Self {
        Self {
            error,
            may_have_landed: false,
        }
    }

    /// It is unknown how far the request got.
    pub(super) fn unknown(error: VaultError) -> Self {
        Self {
            error,
            may_have_landed: true,
        }
    }
}

impl Transport {
    /// Prepares for an address. Nothing is connected yet.
    pub(super) fn new(
        address: &Address,
        tls: TlsMaterial,
        server_name: Option<String>,
        proxies: Proxies,
        origin: Origin,
        limits: &Limits,
    ) -> Self {
        let shows_certificate = tls.has_identity();
        let connector = Connector::new(
            tls,
            server_name,
            proxies.clone(),
            address.socket().map(Into::into),
            limits.connect,
        );
        Self {
            root: address.url().clone(),
            client: Client::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE_LIMIT)
                .pool_max_idle_per_host(limits.concurrency)
                .pool_timer(TokioTimer::new())
                .build(connector),
            // A socket is connected to directly, regardless of the variables.
            proxies: address.socket().map_or(proxies, |_| Proxies::default()),
            shown: Server {
                address: String::new(),
                proxy: None,
                is_default: origin.address_is_default,
                has_arguments: origin.has_arguments,
            },
            shows_certificate,
            longest_body: limits.body,
        }
    }

    /// Returns the URL of a path of the API, encoded.
    pub(super) fn url(&self, api_path: &str, query: Option<&str>) -> Result<Url, VaultError> {
        let mut url = self.root.clone();
        url.path_segments_mut()
            .map_err(|()| VaultError::Unsendable)?
            .pop_if_empty()
            .push("v1")
            .extend(api_path.split('/'));
        url.set_query(query);
        Ok(url)
    }

    /// Returns the server as errors show it.
    pub(super) fn server(&self) -> Server {
        self.server_at(&self.root)
    }

    /// Returns the server with the path of its address.
    pub(super) fn server_with_path(&self) -> Server {
        let mut server = self.server();
        server
            .address
            .push_str(self.root.path().trim_end_matches('/'));
        server
    }

    fn server_at(&self, url: &Url) -> Server {
        Server {
            address: place(url),
            proxy: self
                .proxies
                .for_url(url)
                .ok()
                .flatten()
                .cloned()
                .map(Box::new),
            ..self.shown.clone()
        }
    }

    /// Sends a request, follows one redirect, and collects the answer.
    pub(super) async fn send(&self, message: Message) -> Result<Response<Vec<u8>>, NoAnswer> {
        let mut url = message.url.clone();
        let mut followed = false;
        loop {
            let response = self.once(&message, &url).await?;
            let status = response.status();
            if !status.is_redirection() {
                return self.collect(response, &url).await;
            }
            match target(response.headers(), &url) {
                Some(target) if !followed && may_follow(status, &url, &target) => {
                    url = target;
                    followed = true;
                }
                target => {
                    let error = VaultError::Redirected {
                        status: status.as_u16(),
                        to: target.as_ref().map(shown).unwrap_or_default(),
                    };
                    return Err(NoAnswer {
                        error,
                        // The other codes can follow work that was done.
                        may_have_landed: !keeps_method(status),
                    });
                }
            }
        }
    }

    async fn once(&self, message: &Message, url: &Url) -> Result<Response<Incoming>, NoAnswer> {
        let unsendable = || NoAnswer::unsent(VaultError::Unsendable);
        let uri: http::Uri = url.as_str().parse().map_err(|_| unsendable())?;
        let mut request = Request::new(Full::new(message.body.clone()));
        *request.method_mut() = message.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = message.headers.clone();
        request.headers_mut().insert(USER_AGENT, OUR_NAME);
        if url.scheme() == "http"
            && let Ok(Some(proxy)) = self.proxies.for_url(url)
            && let Some(credentials) = proxy_authorization(proxy.url())
        {
            let mut value = HeaderValue::from_str(&credentials).map_err(|_| unsendable())?;
            value.set_sensitive(true);
            request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        self.client.request(request).await.map_err(|error| {
            // Nothing is sent before there is a connection.
            let may_have_landed = !error.is_connect();
            NoAnswer {
                error: self.explain(&error, url),
                may_have_landed,
            }
        })
    }

    async fn collect(
        &self,
        response: Response<Incoming>,
        url: &Url,
    ) -> Result<Response<Vec<u8>>, NoAnswer> {
        let limit = self.longest_body;
        let too_large = || NoAnswer::unknown(VaultError::TooLarge { limit });
        let (parts, mut body) = response.into_parts();
        if let Some(encoding) = parts.headers.get(CONTENT_ENCODING)
            && encoding != "identity"
        {
            return Err(NoAnswer::unknown(VaultError::Compressed {
                address: self.server_at(url),
            }));
        }
        let expected = hyper::body::Body::size_hint(&body).lower();
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        if expected > limit {
            return Err(too_large());
        }
        let mut collected = WipedBuffer::with_capacity(expected);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| NoAnswer::unknown(self.explain(&error, url)))?;
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            if collected.as_slice().len() + chunk.len() > limit {
                return Err(too_large());
            }
            collected.extend(&chunk);
        }
        Ok(Response::from_parts(parts, collected.take()))
    }

    fn explain(&self, error: &(dyn std::error::Error + 'static), url: &Url) -> VaultError {
        failure::explain(error, self.server_at(url), self.shows_certificate)
    }
}

/// Returns the target of a redirect, without credentials.
fn target(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let mut to = from.join(location).ok()?;
    // Both fail only for URLs that cannot have credentials.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    to.set_fragment(None);
    Some(to)
}

/// Standbys answer 307; the other codes would turn a write into a read.
fn keeps_method(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    )
}

fn may_follow(status: StatusCode, from: &Url, to: &Url) -> bool {
    let secure_enough = from.scheme() == to.scheme() || to.scheme() == "https";
    keeps_method(status) && secure_enough && to.host().is_some()
}

fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn place(url: &Url) -> String {
    url[..url::Position::BeforePath].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::settings::TlsSettings;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_redirects_that_keep_method_and_secrecy_are_followed() {
        let follows = |status, from, to| {
            may_follow(StatusCode::from_u16(status).unwrap(), &url(from), &url(to))
        };
        assert!(follows(307, "http://a", "http://b"));
        assert!(follows(308, "http://a", "https://b"));
        assert!(follows(307, "https://a", "https://b:8200"));
        assert!(!follows(307, "https://a", "http://a"));
        assert!(!follows(307, "http://a", "ftp://a"));
        for status in [300, 301, 302, 303, 304] {
            assert!(!follows(status, "http://a", "http://b"), "{status}");
        }
    }

    #[test]
    fn paths_are_encoded_and_stand_behind_the_prefix() {
        let encoded = |address: &str, path: &str, query| {
            let transport = Transport::new(
                &Address::parse(address).unwrap(),
                TlsMaterial::load(&TlsSettings::default()).unwrap(),
                None,
                Proxies::default(),
                Origin::default(),
                &Limits::default(),
            );
            transport.url(path, query).unwrap().to_string()
        };
        assert_eq!(
            encoded("https://vault:8200", "team/kv/data/ci/a", None),
            "https://vault:8200/v1/team/kv/data/ci/a"
        );
        assert_eq!(
            encoded(
                "https://vault:8200/",
                "kv/data/a b%2f?é&=+",
                Some("version=3")
            ),
            "https://vault:8200/v1/kv/data/a%20b%252f%3F%C3%A9&=+?version=3"
        );
        assert_eq!(
            encoded("https://vault:8200/proxy/", "kv/data/a", None),
            "https://vault:8200/proxy/v1/kv/data/a"
        );
    }

    #[test]
    fn places_are_shown_without_credentials_and_query() {
        let mut headers = HeaderMap::new();
        headers.insert(
            LOCATION,
            HeaderValue::from_static("https://me:pw@b/v1/x?token=canary#c"),
        );
        let to = target(&headers, &url("http://a/v1/y")).unwrap();
        assert_eq!(shown(&to), "https://b/v1/x");
        headers.insert(LOCATION, HeaderValue::from_static("/v1/z"));
        assert_eq!(
            target(&headers, &url("http://a/v1/y")),
            Some(url("http://a/v1/z"))
        );
        assert_eq!(place(&url("https://[::1]:8200/v1/x")), "https://[::1]:8200");
    }
}

//! One attempt on the wire: connections, redirects, and bodies of bounded size.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::header::{HOST, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustify::errors::ClientError;
use thiserror::Error;
use tokio_util::bytes::Bytes;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::error::{ConnectionProblem, VaultError};
use super::failure;
use super::settings::{Address, Limits};
use super::tls::TlsMaterial;
use super::wiped::WipedBuffer;

/// How long a connection is kept that nobody uses. Requests of one plan follow each other faster.
const IDLE_LIMIT: Duration = Duration::from_secs(2);

/// Sends requests. It is the `rustify` client of this module; unlike the one that comes with
/// `rustify`, it logs nothing, bounds every answer and returns answers of every status.
pub(super) struct Transport {
    /// Scheme, host and port with a slash: what `rustify` puts paths behind.
    root: Url,
    tls: TlsMaterial,
    server_name: Option<String>,
    limits: Limits,
    clients: Mutex<HashMap<ClientKey, reqwest::Client>>,
}

/// Why an attempt brought no answer.
#[derive(Debug, Error)]
#[error("{error}")]
pub(super) struct NoAnswer {
    pub(super) error: VaultError,
    /// The request may have reached a server that acts on it, now or later.
    pub(super) may_have_landed: bool,
}

/// Clients differ by whether they need authorities, which take time to load, and by the host that
/// stands behind the server name.
#[derive(Clone, PartialEq, Eq, Hash)]
enum ClientKey {
    Plain,
    Secure,
    Named(Host<String>),
}

impl NoAnswer {
    /// The request never left.
    pub(super) fn unsent(error: VaultError) -> Self {
        Self {
            error,
            may_have_landed: false,
        }
    }

    /// Nobody knows how far the request came.
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
        limits: Limits,
    ) -> Self {
        let mut root = address.url().clone();
        root.set_path("/");
        Self {
            root,
            tls,
            server_name,
            limits,
            clients: Mutex::default(),
        }
    }

    /// Returns scheme, host and port, as errors name the server.
    pub(super) fn place(&self) -> String {
        place(&self.root)
    }

    async fn follow(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, NoAnswer> {
        let (parts, body) = request.into_parts();
        // Each hop shares these bytes, and the last of them to end wipes them.
        let body = Bytes::from_owner(Zeroizing::new(body));
        let mut url = Url::parse(&parts.uri.to_string())
            .map_err(|_| NoAnswer::unsent(VaultError::Unsendable))?;
        let mut followed = false;
        loop {
            let response = self
                .once(&parts.method, &url, &parts.headers, &body)
                .await?;
            let status = response.status();
            if !status.is_redirection() {
                return self.collect(response, &url).await;
            }
            let target = target(response.headers(), &url);
            match target {
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
                        // The other codes can follow upon work that was done.
                        may_have_landed: !keeps_method(status),
                    });
                }
            }
        }
    }

    async fn once(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<reqwest::Response, NoAnswer> {
        let (client, sent_to) = self.client(url).map_err(NoAnswer::unsent)?;
        let renamed = sent_to != *url;
        let mut request = reqwest::Request::new(method.clone(), sent_to);
        *request.headers_mut() = headers.clone();
        if renamed {
            let authority = url.authority();
            let host = HeaderValue::from_str(authority)
                .map_err(|_| NoAnswer::unsent(VaultError::Unsendable))?;
            request.headers_mut().insert(HOST, host);
        }
        if !body.is_empty() {
            *request.body_mut() = Some(body.clone().into());
        }
        client.execute(request).await.map_err(|error| NoAnswer {
            error: self.explain(&error, url),
            // Nothing is sent before there is a connection.
            may_have_landed: !error.is_connect(),
        })
    }

    async fn collect(
        &self,
        mut response: reqwest::Response,
        url: &Url,
    ) -> Result<Response<Vec<u8>>, NoAnswer> {
        let limit = self.limits.body;
        let too_large = NoAnswer::unknown(VaultError::TooLarge { limit });
        let expected = usize::try_from(response.content_length().unwrap_or_default());
        let expected = expected.unwrap_or(usize::MAX);
        if expected > limit {
            return Err(too_large);
        }
        let mut body = WipedBuffer::with_capacity(expected);
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| NoAnswer::unknown(self.explain(&error, url)))?
        {
            if body.as_slice().len() + chunk.len() > limit {
                return Err(too_large);
            }
            body.extend(&chunk);
        }
        let mut collected = Response::new(body.take());
        *collected.status_mut() = response.status();
        *collected.headers_mut() = std::mem::take(response.headers_mut());
        Ok(collected)
    }

    fn explain(&self, error: &reqwest::Error, url: &Url) -> VaultError {
        failure::explain(error, &place(url), self.tls.has_identity())
    }

    /// Returns the client for a URL, and the URL as that client must be asked for it.
    fn client(&self, url: &Url) -> Result<(reqwest::Client, Url), VaultError> {
        let mut sent_to = url.clone();
        let key = match (url.scheme(), &self.server_name, url.host()) {
            ("https", Some(name), Some(host)) => {
                // The URL decides the name that is sent and checked, the resolver where to connect.
                sent_to
                    .set_host(Some(name))
                    .map_err(|_| VaultError::Unsendable)?;
                ClientKey::Named(host.to_owned())
            }
            ("https", ..) => ClientKey::Secure,
            _ => ClientKey::Plain,
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok((client.clone(), sent_to));
        }
        let client = self.build(&key, url)?;
        clients.insert(key, client.clone());
        Ok((client, sent_to))
    }

    fn build(&self, key: &ClientKey, url: &Url) -> Result<reqwest::Client, VaultError> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!(
                env!("CARGO_PKG_NAME"),
                "/",
                env!("CARGO_PKG_VERSION")
            ))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .connect_timeout(self.limits.connect)
            // What a connection has read last stays in its buffer for as long as it is kept.
            .pool_idle_timeout(IDLE_LIMIT)
            .pool_max_idle_per_host(self.limits.concurrency);
        let config = match key {
            // Without a configuration reqwest would load the platform's authorities for nothing.
            ClientKey::Plain => TlsMaterial::unused_config(),
            ClientKey::Secure | ClientKey::Named(_) => self.tls.client_config(),
        };
        let builder =
            builder.tls_backend_preconfigured(config.map_err(|problem| VaultError::Tls {
                address: place(url),
                problem,
            })?);
        let builder = match key {
            // A proxy would be asked for the server name in place of the host.
            ClientKey::Named(host) => builder.no_proxy().dns_resolver(ResolveTo(host.clone())),
            ClientKey::Plain | ClientKey::Secure => builder,
        };
        builder.build().map_err(|_| VaultError::Unreachable {
            address: place(url),
            problem: ConnectionProblem::Other,
        })
    }
}

#[async_trait]
impl rustify::client::Client for Transport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        self.follow(request)
            .await
            .map_err(|error| ClientError::GenericError {
                source: error.into(),
            })
    }

    fn base(&self) -> &str {
        self.root.as_str()
    }

    /// Returns answers of every status: the default makes errors of most, and copies their text.
    async fn execute(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        self.send(request).await
    }
}

/// Brings our own error back out of the one that `rustify` demands.
pub(super) fn unwrap_error(error: ClientError) -> NoAnswer {
    // Errors of its own come while a request is built.
    let unsent = || NoAnswer::unsent(VaultError::Unsendable);
    match error {
        ClientError::GenericError { source } => {
            source.downcast::<NoAnswer>().unwrap_or_else(|_| unsent())
        }
        _ => unsent(),
    }
}

/// Connects to one host, whatever name is asked for.
struct ResolveTo(Host<String>);

impl Resolve for ResolveTo {
    fn resolve(&self, _name: Name) -> Resolving {
        let host = self.0.clone();
        Box::pin(async move {
            let fixed = |ip: IpAddr| -> Addrs { Box::new(std::iter::once(SocketAddr::new(ip, 0))) };
            Ok(match host {
                Host::Ipv4(ip) => fixed(ip.into()),
                Host::Ipv6(ip) => fixed(ip.into()),
                Host::Domain(name) => {
                    let found: Vec<_> = tokio::net::lookup_host((name, 0)).await?.collect();
                    Box::new(found.into_iter())
                }
            })
        })
    }
}

/// Returns where a redirect points, without credentials.
fn target(headers: &HeaderMap, from: &Url) -> Option<Url> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let mut to = from.join(location).ok()?;
    // Both fail only for URLs that cannot have them.
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

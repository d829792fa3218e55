//! The settings of a store: where Vault is, who we are, and how long to try.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use url::Url;

use super::error::{LoginMethod, TokenOrigin};
use super::proxy::Proxies;
use crate::secret::Secret;

/// Everything that [`Store::new`](super::Store::new) needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where Vault or OpenBao listens.
    pub address: Address,
    /// Namespace that every call is made in.
    pub namespace: Option<String>,
    /// Who we are.
    pub credentials: Credentials,
    /// How secure connections are established.
    pub tls: TlsSettings,
    /// Which proxy is used for which address.
    pub proxies: Proxies,
    /// Where these settings come from.
    pub origin: Origin,
    /// Maximum number of repetitions of a failed attempt; 0 means none.
    pub max_retries: u32,
    /// Limits on time and size.
    pub limits: Limits,
}

/// Where settings come from, to the extent that the advice about errors depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// Nobody set an address.
    pub address_is_default: bool,
    /// Arguments can set what the environment does not set.
    pub has_arguments: bool,
}

/// The address of a server: `http` or `https`, a host, and optionally a port and a path before
/// `/v1`; or `unix` and the path of a socket.
///
/// `Display` and `Debug` show it in full; it never contains a user name or a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
    socket: Option<PathBuf>,
}

/// The reason why a text is not an address. No message repeats the text, which may contain a
/// password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AddressError {
    /// It is not a URL.
    #[error("it is not a URL")]
    NotUrl,
    /// It has another scheme.
    #[error("its scheme is not http, https, or unix")]
    Scheme,
    /// The path of the socket is not absolute.
    #[error("unix:// is not followed by the absolute path of a socket")]
    Socket,
    /// It contains a user name or a password.
    #[error("it contains a user name or a password")]
    Credentials,
    /// It contains a query or a fragment.
    #[error("it contains a query or a fragment")]
    QueryOrFragment,
}

/// How we authenticate to Vault.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// No credentials: calls are made without a token.
    None,
    /// A token that was given to us. It is never revoked here.
    Token(Secret, TokenOrigin),
    /// A login before the first call. Its token is revoked when the store is closed.
    Login(Login),
}

/// A login.
#[derive(Clone, Debug)]
pub struct Login {
    /// Mount of the auth method, without `auth/`, such as `kubernetes`.
    pub mount: String,
    /// Namespace to log in to, instead of the one that calls are made in.
    pub namespace: Option<String>,
    /// How we authenticate there.
    pub identity: Identity,
}

/// The credentials for an auth method.
#[derive(Clone, Debug)]
pub enum Identity {
    /// The service account of a pod.
    Kubernetes {
        /// Role to log in to.
        role: String,
        /// Token of the service account.
        jwt: Secret,
    },
    /// A role id and a secret id.
    AppRole {
        /// Role id.
        role_id: String,
        /// Secret id.
        secret_id: Secret,
    },
    /// A signed JSON web token, such as a CI job has.
    Jwt {
        /// Role to log in to.
        role: String,
        /// The token.
        jwt: Secret,
    },
}

/// How secure connections are established.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// Authorities in PEM, trusted instead of the platform's.
    pub ca_cert_pem: Option<String>,
    /// PEM file of authorities, trusted instead of the platform's.
    pub ca_cert_file: Option<PathBuf>,
    /// Folder with PEM files of authorities, trusted instead of the platform's, along with those of
    /// `ca_cert_file`.
    pub ca_cert_dir: Option<PathBuf>,
    /// DNS name that is sent (SNI) and that the certificate must have, instead of the host of the
    /// address.
    pub server_name: Option<String>,
    /// Accept any certificate.
    pub skip_verify: bool,
    /// Certificate and key that we present.
    pub client_certificate: Option<ClientCertificate>,
}

/// The two files of a client certificate.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// PEM file with the certificate and, below it, its intermediates.
    pub cert_file: PathBuf,
    /// PEM file with the key.
    pub key_file: PathBuf,
}

/// Limits on time and size. The defaults are those that the product promises.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time to establish a connection.
    pub connect: Duration,
    /// Time for one attempt, its body included.
    pub attempt: Duration,
    /// Time for a whole operation: attempts, waits between them, logins. It ends earlier if the
    /// deadline of the request is earlier.
    pub operation: Duration,
    /// Wait before the first repetition, multiplied by four before each further one.
    pub backoff: Duration,
    /// Time to revoke the token when the store is closed.
    pub close: Duration,
    /// Largest answer, in bytes.
    pub body: usize,
    /// Number of requests in flight at once.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            // A stalled attempt leaves time for two more.
            attempt: Duration::from_secs(10),
            operation: Duration::from_secs(30),
            backoff: Duration::from_millis(250),
            // A host kills the process 2 s after it asks it to stop, and calls may take 0.5 s of
            // that.
            close: Duration::from_millis(750),
            body: 32 * 1024 * 1024,
            concurrency: 16,
        }
    }
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// Fails if it is not an http, https or unix URL, or contains more than host, port and path.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let mut url = Url::parse(text.trim()).map_err(|_| AddressError::NotUrl)?;
        if !matches!(url.scheme(), "http" | "https" | "unix") {
            return Err(AddressError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::QueryOrFragment);
        }
        let mut socket = None;
        if let Some(path) = text.trim().strip_prefix("unix://") {
            if !path.starts_with('/') {
                return Err(AddressError::Socket);
            }
            socket = Some(path.into());
            url = Url::parse("http://localhost").map_err(|_| AddressError::NotUrl)?;
        }
        Ok(Self { url, socket })
    }

    /// Returns the address as a URL; for an agent behind a socket, the URL that its requests use.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the socket to connect to instead of the host.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(socket) => write!(formatter, "unix://{}", socket.display()),
            None => formatter.write_str(self.url.as_str()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

impl Login {
    /// Returns the method.
    pub fn method(&self) -> LoginMethod {
        match self.identity {
            Identity::Kubernetes { .. } => LoginMethod::Kubernetes,
            Identity::AppRole { .. } => LoginMethod::AppRole,
            Identity::Jwt { .. } => LoginMethod::Jwt,
        }
    }

    /// Returns the secret that no text may show.
    pub(super) fn secret(&self) -> &Secret {
        match &self.identity {
            Identity::Kubernetes { jwt, .. } | Identity::Jwt { jwt, .. } => jwt,
            Identity::AppRole { secret_id, .. } => secret_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_urls_without_credentials() {
        for good in [
            "http://127.0.0.1:8200",
            "https://vault.example.com/prefix/",
            " https://[::1]:8200\n",
            "unix:///run/vault/agent.sock",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        let cases = [
            ("vault.example.com", AddressError::NotUrl),
            ("https://", AddressError::NotUrl),
            ("unix://run/vault.sock", AddressError::Socket),
            ("localhost:8200", AddressError::Scheme),
            ("https://me:pw@vault", AddressError::Credentials),
            ("https://vault/?a", AddressError::QueryOrFragment),
            ("https://vault/#a", AddressError::QueryOrFragment),
        ];
        for (text, error) in cases {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn debug_masks_every_credential() {
        let settings = Settings {
            address: Address::parse("https://vault:8200").unwrap(),
            namespace: None,
            credentials: Credentials::Login(Login {
                mount: "approle".into(),
                namespace: None,
                identity: Identity::AppRole {
                    role_id: "role".into(),
                    secret_id: Secret::new("canary-secret-id"),
                },
            }),
            tls: TlsSettings::default(),
            proxies: Proxies::default(),
            origin: Origin::default(),
            max_retries: 4,
            limits: Limits::default(),
        };
        assert!(!format!("{settings:#?}").contains("canary"));
    }
}

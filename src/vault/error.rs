//! Every way in which an operation fails, in enough detail to give advice on each.

use thiserror::Error;

use super::problem::{ConnectionProblem, LoginProblem, TlsProblem};
use super::proxy::Proxy;

/// Explains why an operation on Vault failed.
///
/// No text in it contains a token or another credential, and none contains the content of a secret:
/// texts from the server are first truncated, stripped of control characters, and searched for
/// credentials.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VaultError {
    /// The token is valid, but its policies do not grant the call. Vault gives the same answer for
    /// paths that do not exist.
    #[error("Vault denied `{capability}` on `{api_path}`{}", listed(.errors))]
    Forbidden {
        /// Path as written in a policy, such as `secret/data/agent`.
        api_path: String,
        /// Capability as written in a policy, such as `read`.
        capability: &'static str,
        /// What Vault said beyond "permission denied", usually nothing.
        errors: Vec<String>,
    },
    /// Vault does not know the token, or there is none.
    #[error("{}", unauthenticated(token))]
    Unauthenticated {
        /// Where the token came from.
        token: TokenSource,
    },
    /// Vault accepted the token for one request, denied that request, and no longer knows the
    /// token.
    #[error("the Vault token was valid for one request only")]
    TokenUsedUp {
        /// Where the token came from.
        origin: TokenOrigin,
    },
    /// The login was refused (403).
    #[error("Vault refused the {method} login at `auth/{mount}`{}", listed(.errors))]
    LoginForbidden {
        /// The method that was used.
        method: LoginMethod,
        /// Its mount, without `auth/`.
        mount: String,
        /// What Vault said beyond "permission denied", often nothing.
        errors: Vec<String>,
    },
    /// The login was answered, but not with a token.
    #[error("the {method} login at `auth/{mount}` {problem}")]
    LoginWithoutToken {
        /// The method that was used.
        method: LoginMethod,
        /// Its mount, without `auth/`.
        mount: String,
        /// What came instead of a token.
        problem: LoginProblem,
    },
    /// The login failed for a reason that Vault gave.
    #[error("the {method} login at `auth/{mount}` failed with status {status}{}", listed(.errors))]
    LoginFailed {
        /// The method that was used.
        method: LoginMethod,
        /// Its mount, without `auth/`.
        mount: String,
        /// HTTP status.
        status: u16,
        /// What Vault said.
        errors: Vec<String>,
    },
    /// The server is sealed.
    #[error("Vault is sealed")]
    Sealed,
    /// The server is a standby that cannot answer, or one that lags behind.
    #[error("the server is a standby that cannot answer (status {status})")]
    Standby {
        /// HTTP status: 412, 472, 473 or 5xx.
        status: u16,
    },
    /// A quota was exceeded, for longer than the retries lasted.
    #[error("Vault limited the rate of requests{}", asked_to_wait(.seconds))]
    RateLimited {
        /// How long the server asked to wait.
        seconds: Option<u64>,
    },
    /// The secret id of a login is a Vault token, as in a response that wraps a secret id.
    #[error("the {method} login at `auth/{mount}` has a Vault token as its secret_id")]
    WrappingToken {
        /// The method that was used.
        method: LoginMethod,
        /// Its mount, without `auth/`.
        mount: String,
    },
    /// The answer is wrapped: a control group must approve the request.
    #[error("Vault answered for `{api_path}` with a wrapping token instead of the content")]
    Wrapped {
        /// The path that was called.
        api_path: String,
    },
    /// Nothing is found under the address, not even what every server has.
    #[error("{address} answers 404 for everything, so this is not the address of Vault's API")]
    WrongAddress {
        /// The server.
        address: Server,
    },
    /// The mount is a KV engine of version 1, which keeps no versions and no metadata.
    #[error("`{mount}` is a KV engine of version 1")]
    KvVersion1 {
        /// The mount.
        mount: String,
    },
    /// The mount is another kind of engine.
    #[error("`{mount}` is an engine of type `{kind}`, not KV")]
    NotKv {
        /// The mount.
        mount: String,
        /// Type, as Vault calls it.
        kind: String,
    },
    /// Nothing is mounted there.
    #[error("there is no engine mounted at `{mount}`")]
    MountMissing {
        /// The mount that was requested.
        mount: String,
    },
    /// The secret has no metadata: nothing was ever written there, or all of it was removed.
    #[error("there is no metadata at `{api_path}`")]
    MetadataMissing {
        /// The path that was called.
        api_path: String,
    },
    /// The server, or something in front of it, does not support the PATCH method. The alternative
    /// is to read and write the whole.
    #[error("the server does not support PATCH for `{api_path}` (status {status})")]
    PatchUnsupported {
        /// The path that was called.
        api_path: String,
        /// HTTP status: 405 or 415.
        status: u16,
    },
    /// The answer is not JSON: most likely it comes from a proxy, or the address does not belong to
    /// Vault.
    #[error(
        "{address} answered {status} for `{api_path}`, not with JSON but with `{content_type}`"
    )]
    NotJson {
        /// The server.
        address: Server,
        /// The path that was called.
        api_path: String,
        /// HTTP status.
        status: u16,
        /// Content type, empty if the answer has none.
        content_type: String,
    },
    /// The answer is JSON of another shape.
    #[error("the response for `{api_path}` is not what Vault documents: {what}")]
    UnexpectedAnswer {
        /// The path that was called.
        api_path: String,
        /// The part that is missing or malformed, never what it holds.
        what: &'static str,
    },
    /// The body is compressed, which no request asks for.
    #[error("the response from {address} is compressed, which was not requested")]
    Compressed {
        /// The server.
        address: Server,
    },
    /// A variable does not hold the address of a proxy.
    #[error("{variable} is not the http or https address of a proxy")]
    Proxy {
        /// The variable.
        variable: &'static str,
    },
    /// The server redirected the request in a way that is not followed.
    #[error("the server redirected with status {status} to `{to}`")]
    Redirected {
        /// HTTP status.
        status: u16,
        /// The target, without query and credentials; empty if there was none.
        to: String,
    },
    /// A server that speaks HTTPS was asked over HTTP.
    #[error("{address} expects https")]
    HttpsExpected {
        /// The server.
        address: Server,
    },
    /// No secure connection was established.
    #[error("TLS with {address} failed: {problem}")]
    Tls {
        /// The server.
        address: Server,
        /// What is wrong.
        problem: TlsProblem,
    },
    /// No connection was established, or it broke.
    #[error("{address} cannot be reached: {problem}")]
    Unreachable {
        /// The server.
        address: Server,
        /// What happened.
        problem: ConnectionProblem,
    },
    /// The answer is larger than any document that Vault stores.
    #[error("the response is larger than {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// Any other failure that the server reports.
    #[error("Vault answered {status} for `{api_path}`{}", listed(.errors))]
    Server {
        /// The path that was called.
        api_path: String,
        /// HTTP status.
        status: u16,
        /// What Vault said.
        errors: Vec<String>,
    },
    /// No complete answer arrived in time.
    #[error("{address} did not answer within {seconds} s")]
    DeadlineExceeded {
        /// The server.
        address: Server,
        /// Seconds allowed.
        seconds: u64,
    },
    /// The time in which the request may be sent was over before it was sent.
    #[error("it became too late to send the request")]
    Overdue,
    /// The request cannot be sent over HTTP. No mount or path that passed its check leads to this.
    #[error("the request cannot be sent")]
    Unsendable,
    /// The store was closed before or during the operation.
    #[error("the connection to Vault was closed")]
    Cancelled,
}

/// A server, and the proxy through which it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Scheme, host and port, and the path if it matters.
    pub address: String,
    /// The proxy.
    pub proxy: Option<Box<Proxy>>,
    /// Nobody set an address.
    pub is_default: bool,
    /// Arguments can set what the environment does not set.
    pub has_arguments: bool,
}

impl From<&str> for Server {
    fn from(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            proxy: None,
            is_default: false,
            has_arguments: false,
        }
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "`{}`", self.address)?;
        if self.is_default {
            formatter.write_str(" (the default, because no address is set)")?;
        }
        match &self.proxy {
            Some(proxy) => {
                let variable = proxy.variable();
                write!(
                    formatter,
                    " (through the proxy `{proxy}`, set by {variable})"
                )
            }
            None => Ok(()),
        }
    }
}

fn unauthenticated(token: &TokenSource) -> &'static str {
    match token {
        TokenSource::None => "Vault requires a Vault token",
        TokenSource::Given(_) | TokenSource::Login(_) => "Vault did not accept the Vault token",
    }
}

impl VaultError {
    /// Reports whether the server, or a firewall in front of it, refuses the request for good: sent
    /// again, even with other content, it would be refused again. The request has done nothing.
    pub fn refuses_for_good(&self) -> bool {
        match self {
            Self::Forbidden { .. }
            | Self::Unauthenticated { .. }
            | Self::TokenUsedUp { .. }
            | Self::MetadataMissing { .. }
            | Self::PatchUnsupported { .. } => true,
            Self::Server { status, .. } | Self::NotJson { status, .. } => {
                matches!(status, 400 | 403 | 404 | 405 | 415 | 501)
            }
            _ => false,
        }
    }
}

/// The origin of the token that Vault did not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// There was none.
    None,
    /// It was configured.
    Given(TokenOrigin),
    /// Vault itself issued it at a login.
    Login(LoginMethod),
}

/// The place where a configured token was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenOrigin {
    /// An argument in the configuration.
    Argument,
    /// The environment variable of this name.
    Variable(&'static str),
    /// The file that `vault login` writes.
    File,
}

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMethod {
    /// A service account of Kubernetes.
    Kubernetes,
    /// A role id with a secret id.
    AppRole,
    /// A signed JSON web token.
    Jwt,
}

impl std::fmt::Display for LoginMethod {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Kubernetes => "Kubernetes",
            Self::AppRole => "AppRole",
            Self::Jwt => "JWT",
        })
    }
}

fn asked_to_wait(seconds: &Option<u64>) -> String {
    let asked = |seconds| format!(", and asked to wait {seconds} s");
    seconds.map_or_else(String::new, asked)
}

fn listed(errors: &[String]) -> String {
    if errors.is_empty() {
        String::new()
    } else {
        format!(": {}", errors.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_said_follows_the_status() {
        let mut error = VaultError::Server {
            api_path: "secret/data/a".into(),
            status: 500,
            errors: vec![],
        };
        assert_eq!(error.to_string(), "Vault answered 500 for `secret/data/a`");
        if let VaultError::Server { errors, .. } = &mut error {
            errors.extend(["one".to_owned(), "two".to_owned()]);
        }
        assert_eq!(
            error.to_string(),
            "Vault answered 500 for `secret/data/a`: one; two"
        );
    }

    #[test]
    fn an_address_that_nobody_set_is_called_the_default() {
        let mut server = Server::from("https://127.0.0.1:8200");
        assert_eq!(server.to_string(), "`https://127.0.0.1:8200`");
        server.is_default = true;
        assert_eq!(
            server.to_string(),
            "`https://127.0.0.1:8200` (the default, because no address is set)"
        );
    }
}

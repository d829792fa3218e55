//! What went wrong with a login, with TLS, or with a connection.

use thiserror::Error;

/// What a login was answered with instead of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LoginProblem {
    /// A second factor is required.
    #[error("requires a second factor (MFA)")]
    SecondFactor,
    /// The token is wrapped.
    #[error("returned a wrapped response")]
    Wrapped,
    /// Something else.
    #[error("did not return a Vault token")]
    NoToken,
}

/// The reason why TLS failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TlsProblem {
    /// The certificate is not signed by a trusted authority.
    #[error("the server's certificate is signed by an unknown authority")]
    UnknownAuthority,
    /// The certificate is for other names.
    #[error("the server's certificate is for another name")]
    NameMismatch,
    /// The certificate has expired.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the server's certificate is not valid yet")]
    NotValidYet,
    /// The server presents the certificate of an authority as its own.
    #[error("the server's certificate is that of a certificate authority (CA:TRUE)")]
    AuthorityAsServer,
    /// The server requires a client certificate and got none.
    #[error("the server requires a client certificate")]
    ClientCertificateRequired,
    /// The server does not accept the client certificate.
    #[error("the server did not accept the client certificate")]
    ClientCertificateRefused,
    /// A certificate of the chain is of a kind that is not supported.
    #[error("the server uses {0}, which is not supported")]
    Unsupported(&'static str),
    /// An authority with the right name is trusted, but another key signed.
    #[error(
        "the certificate of the server is not signed with the key of the trusted authority of that \
         name"
    )]
    AnotherKey,
    /// The certificate is not for servers.
    #[error("the certificate of the server is not for servers (extended key usage)")]
    NotForServers,
    /// The two sides have no TLS version, cipher, or kind of key in common.
    #[error("the server accepts no version of TLS, cipher, or kind of key that is offered")]
    NothingInCommon,
    /// The peer does not speak TLS.
    #[error("the server does not use TLS on this port")]
    NotTls,
    /// No trusted authorities were found on this machine.
    #[error("this machine has no trusted certificate authorities")]
    NoAuthorities,
    /// Something else.
    #[error("the handshake failed")]
    Other,
}

/// The reason why a connection was not established or broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConnectionProblem {
    /// Nothing listens there.
    #[error("connection refused")]
    Refused,
    /// The peer reset it.
    #[error("connection reset")]
    Reset,
    /// The peer closed it before the answer was complete.
    #[error("connection closed before the response was complete")]
    Closed,
    /// The host name does not resolve.
    #[error("the host name cannot be resolved")]
    NameResolution,
    /// No connection was established in time.
    #[error("timed out while connecting")]
    TimedOut,
    /// There is no route to that network.
    #[error("no route to the host")]
    NoRoute,
    /// What answered does not speak HTTP.
    #[error("the response is not HTTP")]
    NotHttp,
    /// The proxy did not open a connection.
    #[error("the proxy did not open a connection")]
    Proxy,
    /// The proxy asks for a user name and password.
    #[error("the proxy asks for a user name and password (407)")]
    ProxyCredentials,
    /// Something else.
    #[error("the connection failed")]
    Other,
}

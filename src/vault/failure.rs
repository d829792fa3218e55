//! Why an attempt failed in transport.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::certificate_kind;
use super::connect::NoConnection;
use super::error::{Server, VaultError};
use super::problem::{ConnectionProblem, TlsProblem};
use super::proxy::ProxyError;
use super::tls::is_authority;

/// Turns an error of the HTTP client into one of ours. `shows_certificate` reports whether the
/// server was given a client certificate.
pub(super) fn explain(
    error: &(dyn Error + 'static),
    address: Server,
    shows_certificate: bool,
) -> VaultError {
    match find(error) {
        Some(Cause::NoConnection(NoConnection::Tls(problem))) => VaultError::Tls {
            address,
            problem: *problem,
        },
        Some(Cause::NoConnection(NoConnection::Proxy(ProxyError { variable }))) => {
            VaultError::Proxy { variable }
        }
        Some(Cause::NoConnection(NoConnection::Problem(problem))) => VaultError::Unreachable {
            address,
            problem: *problem,
        },
        Some(Cause::Tls(rustls)) => VaultError::Tls {
            address,
            problem: tls_problem(rustls, shows_certificate),
        },
        Some(Cause::Connection(problem)) => VaultError::Unreachable { address, problem },
        Some(Cause::NoConnection(NoConnection::Io(_))) | None => VaultError::Unreachable {
            address,
            problem: connection_problem(error),
        },
    }
}

enum Cause<'a> {
    NoConnection(&'a NoConnection),
    Tls(&'a rustls::Error),
    Connection(ConnectionProblem),
}

/// Follows the chain of sources down to the first cause that is specific.
fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<Cause<'a>> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(rustls) = cause.downcast_ref::<rustls::Error>() {
            return Some(Cause::Tls(rustls));
        }
        if let Some(none) = cause.downcast_ref::<NoConnection>()
            && !matches!(none, NoConnection::Io(_))
        {
            return Some(Cause::NoConnection(none));
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            // The source of a wrapper is the source of what it wraps, so search inside first.
            if let Some(inner) = io.get_ref()
                && let Some(found) = find(inner)
            {
                return Some(found);
            }
            if let Some(problem) = io_problem(io.kind()) {
                return Some(Cause::Connection(problem));
            }
        }
        next = cause.source();
    }
    None
}

fn io_problem(kind: io::ErrorKind) -> Option<ConnectionProblem> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => ConnectionProblem::Refused,
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => ConnectionProblem::Reset,
        io::ErrorKind::UnexpectedEof => ConnectionProblem::Closed,
        io::ErrorKind::TimedOut => ConnectionProblem::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            ConnectionProblem::NoRoute
        }
        _ => return None,
    })
}

/// Distinguishes problems that have no type of their own.
fn connection_problem(error: &(dyn Error + 'static)) -> ConnectionProblem {
    let mut next = Some(error);
    let mut problem = ConnectionProblem::Other;
    while let Some(cause) = next {
        let text = cause.to_string();
        // The second text means a peer that sends first, as mail and SSH servers do.
        if text.contains("invalid HTTP") || text.contains("unexpected message") {
            return ConnectionProblem::NotHttp;
        }
        if cause.is::<hyper::Error>() {
            problem = ConnectionProblem::Closed;
        }
        next = cause.source();
    }
    problem
}

fn tls_problem(error: &rustls::Error, shows_certificate: bool) -> TlsProblem {
    match error {
        rustls::Error::InvalidCertificate(problem) => {
            match problem {
                CertificateError::UnknownIssuer => TlsProblem::UnknownAuthority,
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => TlsProblem::NameMismatch,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    TlsProblem::Expired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    TlsProblem::NotValidYet
                }
                CertificateError::UnsupportedSignatureAlgorithmContext {
                    signature_algorithm_id,
                    ..
                } => TlsProblem::Unsupported(certificate_kind::name(signature_algorithm_id, &[])),
                CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                    signature_algorithm_id,
                    public_key_algorithm_id,
                } => TlsProblem::Unsupported(certificate_kind::name(
                    signature_algorithm_id,
                    public_key_algorithm_id,
                )),
                CertificateError::BadSignature => TlsProblem::AnotherKey,
                CertificateError::InvalidPurpose
                | CertificateError::InvalidPurposeContext { .. } => TlsProblem::NotForServers,
                CertificateError::BadEncoding => {
                    TlsProblem::Unsupported("a certificate that is not in DER")
                }
                CertificateError::UnhandledCriticalExtension => {
                    TlsProblem::Unsupported("a certificate with this critical extension")
                }
                CertificateError::Other(other)
                    if other.to_string().contains("UnsupportedCertVersion") =>
                {
                    TlsProblem::Unsupported("a certificate of an X.509 version before 3")
                }
                _ if is_authority(error) => TlsProblem::AuthorityAsServer,
                _ => TlsProblem::Other,
            }
        }
        rustls::Error::InvalidMessage(_) => TlsProblem::NotTls,
        rustls::Error::PeerIncompatible(_) => TlsProblem::NothingInCommon,
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
                TlsProblem::ClientCertificateRequired
            }
            AlertDescription::BadCertificate
            | AlertDescription::HandshakeFailure
            | AlertDescription::UnknownCA
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
                if shows_certificate =>
            {
                TlsProblem::ClientCertificateRefused
            }
            AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion => {
                TlsProblem::NothingInCommon
            }
            // TLS 1.2 reports a missing certificate this way.
            AlertDescription::BadCertificate => TlsProblem::ClientCertificateRequired,
            _ => TlsProblem::Other,
        },
        _ => TlsProblem::Other,
    }
}

//! The host's request in the environment, and the one line that answers it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Version of the handshake itself, the same for every host.
const CORE_PROTOCOL: u32 = 1;

/// Variables that the host set in the environment, unchanged.
///
/// The caller reads the environment; an empty variable counts as unset.
#[derive(Clone, Debug, Default)]
pub struct HandshakeEnvironment {
    /// The magic cookie, which distinguishes a host from a person at a terminal.
    pub cookie: Option<String>,
    /// `PLUGIN_PROTOCOL_VERSIONS`: major versions that the host speaks, comma-separated, in any
    /// order.
    pub protocol_versions: Option<String>,
    /// `PLUGIN_CLIENT_CERT`: the host's certificate in PEM. Without it, the connection is
    /// plaintext.
    pub client_certificate: Option<String>,
    /// `PLUGIN_UNIX_SOCKET_DIR`: folder for the socket.
    pub socket_folder: Option<PathBuf>,
    /// `TMPDIR`: folder for the socket if the host sets none.
    pub temporary_folder: Option<PathBuf>,
    /// Whether `PLUGIN_MULTIPLEX_GRPC` is set, which requests a seventh field.
    pub multiplex: bool,
}

/// No plugin host started this process: the cookie is missing or has another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the magic cookie of a plugin host is not in the environment")]
pub struct NotStartedByHostError;

impl HandshakeEnvironment {
    /// Checks that a host started this process.
    pub fn check_cookie(&self, expected: &str) -> Result<(), NotStartedByHostError> {
        if self.cookie.as_deref() == Some(expected) {
            Ok(())
        } else {
            Err(NotStartedByHostError)
        }
    }

    /// Returns the folder that the host or the user set for the socket.
    pub(super) fn folder(&self) -> Option<&Path> {
        let chosen = self.socket_folder.as_deref();
        chosen.or(self.temporary_folder.as_deref())
    }

    /// Reports whether the host lists this protocol version, or lists none.
    ///
    /// The result does not change the handshake. A host that does not speak the version that it
    /// reads there reports the mismatch itself.
    pub(super) fn offers(&self, version: u32) -> bool {
        self.protocol_versions.as_deref().is_none_or(|list| {
            list.split(',')
                .any(|item| item.trim().parse() == Ok(version))
        })
    }
}

/// Writes the handshake line, with its line break.
///
/// Fields: core protocol, application protocol, network, socket path, `grpc`, and the server
/// certificate in base64 without padding (hosts cannot decode padding), empty for plaintext. The
/// seventh field is written only for hosts that request it, because older ones would read it as
/// part of the certificate.
pub(super) fn line(
    protocol_version: u32,
    socket: &str,
    certificate: Option<&[u8]>,
    multiplex: bool,
) -> String {
    let certificate = certificate.map_or_else(String::new, |der| STANDARD_NO_PAD.encode(der));
    let seventh = if multiplex { "|false" } else { "" };
    format!("{CORE_PROTOCOL}|{protocol_version}|unix|{socket}|grpc|{certificate}{seventh}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET: &str = "/tmp/plugin-a1/s";

    #[test]
    fn line_has_six_fields_for_every_certificate_length() {
        let lines = [&b"abc"[..], b"abcd", b"abcde"].map(|der| line(6, SOCKET, Some(der), false));
        assert_eq!(
            lines,
            [
                "1|6|unix|/tmp/plugin-a1/s|grpc|YWJj\n",
                "1|6|unix|/tmp/plugin-a1/s|grpc|YWJjZA\n",
                "1|6|unix|/tmp/plugin-a1/s|grpc|YWJjZGU\n",
            ]
        );
    }

    #[test]
    fn plaintext_line_keeps_the_empty_certificate_field() {
        assert_eq!(
            line(6, SOCKET, None, false),
            "1|6|unix|/tmp/plugin-a1/s|grpc|\n"
        );
    }

    #[test]
    fn seventh_field_answers_only_who_asks() {
        assert_eq!(
            line(6, SOCKET, Some(b"abc"), true),
            "1|6|unix|/tmp/plugin-a1/s|grpc|YWJj|false\n"
        );
    }

    #[test]
    fn cookie_must_be_equal() {
        let mut environment = HandshakeEnvironment::default();
        assert_eq!(
            environment.check_cookie("biscuit"),
            Err(NotStartedByHostError)
        );
        environment.cookie = Some("biscuits".to_owned());
        assert_eq!(
            environment.check_cookie("biscuit"),
            Err(NotStartedByHostError)
        );
        environment.cookie = Some("biscuit".to_owned());
        assert_eq!(environment.check_cookie("biscuit"), Ok(()));
    }

    #[test]
    fn versions_are_a_set_and_absence_offers_all() {
        let with = |list: &str| HandshakeEnvironment {
            protocol_versions: Some(list.to_owned()),
            ..HandshakeEnvironment::default()
        };
        assert!(HandshakeEnvironment::default().offers(6));
        assert!(with("5,6").offers(6));
        assert!(with("6, 5").offers(6));
        assert!(!with("5").offers(6));
        assert!(!with("66,x").offers(6));
    }
}

//! Trust and client certificates, read from files once and combined into one rustls configuration.

mod p521_key;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use super::file::read_file;
use super::problem::TlsProblem;
use super::settings::{ClientCertificate, TlsSettings};
use crate::signatures;
pub(super) use verify::is_authority;
use verify::{AcceptAny, GivenAuthorities};

/// Largest file of certificates or keys, in bytes; those of a whole system are about 200 KiB.
const LARGEST_FILE: usize = 4 << 20;

/// The reason why settings cannot be used. Nothing was sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The error from the system.
        reason: String,
    },
    /// A file or folder holds no certificate in PEM.
    #[error("`{}` does not contain a PEM certificate", .path.display())]
    NoCertificate {
        /// The file or folder.
        path: PathBuf,
    },
    /// A certificate in a file cannot be decoded.
    #[error("`{}` contains a certificate that cannot be decoded", .path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
    },
    /// A file holds no private key in PEM.
    #[error("`{}` does not contain a PEM private key", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The private key is of an unsupported kind, broken, or encrypted.
    #[error("the private key in `{}` cannot be used", .path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
    },
    /// The private key belongs to another certificate.
    #[error("the key in `{}` does not match the certificate in `{}`", .key_file.display(), .cert_file.display())]
    KeyMismatch {
        /// The file of the certificate.
        cert_file: PathBuf,
        /// The file of the key.
        key_file: PathBuf,
    },
    /// The server name is not a DNS name.
    #[error("the TLS server name is not a DNS name")]
    ServerName,
    /// The token holds characters that no HTTP header can carry, such as a line break.
    #[error("the Vault token has a line break or another character that cannot be sent")]
    Token,
    /// The namespace holds characters that no HTTP header can carry.
    #[error("the namespace has a character that cannot be sent")]
    Namespace,
    /// The mount of the login is not a mount.
    #[error("the mount of the login is not a valid path")]
    LoginMount(#[source] super::secret_path::SecretPathError),
}

/// The content of the files, checked.
pub(super) struct TlsMaterial {
    provider: Arc<CryptoProvider>,
    authorities: Option<Vec<CertificateDer<'static>>>,
    identity: Option<Arc<CertifiedKey>>,
    skip_verify: bool,
}

impl TlsMaterial {
    /// Reads all files.
    pub(super) fn load(settings: &TlsSettings) -> Result<Self, SettingsError> {
        let provider = Arc::new(signatures::provider());
        if let Some(name) = &settings.server_name {
            DnsName::try_from(name.as_str()).map_err(|_| SettingsError::ServerName)?;
        }
        Ok(Self {
            authorities: authorities(settings)?,
            identity: settings
                .client_certificate
                .as_ref()
                .map(|files| identity(files, &provider).map(Arc::new))
                .transpose()?,
            skip_verify: settings.skip_verify,
            provider,
        })
    }

    /// Reports whether there is a certificate to present to the server.
    pub(super) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// Builds a configuration. The platform's authorities are loaded here, where they are needed.
    pub(super) fn client_config(&self) -> Result<ClientConfig, TlsProblem> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|_| TlsProblem::Other)?;
        let builder = if self.skip_verify {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAny(Arc::clone(&self.provider))))
        } else if let Some(authorities) = &self.authorities {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(authorities.iter().cloned());
            let chains = WebPkiServerVerifier::builder_with_provider(
                Arc::new(roots),
                Arc::clone(&self.provider),
            );
            let chains = chains.build().map_err(|_| TlsProblem::NoAuthorities)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(GivenAuthorities {
                    chains,
                    authorities: authorities.clone(),
                }))
        } else {
            let platform = rustls_platform_verifier::Verifier::new(Arc::clone(&self.provider))
                .map_err(|_| TlsProblem::NoAuthorities)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(platform))
        };
        let mut config = match &self.identity {
            Some(identity) => builder
                .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(identity)))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Reads the given authorities, `None` if none are given.
fn authorities(
    settings: &TlsSettings,
) -> Result<Option<Vec<CertificateDer<'static>>>, SettingsError> {
    if settings.ca_cert_pem.is_none()
        && settings.ca_cert_file.is_none()
        && settings.ca_cert_dir.is_none()
    {
        return Ok(None);
    }
    let mut found = Vec::new();
    if let Some(text) = &settings.ca_cert_pem {
        // There is no file to name; such a text can come only from this variable.
        let variable = Path::new("VAULT_CACERT_BYTES");
        found.extend(trusted(text.as_bytes(), variable)?);
    }
    if let Some(file) = &settings.ca_cert_file {
        found.extend(trusted(&read(file)?, file)?);
    }
    if let Some(folder) = &settings.ca_cert_dir {
        let before = found.len();
        for file in files_in(folder)? {
            match trusted(&read(&file)?, &file) {
                Ok(more) => found.extend(more),
                // A folder of authorities may also contain a README.
                Err(SettingsError::NoCertificate { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if found.len() == before {
            return Err(SettingsError::NoCertificate {
                path: folder.clone(),
            });
        }
    }
    Ok(Some(found))
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, SettingsError> {
    let unreadable = |error: std::io::Error| SettingsError::Unreadable {
        path: folder.to_owned(),
        reason: error.to_string(),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // `is_file` follows links: a mounted Kubernetes volume consists of them.
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads certificates that can be trusted, that is, those with content that can be decoded.
fn trusted(text: &[u8], file: &Path) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let found = certificates(text, file)?;
    let mut roots = RootCertStore::empty();
    for certificate in &found {
        roots
            .add(certificate.clone())
            .map_err(|_| SettingsError::BadCertificate {
                path: file.to_owned(),
            })?;
    }
    Ok(found)
}

fn certificates(text: &[u8], file: &Path) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let certificates = CertificateDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| SettingsError::BadCertificate {
            path: file.to_owned(),
        })?;
    if certificates.is_empty() {
        return Err(SettingsError::NoCertificate {
            path: file.to_owned(),
        });
    }
    Ok(certificates)
}

fn identity(
    files: &ClientCertificate,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, SettingsError> {
    let chain = certificates(&read(&files.cert_file)?, &files.cert_file)?;
    let text = read(&files.key_file)?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| SettingsError::NoKey {
        path: files.key_file.clone(),
    })?;
    let certified = match p521_key::p521_key(&key) {
        Some(key) => {
            let certified = CertifiedKey::new(chain, key);
            certified.keys_match().map(|()| certified)
        }
        None => CertifiedKey::from_der(chain, key, provider),
    };
    certified.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => SettingsError::KeyMismatch {
            cert_file: files.cert_file.clone(),
            key_file: files.key_file.clone(),
        },
        rustls::Error::InvalidCertificate(_) => SettingsError::BadCertificate {
            path: files.cert_file.clone(),
        },
        _ => SettingsError::BadKey {
            path: files.key_file.clone(),
        },
    })
}

fn read(file: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, SettingsError> {
    read_file(file, LARGEST_FILE).map_err(|error| SettingsError::Unreadable {
        path: file.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["vault.test".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn load(change: impl FnOnce(&mut TlsSettings)) -> Result<TlsMaterial, SettingsError> {
        let mut settings = TlsSettings::default();
        change(&mut settings);
        TlsMaterial::load(&settings)
    }

    #[test]
    fn files_that_cannot_serve_are_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let (cert, key) = certificate();
        let (_, other_key) = certificate();
        let cert_file = at("cert.pem", &cert);
        let key_file = at("key.pem", &key);
        let other_key_file = at("other.pem", &other_key);
        let text = at("text.pem", "not a certificate");
        let broken = at(
            "broken.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        );
        let missing = folder.path().join("missing.pem");
        let pair = |cert_file: &PathBuf, key_file: &PathBuf| ClientCertificate {
            cert_file: cert_file.clone(),
            key_file: key_file.clone(),
        };

        assert!(matches!(
            load(|tls| tls.ca_cert_file = Some(missing.clone())).err(),
            Some(SettingsError::Unreadable { path, .. }) if path == missing
        ));
        assert_eq!(
            load(|tls| tls.ca_cert_file = Some(text.clone())).err(),
            Some(SettingsError::NoCertificate { path: text.clone() })
        );
        assert_eq!(
            load(|tls| tls.ca_cert_file = Some(broken.clone())).err(),
            Some(SettingsError::BadCertificate { path: broken })
        );
        assert_eq!(
            load(|tls| tls.client_certificate = Some(pair(&cert_file, &other_key_file))).err(),
            Some(SettingsError::KeyMismatch {
                cert_file: cert_file.clone(),
                key_file: other_key_file
            })
        );
        assert_eq!(
            load(|tls| tls.client_certificate = Some(pair(&cert_file, &text))).err(),
            Some(SettingsError::NoKey { path: text })
        );
        assert!(load(|tls| tls.client_certificate = Some(pair(&cert_file, &key_file))).is_ok());
        assert_eq!(
            load(|tls| tls.server_name = Some("not a name".into())).err(),
            Some(SettingsError::ServerName)
        );
    }

    #[test]
    fn a_folder_of_authorities_may_hold_other_files_but_must_hold_one_authority() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("README"), "authorities").unwrap();
        std::fs::create_dir(folder.path().join("..data")).unwrap();
        let path = folder.path().to_owned();
        assert_eq!(
            load(|tls| tls.ca_cert_dir = Some(path.clone())).err(),
            Some(SettingsError::NoCertificate { path: path.clone() })
        );
        std::fs::write(folder.path().join("ca.pem"), certificate().0).unwrap();
        assert!(load(|tls| tls.ca_cert_dir = Some(path)).is_ok());
    }
}

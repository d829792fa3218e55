//! Mutual TLS with the host: a new certificate of our own, and the host's certificate pinned byte
//! for byte.
//!
//! The host's certificate is a self-signed authority used as an end entity, with a P-521 key. Chain
//! building rejects the former. The verifier here compares the certificate with the one in the
//! environment, which is stricter than a chain.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};

use crate::signatures;

/// Why mutual TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The host's variable does not hold a PEM certificate.
    #[error("PLUGIN_CLIENT_CERT does not hold a certificate in PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// The PEM block does not hold a certificate.
    #[error("the certificate in PLUGIN_CLIENT_CERT cannot be read")]
    Certificate(#[source] rustls::Error),
    /// Our own certificate could not be created.
    #[error("the certificate of this process cannot be made")]
    Generate(#[source] rcgen::Error),
    /// TLS rejected the settings.
    #[error("TLS cannot be set up")]
    Config(#[source] rustls::Error),
}

/// Server side of mutual TLS.
pub(super) struct MutualTls {
    pub(super) config: Arc<ServerConfig>,
    /// DER of the certificate that the host must expect.
    pub(super) certificate: CertificateDer<'static>,
}

/// Creates a certificate for this process and requires the host's from every client.
///
/// Only the first certificate in the PEM text is used.
pub(super) fn mutual(client_certificate: &str) -> Result<MutualTls, TlsError> {
    let pinned =
        CertificateDer::from_pem_slice(client_certificate.as_bytes()).map_err(TlsError::Pem)?;
    ParsedCertificate::try_from(&pinned).map_err(TlsError::Certificate)?;
    let provider = Arc::new(signatures::provider());
    let verifier = PinnedClient {
        certificate: pinned,
        algorithms: provider.signature_verification_algorithms,
    };

    let (certificate, key) = generate().map_err(TlsError::Generate)?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(TlsError::Config)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(vec![certificate.clone()], key)
        .map_err(TlsError::Config)?;
    // gRPC clients reject a server that does not select this.
    config.alpn_protocols = vec![b"h2".to_vec()];
    // The host connects once; a resumed session would also skip the verifier.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(MutualTls {
        config: Arc::new(config),
        certificate,
    })
}

/// Creates a P-256 key and a certificate for `localhost`, the name that hosts verify.
///
/// The dates are far enough in the past and future to tolerate any host clock.
fn generate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2100, 1, 1);
    let certificate = params.self_signed(&key)?.der().clone();
    Ok((
        certificate,
        PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    ))
}

/// Accepts only the client that holds the key of the pinned certificate.
#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

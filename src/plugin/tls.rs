//! Mutual TLS with the host: a new certificate of our own, and the host's certificate pinned byte
//! for byte.
//!
//! The host's certificate is a self-signed authority used as an end entity, with a P-521 key. Chain
//! building rejects the former, and ring does not support the latter. The verifier here compares
//! the certificate with the one in the environment, which is stricter than a chain, and checks that
//! one signature with another crate.

use std::sync::Arc;

use p521::ecdsa::signature::Verifier as _;
use p521::ecdsa::{DerSignature, VerifyingKey};
use p521::elliptic_curve::pkcs8::AssociatedOid as _;
use p521::pkcs8::{DecodePublicKey as _, SubjectPublicKeyInfoRef};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, PeerIncompatible, ServerConfig,
    SignatureScheme,
};

/// Why mutual TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The host's variable does not hold a PEM certificate.
    #[error("PLUGIN_CLIENT_CERT does not hold a certificate in PEM")]
    Pem(#[source] rustls::pki_types::pem::Error),
    /// The PEM block does not hold a certificate.
    #[error("the certificate in PLUGIN_CLIENT_CERT cannot be read")]
    Certificate(#[source] rustls::Error),
    /// The key in the host's certificate is invalid.
    #[error("the public key of the certificate in PLUGIN_CLIENT_CERT cannot be read")]
    Key(#[source] p521::pkcs8::spki::Error),
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
    let provider = Arc::new(ring::default_provider());
    let pinned =
        CertificateDer::from_pem_slice(client_certificate.as_bytes()).map_err(TlsError::Pem)?;
    let verifier = PinnedClient::new(pinned, &provider)?;

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
    key: PinnedKey,
}

#[derive(Debug)]
enum PinnedKey {
    /// The scheme that hosts use.
    P521(Box<VerifyingKey>),
    /// Any other scheme that ring supports.
    Other(Arc<CryptoProvider>),
}

impl PinnedClient {
    fn new(
        certificate: CertificateDer<'static>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let parsed = ParsedCertificate::try_from(&certificate).map_err(TlsError::Certificate)?;
        let key_info = parsed.subject_public_key_info();
        let curve = SubjectPublicKeyInfoRef::try_from(key_info.as_ref())
            .map_err(TlsError::Key)?
            .algorithm
            .parameters_oid();
        let key = if curve == Ok(p521::NistP521::OID) {
            let key = VerifyingKey::from_public_key_der(&key_info).map_err(TlsError::Key)?;
            PinnedKey::P521(Box::new(key))
        } else {
            PinnedKey::Other(Arc::clone(provider))
        };
        Ok(Self { certificate, key })
    }
}

/// Checks the handshake signature with the pinned P-521 key.
fn verify_p521(
    key: &VerifyingKey,
    message: &[u8],
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    if signed.scheme != SignatureScheme::ECDSA_NISTP521_SHA512 {
        return Err(PeerIncompatible::NoSignatureSchemesInCommon.into());
    }
    DerSignature::from_bytes(signed.signature())
        .and_then(|signature| key.verify(message, &signature))
        .map(|()| HandshakeSignatureValid::assertion())
        .map_err(|_| CertificateError::BadSignature.into())
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
        match &self.key {
            PinnedKey::P521(key) => verify_p521(key, message, signed),
            PinnedKey::Other(provider) => verify_tls12_signature(
                message,
                certificate,
                signed,
                &provider.signature_verification_algorithms,
            ),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match &self.key {
            PinnedKey::P521(key) => verify_p521(key, message, signed),
            PinnedKey::Other(provider) => verify_tls13_signature(
                message,
                certificate,
                signed,
                &provider.signature_verification_algorithms,
            ),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        match &self.key {
            PinnedKey::P521(_) => vec![SignatureScheme::ECDSA_NISTP521_SHA512],
            PinnedKey::Other(provider) => provider
                .signature_verification_algorithms
                .supported_schemes(),
        }
    }
}

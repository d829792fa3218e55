//! Certificates as hosts make them: self-signed, an authority, and with a P-521 key.
//!
//! The certificate is put together byte by byte, because the generator that the provider uses
//! knows no P-521.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p521::ecdsa::signature::hazmat::PrehashSigner as _;
use p521::ecdsa::{DerSignature, SigningKey};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::Signer as _;
use rustls::{SignatureAlgorithm, SignatureScheme};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: Arc<dyn rustls::sign::SigningKey>,
}

impl Identity {
    /// Makes the certificate that go-plugin makes, with a new key each time.
    pub(crate) fn p521() -> Self {
        Self::p521_signing(SignatureScheme::ECDSA_NISTP521_SHA512)
    }

    /// Makes the same certificate for a client that signs with this scheme. In TLS 1.2, a scheme
    /// specifies only the hash, and Go takes the first that the server offers.
    pub(crate) fn p521_signing(scheme: SignatureScheme) -> Self {
        // The order of the curve has 521 bits: any number of 65 bytes is below it.
        let mut scalar = [0; 66];
        scalar[1..].fill_with(|| fastrand::u8(..));
        let key = SigningKey::from_slice(&scalar).unwrap();
        Self {
            certificate: self_signed(&key).into(),
            key: Arc::new(P521Key { key, scheme }),
        }
    }

    /// Makes a certificate with a P-256 key, as another kind of host might.
    pub(crate) fn p256() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Self {
            certificate: made.cert.der().clone(),
            key: rustls::crypto::ring::sign::any_supported_type(&key.into()).unwrap(),
        }
    }

    /// Joins the certificate of one identity and the key of another, as a thief of the first would.
    pub(crate) fn with_key_of(&self, other: &Self) -> Self {
        Self {
            certificate: self.certificate.clone(),
            key: Arc::clone(&other.key),
        }
    }

    /// The certificate.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The key, which signs TLS handshakes.
    pub(crate) fn key(&self) -> Arc<dyn rustls::sign::SigningKey> {
        Arc::clone(&self.key)
    }

    /// The certificate as the environment holds it.
    pub(crate) fn pem(&self) -> String {
        let text = STANDARD.encode(&self.certificate);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }
}

/// Signs for a client that rustls alone could not serve.
#[derive(Clone)]
struct P521Key {
    key: SigningKey,
    scheme: SignatureScheme,
}

impl fmt::Debug for P521Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("P521Key")
    }
}

impl rustls::sign::SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        offered
            .contains(&self.scheme)
            .then(|| Box::new(self.clone()) as _)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl rustls::sign::Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let digest = match self.scheme {
            SignatureScheme::ECDSA_NISTP256_SHA256 => Sha256::digest(message).to_vec(),
            SignatureScheme::ECDSA_NISTP384_SHA384 => Sha384::digest(message).to_vec(),
            _ => Sha512::digest(message).to_vec(),
        };
        // A digest is a number; the crate requires at least half of the curve's bytes.
        let mut number = vec![0; 66 - digest.len()];
        number.extend(digest);
        let signature: DerSignature = self.key.sign_prehash(&number).unwrap();
        Ok(signature.as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

// Tags of DER.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const DNS_NAME: u8 = 0x82;
const EXPLICIT_0: u8 = 0xa0;
const EXPLICIT_3: u8 = 0xa3;

const TRUE: &[u8] = &[0x01, 0x01, 0xff];

// Object identifiers, without tag and length.
const ECDSA_WITH_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// Digital signature, key encipherment, key agreement and certificate signing.
const KEY_USAGE_BITS: &[u8] = &[0x03, 0x02, 0x02, 0xac];

/// Writes a value of DER: tag, length, and its parts one after the other.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut value = vec![tag];
    if content.len() >= 0x80 {
        value.push(0x80 | u8::try_from(significant.len()).unwrap());
        value.extend_from_slice(significant);
    } else {
        value.push(u8::try_from(content.len()).unwrap());
    }
    value.extend(content);
    value
}

fn bit_string(bytes: &[u8]) -> Vec<u8> {
    der(BIT_STRING, &[&[0], bytes])
}

fn extension(object: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { TRUE } else { &[] };
    let value = der(OCTET_STRING, &[value]);
    der(SEQUENCE, &[&der(OBJECT, &[object]), critical, &value])
}

fn name() -> Vec<u8> {
    let part = |object: &[u8], text: &str| {
        let text = der(UTF8_STRING, &[text.as_bytes()]);
        der(SET, &[&der(SEQUENCE, &[&der(OBJECT, &[object]), &text])])
    };
    der(
        SEQUENCE,
        &[
            &part(ORGANIZATION, "HashiCorp"),
            &part(COMMON_NAME, "localhost"),
        ],
    )
}

fn self_signed(key: &SigningKey) -> Vec<u8> {
    let algorithm = der(SEQUENCE, &[&der(OBJECT, &[ECDSA_WITH_SHA512])]);
    let validity = der(
        SEQUENCE,
        &[
            &der(UTC_TIME, &[b"260101000000Z"]),
            &der(GENERALIZED_TIME, &[b"20560101000000Z"]),
        ],
    );
    let curve = der(
        SEQUENCE,
        &[&der(OBJECT, &[EC_PUBLIC_KEY]), &der(OBJECT, &[SECP521R1])],
    );
    let point = key.verifying_key().to_sec1_point(false);
    let public_key = der(SEQUENCE, &[&curve, &bit_string(point.as_bytes())]);
    let usages = der(
        SEQUENCE,
        &[&der(OBJECT, &[CLIENT_AUTH]), &der(OBJECT, &[SERVER_AUTH])],
    );
    let extensions = der(
        SEQUENCE,
        &[
            &extension(KEY_USAGE, true, KEY_USAGE_BITS),
            &extension(EXTENDED_KEY_USAGE, false, &usages),
            &extension(BASIC_CONSTRAINTS, true, &der(SEQUENCE, &[TRUE])),
            &extension(
                ALTERNATIVE_NAME,
                false,
                &der(SEQUENCE, &[&der(DNS_NAME, &[b"localhost"])]),
            ),
        ],
    );
    let content = der(
        SEQUENCE,
        &[
            &der(EXPLICIT_0, &[&der(INTEGER, &[&[2]])]),
            &der(INTEGER, &[&[1]]),
            &algorithm,
            &name(),
            &validity,
            &name(),
            &public_key,
            &der(EXPLICIT_3, &[&extensions]),
        ],
    );
    let scheme = SignatureScheme::ECDSA_NISTP521_SHA512;
    let key = key.clone();
    let signature = P521Key { key, scheme }.sign(&content).unwrap();
    der(SEQUENCE, &[&content, &algorithm, &bit_string(&signature)])
}

//! A client certificate with a P-521 key, which Vault's PKI engine issues and `ring` cannot sign with.

use std::sync::Arc;

use p521::ecdsa::signature::Signer as _;
use p521::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

/// The P-521 key of a client certificate.
#[derive(Clone, Debug)]
struct P521Key(p521::ecdsa::SigningKey);

/// Reads a P-521 key, `None` if it is another kind.
pub(super) fn p521_key(key: &PrivateKeyDer<'_>) -> Option<Arc<dyn SigningKey>> {
    let secret = match key {
        PrivateKeyDer::Pkcs8(key) => p521::SecretKey::from_pkcs8_der(key.secret_pkcs8_der()),
        PrivateKeyDer::Sec1(key) => {
            p521::SecretKey::from_pkcs8_der(&in_pkcs8(key.secret_sec1_der()))
        }
        _ => return None,
    };
    let key = p521::ecdsa::SigningKey::from(secret.ok()?);
    Some(Arc::new(P521Key(key)))
}

/// Converts a key from the older form to the newer one.
fn in_pkcs8(sec1: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    /// Version 0, and the algorithm: an elliptic curve, P-521.
    const HEAD: [u8; 21] = [
        0x02, 0x01, 0x00, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
        0x05, 0x2b, 0x81, 0x04, 0x00, 0x23,
    ];
    let key = tagged(0x04, &[sec1]);
    tagged(0x30, &[&HEAD, &key])
}

/// Writes a tag, the length and the parts, as DER requires: in as few bytes as possible.
fn tagged(tag: u8, parts: &[&[u8]]) -> zeroize::Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut der = Vec::with_capacity(length + 4);
    der.push(tag);
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    match (high, low) {
        (0, 0..=0x7f) => der.push(low),
        (0, _) => der.extend([0x81, low]),
        _ => der.extend([0x82, high, low]),
    }
    parts.iter().for_each(|part| der.extend_from_slice(part));
    der.into()
}

impl SigningKey for P521Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| -> Box<dyn Signer> { Box::new(self.clone()) })
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let key = self.0.verifying_key().to_public_key_der().ok()?;
        Some(SubjectPublicKeyInfoDer::from(key.into_vec()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for P521Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: Result<p521::ecdsa::DerSignature, _> = self.0.try_sign(message);
        signature
            .map(|signature| signature.as_bytes().to_vec())
            .map_err(|_| rustls::Error::General("the client's key does not sign".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

//! Kinds of keys and signatures that Vault's PKI engine issues and `ring` does not support.

use std::sync::{Arc, OnceLock};

use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use p521::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm,
    SubjectPublicKeyInfoDer, alg_id,
};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Number of bytes in a P-521 number.
const P521_BYTES: usize = 66;

const P256_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P256, Hash::Sha512);
const P384_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P384, Hash::Sha512);
const P521_SHA256: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P521, Hash::Sha256);
const P521_SHA384: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P521, Hash::Sha384);
const P521_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa(Curve::P521, Hash::Sha512);
/// The algorithms that `ring` lacks.
const OURS: [&dyn SignatureVerificationAlgorithm; 5] = [
    P256_SHA512,
    P384_SHA512,
    P521_SHA256,
    P521_SHA384,
    P521_SHA512,
];

/// Builds the cryptography provider for connections to Vault.
pub(super) fn provider() -> CryptoProvider {
    static ALGORITHMS: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    let mut provider = ring::default_provider();
    let known = provider.signature_verification_algorithms;
    provider.signature_verification_algorithms = *ALGORITHMS.get_or_init(|| {
        let mut all = known.all.to_vec();
        all.extend(OURS);
        let mut mapping = known.mapping.to_vec();
        // In TLS 1.2, this scheme specifies only the hash; TLS 1.3 uses the first algorithm.
        let with_sha512: &[_] = &[P521_SHA512, P384_SHA512, P256_SHA512];
        mapping.push((SignatureScheme::ECDSA_NISTP521_SHA512, with_sha512));
        WebPkiSupportedAlgorithms {
            all: Vec::leak(all),
            mapping: Vec::leak(mapping),
        }
    });
    provider
}

#[derive(Clone, Copy, Debug)]
enum Curve {
    P256,
    P384,
    P521,
}

#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// ECDSA on a curve with a hash.
#[derive(Debug)]
struct Ecdsa(Curve, Hash);

/// Checks a signature with the crate for a curve.
macro_rules! verify {
    ($curve:ident, $key:expr, $digest:expr, $signature:expr) => {
        $curve::ecdsa::VerifyingKey::from_sec1_bytes($key).and_then(|key| {
            let signature = $curve::ecdsa::DerSignature::from_bytes($signature)?;
            key.verify_prehash($digest, &signature)
        })
    };
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let digest = match self.1 {
            Hash::Sha256 => Sha256::digest(message).to_vec(),
            Hash::Sha384 => Sha384::digest(message).to_vec(),
            Hash::Sha512 => Sha512::digest(message).to_vec(),
        };
        match self.0 {
            Curve::P256 => verify!(p256, key, &digest, signature),
            Curve::P384 => verify!(p384, key, &digest, signature),
            Curve::P521 => {
                // A digest is a number; the crate requires at least half of the curve's bytes.
                let mut number = vec![0; P521_BYTES - digest.len()];
                number.extend(digest);
                verify!(p521, key, &number, signature)
            }
        }
        .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.0 {
            Curve::P256 => alg_id::ECDSA_P256,
            Curve::P384 => alg_id::ECDSA_P384,
            Curve::P521 => alg_id::ECDSA_P521,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self.1 {
            Hash::Sha256 => alg_id::ECDSA_SHA256,
            Hash::Sha384 => alg_id::ECDSA_SHA384,
            Hash::Sha512 => alg_id::ECDSA_SHA512,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;

    use super::*;

    #[test]
    fn a_smaller_curve_may_sign_a_longer_hash() {
        let digest = Sha512::digest(b"message");
        let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let signature: p256::ecdsa::DerSignature = key.sign_prehash(&digest).unwrap();
        let public = key.verifying_key().to_sec1_point(false);
        let check = |message: &[u8]| {
            P256_SHA512.verify_signature(public.as_bytes(), message, signature.as_bytes())
        };
        assert!(check(b"message").is_ok());
        assert!(check(b"another").is_err());
        let key = p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap();
        let signature: p384::ecdsa::DerSignature = key.sign_prehash(&digest).unwrap();
        let public = key.verifying_key().to_sec1_point(false);
        let verdict =
            P384_SHA512.verify_signature(public.as_bytes(), b"message", signature.as_bytes());
        assert!(verdict.is_ok());
    }
}

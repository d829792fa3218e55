//! The signatures of certificates: those that `ring` checks, and those on P-521 or with SHA-512 that
//! plugin hosts and Vault's PKI engine use and `ring` does not support.

use std::sync::OnceLock;

use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use rustls::SignatureScheme;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
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

/// Builds the cryptography provider for every connection.
pub fn provider() -> CryptoProvider {
    static ALGORITHMS: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    let mut provider = ring::default_provider();
    let known = provider.signature_verification_algorithms;
    provider.signature_verification_algorithms = *ALGORITHMS.get_or_init(|| {
        let mut all = known.all.to_vec();
        all.extend(OURS);
        // In TLS 1.2, a scheme specifies only the hash; TLS 1.3 uses the first algorithm.
        let with = |scheme, more: &[_]| {
            let row = known.mapping.iter().find(|(known, _)| *known == scheme);
            let mut algorithms = row.map_or_else(Vec::new, |(_, algorithms)| algorithms.to_vec());
            algorithms.extend(more);
            (scheme, &*Vec::leak(algorithms))
        };
        let extended = [
            with(SignatureScheme::ECDSA_NISTP256_SHA256, &[P521_SHA256]),
            with(SignatureScheme::ECDSA_NISTP384_SHA384, &[P521_SHA384]),
            with(
                SignatureScheme::ECDSA_NISTP521_SHA512,
                &[P521_SHA512, P384_SHA512, P256_SHA512],
            ),
        ];
        let is_extended = |scheme| extended.iter().any(|(other, _)| *other == scheme);
        let mut mapping = extended.to_vec();
        mapping.extend(
            known
                .mapping
                .iter()
                .filter(|(scheme, _)| !is_extended(*scheme)),
        );
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

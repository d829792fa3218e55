//! Names for kinds of signatures and keys, by the object identifiers in a certificate.

/// Prefix of RSA signatures.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// Prefix of ECDSA signatures.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
/// Prefix of DSA signatures.
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04];
const DSA_SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03];
const ED448: &[u8] = &[0x2b, 0x65, 0x71];
const P224: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x21];
const SECP256K1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x0a];
const BRAINPOOL: &[u8] = &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01];

/// Names the kind of a signature that is not supported. `key` is the algorithm of the key that made
/// it, or empty if that is not known.
pub(super) fn name(signature: &[u8], key: &[u8]) -> &'static str {
    if let Some(variant) = after(RSA, signature) {
        return match variant.first() {
            Some(4) => "a certificate signed with RSA and MD5",
            Some(5) => "a certificate signed with RSA and SHA-1",
            Some(14) => "a certificate signed with RSA and SHA-224",
            _ => "a certificate with this kind of RSA signature",
        };
    }
    if let Some(variant) = after(ECDSA, signature) {
        return match variant {
            [1, ..] => "a certificate signed with ECDSA and SHA-1",
            [3, 1, ..] => "a certificate signed with ECDSA and SHA-224",
            _ if contains(key, P224) => "a certificate signed with a key on P-224",
            _ if contains(key, SECP256K1) => "a certificate signed with a key on secp256k1",
            _ if contains(key, BRAINPOOL) => "a certificate signed with a key on a Brainpool curve",
            _ => "a certificate signed with ECDSA on this curve",
        };
    }
    if contains(signature, DSA) || contains(signature, DSA_SHA2) {
        return "a certificate signed with DSA";
    }
    if contains(signature, ED448) {
        return "a certificate signed with Ed448";
    }
    "a certificate with this kind of signature"
}

/// Returns the rest of an identifier after the prefix.
fn after<'a>(prefix: &[u8], identifier: &'a [u8]) -> Option<&'a [u8]> {
    let start = position(identifier, prefix)?;
    identifier.get(start + prefix.len()..)
}

fn contains(identifier: &[u8], part: &[u8]) -> bool {
    position(identifier, part).is_some()
}

fn position(identifier: &[u8], part: &[u8]) -> Option<usize> {
    identifier
        .windows(part.len())
        .position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::alg_id;

    use super::*;

    #[test]
    fn kinds_are_named() {
        let cases: [(&[u8], &[u8], &str); 6] = [
            (&[RSA, &[5]].concat(), &[], "RSA and SHA-1"),
            (&[ECDSA, &[1]].concat(), &[], "ECDSA and SHA-1"),
            (&alg_id::ECDSA_SHA256, P224, "P-224"),
            (&alg_id::ECDSA_SHA256, SECP256K1, "secp256k1"),
            (ED448, &[], "Ed448"),
            (&[DSA, &[3]].concat(), &[], "DSA"),
        ];
        for (signature, key, kind) in cases {
            let named = name(signature, key);
            assert!(named.ends_with(kind), "{named}");
        }
    }
}

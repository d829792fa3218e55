//! SHA-256 of a text that must leave no copy behind.

use sha2::block_api::compress256;
use zeroize::Zeroizing;

/// Number of bytes that the function processes at a time.
const BLOCK: usize = 64;
/// Number of bytes that hold the length at the end of the last block.
const LENGTH: usize = 8;
/// The state before the first block: FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Returns the digest of a text.
///
/// The usual interface copies the end of the text into buffers on the stack, where nothing wipes
/// it. Here the only copy, padded according to FIPS 180-4, section 5.1.1, is wiped at the end.
pub(super) fn sha256(text: &str) -> [u8; 32] {
    let bytes = text.as_bytes();
    let padded = (bytes.len() + 1 + LENGTH).next_multiple_of(BLOCK);
    let mut message = Zeroizing::new(Vec::with_capacity(padded));
    message.extend_from_slice(bytes);
    message.push(0x80);
    message.resize(padded - LENGTH, 0);
    let bits = (bytes.len() as u64).wrapping_mul(8);
    message.extend_from_slice(&bits.to_be_bytes());

    let mut state = INITIAL;
    let (blocks, _) = message.as_chunks::<BLOCK>();
    compress256(&mut state, blocks);
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn every_length_around_a_block_is_padded_right() {
        for length in 0..300 {
            let text = "a".repeat(length);
            assert_eq!(sha256(&text)[..], Sha256::digest(&text)[..], "{length}");
        }
    }

    proptest! {
        #[test]
        fn it_is_sha_256(text in ".{0,200}") {
            prop_assert_eq!(&sha256(&text)[..], &Sha256::digest(&text)[..]);
        }
    }
}

//! A zip archive with one uncompressed executable, and its hashes for lock files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Minimum version of the format for stored files.
const NEEDED: u16 = 20;
/// Creator: a Unix system, so that hosts read the mode.
const UNIX: u16 = 3 << 8;
/// A regular file that everyone may execute.
const MODE: u32 = 0o100_755 << 16;
/// The earliest date of the format, so that the same file always gives the same archive.
const DATE: u16 = (1 << 5) | 1;
/// Polynomial of the checksum, reflected.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// Returns an archive with one executable; `None` if the file is too large for the format.
pub(super) fn archive(name: &str, content: &[u8]) -> Option<Vec<u8>> {
    let size = u32::try_from(content.len()).ok()?;
    let length = u16::try_from(name.len()).ok()?;
    // The part that the file header and the central directory have in common.
    let mut entry = Vec::new();
    for number in [NEEDED, 0, 0, 0, DATE] {
        entry.extend(number.to_le_bytes());
    }
    for number in [checksum(content), size, size] {
        entry.extend(number.to_le_bytes());
    }
    entry.extend(length.to_le_bytes());
    entry.extend(0_u16.to_le_bytes());

    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&entry);
    archive.extend(name.as_bytes());
    archive.extend(content);
    let start = u32::try_from(archive.len()).ok()?;
    archive.extend(b"PK\x01\x02");
    archive.extend((UNIX | NEEDED).to_le_bytes());
    archive.extend(&entry);
    for number in [0_u16; 3] {
        archive.extend(number.to_le_bytes());
    }
    for number in [MODE, 0] {
        archive.extend(number.to_le_bytes());
    }
    archive.extend(name.as_bytes());
    let directory = u32::try_from(archive.len()).ok()? - start;
    archive.extend(b"PK\x05\x06");
    for number in [0_u16, 0, 1, 1] {
        archive.extend(number.to_le_bytes());
    }
    for number in [directory, start] {
        archive.extend(number.to_le_bytes());
    }
    archive.extend(0_u16.to_le_bytes());
    Some(archive)
}

/// Returns the hashes of an archive that lock files contain: of its files, and of the archive.
pub(super) fn hashes(name: &str, content: &[u8], archive: &[u8]) -> [String; 2] {
    let files = format!("{}  {name}\n", digest(content));
    let files = STANDARD.encode(Sha256::digest(files));
    [format!("h1:{files}"), format!("zh:{}", digest(archive))]
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Computes CRC-32.
fn checksum(bytes: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (remainder, entry) in (0_u32..).zip(&mut table) {
        *entry = (0..8).fold(remainder, |rest, _| match rest & 1 {
            1 => rest >> 1 ^ POLYNOMIAL,
            _ => rest >> 1,
        });
    }
    !bytes.iter().fold(!0, |sum: u32, byte| {
        let [lowest, ..] = sum.to_le_bytes();
        sum >> 8 ^ table[usize::from(lowest ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn hashes_have_the_form_of_lock_files() {
        let archive = archive("a", b"content").unwrap();
        let [files, whole] = hashes("a", b"content", &archive);
        assert!(files.starts_with("h1:") && files.ends_with('='), "{files}");
        assert_eq!(whole, format!("zh:{}", digest(&archive)));
    }
}

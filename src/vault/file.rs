//! Files that settings name: certificates, keys, tokens.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

/// Reads a whole file of at most `most` bytes into memory that is wiped. Links are followed,
/// because the volumes that Kubernetes mounts consist of them.
///
/// # Errors
///
/// Fails if the system reports an error, if the file is longer, or if the path is a pipe, a device,
/// or a folder: such a read might never end, and nothing could interrupt it.
pub fn read_file(file: &Path, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file. Pipes (such as /dev/stdin and a shell's <(…)), devices, and \
             folders are not supported; write the value to a file",
        ));
    }
    let mut content = Zeroizing::new(Vec::new());
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file)?.take(bound).read_to_end(&mut content)?;
    if content.len() > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {most} bytes, so it is probably not the intended file"),
        ));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_to_its_end_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, [b'x'; 100]).unwrap();
        assert_eq!(read_file(&file, 100).unwrap().len(), 100);
        let long = read_file(&file, 99).unwrap_err();
        assert!(long.to_string().contains("more than 99 bytes"), "{long}");
        let missing = read_file(&folder.path().join("none"), 99).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn links_are_followed_and_what_never_ends_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, pipe) = (
            folder.path().join("file"),
            folder.path().join("link"),
            folder.path().join("pipe"),
        );
        fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(*read_file(&link, 9).unwrap(), b"x");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for odd in [&*pipe, Path::new("/dev/zero"), folder.path()] {
            let error = read_file(odd, 9).unwrap_err().to_string();
            assert!(error.contains("not a regular file"), "{error}");
        }
    }
}

//! The package of this program in a mirror, packed or unpacked.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::InstallError;
use super::layout::{archive_name, archives, file_name, package};
use super::{index, zip};

/// What the mirror held before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing.
    Nothing,
    /// This same program.
    Same,
    /// Another program with the same version.
    Other,
}

/// What was installed.
#[derive(Debug)]
pub(super) struct Installed {
    /// The file that holds the program.
    pub(super) file: PathBuf,
    /// What the mirror held before.
    pub(super) before: Before,
    /// Whether an unpacked copy was removed.
    pub(super) unpacked_removed: bool,
}

/// Installs this program into a mirror. A packed package stays packed.
pub(super) fn install(mirror: &Path, packed: bool) -> Result<Installed, InstallError> {
    let program = read(&own_file().map_err(InstallError::Unknown)?)?;
    let unpacked = package(mirror).join(file_name());
    let folder = archives(mirror);
    let archive = folder.join(archive_name());
    if packed || archive.exists() {
        let before = pack(&folder, &archive, &program)?;
        Ok(Installed {
            file: archive,
            before,
            unpacked_removed: remove(&unpacked)?,
        })
    } else {
        let before = write(&unpacked, &program, 0o755)?;
        Ok(Installed {
            file: unpacked,
            before,
            unpacked_removed: false,
        })
    }
}

/// Writes the archive, then the files that list it.
fn pack(folder: &Path, archive: &Path, program: &[u8]) -> Result<Before, InstallError> {
    let packed = zip::archive(&file_name(), program).ok_or(InstallError::TooLarge)?;
    let hashes = zip::hashes(&file_name(), program, &packed);
    let lists = [
        index::archives(folder, &archive_name(), &hashes)?,
        index::versions(folder)?,
    ];
    let before = write(archive, &packed, 0o644)?;
    for (file, text) in lists {
        write(&file, &text, 0o644)?;
    }
    Ok(before)
}

/// Removes the unpacked copy, because a host must not have to choose between two packages of one
/// version.
fn remove(unpacked: &Path) -> Result<bool, InstallError> {
    match fs::remove_file(unpacked) {
        Ok(()) => {
            let folders = unpacked.ancestors().skip(1).take(2);
            // Folders with other content stay.
            let _ = folders.map(fs::remove_dir).find(io::Result::is_err);
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(InstallError::Write {
            path: unpacked.to_owned(),
            source,
        }),
    }
}

/// Writes a file and then moves it into place atomically. A running provider keeps its file, and no
/// partial file is ever visible.
fn write(target: &Path, content: &[u8], mode: u32) -> Result<Before, InstallError> {
    let before = match fs::read(target) {
        Ok(found) if found == content => return Ok(Before::Same),
        Ok(_) => Before::Other,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Before::Nothing,
        Err(source) => {
            return Err(InstallError::Read {
                path: target.to_owned(),
                source,
            });
        }
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| InstallError::Write { path, source }
    };
    let folder = target.parent().unwrap_or(target);
    fs::create_dir_all(folder).map_err(failed(folder))?;
    // Next to an unpacked package, not in it, because hosts hash every file inside.
    let beside = match mode {
        0o755 => folder.parent().unwrap_or(folder),
        _ => folder,
    };
    let mut copy = tempfile::Builder::new()
        .prefix(".install-")
        .tempfile_in(beside)
        .map_err(failed(beside))?;
    io::copy(&mut &content[..], &mut copy)
        .and_then(|_| set_mode(copy.as_file(), mode))
        .and_then(|()| copy.as_file().sync_all())
        .map_err(failed(copy.path()))?;
    copy.persist(target)
        .map_err(|error| failed(target)(error.error))?;
    Ok(before)
}

fn read(path: &Path) -> Result<Vec<u8>, InstallError> {
    let mut program = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut program))
        .map_err(|source| InstallError::Read {
            path: path.to_owned(),
            source,
        })?;
    Ok(program)
}

/// Returns the program's own file. Without `/proc`, that is the path by which the program was
/// started, if it is one.
fn own_file() -> io::Result<PathBuf> {
    std::env::current_exe().or_else(|error| {
        let started_as = std::env::args_os().next().map(PathBuf::from);
        started_as
            .filter(|path| path.components().count() > 1 && path.is_file())
            .ok_or(error)
    })
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

//! Where Terraform and OpenTofu search for providers without any setting, and the layout of a
//! mirror.
//!
//! Both search `terraform.d/plugins` in the working folder, `~/.terraform.d/plugins`, and
//! `terraform/plugins` (macOS: `io.terraform/plugins`) in the system's data folders. OpenTofu also
//! searches `opentofu/plugins` in `XDG_DATA_HOME`.

use std::path::{Path, PathBuf};

use crate::env::{self, Environment};
use crate::provider::ADDRESS;

/// Version of this program, as in folders and configurations.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Default data folders for all users.
const DATA_FOLDERS: &str = "/usr/local/share:/usr/share";

/// Returns the file name by which a host knows a provider.
pub(super) fn file_name() -> String {
    format!("{}_v{VERSION}", env!("CARGO_PKG_NAME"))
}

/// Returns the folder of this program's package in a mirror.
pub(super) fn package(mirror: &Path) -> PathBuf {
    mirror.join(ADDRESS).join(VERSION).join(platform())
}

/// Returns the folder of packed packages in a mirror, and of the files that list them.
pub(super) fn archives(mirror: &Path) -> PathBuf {
    mirror.join(ADDRESS)
}

/// Returns the file name of this program's packed package.
pub(super) fn archive_name() -> String {
    format!("{}_{VERSION}_{}.zip", env!("CARGO_PKG_NAME"), platform())
}

/// Returns the platform's name in Go.
pub(super) fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        system => system,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        machine => machine,
    };
    format!("{system}_{machine}")
}

/// Returns the user's mirror that both hosts search.
///
/// This is `~/.terraform.d/plugins`, with one exception: a new folder `~/.terraform.d` would make
/// OpenTofu ignore the settings in `XDG_CONFIG_HOME`.
pub(super) fn users_mirror(environment: &dyn Environment) -> Option<PathBuf> {
    let home = PathBuf::from(environment.get(env::HOME)?);
    let settings = home.join(".terraform.d");
    let hides = environment.get(env::XDG_CONFIG_HOME).is_some() && !settings.exists();
    Some(if hides {
        data_folders(environment, Some(&home)).swap_remove(0)
    } else {
        settings.join("plugins")
    })
}

/// Reports whether hosts search a mirror without any setting, from every working folder.
pub(super) fn is_searched(mirror: &Path, environment: &dyn Environment) -> bool {
    let home = environment.get(env::HOME).map(PathBuf::from);
    let home = home.as_deref();
    home.is_some_and(|home| mirror == home.join(".terraform.d/plugins"))
        || data_folders(environment, home)
            .iter()
            .any(|folder| folder == mirror)
}

/// Returns the mirrors in the system's data folders, the user's first.
fn data_folders(environment: &dyn Environment, home: Option<&Path>) -> Vec<PathBuf> {
    if cfg!(target_os = "macos") {
        let library = Path::new("Library/Application Support/io.terraform/plugins");
        let own = home.map(|home| home.join(library));
        return own
            .into_iter()
            .chain([Path::new("/").join(library)])
            .collect();
    }
    let own = environment
        .get(env::XDG_DATA_HOME)
        .map(PathBuf::from)
        .or_else(|| Some(home?.join(".local/share")));
    let shared = environment
        .get(env::XDG_DATA_DIRS)
        .unwrap_or_else(|| DATA_FOLDERS.to_owned());
    own.into_iter()
        .chain(shared.split(':').map(PathBuf::from))
        .map(|folder| folder.join("terraform/plugins"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn environment(home: &Path, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let home = [("HOME", home.to_str().unwrap())];
        home.iter()
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_users_mirror_hides_no_settings() {
        let home = tempfile::tempdir().unwrap();
        let own = home.path().join(".terraform.d/plugins");
        let plain = environment(home.path(), &[]);
        assert_eq!(users_mirror(&plain), Some(own.clone()));
        assert!(is_searched(&own, &plain));

        let xdg = environment(home.path(), &[("XDG_CONFIG_HOME", "/c")]);
        let chosen = users_mirror(&xdg).unwrap();
        assert_ne!(chosen, own);
        assert!(is_searched(&chosen, &xdg));
        std::fs::create_dir(home.path().join(".terraform.d")).unwrap();
        assert_eq!(users_mirror(&xdg), Some(own));

        assert_eq!(users_mirror(&BTreeMap::new()), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn data_folders_are_searched() {
        let home = Path::new("/home/somebody");
        let searched = |folder: &str, more: &[(&str, &str)]| {
            is_searched(Path::new(folder), &environment(home, more))
        };
        assert!(searched("/usr/local/share/terraform/plugins", &[]));
        assert!(searched(
            "/home/somebody/.local/share/terraform/plugins",
            &[]
        ));
        assert!(!searched("/opt/mirror", &[]));
        let nobody = BTreeMap::new();
        assert!(is_searched(
            Path::new("/usr/share/terraform/plugins"),
            &nobody
        ));
        let moved = [("XDG_DATA_HOME", "/d"), ("XDG_DATA_DIRS", "/e:/f")];
        assert!(searched("/d/terraform/plugins", &moved));
        assert!(searched("/f/terraform/plugins", &moved));
        assert!(!searched("/usr/share/terraform/plugins", &moved));
    }

    #[test]
    fn packages_are_laid_out_as_hosts_expect() {
        let folder = package(Path::new("/m"));
        let start = format!("/m/terraform.local/claude-ops/claude/{VERSION}/");
        let platform = folder.to_str().unwrap().strip_prefix(&start).unwrap();
        let (system, machine) = platform.split_once('_').unwrap();
        assert!(["linux", "darwin"].contains(&system), "{system}");
        assert!(["amd64", "arm64"].contains(&machine), "{machine}");
    }
}

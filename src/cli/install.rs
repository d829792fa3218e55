//! The command `install`: this program, where `terraform init` and `tofu init` find it.

mod index;
mod layout;
mod package;
mod report;
mod settings;
mod zip;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

use super::arguments::Install;
use super::output;
use crate::env::Environment;
use layout::{is_searched, users_mirror};
use report::{Setting, report};

/// Why the program was not installed.
#[derive(Debug, Error)]
enum InstallError {
    #[error("the program's own file cannot be found")]
    Unknown(#[source] io::Error),
    #[error("the program is too large for a zip archive")]
    TooLarge,
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not the index of a mirror, so it was left as it is", path.display())]
    Index { path: PathBuf },
    #[error("{} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Runs the command.
pub(super) fn run(arguments: &Install, environment: &dyn Environment) -> ExitCode {
    let mirror = match &arguments.dir {
        Some(dir) => match std::path::absolute(dir) {
            Ok(dir) => dir,
            Err(error) => {
                return output::fail(
                    "The folder for the mirror cannot be found",
                    &format!("{error}. Give --dir an absolute path."),
                    environment,
                );
            }
        },
        None => match users_mirror(environment) {
            Some(mirror) => mirror,
            None => {
                return output::fail(
                    "No home folder to install into",
                    "Set HOME, or set a mirror. On Linux, Terraform searches this one for every \
                     user:\n\n    terraform-provider-claude install --dir \
                     /usr/local/share/terraform/plugins",
                    environment,
                );
            }
        },
    };
    let packed = arguments.packed || arguments.dir.is_some();
    match package::install(&mirror, packed) {
        Ok(installed) => {
            let searched = is_searched(&mirror, environment);
            let blocking = settings::blocking(environment);
            let setting = match (searched, blocking.is_empty()) {
                (_, false) => Setting::Blocked(blocking),
                (true, true) => Setting::None,
                (false, true) => Setting::Unsearched,
            };
            output::print(&report(&mirror, &installed, &setting))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error)
                .map_or_else(String::new, |cause| format!(": {cause}"));
            output::fail(
                "The provider was not installed",
                &format!("{error}{cause}. Fix this, or set another folder with --dir."),
                environment,
            )
        }
    }
}

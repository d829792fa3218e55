//! The command `install`: this program, where `terraform init` and `tofu init` find it.

mod layout;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use thiserror::Error;

use super::arguments::Install;
use super::output;
use crate::env::{self, Environment};
use crate::provider::ADDRESS;
use crate::provider::operations::shell;
use layout::{VERSION, file_name, is_searched, package, users_mirror};

/// How settings name the host of the provider's address.
const LOCAL: &str = "terraform.local/";

/// What was found in the place where the program goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Nothing.
    Nothing,
    /// This very program.
    Same,
    /// Another program under the same version.
    Other,
}

/// Why the program was not installed.
#[derive(Debug, Error)]
enum InstallError {
    #[error("the program's own file cannot be found")]
    Unknown(#[source] io::Error),
    #[error("{} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
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
                    "There is no home folder to install into",
                    "Set HOME, or name a mirror, such as the one that Terraform searches for \
                     every user on Linux:\n\n    terraform-provider-claude install --dir \
                     /usr/local/share/terraform/plugins",
                    environment,
                );
            }
        },
    };
    let folder = package(&mirror);
    match install(&folder) {
        Ok(before) => {
            let searched = is_searched(&mirror, environment);
            let blocked = searched.then(|| blocking_settings(environment)).flatten();
            let stanza = !searched || blocked.is_some();
            output::print(&report(
                &mirror,
                &folder,
                before,
                stanza,
                blocked.as_deref(),
            ))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error)
                .map_or_else(String::new, |cause| format!(": {cause}"));
            output::fail(
                "The provider was not installed",
                &format!(
                    "{error}{cause}. Name another folder with --dir, or copy the program \
                     yourself to\n\n    {}",
                    folder.join(file_name()).display()
                ),
                environment,
            )
        }
    }
}

/// Copies the program into its package. The copy gets its name last, in one step: a provider that
/// runs keeps its file, and nobody ever sees half of one.
fn install(folder: &Path) -> Result<Before, InstallError> {
    let own = own_file().map_err(InstallError::Unknown)?;
    let program = read(&own)?;
    let target = folder.join(file_name());
    let before = match fs::read(&target) {
        Ok(there) if there == program => Before::Same,
        Ok(_) => Before::Other,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Before::Nothing,
        Err(source) => {
            return Err(InstallError::Read {
                path: target,
                source,
            });
        }
    };
    if before == Before::Same {
        return Ok(before);
    }
    // Beside the package and not in it: hosts hash whatever is in there.
    let beside = folder.parent().unwrap_or(folder);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| InstallError::Write { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let mut copy = tempfile::Builder::new()
        .prefix(".install-")
        .tempfile_in(beside)
        .map_err(failed(beside))?;
    io::copy(&mut program.as_slice(), &mut copy)
        .and_then(|_| executable(copy.as_file()))
        .and_then(|()| copy.as_file().sync_all())
        .map_err(failed(copy.path()))?;
    copy.persist(&target)
        .map_err(|error| failed(&target)(error.error))?;
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

/// Finds the program's own file. A root without `/proc` does not tell; then the name by which the
/// program was started does, where it is a path.
fn own_file() -> io::Result<PathBuf> {
    std::env::current_exe().or_else(|error| {
        let started_as = std::env::args_os().next().map(PathBuf::from);
        started_as
            .filter(|path| path.components().count() > 1 && path.is_file())
            .ok_or(error)
    })
}

fn executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o755))
}

/// Returns the file with settings of the host that keep it from searching where it would.
fn blocking_settings(environment: &dyn Environment) -> Option<PathBuf> {
    let named = environment.get(env::TF_CLI_CONFIG_FILE).map(PathBuf::from);
    let home = environment.get(env::HOME).map(PathBuf::from);
    let files = match named {
        Some(file) => vec![file],
        None => [".tofurc", ".terraformrc"]
            .iter()
            .filter_map(|name| Some(home.as_ref()?.join(name)))
            .collect(),
    };
    files.into_iter().find(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("provider_installation") && !text.contains(LOCAL)
        })
    })
}

/// Says what was done and what comes next.
fn report(
    mirror: &Path,
    folder: &Path,
    before: Before,
    stanza: bool,
    blocked: Option<&Path>,
) -> String {
    let done = match before {
        Before::Nothing => "Installed",
        Before::Same => "Already installed:",
        Before::Other => "Replaced another build of",
    };
    let mut text = format!(
        "{done} {name} {VERSION}\n\n    {file}\n",
        name = env!("CARGO_PKG_NAME"),
        file = folder.join(file_name()).display()
    );
    if stanza {
        let why = blocked.map_or_else(
            || {
                "Terraform and OpenTofu do not search this folder by themselves. Put this into\n\
                 ~/.terraformrc (OpenTofu: ~/.tofurc), or into a file that TF_CLI_CONFIG_FILE\n\
                 names:"
                    .to_owned()
            },
            |file| {
                format!(
                    "{} has a provider_installation block, so that nothing else is searched.\n\
                     Add this to that block:",
                    file.display()
                )
            },
        );
        text.push_str(&format!(
            "\n{why}\n\n\
             provider_installation {{\n  \
               filesystem_mirror {{\n    \
                 path    = {:?}\n    \
                 include = [\"terraform.local/*/*\"]\n  \
               }}\n  \
               direct {{\n    \
                 exclude = [\"terraform.local/*/*\"]\n  \
               }}\n\
             }}\n",
            mirror.display().to_string()
        ));
    }
    text.push_str(&format!(
        "\nEach configuration that uses it has this block:\n\n\
         terraform {{\n  \
           required_providers {{\n    \
             claude = {{\n      \
               source  = \"{ADDRESS}\"\n      \
               version = \"{VERSION}\"\n    \
             }}\n  \
           }}\n\
         }}\n\n\
         Then run there, or the same with tofu:\n\n    terraform init\n"
    ));
    if before == Before::Other {
        text.push_str(&format!(
            "\nThe version is the same, but the program is another. Where a lock file holds the\n\
             hash of the old one, terraform refuses the new one until this was run there:\n\n    \
             terraform providers lock -fs-mirror={} {ADDRESS}\n",
            shell(&mirror.display().to_string())
        ));
    }
    output::plain_lines(&text)
}

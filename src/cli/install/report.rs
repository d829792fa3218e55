//! The report of `install`, and the next steps.

use std::path::{Path, PathBuf};

use super::layout::VERSION;
use super::package::{Before, Installed};
use crate::cli::output;
use crate::provider::ADDRESS;
use crate::sdk::{Command, Text};

/// What prevents hosts from finding the mirror.
pub(super) enum Setting {
    /// Nothing.
    None,
    /// Hosts do not search this folder.
    Unsearched,
    /// These files have a `provider_installation` block.
    Blocked(Vec<PathBuf>),
}

/// Writes the report.
pub(super) fn report(mirror: &Path, installed: &Installed, setting: &Setting) -> String {
    let done = match installed.before {
        Before::Nothing => "Installed",
        Before::Same => "Already installed:",
        Before::Other => "Replaced another build of",
    };
    let mut text = format!(
        "{done} {name} {VERSION}\n\n    {file}\n",
        name = env!("CARGO_PKG_NAME"),
        file = installed.file.display()
    );
    if installed.unpacked_removed {
        text.push_str(
            "\nThe unpacked copy of this version was removed. Run `terraform init` again where it\n\
             was in use.\n",
        );
    }
    text.push_str(&settings(mirror, setting));
    text.push_str(&format!(
        "\nEach configuration that uses the provider needs this block:\n\n\
         terraform {{\n  \
           required_providers {{\n    \
             claude = {{\n      \
               source  = \"{ADDRESS}\"\n      \
               version = \"{VERSION}\"\n    \
             }}\n  \
           }}\n\
         }}\n\n\
         Then run this in its folder, or the same with tofu:\n\n    terraform init\n"
    ));
    if installed.file.extension() != Some("zip".as_ref()) {
        text.push_str(
            "\nIf Terragrunt runs several units at once, install the packed form instead. OpenTofu\n\
             may crash with this one:\n\n    terraform-provider-claude install --packed\n",
        );
    }
    if installed.before == Before::Other {
        let lock = Command::new("terraform providers lock")
            .option("-fs-mirror", mirror.display().to_string())
            .plain(format!(" {ADDRESS}"));
        text.push_str(&format!(
            "\nThis build has the same version as the one before, but another hash. If a lock file\n\
             holds the old hash, init fails until you run this in its folder, or the same with\n\
             tofu:\n\n{}\n",
            Text::from(lock)
        ));
    }
    output::plain_lines(&text)
}

/// Writes what to add to the CLI configuration.
fn settings(mirror: &Path, setting: &Setting) -> String {
    let path = mirror.display().to_string();
    let method = |indent: &str| {
        format!(
            "{indent}filesystem_mirror {{\n\
             {indent}  path    = {path:?}\n\
             {indent}  include = [\"terraform.local/*/*\"]\n\
             {indent}}}\n"
        )
    };
    let exclude = "exclude = [\"terraform.local/*/*\"]";
    match setting {
        Setting::None => String::new(),
        Setting::Unsearched => format!(
            "\nTerraform and OpenTofu do not search this folder unless your CLI configuration says\n\
             so. Put this into ~/.terraformrc (for OpenTofu, ~/.tofurc, or\n\
             $XDG_CONFIG_HOME/opentofu/tofurc if you have one), or into a file that\n\
             TF_CLI_CONFIG_FILE names:\n\n\
             provider_installation {{\n\
             {method}  direct {{\n    {exclude}\n  }}\n}}\n",
            method = method("  "),
        ),
        Setting::Blocked(files) => {
            let (has, block) = match files.len() {
                1 => ("has", "that block"),
                _ => ("have", "the block that your host reads"),
            };
            let files: String = files
                .iter()
                .map(|file| format!("    {}\n", file.display()))
                .collect();
            format!(
                "\nA provider_installation block limits where Terraform and OpenTofu search. This\n\
                 {has} one:\n\n{files}\n\
                 Add this inside {block}:\n\n{method}\n\
                 Every other method in that block needs this line. If it already has `exclude`, add\n\
                 the pattern there:\n\n    {exclude}\n",
                method = method("  "),
            )
        }
    }
}

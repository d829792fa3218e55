//! The targets of a command: paths, lists of paths, and prefixes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::verify::TokenPlace;
use super::{Operations, Refusal};
use crate::protocol::Diagnostic;
use crate::provider::diagnose;
use crate::provider::diagnose::refuse::{self, capital};
use crate::provider::observe::Observed;
use crate::provider::observe::walk::{Counts, Walk};
use crate::sdk::{Diagnostics, Field};
use crate::token::metadata::key;
use crate::token::path_list::expand;
use crate::token::prefix::Prefix;
use crate::vault::VaultError;

/// The alternative that does not require permission to list.
const NAMED_NEED_READ: &str = "Or pass the paths of the secrets, which requires only `read` on \
                               their data.";

/// The part of a mark's key that follows the field.
const MARK: &str = "promoted_to";

/// The paths that were requested.
#[derive(Default)]
pub(in super::super) struct Paths {
    /// Distinct places, in the order in which they were named and found, each with what has already
    /// been read of it.
    pub(in super::super) paths: Vec<(TokenPlace, Option<Arc<Observed>>)>,
    /// What could not be read.
    pub(in super::super) diagnostics: Diagnostics,
    /// Whether anything could not be read.
    pub(in super::super) is_incomplete: bool,
}

impl Operations {
    /// Returns the distinct paths that the targets name. Walks come last, so that nothing is listed
    /// if a path is invalid.
    pub(in super::super) async fn paths(&self, targets: &[String]) -> Result<Paths, Refusal> {
        let counts = |observed: &Observed| self.counts(observed);
        self.paths_of(targets, &counts).await
    }

    /// Does the same, but a prefix stands for all secrets that have the field or that `counts`
    /// accepts.
    pub(in super::super) async fn paths_of(
        &self,
        targets: &[String],
        counts: &Counts<'_>,
    ) -> Result<Paths, Refusal> {
        let mut found = Paths::default();
        let mut prefixes = Vec::new();
        for target in targets {
            if target.ends_with('/') {
                prefixes.push(prefix(target)?);
            } else {
                for path in list(target)? {
                    self.named(&path, &mut found).await;
                }
            }
        }
        if targets.is_empty() {
            prefixes.push(("", Prefix::default()));
        }
        for (text, prefix) in prefixes {
            self.walk(text, &prefix, counts, &mut found).await?;
        }
        let mut seen = BTreeSet::new();
        found.paths.retain(|(place, _)| seen.insert(place.clone()));
        Ok(found)
    }

    /// Adds the places at a path: the field, or every field that holds a token. A secret that
    /// cannot be read is one place, and its row says why.
    async fn named(&self, path: &str, found: &mut Paths) {
        let mut observed = None;
        if self.every_field
            && let (Ok(secret), Ok(observer)) = (self.secret(path), self.observer())
        {
            observed = observer.observe(&secret).await.ok();
        }
        self.add(path, observed.as_ref(), found);
    }

    fn add(&self, path: &str, observed: Option<&Arc<Observed>>, found: &mut Paths) {
        let place = |field: &str| TokenPlace {
            path: path.to_owned(),
            field: field.to_owned(),
        };
        let fields: Vec<_> = match observed.map(Arc::as_ref) {
            Some(Observed::Present(document)) if self.every_field => {
                document.token_fields().map(place).collect()
            }
            Some(gone @ (Observed::Deleted(_) | Observed::Destroyed(_))) if self.every_field => {
                self.fields_noted(gone)
                    .iter()
                    .map(|field| place(field))
                    .collect()
            }
            _ => vec![place(&self.field)],
        };
        let fields = if fields.is_empty() {
            vec![place(&self.field)]
        } else {
            fields
        };
        found
            .paths
            .extend(fields.into_iter().map(|place| (place, observed.cloned())));
    }

    async fn walk(
        &self,
        text: &str,
        prefix: &Prefix,
        counts: &Counts<'_>,
        found: &mut Paths,
    ) -> Result<(), Refusal> {
        let walk = Walk {
            observer: self.observer()?,
            mount: &self.mount,
            prefix,
            field: &self.field,
            also: Some(counts),
        };
        let findings = match walk.to_the_end().await {
            Ok(findings) => findings,
            Err(error) => {
                let mut diagnostic =
                    diagnose::vault_error(&error, &format!("{}/{text}", self.mount));
                if matches!(error, VaultError::Forbidden { .. }) {
                    diagnostic.detail += NAMED_NEED_READ;
                }
                if found.paths.is_empty() {
                    return Err(Refusal::failed(diagnostic));
                }
                // Paths that were found before are kept.
                found.is_incomplete = true;
                found.diagnostics.push(diagnostic);
                return Ok(());
            }
        };
        if !text.is_empty() && findings.secrets.is_empty() && findings.skipped.is_empty() {
            found.is_incomplete = true;
            found
                .diagnostics
                .push(diagnose::nothing_below(&self.mount, text, &self.field));
        }
        for secret in findings.secrets {
            let path = secret.secret.path();
            self.add(path, Some(&secret.observed), found);
        }
        found.is_incomplete |= !findings.skipped.is_empty();
        found
            .diagnostics
            .extend(diagnose::skipped(&self.mount, text, &findings.skipped));
        Ok(())
    }
}

impl Operations {
    /// Reports whether a scan shows a secret although it lacks the field: for one of its other
    /// fields, or because it held a token of ours before it was deleted.
    fn counts(&self, observed: &Observed) -> bool {
        match observed {
            Observed::Present(document) => {
                self.every_field && document.token_fields().next().is_some()
            }
            gone => !self.fields_noted(gone).is_empty(),
        }
    }

    /// Returns the fields of ours that a secret had before it was deleted, as its stamps and marks
    /// show.
    fn fields_noted(&self, gone: &Observed) -> Vec<String> {
        let notes = [key::FINGERPRINT, MARK];
        let mut fields: Vec<_> = gone
            .custom_metadata()
            .into_iter()
            .flat_map(BTreeMap::keys)
            .filter_map(|name| {
                notes.iter().find_map(|note| {
                    let (field, rest) = name.rsplit_once(&format!(".{note}"))?;
                    (rest.is_empty() || rest.starts_with('.')).then(|| field.to_owned())
                })
            })
            .filter(|field| self.every_field || *field == self.field)
            .collect();
        fields.sort();
        fields.dedup();
        fields
    }
}

/// Parses a target that ends with a slash; only a slash is the whole mount.
fn prefix(target: &str) -> Result<(&str, Prefix), Refusal> {
    let text = if target == "/" { "" } else { target };
    match Prefix::parse(text) {
        Ok(prefix) => Ok((text, prefix)),
        Err(error) => {
            let refused = refuse::path_prefix(&Field::Known(text.to_owned()), "PATH");
            Err(Refusal::argument(refused.unwrap_or_else(|| {
                Diagnostic::error("Invalid PATH", format!("{}.", capital(&error)))
            })))
        }
    }
}

/// Parses a target that is one path or several.
fn list(target: &str) -> Result<Vec<String>, Refusal> {
    paths(
        target,
        "PATH",
        ", and a whole folder as team/, with the slash",
    )
}

/// Parses one path or several, from the argument `name`. `rest` says what else it accepts.
pub(in super::super) fn paths(
    target: &str,
    name: &str,
    rest: &str,
) -> Result<Vec<String>, Refusal> {
    expand(target).map_err(|error| {
        let rule = std::error::Error::source(&error)
            .map_or_else(String::new, |source| format!(": {source}"));
        Refusal::argument(Diagnostic::error(
            format!("Invalid {name}"),
            format!(
                "{}{rule}. Write it as `vault kv list` shows it, without the mount and without \
                 data/. Write several paths as \"spare-{{1,2}}\" or \"spare-{{1..5}}\", in \
                 quotes{rest}. Set the mount and the field with --mount and --field.",
                capital(&error)
            ),
        ))
    })
}

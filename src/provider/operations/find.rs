//! Every place that holds a token: in any field, in every version that can be read.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use super::{Operations, Refusal};
use crate::protocol::Diagnostic;
use crate::provider::diagnose;
use crate::provider::observe::Observed;
use crate::sdk::Diagnostics;
use crate::token::check::{check, extract};
use crate::token::fingerprint::Fingerprint;
use crate::vault::{Document, FieldValue, Reading, SecretPath, VaultError};

/// How many secrets are searched at a time.
const TOGETHER: usize = 16;
/// Minimum number of digits of a fingerprint that identify a token.
const SHORTEST: usize = 8;
/// Number of digits of a whole fingerprint.
const WHOLE: usize = 64;

/// The token that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought(String);

impl Sought {
    /// Parses a fingerprint, or at least its first 8 digits.
    ///
    /// # Errors
    ///
    /// Fails if the text is neither.
    pub fn fingerprint(text: &str) -> Result<Self, Refusal> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let is_digits = digits
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        if is_digits && (SHORTEST..=WHOLE).contains(&digits.len()) {
            return Ok(Self(format!("sha256:{digits}")));
        }
        Err(Refusal::argument(Diagnostic::error(
            "Invalid --fingerprint",
            "Write a fingerprint as sha256: and 64 digits of 0-9a-f, or as at least the first 8 of \
             those digits, which `status` shows.",
        )))
    }

    /// Searches for the token with this fingerprint.
    pub fn token(fingerprint: Fingerprint) -> Self {
        Self(fingerprint.to_string())
    }

    /// Returns the fingerprint, as much of it as is known.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is(&self, fingerprint: Fingerprint) -> bool {
        fingerprint.to_string().starts_with(&self.0)
    }

    /// Reports whether a text is the token, or contains it within other text.
    fn is_in(&self, text: &str) -> bool {
        let whole = check(text).fingerprint();
        whole
            .or_else(|| check(extract(text)?.expose()).fingerprint())
            .is_some_and(|fingerprint| self.is(fingerprint))
    }
}

/// One field that holds the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Path in the mount.
    pub path: String,
    /// The field.
    pub field: String,
    /// Versions that hold the token, the newest first.
    pub versions: Vec<u64>,
    /// Whether the current version holds it.
    pub is_current: bool,
}

/// The result of a search.
#[derive(Debug, Default)]
pub struct Search {
    /// Fields that hold the token, in the order of paths.
    pub holders: Vec<Holder>,
    /// How many secrets were searched.
    pub searched: usize,
    /// What could not be searched.
    pub diagnostics: Diagnostics,
    /// Whether anything could not be searched.
    pub is_incomplete: bool,
}

impl Operations {
    /// Searches every secret that the targets name, in all versions.
    ///
    /// # Errors
    ///
    /// Fails if a target is not a path, or if nothing could be listed.
    pub async fn find(&self, targets: &[String], sought: &Sought) -> Result<Search, Refusal> {
        let everything = |_: &Observed| true;
        let found = self.paths_of(targets, &everything).await?;
        let mut search = Search {
            diagnostics: found.diagnostics,
            is_incomplete: found.is_incomplete,
            ..Search::default()
        };
        // A secret that a walk found exists; a secret that was only named may not.
        let mut paths: Vec<(String, bool)> = found
            .paths
            .into_iter()
            .map(|(place, observed)| (place.path, observed.is_none()))
            .collect();
        paths.dedup_by(|a, b| a.0 == b.0);
        let mut searched = stream::iter(paths)
            .map(async |(path, is_named)| {
                let operations = self.for_one_secret();
                let holders = operations.holders(&path, sought).await;
                (path, is_named, holders)
            })
            .buffered(TOGETHER);
        while let Some((path, is_named, (holders, outcome))) = searched.next().await {
            search.holders.extend(holders);
            let problem = match outcome {
                Ok(exists) if exists || !is_named => None,
                Ok(_) => self
                    .secret(&path)
                    .ok()
                    .map(|secret| diagnose::nothing_at(&secret)),
                Err(error) => {
                    search.searched += 1;
                    Some(diagnose::vault_error(&error, &self.secret_name(&path)))
                }
            };
            match problem {
                None => search.searched += 1,
                Some(problem) => {
                    search.is_incomplete = true;
                    search.diagnostics.push(problem);
                }
            }
        }
        drop(searched);
        search
            .holders
            .sort_by(|a, b| (&a.path, &a.field).cmp(&(&b.path, &b.field)));
        Ok(search)
    }

    /// Reads every version of a secret. Fields that were found before a failure are returned.
    async fn holders(
        &self,
        path: &str,
        sought: &Sought,
    ) -> (Vec<Holder>, Result<bool, VaultError>) {
        let mut found = BTreeMap::new();
        let outcome = self.search_versions(path, sought, &mut found).await;
        let holders = found
            .into_iter()
            .map(|(field, (versions, is_current))| Holder {
                path: path.to_owned(),
                field,
                versions,
                is_current,
            })
            .collect();
        (holders, outcome)
    }

    /// Returns whether the secret exists.
    async fn search_versions(
        &self,
        path: &str,
        sought: &Sought,
        found: &mut BTreeMap<String, (Vec<u64>, bool)>,
    ) -> Result<bool, VaultError> {
        let (Ok(secret), Ok(observer)) = (
            SecretPath::new(self.mount.as_str(), path),
            self.configured.observer(),
        ) else {
            return Err(VaultError::Unsendable);
        };
        let store = observer.store();
        let current = match store.read(&secret).await? {
            Reading::Present(document) => {
                note(&document, true, sought, found);
                document.version
            }
            Reading::Deleted(gone) | Reading::Destroyed(gone) => gone.version,
            Reading::Absent => return Ok(false),
        };
        for version in (1..current).rev() {
            match store.read_version(&secret, version).await? {
                Reading::Present(document) => note(&document, false, sought, found),
                Reading::Deleted(_) | Reading::Destroyed(_) => {}
                // This version and all before it were pruned.
                Reading::Absent => break,
            }
        }
        Ok(true)
    }
}

/// Notes the fields of a version that hold the token.
fn note(
    document: &Document,
    is_current: bool,
    sought: &Sought,
    found: &mut BTreeMap<String, (Vec<u64>, bool)>,
) {
    for (name, field) in document.fields() {
        let FieldValue::Text(text) = field else {
            continue;
        };
        if sought.is_in(text.expose()) {
            let (versions, holds_now) = found.entry(name.to_owned()).or_default();
            versions.push(document.version);
            *holds_now |= is_current;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_may_be_cut_but_not_guessed() {
        for good in ["1a2b3c4d", "sha256:1a2b3c4d", &"0".repeat(64)] {
            assert!(Sought::fingerprint(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "1a2b3c4",
            "sha256:",
            "1A2B3C4D",
            "changeme-changeme",
            &"0".repeat(65),
        ] {
            assert!(Sought::fingerprint(bad).is_err(), "{bad}");
        }
    }
}

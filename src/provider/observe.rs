//! What a read of a secret shows, without any token in it. Each secret is read only once.
//!
//! A refresh of many resources reads the same secrets: a pool reads the primary that a token
//! resource tracks, and two resources read two fields of one secret. Each secret is read once for
//! each configuration of the provider, and no second request is sent while one is in flight.

pub(super) mod unusable;
pub(super) mod walk;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::deadline::Deadline;
use crate::secret::Secret;
use crate::token::check::{Check, Kind, Malformed, Problem, check, check_recorded};
use crate::token::fingerprint::Fingerprint;
use crate::vault::{self, Document, Reading, Revision, SecretPath, Store, VaultError};

/// A secret as it was read, with fingerprints instead of tokens.
#[derive(Debug)]
pub(in crate::provider) enum Observed {
    /// The current version holds data.
    Present(Observation),
    /// The current version was deleted and can be brought back.
    Deleted(Revision),
    /// The current version was destroyed.
    Destroyed(Revision),
    /// The secret does not exist.
    Absent,
}

impl Observed {
    /// Reports whether the current version has the field, and the field is not empty. An empty
    /// field switches a user off.
    pub(in crate::provider) fn has_field(&self, name: &str) -> bool {
        matches!(
            self,
            Self::Present(document)
                if !matches!(document.field(name, None), Content::Missing | Content::Empty)
        )
    }

    /// Returns the custom metadata, even if the current version of the secret is gone.
    pub(in crate::provider) fn custom_metadata(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Present(document) => Some(&document.custom_metadata),
            Self::Deleted(gone) | Self::Destroyed(gone) => Some(&gone.custom_metadata),
            Self::Absent => None,
        }
    }
}

/// The version that was read.
#[derive(Debug)]
pub(in crate::provider) struct Observation {
    /// The version, without its fields.
    pub(in crate::provider) revision: Revision,
    fields: BTreeMap<String, Value>,
}

impl Deref for Observation {
    type Target = Revision;

    fn deref(&self) -> &Revision {
        &self.revision
    }
}

/// A field as it was read.
#[derive(Debug)]
enum Value {
    /// What it holds, regardless of what the state has recorded. Text that no release has accepted
    /// as a token may be a password in a neighboring field, so it is not kept.
    Judged(Content),
    /// Text that looks like a token but is not one. It is kept, because only a comparison with what
    /// the state has recorded shows whether it was once a good token.
    LikeToken { text: Secret, malformed: Malformed },
}

/// What a field holds, for a state that may have recorded its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Content {
    /// The field does not exist.
    Missing,
    /// It holds nothing, or only white space and quotes.
    Empty,
    /// It holds a token.
    Token {
        /// The token's fingerprint.
        fingerprint: Fingerprint,
        /// Its length, if no token of that length was ever reported to work.
        unproven: Option<usize>,
        /// Whether white space is around it.
        padded: bool,
    },
    /// It holds text that is not a token.
    Malformed(Malformed),
    /// It holds JSON of this kind, which is not text.
    NotText(&'static str),
}

impl Observation {
    /// Reads a document without keeping its tokens.
    pub(in crate::provider) fn of(document: &Document) -> Self {
        Self {
            revision: (**document).clone(),
            fields: document
                .fields()
                .filter_map(|(name, field)| Some((name.to_owned(), Value::of(field)?)))
                .collect(),
        }
    }

    /// Returns what the field holds; a token that was `recorded` as good stays good.
    pub(in crate::provider) fn field(&self, name: &str, recorded: Option<&Fingerprint>) -> Content {
        match self.fields.get(name) {
            None => Content::Missing,
            Some(Value::Judged(content)) => *content,
            Some(Value::LikeToken { text, malformed }) => recorded
                .map_or(Content::Malformed(*malformed), |recorded| {
                    check_recorded(text.expose(), recorded).into()
                }),
        }
    }

    /// Reports whether the field holds this token, which was recorded as good.
    pub(in crate::provider) fn holds(&self, name: &str, token: &Fingerprint) -> bool {
        matches!(
            self.field(name, Some(token)),
            Content::Token { fingerprint, .. } if fingerprint == *token
        )
    }

    /// Returns the names of the fields that hold a token.
    pub(in crate::provider) fn token_fields(&self) -> impl Iterator<Item = &str> {
        self.field_names()
            .filter(|name| matches!(self.field(name, None), Content::Token { .. }))
    }

    /// Returns the names of the fields, for a user who is looking for the right one.
    pub(in crate::provider) fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }
}

impl Value {
    fn of(field: vault::FieldValue) -> Option<Self> {
        Some(match field {
            vault::FieldValue::Missing => return None,
            vault::FieldValue::NotText(kind) => Self::Judged(Content::NotText(kind)),
            vault::FieldValue::Text(text) => match check(text.expose()).into() {
                Content::Malformed(malformed) if Kind::of(text.expose()) == Kind::OauthToken => {
                    Self::LikeToken { text, malformed }
                }
                content => Self::Judged(content),
            },
        })
    }
}

impl From<Check> for Content {
    fn from(check: Check) -> Self {
        match check {
            Check::Valid {
                fingerprint,
                unproven,
                padded,
            } => Self::Token {
                fingerprint,
                unproven,
                padded,
            },
            Check::Malformed(Malformed {
                problem: Problem::Empty,
                ..
            }) => Self::Empty,
            Check::Malformed(malformed) => Self::Malformed(malformed),
        }
    }
}

impl From<Reading> for Observed {
    fn from(reading: Reading) -> Self {
        match reading {
            Reading::Present(document) => Self::Present(Observation::of(&document)),
            Reading::Deleted(gone) => Self::Deleted(gone),
            Reading::Destroyed(gone) => Self::Destroyed(gone),
            Reading::Absent => Self::Absent,
        }
    }
}

type Cell = Arc<OnceCell<Arc<Observed>>>;

/// Reads secrets for one request, and remembers what it read for all requests.
#[derive(Clone)]
pub(in crate::provider) struct Observer {
    store: Store,
    seen: Arc<Mutex<HashMap<SecretPath, Cell>>>,
    refreshed: Arc<Mutex<HashSet<String>>>,
}

impl Observer {
    /// Creates an observer that has read nothing yet.
    pub(in crate::provider) fn new(store: Store) -> Self {
        Self {
            store,
            seen: Arc::default(),
            refreshed: Arc::default(),
        }
    }

    /// Returns the observer for a request that must be over by `deadline`.
    pub(in crate::provider) fn until(&self, deadline: Deadline) -> Self {
        Self {
            store: self.store.until(deadline),
            seen: Arc::clone(&self.seen),
            refreshed: Arc::clone(&self.refreshed),
        }
    }

    /// Records that a refresh has reported on a token, named by its id.
    pub(in crate::provider) fn note_refresh(&self, id: String) {
        let mut refreshed = self
            .refreshed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refreshed.insert(id);
    }

    /// Reports whether a refresh has reported on a token since this process began. Otherwise, what
    /// private state says may be long outdated.
    pub(in crate::provider) fn is_refreshed(&self, id: &str) -> bool {
        let refreshed = self
            .refreshed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refreshed.contains(id)
    }

    /// Returns the store behind it.
    pub(in crate::provider) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the secret as it was first read; an error is not remembered.
    pub(in crate::provider) async fn observe(
        &self,
        secret: &SecretPath,
    ) -> Result<Arc<Observed>, VaultError> {
        let cell = self.cell(secret);
        cell.get_or_try_init(|| async {
            let reading = self.store.read(secret).await?;
            Ok(Arc::new(Observed::from(reading)))
        })
        .await
        .cloned()
    }

    /// Returns the secret as it is now, and remembers that.
    pub(in crate::provider) async fn observe_again(
        &self,
        secret: &SecretPath,
    ) -> Result<Arc<Observed>, VaultError> {
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            // An answer in flight is new enough, and one request is enough.
            if seen.get(secret).is_some_and(|cell| cell.initialized()) {
                seen.remove(secret);
            }
        }
        self.observe(secret).await
    }

    /// Forgets what was read from a secret that has changed.
    pub(in crate::provider) fn forget(&self, secret: &SecretPath) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(secret);
    }

    /// Returns an older version; it is not remembered.
    pub(in crate::provider) async fn observe_version(
        &self,
        secret: &SecretPath,
        version: u64,
    ) -> Result<Observed, VaultError> {
        self.store
            .read_version(secret, version)
            .await
            .map(Observed::from)
    }

    /// Reports whether an older version is gone for good. A version that cannot be read is not
    /// known to be.
    pub(in crate::provider) async fn is_pruned(&self, secret: &SecretPath, version: u64) -> bool {
        let observed = self.observe_version(secret, version).await;
        matches!(observed, Ok(Observed::Absent))
    }

    fn cell(&self, secret: &SecretPath) -> Cell {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = seen.get(secret) {
            return Arc::clone(cell);
        }
        Arc::clone(seen.entry(secret.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lookup for each name among all of them would take minutes.
    #[test]
    fn many_fields_are_taken_in_one_pass() {
        const COUNT: usize = 100_000;
        let members: String = (0..COUNT).map(|n| format!("\"{n}\":1,")).collect();
        let document = vault::present(&format!("{{{members}\"text\":\"x\"}}"));
        let seen = Observation::of(&document);
        assert_eq!(seen.field_names().count(), COUNT + 1);
        assert_eq!(seen.field("7", None), Content::NotText("number"));
        assert!(matches!(seen.field("text", None), Content::Malformed(_)));
    }
}

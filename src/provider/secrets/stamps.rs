//! Writing stamps and other notes into `custom_metadata`, beside whatever is there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::protocol::Diagnostic;
use crate::provider::diagnose::{self, Place};
use crate::token::expiry::Dates;
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::instant::{format_instant, whole_seconds};
use crate::token::stamp::{Stamp, key, stamp_key};
use crate::vault::{SecretPath, Store, VaultError};

/// Keys to set, and with `None` keys to remove.
pub(in crate::provider) type Changes = BTreeMap<String, Option<String>>;

/// How a note got there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Noted {
    /// Merged by the server, safe whoever else writes.
    Merged,
    /// Read, merged here and written back whole: a note that somebody else wrote meanwhile is
    /// lost.
    Replaced,
}

/// Merges changes into the metadata of a secret.
///
/// # Errors
///
/// `Forbidden` names the right to merge, also where the way around it was refused.
pub(in crate::provider) async fn note(
    store: &Store,
    secret: &SecretPath,
    changes: &Changes,
) -> Result<Noted, VaultError> {
    let refusal = match store.patch_metadata(secret, changes).await {
        Ok(()) => return Ok(Noted::Merged),
        Err(error @ (VaultError::Forbidden { .. } | VaultError::PatchUnsupported { .. })) => error,
        Err(error) => return Err(error),
    };
    let unless_refused = |error| match error {
        VaultError::Forbidden { .. } => refusal.clone(),
        other => other,
    };
    let mut metadata = store
        .read_metadata(secret)
        .await
        .map_err(unless_refused)?
        .custom_metadata;
    for (key, value) in changes {
        match value {
            Some(value) => metadata.insert(key.clone(), value.clone()),
            None => metadata.remove(key),
        };
    }
    store
        .replace_metadata(secret, &metadata)
        .await
        .map_err(unless_refused)?;
    Ok(Noted::Replaced)
}

/// A stamp to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::provider) struct NewStamp {
    /// The token that it is about.
    pub(in crate::provider) fingerprint: Fingerprint,
    /// When the token was minted.
    pub(in crate::provider) minted_at: Timestamp,
    /// When it expires, for monitors.
    pub(in crate::provider) expires_at: Timestamp,
    /// Path of the spare that it came from.
    pub(in crate::provider) rotated_from: Option<String>,
    /// The request that it answers.
    pub(in crate::provider) requested: Option<ShortFingerprint>,
}

impl NewStamp {
    /// Makes the stamp of a token with these dates.
    pub(in crate::provider) fn new(fingerprint: Fingerprint, dates: &Dates) -> Self {
        Self {
            fingerprint,
            minted_at: dates.minted_at,
            expires_at: dates.expires_at,
            rotated_from: None,
            requested: None,
        }
    }

    /// Returns the keys to merge; what does not apply to this token is removed.
    pub(in crate::provider) fn changes(&self, field: &str) -> Changes {
        [
            (key::FINGERPRINT, Some(self.fingerprint.short().to_string())),
            (key::MINTED_AT, Some(format_instant(self.minted_at))),
            (key::EXPIRES_AT, Some(format_instant(self.expires_at))),
            (key::ROTATED_FROM, self.rotated_from.clone()),
            (
                key::REQUESTED,
                self.requested.map(|digest| digest.to_string()),
            ),
        ]
        .into_iter()
        .map(|(key, value)| (stamp_key(field, key), value))
        .collect()
    }

    /// Returns the keys that a stamp of a field may have.
    pub(in crate::provider) fn keys(field: &str) -> impl Iterator<Item = String> {
        [
            key::FINGERPRINT,
            key::MINTED_AT,
            key::EXPIRES_AT,
            key::ROTATED_FROM,
            key::REQUESTED,
        ]
        .into_iter()
        .map(move |key| stamp_key(field, key))
    }

    /// Tells whether the metadata has this very stamp.
    pub(in crate::provider) fn is_in(
        &self,
        field: &str,
        custom_metadata: &BTreeMap<String, String>,
    ) -> bool {
        Stamp::live(field, custom_metadata, &self.fingerprint).is_some_and(|stamp| {
            stamp.minted_at == Some(whole_seconds(self.minted_at))
                && stamp.expires_at == Some(whole_seconds(self.expires_at))
                && stamp.rotated_from == self.rotated_from
                && stamp.requested == self.requested
        })
    }

    /// Writes the stamp unless it is there; a refusal is a warning with what to do.
    pub(in crate::provider) async fn write(
        &self,
        store: &Store,
        place: Place<'_>,
        custom_metadata: &BTreeMap<String, String>,
    ) -> Option<Diagnostic> {
        if self.is_in(place.field, custom_metadata) {
            return None;
        }
        match note(store, place.secret, &self.changes(place.field)).await {
            Ok(_) => None,
            Err(error) => Some(diagnose::not_stamped(place, &error)),
        }
    }
}

//! Writing stamps and marks into `custom_metadata`, next to what others keep there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::clock;
use crate::protocol::Diagnostic;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Observed, Observer};
use crate::provider::secrets::date::Found;
use crate::token::expiry::Dates;
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::instant::format_instant;
use crate::token::metadata::{MAXIMUM_KEYS, key, stamp_key};
use crate::token::retired::RetiredTokens;
use crate::token::stamp::{Next, Stamp};
use crate::token::verdict::Verdict;
use crate::vault::{SecretPath, Store, VaultError};

/// Keys to set, or to remove if the value is `None`.
pub(in crate::provider) type Changes = BTreeMap<String, Option<String>>;

/// How a change was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Noted {
    /// Merged by the server, safe even if others write.
    Merged,
    /// Read, merged here and written back whole: a key that someone else wrote in the meantime is
    /// lost.
    Replaced,
}

/// Merges changes into the metadata of a secret.
///
/// # Errors
///
/// Fails if Vault does not accept the changes. A permanent refusal is the one of the merge, even if
/// the fallback was refused as well.
pub(in crate::provider) async fn note(
    store: &Store,
    secret: &SecretPath,
    changes: &Changes,
) -> Result<Noted, VaultError> {
    let refusal = match store.patch_metadata(secret, changes).await {
        Ok(()) => return Ok(Noted::Merged),
        Err(error) if error.refuses_for_good() => error,
        Err(error) => return Err(error),
    };
    let unless_refused = |error: VaultError| {
        if error.refuses_for_good() {
            refusal.clone()
        } else {
            error
        }
    };
    let _turn = store.metadata_turn(secret).await?;
    let mut metadata = store
        .read_metadata(secret)
        .await
        .map_err(unless_refused)?
        .custom_metadata;
    apply(&mut metadata, changes);
    store
        .replace_metadata(secret, &metadata)
        .await
        .map_err(unless_refused)?;
    Ok(Noted::Replaced)
}

/// Applies changes to metadata that was read.
pub(in crate::provider) fn apply(metadata: &mut BTreeMap<String, String>, changes: &Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => metadata.insert(key.clone(), value.clone()),
            None => metadata.remove(key),
        };
    }
}

/// Returns whether the changes fit into the metadata: Vault limits the number of keys.
pub(in crate::provider) fn fits(metadata: &BTreeMap<String, String>, changes: &Changes) -> bool {
    let added =
        |(key, value): &(&String, &Option<String>)| value.is_some() && !metadata.contains_key(*key);
    let removed =
        |(key, value): &(&String, &Option<String>)| value.is_none() && metadata.contains_key(*key);
    let added = changes.iter().filter(added).count();
    let removed = changes.iter().filter(removed).count();
    added == 0 || metadata.len() + added - removed <= MAXIMUM_KEYS
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
    /// The label that the user gave it.
    pub(in crate::provider) account: Option<String>,
    /// The last verdict on it, if that was recorded elsewhere.
    pub(in crate::provider) verdict: Option<Verdict>,
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
            account: None,
            verdict: None,
        }
    }

    /// Adds what is recorded about a promoted token at the spare that it came from, unless the
    /// promotion has done so already.
    pub(in crate::provider) async fn completed(
        self,
        observer: &Observer,
        place: Place<'_>,
        custom_metadata: &BTreeMap<String, String>,
        vault_now: Timestamp,
    ) -> Self {
        let Some(next) = Next::live(place.field, custom_metadata, &self.fingerprint) else {
            return self;
        };
        let mount = place.secret.mount();
        let spare = next
            .rotated_from
            .and_then(|path| SecretPath::new(mount, &path).ok());
        let Some(secret) = spare else {
            return self;
        };
        let Ok(observed) = observer.observe(&secret).await else {
            return self;
        };
        let Observed::Present(document) = &*observed else {
            return self;
        };
        let spare = Found {
            place: Place {
                secret: &secret,
                ..place
            },
            document,
            fingerprint: self.fingerprint,
        };
        Self {
            account: spare.stamp().and_then(|stamp| stamp.account),
            verdict: Verdict::read(place.field, custom_metadata)
                .is_none_or(|verdict| verdict.fingerprint != self.fingerprint.short())
                .then(|| spare.verdict(vault_now))
                .flatten(),
            ..self
        }
    }

    /// Keeps the label of a token that is already stamped.
    pub(in crate::provider) fn with_account_in(
        self,
        field: &str,
        custom_metadata: &BTreeMap<String, String>,
    ) -> Self {
        let stamp = || Stamp::live(field, custom_metadata, &self.fingerprint);
        let account = self.account.clone().or_else(|| stamp()?.account);
        Self { account, ..self }
    }

    /// Returns the changes that stamp the token in this metadata. If this token was announced, the
    /// token before it is retired and the announcement is removed. An announcement of another token
    /// loses a request that was withdrawn since.
    pub(in crate::provider) fn changes_in(
        &self,
        field: &str,
        custom_metadata: &BTreeMap<String, String>,
        mut retired: RetiredTokens,
    ) -> Changes {
        let mut changes = self
            .clone()
            .with_account_in(field, custom_metadata)
            .changes(field);
        let next = Next::read(field, custom_metadata);
        let next = next.map(|next| {
            if next.fingerprint == self.fingerprint.short() {
                retired.extend(next.replaces);
                None
            } else {
                let requested = next.requested.and(self.requested);
                Some(Next { requested, ..next }.to_value())
            }
        });
        changes.extend(next.map(|next| (stamp_key(field, key::NEXT), next)));
        retired.extend(RetiredTokens::read(field, custom_metadata).iter().copied());
        let lifetime = self.expires_at.duration_since(self.minted_at);
        let born_after = clock::now().saturating_sub(lifetime);
        if let Some(retired) = retired.to_value(born_after.unwrap_or(Timestamp::MIN)) {
            changes.insert(stamp_key(field, key::RETIRED), Some(retired));
        }
        changes.retain(|key, value| custom_metadata.get(key) != value.as_ref());
        changes
    }

    /// Returns the keys to merge; what does not apply to this token is removed.
    pub(in crate::provider) fn changes(&self, field: &str) -> Changes {
        let verdict = self.verdict.as_ref().map(ToString::to_string);
        let verdict = verdict.map(|verdict| (key::VERIFIED, Some(verdict)));
        [
            (key::FINGERPRINT, Some(self.fingerprint.short().to_string())),
            (key::MINTED_AT, Some(format_instant(self.minted_at))),
            (key::EXPIRES_AT, Some(format_instant(self.expires_at))),
            (key::ROTATED_FROM, self.rotated_from.clone()),
            (
                key::REQUESTED,
                self.requested.map(|digest| digest.to_string()),
            ),
            (key::ACCOUNT, self.account.clone()),
        ]
        .into_iter()
        .chain(verdict)
        .map(|(key, value)| (stamp_key(field, key), value))
        .collect()
    }

    /// Writes the stamp and the `retired` tokens unless they are already written. If Vault refuses,
    /// returns a warning with what to do.
    pub(in crate::provider) async fn write(
        &self,
        store: &Store,
        place: Place<'_>,
        custom_metadata: &BTreeMap<String, String>,
        retired: RetiredTokens,
    ) -> Option<Diagnostic> {
        let changes = self.changes_in(place.field, custom_metadata, retired);
        if changes.is_empty() {
            return None;
        }
        if !fits(custom_metadata, &changes) {
            return Some(diagnose::metadata_full(place));
        }
        match note(store, place.secret, &changes).await {
            Ok(_) => None,
            Err(error) => Some(diagnose::not_stamped(place, &error, Some(self.minted_at))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_64_keys_are_written() {
        let full: BTreeMap<_, _> = (0..64).map(|n| (n.to_string(), String::new())).collect();
        let changes = |set: &str, removed: Option<&str>| -> Changes {
            [(set.to_owned(), Some("x".to_owned()))]
                .into_iter()
                .chain(removed.map(|key| (key.to_owned(), None)))
                .collect()
        };
        assert!(fits(&full, &changes("7", None)));
        assert!(!fits(&full, &changes("new", None)));
        assert!(!fits(&full, &changes("new", Some("absent"))));
        assert!(fits(&full, &changes("new", Some("7"))));
        assert!(fits(&BTreeMap::new(), &changes("new", None)));
    }
}

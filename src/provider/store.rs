//! Storing a given token: checked first, merged into the document, under check-and-set.

mod current;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(in crate::provider) use current::Replaces;

use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::{Content, Observation, Observer};
use crate::provider::promotion::{Marked, Promotion};
use crate::provider::secrets::stamps::{fits, note};
use crate::sdk::Diagnostics;
use crate::secret::Secret;
use crate::token::check::{Check, check, trim};
use crate::token::fingerprint::{Fingerprint, ShortFingerprint};
use crate::token::history::PastVersion;
use crate::token::metadata::{key, stamp_key};
use crate::token::retired::Retired;
use crate::token::stamp::{Next, Stamp};
use crate::vault::{NewDocument, Revision, VaultError, WriteError};
use current::{before, holds, read};

/// How many writes of other clients may interfere.
const WRITES: usize = 3;

/// How a token is stored.
#[derive(Clone, Copy)]
pub(in crate::provider) struct Storing<'a> {
    /// Which token may be replaced.
    pub(in crate::provider) replaces: Replaces,
    /// Whether to write stamps.
    pub(in crate::provider) stamps: bool,
    /// When the token was minted, if that was given.
    pub(in crate::provider) minted_at: Option<Timestamp>,
    /// The request that the token answers.
    pub(in crate::provider) request: Option<ShortFingerprint>,
    /// What marks the spares of the primary.
    pub(in crate::provider) promotion: Option<&'a Promotion<'a>>,
    /// Whether a length that no working token is known to have is accepted.
    pub(in crate::provider) any_length: bool,
}

impl Storing<'_> {
    /// Stores with a stamp, without a date or request.
    pub(in crate::provider) fn over(replaces: Replaces) -> Self {
        Self {
            replaces,
            stamps: true,
            minted_at: None,
            request: None,
            promotion: None,
            any_length: false,
        }
    }

    /// Reports whether the same token is written again: Vault will delete this version, and a new
    /// version lasts as long as the current setting allows.
    fn prolongs(&self, seen: &Observation) -> bool {
        let is_own = matches!(self.replaces, Replaces::Anything | Replaces::Recorded(_));
        is_own && seen.deletion_at.is_some()
    }
}

/// The result of storing a token.
#[derive(Debug)]
pub(in crate::provider) struct Stored {
    /// What to report to the user.
    pub(in crate::provider) diagnostics: Diagnostics,
    /// The token.
    pub(in crate::provider) fingerprint: Fingerprint,
    /// What the field held before.
    pub(in crate::provider) before: Content,
    /// When the version that a write of ours replaced was written.
    replaced_at: Option<Timestamp>,
    /// Whether a write has just brought the token that nobody has reported yet: the one of this
    /// call, or one whose outcome was lost.
    pub(in crate::provider) is_unreported: bool,
    /// The version that holds the token now.
    pub(in crate::provider) now: Holding,
}

impl Stored {
    /// Returns the version that holds the token now.
    pub(in crate::provider) fn version(&self) -> u64 {
        match &self.now {
            Holding::Found(seen) => seen.version,
            Holding::Written(written) => written.version,
        }
    }

    /// Returns what the version before a write of ours held, which the write may have pruned;
    /// `None` if nothing was written, or if another token is current by now.
    pub(in crate::provider) fn version_before(&self, current: Fingerprint) -> Option<PastVersion> {
        let created_at = self.replaced_at?;
        (self.fingerprint == current).then_some(PastVersion::Readable {
            created_at,
            fingerprint: match self.before {
                Content::Token { fingerprint, .. } => Some(fingerprint),
                _ => None,
            },
        })
    }
}

/// The version that holds a token that was to be stored.
#[derive(Debug)]
pub(in crate::provider) enum Holding {
    /// A version that already held the token.
    Found(Observation),
    /// A new version.
    Written(Revision),
}

/// Stores a token unless the field already holds it. Sibling fields stay unchanged to the byte, and
/// the previous value of the field stays in the KV history.
///
/// # Errors
///
/// Fails if the value is not a token, if the field holds a value that may not be replaced, or if
/// Vault refuses.
pub(in crate::provider) async fn store(
    configured: &Configured,
    observer: &Observer,
    place: Place<'_>,
    token: &Secret,
    storing: Storing<'_>,
) -> Result<Stored, Diagnostic> {
    let Wanted {
        token,
        fingerprint,
        mut diagnostics,
    } = Wanted::of(place, token, storing.any_length)?;
    let turn = observer.store().turn(place.secret).await;
    let _turn = turn.map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let mut refused = None;
    let mut unanswered = false;
    for _ in 0..WRITES {
        let seen = read(observer, place, refused).await?;
        let before = before(place, seen.as_ref(), fingerprint, storing.replaces)?;
        let before_write = seen.as_ref().map(|(document, _)| Observation::of(document));
        let (document, cas, replaced_at) = match seen {
            Some((_, seen)) if holds(before, fingerprint) && !storing.prolongs(&seen) => {
                let next = Next::live(place.field, &seen.custom_metadata, &fingerprint);
                return Ok(Stored {
                    is_unreported: unanswered || next.is_some(),
                    diagnostics,
                    fingerprint,
                    before,
                    replaced_at: None,
                    now: Holding::Found(seen),
                });
            }
            Some((document, seen)) => (
                document.with_field(place.field, &token),
                seen.version,
                Some(seen.created_at),
            ),
            None => (NewDocument::of_field(place.field, &token), 0, None),
        };
        if configured.is_rehearsed() {
            return Err(diagnose::not_stored_while_rehearsed(place));
        }
        let marks = match storing.promotion.filter(|_| storing.stamps) {
            Some(promotion) => {
                let seen = before_write.as_ref();
                let marked = promotion
                    .mark_for_store(seen, &fingerprint, &mut diagnostics)
                    .await?;
                Some((promotion, marked))
            }
            None => None,
        };
        let is_new = !holds(before, fingerprint);
        if let Some(seen) = before_write.filter(|_| storing.stamps && is_new) {
            let metadata = &seen.custom_metadata;
            announce(observer, place, fingerprint, before, metadata, storing).await?;
        }
        let latest = marks
            .as_ref()
            .map_or(Some(Timestamp::MAX), |(promotion, marked)| {
                promotion.latest(marked)
            });
        let Some(latest) = latest else {
            unmark(marks).await;
            return Err(diagnose::vault_error(
                &VaultError::Overdue,
                &place.to_string(),
            ));
        };
        let store = observer.store();
        let written = store.write(place.secret, &document, cas, latest).await;
        observer.forget(place.secret);
        match written {
            Ok(written) => {
                if let Some((promotion, marked)) = &marks {
                    promotion
                        .stored(marked, &fingerprint, &mut diagnostics)
                        .await;
                }
                return Ok(Stored {
                    is_unreported: true,
                    diagnostics,
                    fingerprint,
                    before,
                    replaced_at,
                    now: Holding::Written(written),
                });
            }
            Err(failure) => {
                unanswered = failure.unanswered;
                if !unanswered {
                    unmark(marks).await;
                }
                match failure.error {
                    WriteError::CasMismatch => refused = Some(cas),
                    _ => return Err(diagnose::write_failure(place, &failure)),
                }
            }
        }
    }
    Err(diagnose::too_busy(place))
}

/// Removes the marks for a write that is known not to have happened.
async fn unmark(marks: Option<(&Promotion<'_>, Marked)>) {
    if let Some((promotion, marked)) = marks {
        promotion.unmark(&marked).await;
    }
}

/// Writes the stamp of the new token, so that the token before it is retired even if its
/// replacement is never confirmed. If the metadata cannot be written, the token is stored anyway.
async fn announce(
    observer: &Observer,
    place: Place<'_>,
    token: Fingerprint,
    before: Content,
    metadata: &BTreeMap<String, String>,
    storing: Storing<'_>,
) -> Result<(), Diagnostic> {
    let replaced = match before {
        Content::Token { fingerprint, .. } => Some(fingerprint),
        _ => None,
    };
    let next = Next {
        fingerprint: token.short(),
        minted_at: storing.minted_at,
        requested: storing.request,
        replaces: replaced.map(|replaced| {
            let stamp = Stamp::live(place.field, metadata, &replaced);
            Retired::new(&replaced, stamp.and_then(|stamp| stamp.minted_at))
        }),
        rotated_from: None,
    };
    let key = stamp_key(place.field, key::NEXT);
    let changes = [(key, Some(next.to_value()))].into();
    if !fits(metadata, &changes) {
        return Ok(());
    }
    match note(observer.store(), place.secret, &changes).await {
        Ok(_) => Ok(()),
        Err(error) if error.refuses_for_good() => Ok(()),
        Err(error) => Err(diagnose::vault_error(&error, &place.to_string())),
    }
}

/// Checks whether a token could be stored, and writes nothing.
///
/// # Errors
///
/// Fails if [`store`] would fail before it writes.
pub(in crate::provider) async fn check_only(
    observer: &Observer,
    place: Place<'_>,
    token: &Secret,
    replaces: Replaces,
) -> Result<(), Diagnostic> {
    let wanted = Wanted::of(place, token, false)?;
    let seen = read(observer, place, None).await?;
    before(place, seen.as_ref(), wanted.fingerprint, replaces).map(drop)
}

/// A token that was checked.
struct Wanted {
    token: Secret,
    fingerprint: Fingerprint,
    diagnostics: Diagnostics,
}

impl Wanted {
    fn of(place: Place<'_>, token: &Secret, any_length: bool) -> Result<Self, Diagnostic> {
        let (text, trimmed) = trim(token.expose());
        let fingerprint = match check(text) {
            Check::Valid {
                unproven: Some(length),
                ..
            } if !any_length => return Err(diagnose::unproven_not_stored(place, length)),
            Check::Valid { fingerprint, .. } => fingerprint,
            Check::Malformed(malformed) => {
                return Err(diagnose::no_token_to_store(place, malformed.problem));
            }
        };
        let mut diagnostics = Diagnostics::new();
        if trimmed {
            diagnostics.push(diagnose::trimmed(place));
        }
        Ok(Self {
            token: Secret::new(text),
            fingerprint,
            diagnostics,
        })
    }
}

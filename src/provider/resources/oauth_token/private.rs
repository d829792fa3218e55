//! The private state of `claude_oauth_token`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::model::OauthToken;
use crate::protocol::Number;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::Deletion;
use crate::provider::observe::unusable::Unusable;
use crate::provider::promotion::Remembered;
use crate::provider::secrets::date::Found;
use crate::sdk::Field;
use crate::token::expiry::{Dates, Status};
use crate::token::retired::{Retired, RetiredTokens};
use crate::token::stamp::Next;

/// Private state: facts that a plan needs and a user does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::provider) struct Private {
    /// When the KV version in which the token was first seen here was created.
    pub(super) created_at: Option<Timestamp>,
    /// When Vault will delete that version automatically, according to
    /// [`Dates::deletion_of_known`].
    pub(super) deletion_at: Option<Timestamp>,
    /// When the version that `deletion_at` refers to was written, unless it is `created_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deletion_of: Option<Timestamp>,
    /// Why the value is not usable.
    pub(super) problem: Option<Unusable>,
    /// The last token that passed the check, if the current value does not.
    pub(super) last_good: Option<LastGood>,
    /// The spares that could be promoted when the last refresh found the token due, the best one
    /// first.
    pub(super) usable: Vec<String>,
    /// Whether the last refresh read the spares and found none that could be promoted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) none_usable: bool,
    /// How far the import that created this state has come; `None` once it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) import: Option<Import>,
    /// The tokens that the field held before, in the format of stamps. They count even if the
    /// metadata of the secret is wiped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) retired: Vec<String>,
    /// Whether the metadata of the secret never had such a list, as far as is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) retired_unlisted: bool,
    /// Whether an apply stamped the current token.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_stamped: bool,
    /// Whether the current token came after the one that `token_minted_at` was set for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_later: bool,
    /// A request that no spare could answer.
    pub(super) open_request: Option<OpenRequest>,
    /// Whether the provider's mount was not known at the refresh. The plan then keeps the mount in
    /// state, and so must the plan that follows within the apply, when the mount is known.
    pub(super) mount_unknown: bool,
}

/// How far an import has come. Its plan does not treat any argument as a request, and a host may
/// plan an import without the refresh that follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Import {
    /// The id is resolved; the refresh that belongs to the import comes next.
    Named,
    /// That refresh has happened: the next apply or the next refresh ends the import.
    Read,
}

impl Import {
    /// Returns how far the import has come after a refresh.
    pub(super) fn after_refresh(self) -> Option<Self> {
        match self {
            Self::Named => Some(Self::Read),
            Self::Read => None,
        }
    }
}

/// A request for a rotation that is still open, and the token that it was about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenRequest {
    /// Digest of the request.
    pub(super) request: String,
    /// The token that was to be replaced.
    pub(super) fingerprint: Option<String>,
}

/// A token that was recorded as good, and everything that was known about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LastGood {
    pub(super) fingerprint: String,
    kv_version: Option<i64>,
    minted_at: Option<String>,
    minted_at_source: Option<String>,
    rotated_from: Option<String>,
}

impl LastGood {
    /// Reads it from a state.
    pub(super) fn of(state: &OauthToken) -> Option<Self> {
        Some(Self {
            fingerprint: state.fingerprint.known()?.clone(),
            kv_version: state.kv_version.known().and_then(Number::as_i64),
            minted_at: state.minted_at.known().cloned(),
            minted_at_source: state.minted_at_source.known().cloned(),
            rotated_from: state.rotated_from.known().cloned(),
        })
    }

    /// Restores it in a state.
    pub(super) fn restore(&self, state: &mut OauthToken) {
        state.fingerprint = Field::text(&self.fingerprint);
        state.kv_version = self.kv_version.map(Number::from).into();
        state.minted_at = self.minted_at.clone().into();
        state.minted_at_source = self.minted_at_source.clone().into();
        state.rotated_from = self.rotated_from.clone().into();
    }
}

/// Returns retired tokens in the format of private state.
pub(super) fn entries(retired: &RetiredTokens) -> Vec<String> {
    retired.iter().map(ToString::to_string).collect()
}

impl Private {
    /// Reports whether the plan or apply at hand belongs to an import.
    pub(super) fn is_import(&self) -> bool {
        self.import.is_some()
    }

    /// Reports whether the last refresh read the spares, as far as the token may be replaced.
    pub(super) fn has_read_spares(&self) -> bool {
        self.is_gone() || self.none_usable || !self.usable.is_empty()
    }

    /// Reports whether the secret itself was gone at the last refresh, so that no spare can help.
    pub(super) fn is_gone(&self) -> bool {
        self.problem.as_ref().is_some_and(Unusable::is_gone)
    }

    /// Returns what is remembered about tokens, which counts as much as the bookkeeping in Vault.
    pub(super) fn remembered(&self) -> Remembered {
        Remembered {
            retired: self
                .retired
                .iter()
                .filter_map(|entry| entry.parse().ok())
                .collect(),
            ..Remembered::default()
        }
    }

    /// Records the tokens that the field held before: those that the metadata lists or announces as
    /// replaced, and the one that this state knew until now.
    pub(super) fn note_retired(&mut self, found: Found<'_>, replaced: Option<Retired>) {
        let (field, metadata) = (found.place.field, &found.document.custom_metadata);
        let mut retired = self.remembered().retired;
        let listed = RetiredTokens::read(field, metadata);
        let was_listed = self.lists_retired() || !listed.is_empty();
        retired.extend(listed.iter().copied());
        let next = Next::live(field, metadata, &found.fingerprint);
        retired.extend(next.and_then(|next| next.replaces));
        retired.extend(replaced);
        self.retired_unlisted = !was_listed && !retired.is_empty();
        self.retired = entries(&retired);
    }

    /// Reports whether the metadata of the secret listed the tokens that the field held before.
    pub(super) fn lists_retired(&self) -> bool {
        !self.retired.is_empty() && !self.retired_unlisted
    }

    /// Forgets what was known about the spares.
    pub(super) fn forget_spares(&mut self) {
        self.usable = Vec::new();
        self.none_usable = false;
    }

    /// Reports whether the token that an open request was about has been replaced manually, which
    /// answers the request.
    pub(super) fn has_answer(&self, state: &OauthToken, asking: &OauthToken) -> bool {
        let request = asking.request_digest().map(|digest| digest.to_string());
        self.open_request.as_ref().is_some_and(|open| {
            Some(&open.request) == request.as_ref()
                && state.fingerprint.known().is_some()
                && state.fingerprint.known() != open.fingerprint.as_ref()
        })
    }

    /// Records the facts of a token with its mint time in `state`, and computes its dates and its
    /// status there. A known token keeps what was first seen with it, even if its siblings change.
    pub(super) fn note_token(
        &mut self,
        state: &mut OauthToken,
        found: Found<'_>,
        known: bool,
        configured: &Configured,
    ) -> Option<Dates> {
        let now = configured.now();
        let deletion_at = found.document.deletion_at;
        if !known || self.created_at.is_none() {
            self.created_at = Some(found.document.created_at);
            self.deletion_at = deletion_at;
            self.deletion_of = None;
        } else if let Some((minted_at, lifetime)) = state.life() {
            let kept = self.deletion_at;
            self.deletion_at =
                Dates::deletion_of_known(minted_at, lifetime, kept, deletion_at, now);
            if self.deletion_at != kept {
                self.deletion_of = deletion_at.map(|_| found.document.created_at);
            }
        }
        self.problem = None;
        self.last_good = None;
        let dates = state.set_dates(self.deletion_at);
        let verdict = found.verdict(configured.server_now());
        state.set_status_at(dates.as_ref(), verdict.as_ref(), now);
        dates
    }
}

impl OauthToken {
    /// Returns the deletion of the token's version, if it ends the token before its lifetime does,
    /// or would make a new version due at once.
    pub(super) fn deletion(&self, private: &Private) -> Option<Deletion> {
        let (minted_at, lifetime) = self.life()?;
        let at = private.deletion_at?;
        let written_at = private.deletion_of.or(private.created_at)?;
        let at_once = lifetime.is_due_at_once(written_at, Some(at));
        let counts = at_once || Dates::ends_with_version(minted_at, lifetime, Some(at));
        counts.then_some(Deletion { at, at_once })
    }

    /// Reports whether a plan asks for an apply that fails while there is no token.
    pub(super) fn fails_without_token(&self) -> bool {
        self.on_rotation_due.as_str() == Some("plan")
    }

    /// Returns the status of a token that a spare may replace: a refresh reads the spares then.
    pub(super) fn replaceable(&self, private: &Private) -> Option<Status> {
        let has_spares = self
            .known_spare_paths()
            .is_some_and(|paths| !paths.is_empty());
        let may = has_spares && self.fails_without_token();
        let at_once = || {
            self.deletion(private)
                .is_some_and(|deletion| deletion.at_once)
        };
        self.known_status()
            .filter(|status| may && status.is_due() && !(status.is_by_date() && at_once()))
    }
}

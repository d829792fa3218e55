//! Refresh: what the token in Vault is now, and whether it is due.

use super::model::OauthToken;
use super::private::{Import, LastGood, Private};
use super::{OauthTokenResource, secret};
use crate::protocol::{Diagnostic, Number};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Place, Replaced};
use crate::provider::observe::unusable::Unusable;
use crate::provider::observe::{Content, Observation, Observed, Observer};
use crate::provider::promotion::{Promotion, Reason, Target};
use crate::provider::secrets::date::{Found, Traces, date_traced};
use crate::provider::secrets::stamps::{NewStamp, fits};
use crate::sdk::{Diagnostics, Failure, Field, Read, ReadRequest};
use crate::token::expiry::{Dates, Status};
use crate::token::metadata::{key, stamp_key};
use crate::token::mint::{MintFacts, MintSource};
use crate::token::name::HIDDEN;
use crate::token::paths::validate_path;
use crate::token::retired::{Retired, RetiredTokens};
use crate::token::stamp::Next;

/// Reads the secret, or without Vault compares the dates in state with the clock.
pub(super) async fn read(
    configured: &Configured,
    request: ReadRequest<OauthTokenResource>,
) -> Result<Read<OauthTokenResource>, Failure> {
    let ReadRequest { state, mut private } = request;
    let mut state = state.with_defaults(configured);
    private.import = private.import.and_then(Import::after_refresh);
    private.mount_unknown = configured.leaves_mount(&state.mount, private.mount_unknown);
    let mut refresh = Refresh {
        configured,
        state: &mut state,
        private: &mut private,
        diagnostics: Diagnostics::new(),
    };
    match configured.observer() {
        Ok(observer) => refresh.run(observer).await?,
        Err(unknown) => refresh.judge_without_vault(unknown),
    }
    let diagnostics = refresh.diagnostics;
    if state.known_status() != Some(Status::InDate) {
        state.rotation_reason = Field::Null;
    }
    Ok(Read {
        state,
        private,
        diagnostics,
    })
}

/// A refresh in progress. Private state changes only if the token or its dates do, because a host
/// reports any change there as drift.
struct Refresh<'a> {
    configured: &'a Configured,
    state: &'a mut OauthToken,
    private: &'a mut Private,
    diagnostics: Diagnostics,
}

impl Refresh<'_> {
    async fn run(&mut self, observer: &Observer) -> Result<(), Failure> {
        let Some(secret) = secret(self.state) else {
            return Err(incomplete().into());
        };
        let field = self.state.field.as_str().unwrap_or_default().to_owned();
        let place = Place {
            secret: &secret,
            field: &field,
        };
        let observed = observer
            .observe(&secret)
            .await
            .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
        observer.note_refresh(place.to_string());
        self.diagnostics.extend(self.configured.skew_warning());
        self.private.forget_spares();
        let mut present = None;
        match &*observed {
            Observed::Present(document) => {
                present = Some(document);
                self.present(observer, place, document).await?;
            }
            Observed::Deleted { .. } | Observed::Destroyed { .. } | Observed::Absent => {
                self.gone(place, Unusable::at(&observed, place.field, None));
            }
        }
        if let (Some(status), Some(document)) = (self.state.replaceable(self.private), present) {
            self.read_spares(observer, place, status, document).await;
        }
        Ok(())
    }

    /// Handles a secret that exists; its field may still hold anything.
    async fn present(
        &mut self,
        observer: &Observer,
        place: Place<'_>,
        document: &Observation,
    ) -> Result<(), Failure> {
        // What was good before a bad paste is still good once it is put back.
        if self.state.recorded().is_none()
            && let Some(last_good) = &self.private.last_good
        {
            let recorded = last_good.fingerprint.parse().ok();
            if matches!(
                document.field(place.field, recorded.as_ref()),
                Content::Token { fingerprint, .. } if Some(fingerprint) == recorded
            ) {
                last_good.restore(self.state);
            }
        }
        let recorded = self.state.recorded();
        let content = document.field(place.field, recorded.as_ref());
        let Content::Token { fingerprint, .. } = content else {
            self.gone(place, Unusable::of(content));
            return Ok(());
        };
        let found = Found {
            place,
            document,
            fingerprint,
        };
        let known = recorded == Some(fingerprint);
        let replaced = recorded.filter(|_| !known).map(|fingerprint| Replaced {
            fingerprint,
            // It may have changed since the last refresh.
            status: None,
            is_pruned: false,
            is_in_use: false,
        });
        let facts = MintFacts {
            prior: known.then(|| self.state.dated()).flatten(),
            retired: self
                .private
                .remembered()
                .retired
                .minted_at(fingerprint.short()),
            ..MintFacts::default()
        };
        let traces = Traces {
            spare_paths: &self.state.known_spare_paths().unwrap_or_default(),
            before: None,
        };
        let dated = date_traced(observer, found, facts, traces).await?;
        self.diagnostics.extend(dated.warnings(place));
        let before = recorded
            .filter(|_| !known)
            .map(|before| Retired::new(&before, self.state.dated().map(|dated| dated.at)));
        self.private.note_retired(found, before);
        let retired = self.private.remembered().retired;
        self.diagnostics
            .extend(diagnose::came_back(place, &fingerprint, &retired));
        self.diagnostics.extend(diagnose::form(place, content));
        record(self.state, found, known);
        let mut origin = None;
        if !known && found.stamp().is_none() {
            origin = self.origin_of(observer, found).await;
            self.state.rotated_from = origin.clone().into();
        }
        self.private.is_stamped &= known;
        let is_later = !known && (recorded.is_some() || self.private.last_good.is_some());
        self.private.is_later |= is_later;
        self.state.set_minted(dated.minted.at, dated.minted.source);
        let dates = self
            .private
            .note_token(self.state, found, known, self.configured);
        if is_later {
            self.report_unrecorded(found, origin, replaced);
        }
        // For a token that is due, the plan reports it.
        if let Some(deletion) = self.state.deletion(self.private)
            && self.state.known_status() == Some(Status::InDate)
        {
            self.diagnostics
                .push(diagnose::deleted_early(place, deletion.at));
        }
        if let Some(dates) = dates.filter(|_| self.state.stamp_metadata.known() != Some(&false)) {
            self.report_wiped(found, known, &dates);
        }
        Ok(())
    }

    /// Reports a rotation that no apply has reported: the token is current, but only the entry that
    /// announced it or the mark of the spare at `origin` shows where it came from.
    fn report_unrecorded(
        &mut self,
        found: Found<'_>,
        origin: Option<String>,
        replaced: Option<Replaced>,
    ) {
        let (place, metadata) = (found.place, &found.document.custom_metadata);
        let next = Next::live(place.field, metadata, &found.fingerprint);
        let (spare, replaces) = next.map_or((origin, None), |next| {
            // Anyone who may write metadata can put any text there.
            let is_shown = |spare: &String| spare != HIDDEN && validate_path(spare).is_ok();
            (next.rotated_from.filter(is_shown), next.replaces)
        });
        if let Some(spare) = spare {
            let replaced = replaced.filter(|replaced| {
                replaces.is_some_and(|retired| retired.fingerprint == replaced.fingerprint.short())
            });
            let expires_at = self.state.expires_at.as_str();
            let version = found.document.version;
            let rotated = diagnose::rotated(place, &spare, version, expires_at, replaced);
            self.diagnostics
                .push(diagnose::rotation_unrecorded(place, rotated));
        }
    }

    /// Returns whether the metadata are known to have had a stamp of this token.
    fn was_stamped(&self) -> bool {
        let source = self
            .state
            .minted_at_source
            .as_str()
            .and_then(MintSource::parse);
        source == Some(MintSource::Stamp) || self.private.is_stamped
    }

    /// Reports that the stamp of a token or the list of earlier tokens is gone, with the command
    /// that restores it, or that there is no room for it.
    fn report_wiped(&mut self, found: Found<'_>, known: bool, dates: &Dates) {
        let Place { field, .. } = found.place;
        let metadata = &found.document.custom_metadata;
        let lacks_stamp = known && found.stamp().is_none();
        let lacks_retired =
            self.private.lists_retired() && RetiredTokens::read(field, metadata).is_empty();
        if !lacks_stamp && !lacks_retired {
            return;
        }
        let stamp = NewStamp {
            rotated_from: self.state.rotated_from.known().cloned(),
            requested: self.state.request_digest(),
            ..NewStamp::new(found.fingerprint, dates)
        };
        let retired = self.private.remembered().retired;
        let mut changes = stamp.changes_in(field, metadata, retired);
        if !lacks_stamp {
            let retired = stamp_key(field, key::RETIRED);
            changes.retain(|key, _| *key == retired);
        }
        if !fits(metadata, &changes) {
            self.diagnostics.push(diagnose::metadata_full(found.place));
        } else if lacks_retired || self.was_stamped() {
            let entries = changes
                .iter()
                .filter_map(|(key, value)| Some((key, value.as_ref()?)));
            self.diagnostics
                .push(diagnose::bookkeeping_gone(found.place, entries));
        }
    }

    /// Records that there is no usable token. A missing one keeps its dates, so that nothing that
    /// depends on them changes before a new token exists. A value that fails the check has neither
    /// fingerprint nor dates.
    fn gone(&mut self, place: Place<'_>, problem: Option<Unusable>) {
        let status = problem.as_ref().map_or(Status::Missing, Unusable::status);
        self.diagnostics.extend(
            problem.as_ref().map(|problem| {
                diagnose::unusable(place, problem, self.state.fails_without_token())
            }),
        );
        if status == Status::Malformed {
            if let Some(good) = LastGood::of(self.state) {
                self.private.last_good = Some(good);
            }
            let state = &mut *self.state;
            state.fingerprint = Field::Null;
            state.minted_at = Field::Null;
            state.minted_at_source = Field::Null;
            state.expires_at = Field::Null;
            state.rotate_at = Field::Null;
            state.expires_at_unix = Field::Null;
            state.rotated_from = Field::Null;
        }
        self.private.problem = problem;
        self.state.status = Field::text(status.as_str());
    }

    /// Reads the spares of a token that is due. If that fails, the choice is left to the apply.
    async fn read_spares(
        &mut self,
        observer: &Observer,
        place: Place<'_>,
        status: Status,
        document: &Observation,
    ) {
        let reason = Reason::Status(status);
        let paths = self.state.known_spare_paths().unwrap_or_default();
        let promotion = self.promotion(observer, place, &paths, reason);
        let Some(promotion) = promotion else {
            return;
        };
        let target = Target {
            token: self.state.recorded(),
            version: document.version,
            custom_metadata: &document.custom_metadata,
            purpose: reason.purpose(),
        };
        match promotion.choose(&target).await {
            Ok(choice) => {
                self.private.usable = choice.paths().map(str::to_owned).collect();
                self.private.none_usable = self.private.usable.is_empty();
            }
            Err(stop) => {
                self.diagnostics
                    .push(diagnose::spares_not_seen(place, stop.into_error().detail));
            }
        }
    }

    /// Returns the spare that a token without a stamp was promoted from, if a mark there shows it.
    async fn origin_of(&self, observer: &Observer, found: Found<'_>) -> Option<String> {
        let paths = self.state.known_spare_paths()?;
        let reason = Reason::Requested;
        let promotion = self.promotion(observer, found.place, &paths, reason)?;
        promotion.origin_of(found.fingerprint).await
    }

    /// Returns a promotion that is only asked what it would do.
    fn promotion<'a>(
        &'a self,
        observer: &'a Observer,
        place: Place<'a>,
        paths: &'a [String],
        reason: Reason,
    ) -> Option<Promotion<'a>> {
        let promotion = self
            .state
            .promotion(self.configured, observer, place, paths, reason);
        Some(Promotion {
            remembered: self.private.remembered(),
            request: None,
            stamps: false,
            reread: false,
            ..promotion.filter(|_| !paths.is_empty())?
        })
    }

    /// Compares the dates that are in state with the clock.
    fn judge_without_vault(&mut self, unknown: &str) {
        let id = self.state.id.as_str().unwrap_or_default();
        self.diagnostics
            .push(diagnose::refreshed_without_vault(id, unknown));
        let dated = matches!(
            self.state.known_status(),
            Some(Status::InDate | Status::RotationDue | Status::Expired)
        );
        if dated {
            let before = self.state.status.clone();
            let dates = self.state.dates(self.private.deletion_at);
            self.state
                .set_status_at(dates.as_ref(), None, self.configured.now());
            // Which spares can be promoted depends on the status.
            if self.state.status != before {
                self.private.forget_spares();
            }
        }
    }
}

/// Records which token it is. A token that is already known keeps its version.
pub(super) fn record(state: &mut OauthToken, found: Found<'_>, known: bool) {
    state.fingerprint = Field::text(found.fingerprint.to_string());
    if !known || state.kv_version.known().is_none() {
        state.kv_version = Field::Known(Number::from(found.document.version));
    }
    if !known {
        state.rotated_from = found.stamp().and_then(|stamp| stamp.rotated_from).into();
    }
}

fn incomplete() -> Diagnostic {
    Diagnostic::error(
        "State does not contain the secret's path",
        "mount and path are missing from state, so there is nothing to read. Remove the resource \
         from state (`terraform state rm`) and import it again.",
    )
}

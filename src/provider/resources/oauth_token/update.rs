//! Changes of arguments and stores.

mod rotate;

use tokio_util::sync::CancellationToken;

use super::change::{Change, Redate};
use super::model::OauthToken;
use super::private::Private;
use super::read::record;
use super::record::{configured_mint, stamp, unnamed, wanted};
use super::{OauthTokenResource, secret};
use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Place, Replaced, StoredToken};
use crate::provider::observe::{Content, Observed, Observer};
use crate::provider::promotion::{Promotion, Reason};
use crate::provider::secrets::date::{Found, Traces, date_traced};
use crate::provider::store::{Replaces, Stored, store};
use crate::sdk::{Applied, ApplyRequest, Context, Diagnostics, Failure, Field};
use crate::secret::Secret;
use crate::token::expiry::Status;
use crate::token::mint::{Binding, MintFacts, MintSource};
use crate::token::retired::Retired;

/// Carries out a change of arguments, a store, or a rotation.
pub(super) async fn update(
    context: &Context<Configured>,
    prior: &OauthToken,
    request: ApplyRequest<OauthTokenResource>,
) -> Result<Applied<OauthTokenResource>, Failure<Applied<OauthTokenResource>>> {
    let ApplyRequest {
        config,
        planned,
        private,
    } = request;
    let configured = &*context.configured;
    let token = config.token_wo.clone();
    let mut arguments = config.with_defaults(configured);
    if !planned.mount.is_unknown() {
        arguments.mount = planned.mount.clone();
        arguments.id = planned.id.clone();
    }
    arguments.days().lifetime()?;
    let change = Change::between(prior, &arguments, &private);
    let update = Update {
        configured,
        cancelled: &context.cancelled,
        prior,
        planned: &planned,
        imported: private.is_import(),
        arguments,
        private: Private {
            open_request: None,
            import: None,
            ..private
        },
    };
    match change {
        Change::Store => update.store(&token).await,
        Change::Request => update.rotate(Reason::Requested).await,
        Change::Due(_) if update.imported => update.stay(None).await,
        Change::Due(status) if planned.fingerprint.is_unknown() => {
            update.rotate(Reason::Status(status)).await
        }
        Change::Due(status) => update.stay(Some(status)).await,
        Change::Redate(redate) => update.redate(&redate).await,
        Change::Nothing | Change::Unknowable => update.stay(None).await,
    }
}

type Updated = Result<Applied<OauthTokenResource>, Failure<Applied<OauthTokenResource>>>;

/// A change that is carried out.
struct Update<'a> {
    configured: &'a Configured,
    cancelled: &'a CancellationToken,
    prior: &'a OauthToken,
    planned: &'a OauthToken,
    imported: bool,
    arguments: OauthToken,
    private: Private,
}

impl Update<'_> {
    /// The token stays. `due` is set if it should have been replaced but could not be.
    async fn stay(mut self, due: Option<Status>) -> Updated {
        let mut state = self.arguments.clone().with_token_of(self.prior);
        let due = due.filter(|_| state.on_rotation_due.as_str() == Some("plan"));
        state.rotation_reason = match (&self.planned.rotation_reason, due) {
            (Field::Unknown, Some(status)) => Field::text(status.as_str()),
            (Field::Unknown, None) => self.prior.rotation_reason.clone(),
            (planned, _) => planned.clone(),
        };
        let diagnostics = match due {
            Some(status) => self.answer_for(&state, status).await,
            None => stamp(self.configured, &state, &mut self.private)
                .await
                .into_iter()
                .collect(),
        };
        self.finish(state, diagnostics)
    }

    /// Computes the dates of the current token again.
    async fn redate(mut self, redate: &Redate) -> Updated {
        let mut state = self.arguments.clone().with_token_of(self.prior);
        if !redate.minted_at.is_null() && !state.fingerprint.is_null() {
            let bound = match self.private.created_at {
                Some(created_at) => configured_mint(&state, created_at, Binding::Changed)?
                    .map(|configured| configured.at),
                None => redate.minted_at.known().copied(),
            };
            if let Some(at) = bound {
                state.set_minted(at, MintSource::Config);
                self.private.is_later = false;
            }
        }
        let dates = state.set_dates(self.private.deletion_at);
        match self.prior.known_status() {
            Some(Status::Refused | Status::Malformed | Status::Missing) => {}
            _ => state.set_status_at(dates.as_ref(), None, self.configured.now()),
        }
        if !self.planned.rotation_reason.is_unknown() {
            state.rotation_reason = self.planned.rotation_reason.clone();
        }
        let warning = stamp(self.configured, &state, &mut self.private).await;
        self.finish(state, warning.into_iter().collect())
    }

    /// Replaces the token that the state knows with a token from the configuration.
    async fn store(self, token: &Field<Secret>) -> Updated {
        let observer = self
            .configured
            .observer()
            .map_err(|unknown| diagnose::not_configured(unknown, "Storing a token"))?;
        let (Some(secret), Some(field)) = (
            secret(&self.arguments),
            self.arguments.field.known().cloned(),
        ) else {
            return Err(unnamed().into());
        };
        let place = Place {
            secret: &secret,
            field: &field,
        };
        let replaces = Replaces::Recorded(self.prior.recorded());
        let paths = self.arguments.known_spare_paths().unwrap_or_default();
        let reason = Reason::Requested;
        let promotion = self
            .arguments
            .promotion(self.configured, observer, place, &paths, reason)
            .map(|promotion| Promotion {
                remembered: self.private.remembered(),
                ..promotion
            });
        let minted_at = self.arguments.given_mint_time(Some(self.prior));
        let storing = self
            .arguments
            .storing(replaces, minted_at, promotion.as_ref());
        let stored = store(self.configured, observer, place, wanted(token)?, storing).await?;
        let news: Vec<_> = stored
            .is_unreported
            .then(|| place.to_string())
            .into_iter()
            .collect();
        let taken = self.take_stored(observer, place, stored).await;
        taken.map_err(|failure| Failure {
            diagnostics: diagnose::after_stored(failure.diagnostics, &news),
            ..failure
        })
    }

    /// Records the token that was stored.
    async fn take_stored(self, observer: &Observer, place: Place<'_>, stored: Stored) -> Updated {
        let Place { secret, field } = place;
        let (is_unreported, version) = (stored.is_unreported, stored.version());
        let observed = observer
            .observe_again(secret)
            .await
            .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
        let Observed::Present(document) = &*observed else {
            return Err(diagnose::nothing_to_adopt(place, &observed).into());
        };
        let Content::Token { fingerprint, .. } = document.field(field, None) else {
            return Err(diagnose::nothing_to_adopt(place, &observed).into());
        };
        let found = Found {
            place,
            document,
            fingerprint,
        };
        let known = self.prior.recorded() == Some(fingerprint);
        let binding = if self.imported {
            Binding::First
        } else {
            Binding::Changed
        };
        let bound = if self.arguments.token_minted_at == self.prior.token_minted_at {
            None
        } else {
            configured_mint(&self.arguments, document.created_at, binding)?
        };
        let facts = MintFacts {
            configured: bound,
            prior: known.then(|| self.prior.dated()).flatten(),
            retired: self
                .private
                .remembered()
                .retired
                .minted_at(fingerprint.short()),
            ..MintFacts::default()
        };
        let traces = Traces {
            spare_paths: &self.arguments.known_spare_paths().unwrap_or_default(),
            before: stored.version_before(fingerprint),
        };
        let dated = date_traced(observer, found, facts, traces).await?;
        let mut diagnostics = stored.diagnostics;
        diagnostics.extend(dated.warnings(place));
        let mut private = self.private.clone();
        let replaced = self
            .prior
            .recorded()
            .filter(|_| !known)
            .map(|replaced| Retired::new(&replaced, self.prior.dated().map(|dated| dated.at)));
        private.note_retired(found, replaced);
        let retired = private.remembered().retired;
        diagnostics.extend(diagnose::stored_again(place, &fingerprint, &retired));
        private.is_stamped = false;
        private.is_later = bound.is_none() && (private.is_later || !known);
        let mut state = self.arguments.clone().with_token_of(self.prior);
        record(&mut state, found, known);
        state.set_minted(dated.minted.at, dated.minted.source);
        private.note_token(&mut state, found, known, self.configured);
        if !self.planned.rotation_reason.is_unknown() {
            state.rotation_reason = self.planned.rotation_reason.clone();
        }
        diagnostics.extend(stamp(self.configured, &state, &mut private).await);
        if is_unreported {
            let mut replaced = self.replaced().filter(|_| !known);
            if let Some(replaced) = &mut replaced {
                replaced.is_pruned = observer.is_pruned(secret, version - 1).await;
            }
            diagnostics.push(diagnose::stored(&StoredToken {
                place,
                version: document.version,
                expires_at: state.expires_at.as_str(),
                is_dated_by_write: !known && dated.minted.source == MintSource::History,
                is_spare: false,
                replaced,
            }));
        }
        Self { private, ..self }.finish(state, diagnostics)
    }

    /// Returns the token that the state knows, which this change replaces.
    fn replaced(&self) -> Option<Replaced> {
        Some(Replaced {
            fingerprint: self.prior.recorded()?,
            status: self.prior.known_status(),
            is_pruned: false,
            is_in_use: false,
        })
    }

    fn finish(mut self, state: OauthToken, diagnostics: Diagnostics) -> Updated {
        if state.replaceable(&self.private).is_none() {
            // The next refresh finds none, and the host would report that as drift.
            self.private.forget_spares();
        }
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        let applied = Applied {
            state,
            private: self.private,
            diagnostics: Diagnostics::new(),
        };
        if failed {
            return Err(Failure::from(diagnostics).with_state(applied));
        }
        Ok(Applied {
            diagnostics,
            ..applied
        })
    }
}

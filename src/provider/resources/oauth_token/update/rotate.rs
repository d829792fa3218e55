//! Rotations: a spare's token replaces the current one, or a warning says why none does.

use super::super::foresee::foresee;
use super::super::model::OauthToken;
use super::super::private::{OpenRequest, Private, entries};
use super::super::record::unnamed;
use super::super::secret;
use super::{Update, Updated};
use crate::protocol::{Number, Text};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Due, Place, Replaced};
use crate::provider::observe::{Content, Observed};
use crate::provider::promotion::{Current, Foreseen, How, Promotion, Reason};
use crate::provider::secrets::date::Found;
use crate::sdk::{Diagnostics, Field};
use crate::token::expiry::{Status, status_at};
use crate::token::verdict::status_with;

impl Update<'_> {
    /// Replaces the current token with a spare's token.
    pub(super) async fn rotate(self, reason: Reason) -> Updated {
        let observer = self
            .configured
            .observer()
            .map_err(|unknown| diagnose::not_configured(unknown, "A rotation"))?;
        self.arguments.days().lifetime()?;
        let (Some(secret), Some(field)) = (secret(&self.arguments), self.arguments.field.as_str())
        else {
            return Err(unnamed().into());
        };
        let spare_paths = self.arguments.known_spare_paths().unwrap_or_default();
        let place = Place {
            secret: &secret,
            field,
        };
        let arguments = &self.arguments;
        let Some(promotion) =
            arguments.promotion(self.configured, observer, place, &spare_paths, reason)
        else {
            return Err(unnamed().into());
        };
        let promotion = Promotion {
            cancelled: self.cancelled.clone(),
            prior: self.prior.known(),
            remembered: self.private.remembered(),
            ..promotion
        };
        let promoted = promotion.run().await;
        let mut state = self.arguments.clone().with_token_of(self.prior);
        state.rotation_reason = Field::text(reason.as_str());
        let mut diagnostics = promoted.diagnostics;
        match promoted.outcome {
            Ok(current) if current.how == How::NotDue => {
                state.rotation_reason = self.planned.rotation_reason.clone();
                self.finish(state, diagnostics)
            }
            Ok(current) => {
                let private = Private {
                    created_at: Some(current.created_at),
                    deletion_at: current.deletion_at,
                    retired: entries(&current.retired),
                    is_stamped: current.is_stamped,
                    retired_unlisted: !current.lists_retired && !current.retired.is_empty(),
                    is_later: self.private.is_later
                        || self.prior.recorded() != Some(current.fingerprint),
                    ..Private::default()
                };
                hold(self.configured, &mut state, &current, &private);
                let is_new = self.prior.recorded() != Some(current.fingerprint);
                if let Some(spare) = current.rotated_from.as_ref().filter(|_| is_new) {
                    diagnostics.push(diagnose::rotated(
                        place,
                        spare,
                        current.version,
                        state.expires_at.as_str(),
                        self.replaced().map(|replaced| Replaced {
                            is_pruned: current.keeps_one,
                            ..replaced
                        }),
                    ));
                }
                let deletion = state.deletion(&private);
                diagnostics
                    .extend(deletion.map(|deletion| diagnose::deleted_early(place, deletion.at)));
                Self { private, ..self }.finish(state, diagnostics)
            }
            Err(stop) => {
                let works = match reason {
                    _ if stop.leaves_nothing() => false,
                    Reason::Status(Status::RotationDue) => state
                        .dates(self.private.deletion_at)
                        .is_none_or(|dates| status_at(&dates, self.configured.now()).is_working()),
                    Reason::Status(_) | Reason::Requested => false,
                };
                let finds_no_spare = stop.finds_no_spare();
                diagnostics.push(if works {
                    stop.into_warning(promotion.primary)
                } else {
                    stop.into_error()
                });
                let mut private = self.private.clone();
                if finds_no_spare {
                    private.forget_spares();
                    private.none_usable = true;
                }
                if reason == Reason::Requested {
                    // The request is still open: the next plan asks for it again, unless the token
                    // that it was about is gone by then. That plan also asks again for the changes
                    // that came with the request, because a mint time would otherwise never be
                    // bound.
                    state = self.prior.clone();
                    state.rotation_reason = Field::text(reason.as_str());
                    private.open_request =
                        self.arguments.request_digest().map(|request| OpenRequest {
                            request: request.to_string(),
                            fingerprint: self.prior.fingerprint.known().cloned(),
                        });
                }
                Self { private, ..self }.finish(state, diagnostics)
            }
        }
    }

    /// Reports the result of a rotation that had no token to rotate to.
    pub(super) async fn answer_for(&self, state: &OauthToken, status: Status) -> Diagnostics {
        let (Some(secret), Some(field)) = (secret(state), state.field.as_str()) else {
            return vec![unnamed()];
        };
        let place = Place {
            secret: &secret,
            field,
        };
        let mut status = status;
        if let Ok(observer) = self.configured.observer()
            && let Ok(observed) = observer.observe_again(&secret).await
            && let Observed::Present(document) = &*observed
            && let Content::Token { fingerprint, .. } =
                document.field(field, state.recorded().as_ref())
        {
            // Someone may have stored a new token after the plan, and then there is no reason to
            // fail.
            if Some(fingerprint) != state.recorded()
                || matches!(status, Status::Missing | Status::Malformed)
            {
                return vec![diagnose::replaced_meanwhile(place)];
            }
            let found = Found {
                place,
                document,
                fingerprint,
            };
            // A token that was due at the refresh may have expired since, or been verified again.
            if let Some(dates) = state.dates(self.private.deletion_at) {
                let verdict = found.verdict(self.configured.server_now());
                status = status_with(verdict.as_ref(), &dates, self.configured.now());
                if !status.is_due() {
                    return vec![diagnose::not_due_any_more(place, &dates)];
                }
            }
        }
        let due = Due {
            place,
            status,
            expires_at: state.expires_at.as_str(),
            problem: self.private.problem.as_ref(),
            deletion: state.deletion(&self.private),
            is_refreshed: false,
        };
        if self.private.is_gone()
            || due.is_due_at_once()
            || state
                .known_spare_paths()
                .is_some_and(|paths| paths.is_empty())
        {
            return vec![due.in_apply(&Text::default())];
        }
        let reason = Reason::Status(status);
        let foreseen = foresee(self.configured, self.prior, state, &self.private, reason).await;
        vec![match foreseen {
            Ok(Some(Foreseen::Nothing { reasons, .. })) => due.in_apply(&reasons),
            Ok(_) => due.in_apply_before_refresh(),
            Err(stop) => due.in_apply(&stop.into_error().detail),
        }]
    }
}

/// Records the token that the primary holds after a promotion.
fn hold(configured: &Configured, state: &mut OauthToken, current: &Current, private: &Private) {
    let known = state.recorded() == Some(current.fingerprint);
    state.fingerprint = Field::text(current.fingerprint.to_string());
    if !known {
        state.kv_version = Field::Known(Number::from(current.version));
        state.rotated_from = current.rotated_from.clone().into();
    }
    state.set_minted(current.minted.at, current.minted.source);
    let dates = state.set_dates(private.deletion_at);
    state.set_status_at(dates.as_ref(), current.verdict.as_ref(), configured.now());
}

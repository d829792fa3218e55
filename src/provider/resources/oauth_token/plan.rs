//! The plan: what follows from configuration, and whether a rotation is due.
//!
//! It depends only on its request. A host calls it twice, with the same prior state, and compares
//! the results, so neither the clock nor Vault may influence the plan. What it reports about spares
//! comes from Vault, and so does the error for a request that no spare can serve: if that were
//! planned as unknown, everything that depends on the token would be destroyed before the apply
//! fails.

use super::change::{Change, Redate, stamp_counts};
use super::foresee::foresee;
use super::model::OauthToken;
use super::private::Private;
use super::{OauthTokenResource, left_in_vault, secret};
use crate::protocol::{AttributePath, Diagnostic, Text};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Due, Place};
use crate::provider::promotion::{Foreseen, Reason, Stop};
use crate::sdk::{Diagnostics, Failure, Field, PlanRequest, Planned};
use crate::secret::Secret;
use crate::token::check::{check, trim};
use crate::token::expiry::Status;
use crate::token::instant::{DAY, parse_instant};
use crate::token::mint::{MintSource, MintWarning};

/// Plans an instance that is to exist.
pub(super) async fn plan(
    configured: &Configured,
    request: PlanRequest<OauthTokenResource>,
) -> Result<Planned<OauthTokenResource>, Failure> {
    let PlanRequest {
        config,
        prior,
        private,
        ..
    } = request;
    let mount = config.mount.clone();
    let token = config.token_wo.clone();
    let mut planned = config.with_defaults(configured);
    planned
        .days()
        .lifetime()
        .map_err(|error| error.at(AttributePath::attribute("lifetime_days")))?;
    let stores = planned.token_wo_version.known().is_some()
        && prior.as_ref().is_none_or(|prior| {
            prior.token_wo_version != planned.token_wo_version || !prior.is_same_place(&planned)
        });
    let mut diagnostics = Diagnostics::new();
    planned = match prior {
        Some(prior) => {
            // A provider's mount that is not known during this plan is assumed to be unchanged.
            let undecided = configured.mount.is_unknown() || private.mount_unknown;
            if mount.is_null() && undecided && !prior.mount.is_null() {
                planned.mount = prior.mount.clone();
                planned.id = prior.id.clone();
            }
            let diagnostics = &mut diagnostics;
            update(configured, planned, &token, &prior, &private, diagnostics).await?
        }
        None => created(planned, &mut diagnostics),
    };
    // A replacement would first destroy the resource and then have nothing to store.
    if stores && token.is_null() {
        return Err(diagnose::token_needed().into());
    }
    // Validation accepts a token that is not known yet.
    if token.known().is_some() && planned.token_wo_version.is_null() {
        return Err(diagnose::version_needed().into());
    }
    Ok(Planned {
        planned,
        private,
        diagnostics,
    })
}

/// A new instance: only the apply reads Vault. It adopts, so it has no reason to rotate.
fn created(planned: OauthToken, diagnostics: &mut Diagnostics) -> OauthToken {
    diagnostics.extend(not_a_request(&planned));
    if let Some(named) = Named::of(&planned) {
        diagnostics.extend(diagnose::path_may_be_wrong(named.place(), "path"));
    }
    let mut planned = planned.with_unknown_token();
    planned.rotation_reason = Field::Null;
    planned
}

async fn update(
    configured: &Configured,
    planned: OauthToken,
    token: &Field<Secret>,
    prior: &OauthToken,
    private: &Private,
    diagnostics: &mut Diagnostics,
) -> Result<OauthToken, Failure> {
    if !planned.is_same_place(prior) {
        diagnostics.extend(left_in_vault(prior));
        return Ok(created(planned, diagnostics));
    }
    let planned = planned.with_token_of(prior);
    if private.is_import() && planned.request() != prior.request() {
        diagnostics.extend(not_a_request(&planned));
    }
    let change = Change::between(prior, &planned, private);
    // A token that is stored may have a stamp of its own.
    if stamp_counts(prior, private) && !matches!(change, Change::Store | Change::Unknowable) {
        diagnostics.extend(contradicted(&planned));
    }
    diagnostics.extend(outlived(prior, &planned, private));
    Ok(match change {
        Change::Nothing => planned,
        Change::Unknowable => {
            if planned.request().is_unknown() && !private.is_import() {
                diagnostics.extend(requested(configured, prior, &planned, private).await?);
            }
            let mut planned = planned.with_unknown_token();
            planned.rotation_reason = Field::Unknown;
            planned
        }
        Change::Store => {
            diagnostics.extend(stored_again(&planned, token, private));
            planned.with_unknown_token()
        }
        Change::Redate(redate) => redated(planned, &redate, private)?,
        Change::Request => {
            diagnostics.extend(requested(configured, prior, &planned, private).await?);
            let mut planned = planned.with_unknown_token();
            planned.rotation_reason = Field::text("requested");
            planned
        }
        Change::Due(status) => due(configured, planned, prior, status, private, diagnostics).await,
    })
}

/// Reports what a rotation on request would promote; `rotate_when_changed` may not be known yet.
///
/// # Errors
///
/// Fails if no spare can be promoted.
async fn requested(
    configured: &Configured,
    prior: &OauthToken,
    planned: &OauthToken,
    private: &Private,
) -> Result<Option<Diagnostic>, Diagnostic> {
    let Some(named) = Named::of(planned) else {
        return Ok(None);
    };
    let place = named.place();
    let is_known = planned.request().known().is_some();
    // A token that may be stored instead leaves nothing to promote.
    if planned.token_wo_version.is_unknown() {
        return Ok(Some(diagnose::rotation_requested(place, is_known, None)));
    }
    let foreseen = foresee(configured, prior, planned, private, Reason::Requested).await;
    match foreseen.map_err(Stop::into_error)? {
        Some(Foreseen::Nothing { reasons, refill }) => Err(diagnose::no_spare_for_request(
            place,
            reasons,
            refill.as_deref(),
        )),
        Some(Foreseen::Promoted(spare)) => Ok(Some(diagnose::rotation_requested(
            place,
            is_known,
            Some(&spare),
        ))),
        Some(Foreseen::Kept) => Ok(Some(diagnose::request_answered(place))),
        None => Ok(Some(diagnose::rotation_requested(place, is_known, None))),
    }
}

/// Warns about a token to store that this field held before.
fn stored_again(
    planned: &OauthToken,
    token: &Field<Secret>,
    private: &Private,
) -> Option<Diagnostic> {
    let fingerprint = check(trim(token.known()?.expose()).0).fingerprint()?;
    let retired = private.remembered().retired;
    diagnose::would_come_back(Named::of(planned)?.place(), &fingerprint, &retired)
}

/// Warns about a mint time in the configuration that belongs to an earlier token. A mint time that
/// belongs to the current token is the source of its date, or yielded to a stamp from the start.
fn outlived(prior: &OauthToken, planned: &OauthToken, private: &Private) -> Option<Diagnostic> {
    let at = planned.token_minted_at.as_str()?;
    let source = MintSource::parse(prior.minted_at_source.as_str()?)?;
    let is_of_a_later_token = match source {
        MintSource::Config => false,
        MintSource::Stamp => private.is_later,
        MintSource::Promotion | MintSource::History | MintSource::Estimated => true,
    };
    if !is_of_a_later_token || planned.token_minted_at != prior.token_minted_at {
        return None;
    }
    Some(diagnose::minted_at_outlived(
        Named::of(planned)?.place(),
        at,
    ))
}

/// Warns that values in `rotate_when_changed` do not count as a request in this plan, which
/// creates or imports.
fn not_a_request(planned: &OauthToken) -> Option<Diagnostic> {
    planned.request().known()?;
    Some(diagnose::not_a_request(Named::of(planned)?.place()))
}

/// Reports a mint time in the configuration that the token's stamp outranks and contradicts.
fn contradicted(planned: &OauthToken) -> Option<Diagnostic> {
    let instant = |field: &Field<String>| parse_instant(field.as_str()?).ok();
    let configured = instant(&planned.token_minted_at)?;
    let warning = MintWarning::between(configured, instant(&planned.minted_at)?)?;
    Some(diagnose::mint_warning(Named::of(planned)?.place(), warning))
}

/// Recomputes the dates. The status is left to the apply, which has a clock; nothing rotates in
/// such a plan.
fn redated(
    mut planned: OauthToken,
    redate: &Redate,
    private: &Private,
) -> Result<OauthToken, Failure> {
    match &redate.minted_at {
        Field::Null => {}
        Field::Unknown => {
            planned.minted_at = Field::Unknown;
            planned.minted_at_source = Field::Unknown;
        }
        Field::Known(at) => {
            if let Some(created_at) = private.created_at
                && at.duration_since(created_at) > DAY
            {
                return Err(diagnose::minted_after_stored(*at, created_at).into());
            }
            if !planned.fingerprint.is_null() {
                planned.set_minted(*at, MintSource::Config);
            }
        }
    }
    let days_known = planned.days().lifetime()?.is_some();
    if planned.minted_at.is_unknown() || !days_known {
        planned = planned.with_unknown_dates();
        planned.rotation_reason = Field::Unknown;
    } else {
        planned.set_dates(private.deletion_at);
    }
    planned.status = Field::Unknown;
    Ok(planned)
}

/// Plans a token that is due. If a spare can be promoted, or if no refresh has read the spares,
/// everything about the token is left to the apply. If none can be promoted, only the reason
/// changes, so that resources that depend on the token stay out of the plan. An import adopts the
/// current token.
async fn due(
    configured: &Configured,
    mut planned: OauthToken,
    prior: &OauthToken,
    status: Status,
    private: &Private,
    diagnostics: &mut Diagnostics,
) -> OauthToken {
    let Some(named) = Named::of(&planned) else {
        return planned;
    };
    let place = named.place();
    let observer = configured.observer();
    let is_refreshed = observer.is_ok_and(|observer| observer.is_refreshed(&place.to_string()));
    let due = Due {
        place,
        status,
        expires_at: prior.expires_at.as_str(),
        problem: private.problem.as_ref(),
        deletion: prior.deletion(private),
        is_refreshed,
    };
    let warns = planned.on_rotation_due.as_str() == Some("warn");
    let rotates = !warns && !private.is_import();
    let paths = planned.known_spare_paths().unwrap_or_default();
    let takes = rotates && !due.is_due_at_once();
    let spare = private.usable.first().filter(|spare| paths.contains(spare));
    // A refresh reads the spares in the state, and under `warn` it reads none.
    let are_read = private.has_read_spares()
        && planned.spare_paths == prior.spare_paths
        && prior.on_rotation_due.as_str() == Some("plan");
    let may_be_usable = !are_read && !paths.is_empty();
    let is_open = spare.is_some() || may_be_usable;
    // Without a refresh, a secret that was gone may have been restored long ago.
    let asks = if private.is_gone() {
        !is_refreshed
    } else {
        takes && !is_open && !paths.is_empty()
    };
    let foreseen = if asks {
        foresee(configured, prior, &planned, private, Reason::Status(status)).await
    } else {
        Ok(None)
    };
    diagnostics.extend(match foreseen {
        Ok(Some(Foreseen::Kept)) => Some(due.in_plan_outdated()),
        Err(stop) if stop.leaves_nothing() => Some(stop.into_warning(place)),
        // The refresh has already reported how to restore it.
        _ if private.is_gone() && is_refreshed => None,
        _ if warns => Some(due.in_plan_without_change()),
        _ if private.is_import() => Some(due.in_import(&paths)),
        _ if due.is_due_at_once() => Some(due.in_plan(&Text::default())),
        Ok(Some(Foreseen::Nothing { reasons, .. })) => Some(due.in_plan(&reasons)),
        Ok(Some(Foreseen::Promoted(_))) => Some(due.in_plan_before_refresh()),
        Err(stop) => Some(due.in_plan(&stop.into_error().detail)),
        Ok(None) => Some(match spare {
            Some(spare) => due.in_plan_with(spare),
            None if may_be_usable => due.in_plan_with_one_of(&paths),
            None if private.is_gone() || paths.is_empty() => due.in_plan(&Text::default()),
            None => due.in_plan_before_refresh(),
        }),
    });
    if takes && is_open {
        planned = planned.with_unknown_token();
    }
    if rotates {
        planned.rotation_reason = Field::text(status.as_str());
    }
    planned
}

/// The secret and field that a model names.
struct Named {
    secret: crate::vault::SecretPath,
    field: String,
}

impl Named {
    fn of(model: &OauthToken) -> Option<Self> {
        Some(Self {
            secret: secret(model)?,
            field: model.field.known()?.clone(),
        })
    }

    fn place(&self) -> Place<'_> {
        Place {
            secret: &self.secret,
            field: &self.field,
        }
    }
}

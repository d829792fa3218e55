//! Creation: the existing token is adopted, or the token from the configuration is stored.

use super::foresee::foresee;
use super::model::OauthToken;
use super::private::Private;
use super::read::record;
use super::record::{configured_mint, stamp, unnamed, wanted};
use super::{OauthTokenResource, secret};
use crate::protocol::Text;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Due, Place, StoredToken};
use crate::provider::observe::{Content, Observed, Observer};
use crate::provider::promotion::{Foreseen, Reason};
use crate::provider::secrets::date::{Found, Traces, date_traced};
use crate::provider::store::{Replaces, Stored, store};
use crate::sdk::{Applied, ApplyRequest, Diagnostics, Failure, Field};
use crate::token::mint::{Binding, MintFacts, MintSource};

/// Adopts the existing token, or stores the token from the configuration. Any problem is an error
/// that leaves no state, because there is nothing to lose yet.
pub(super) async fn create(
    configured: &Configured,
    request: ApplyRequest<OauthTokenResource>,
) -> Result<Applied<OauthTokenResource>, Failure> {
    let token = request.config.token_wo.clone();
    let state = request.config.with_defaults(configured);
    state.days().lifetime()?;
    let observer = configured
        .observer()
        .map_err(|unknown| diagnose::not_configured(unknown, "Adopting a token"))?;
    let (Some(secret), Some(field)) = (secret(&state), state.field.known().cloned()) else {
        return Err(unnamed().into());
    };
    let place = Place {
        secret: &secret,
        field: &field,
    };
    if state.token_wo_version.is_null() {
        return adopt(configured, observer, state, place, None).await;
    }
    let (news, stored) = {
        let token = wanted(&token)?;
        let paths = state.known_spare_paths().unwrap_or_default();
        let reason = Reason::Requested;
        let promotion = state.promotion(configured, observer, place, &paths, reason);
        let storing = state.storing(
            Replaces::Nothing,
            state.given_mint_time(None),
            promotion.as_ref(),
        );
        let stored = store(configured, observer, place, token, storing).await?;
        (stored.is_unreported.then(|| place.to_string()), stored)
    };
    let adopted = adopt(configured, observer, state, place, Some(stored)).await;
    adopted.map_err(|failure| {
        let news: Vec<_> = news.into_iter().collect();
        diagnose::after_stored(failure.diagnostics, &news).into()
    })
}

/// Adopts the token that a place holds, which may have just been stored.
async fn adopt(
    configured: &Configured,
    observer: &Observer,
    mut state: OauthToken,
    place: Place<'_>,
    stored: Option<Stored>,
) -> Result<Applied<OauthTokenResource>, Failure> {
    let Place { secret, field } = place;
    let observed = observer
        .observe_again(secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let Observed::Present(document) = &*observed else {
        return Err(diagnose::nothing_to_adopt(place, &observed).into());
    };
    let content = document.field(field, None);
    let Content::Token { fingerprint, .. } = content else {
        return Err(diagnose::nothing_to_adopt(place, &observed).into());
    };
    let found = Found {
        place,
        document,
        fingerprint,
    };
    let bound = configured_mint(&state, document.created_at, Binding::First)?;
    let facts = MintFacts {
        configured: bound,
        ..MintFacts::default()
    };
    let traces = Traces {
        spare_paths: &state.known_spare_paths().unwrap_or_default(),
        before: stored
            .as_ref()
            .and_then(|stored| stored.version_before(fingerprint)),
    };
    let dated = date_traced(observer, found, facts, traces).await?;
    if dated.is_estimate() {
        return Err(diagnose::mint_time_needed(place, dated.minted.at, &dated.gaps).into());
    }
    let is_unreported = stored.as_ref().is_some_and(|stored| stored.is_unreported);
    let mut diagnostics = stored.map_or_else(Diagnostics::new, |stored| stored.diagnostics);
    diagnostics.extend(configured.skew_warning());
    diagnostics.extend(dated.warnings(place));
    diagnostics.extend(diagnose::form(place, content));
    record(&mut state, found, false);
    state.set_minted(dated.minted.at, dated.minted.source);
    let is_dated_by_write = dated.minted.source == MintSource::History;
    let mut private = Private::default();
    private.note_retired(found, None);
    let retired = private.remembered().retired;
    diagnostics.extend(if state.token_wo_version.is_null() {
        diagnose::came_back(place, &fingerprint, &retired)
    } else {
        diagnose::stored_again(place, &fingerprint, &retired)
    });
    private.note_token(&mut state, found, false, configured);
    state.rotation_reason = Field::Null;
    if let Some(status) = state.known_status().filter(|status| status.is_due()) {
        let foreseen = match state.replaceable(&private) {
            Some(status) => {
                let reason = Reason::Status(status);
                foresee(configured, &state, &state, &private, reason).await
            }
            None => Ok(None),
        };
        let due = Due {
            place,
            status,
            expires_at: state.expires_at.as_str(),
            problem: None,
            deletion: state.deletion(&private),
            is_refreshed: false,
        };
        diagnostics.push(match foreseen {
            Ok(Some(Foreseen::Promoted(spare))) => due.when_adopted_with(&spare),
            Ok(Some(Foreseen::Nothing { reasons, .. })) => due.when_adopted(&reasons),
            Ok(_) => due.when_adopted(&Text::default()),
            Err(stop) => due.when_adopted(&stop.into_error().detail),
        });
    } else if let Some(deletion) = state.deletion(&private) {
        diagnostics.push(diagnose::deleted_early(place, deletion.at));
    }
    diagnostics.extend(stamp(configured, &state, &mut private).await);
    if is_unreported {
        diagnostics.push(diagnose::stored(&StoredToken {
            place,
            version: document.version,
            expires_at: state.expires_at.as_str(),
            is_dated_by_write,
            is_spare: false,
            replaced: None,
        }));
    }
    Ok(Applied {
        state,
        private,
        diagnostics,
    })
}

//! What creation and changes share: stamps, mint times of the configuration, and refusals.

use super::model::OauthToken;
use super::private::Private;
use super::secret;
use crate::protocol::Diagnostic;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::{self, Place};
use crate::provider::observe::Observed;
use crate::provider::secrets::stamps::NewStamp;
use crate::sdk::Field;
use crate::secret::Secret;
use crate::token::instant::{DAY, parse_instant};
use crate::token::mint::{self, Binding, MintSource};

/// Stamps the token of a state, unless it already has a stamp or the field holds another token,
/// which may have a stamp of its own. An estimated date is not written down.
pub(super) async fn stamp(
    configured: &Configured,
    state: &OauthToken,
    private: &mut Private,
) -> Option<Diagnostic> {
    let wanted = state.stamp_metadata.known() != Some(&false)
        && !configured.is_rehearsed()
        && state.minted_at_source.as_str() != Some(MintSource::Estimated.as_str());
    let fingerprint = state.recorded().filter(|_| wanted)?;
    let dates = state.dates(private.deletion_at)?;
    let (secret, field) = (secret(state)?, state.field.as_str()?);
    let observer = configured.observer().ok()?;
    let observed = observer.observe(&secret).await.ok()?;
    let Observed::Present(document) = &*observed else {
        return None;
    };
    if !document.holds(field, &fingerprint) {
        return None;
    }
    let place = Place {
        secret: &secret,
        field,
    };
    let stamp = NewStamp {
        rotated_from: state.rotated_from.known().cloned(),
        requested: state.request_digest(),
        ..NewStamp::new(fingerprint, &dates)
    };
    let now = configured.server_now();
    let warning = stamp
        .completed(observer, place, &document.custom_metadata, now)
        .await
        .write(
            observer.store(),
            place,
            &document.custom_metadata,
            private.remembered().retired,
        )
        .await;
    observer.forget(&secret);
    private.is_stamped = warning.is_none();
    private.retired_unlisted &= warning.is_some();
    warning
}

/// Reads `token_minted_at` and refuses one that the secret itself contradicts.
pub(super) fn configured_mint(
    state: &OauthToken,
    created_at: jiff::Timestamp,
    binding: Binding,
) -> Result<Option<mint::Configured>, Diagnostic> {
    let Some(at) = state
        .token_minted_at
        .as_str()
        .and_then(|text| parse_instant(text).ok())
    else {
        return Ok(None);
    };
    if at.duration_since(created_at) > DAY {
        return Err(diagnose::minted_after_stored(at, created_at));
    }
    Ok(Some(mint::Configured { at, binding }))
}

/// Returns the token to store.
///
/// # Errors
///
/// Fails if there is none.
pub(super) fn wanted(token: &Field<Secret>) -> Result<&Secret, Diagnostic> {
    token.known().ok_or_else(diagnose::token_needed)
}

/// Reports that a configuration does not name a place.
pub(super) fn unnamed() -> Diagnostic {
    Diagnostic::error(
        "Invalid mount, path, or field",
        "The configuration does not resolve to a secret. Compare mount, path, and field with \
         `vault kv list`.",
    )
}

//! What a rotation would do now, for the reports of a plan or an apply.

use super::model::OauthToken;
use super::private::Private;
use super::secret;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::Place;
use crate::provider::promotion::{Foreseen, Promotion, Reason, Stop};

/// Reads primary and spares. `None` if the configuration does not say yet where they are.
///
/// # Errors
///
/// Fails if the promotion would fail for a reason other than unusable spares.
pub(super) async fn foresee(
    configured: &Configured,
    prior: &OauthToken,
    planned: &OauthToken,
    private: &Private,
    reason: Reason,
) -> Result<Option<Foreseen>, Stop> {
    let (Ok(observer), Some(secret), Some(field), Some(spare_paths)) = (
        configured.observer(),
        secret(planned),
        planned.field.as_str(),
        planned.known_spare_paths(),
    ) else {
        return Ok(None);
    };
    let place = Place {
        secret: &secret,
        field,
    };
    let Some(promotion) = planned.promotion(configured, observer, place, &spare_paths, reason)
    else {
        return Ok(None);
    };
    let promotion = Promotion {
        prior: prior.known(),
        remembered: private.remembered(),
        reread: false,
        ..promotion
    };
    promotion.foresee().await.map(Some)
}

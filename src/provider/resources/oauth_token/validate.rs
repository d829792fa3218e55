//! What can be refused in a configuration without looking at Vault.

use jiff::Timestamp;

use super::model::OauthToken;
use crate::protocol::Diagnostic;
use crate::provider::days;
use crate::provider::refuse;
use crate::sdk::Diagnostics;

/// Checks a configuration; unknown values are let through.
pub(super) fn validate(config: &OauthToken, now: Timestamp) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.extend(refuse::path(&config.path, "path"));
    found.extend(refuse::mount(&config.mount));
    found.extend(refuse::field(&config.field));
    found.extend(refuse::secret_key(&config.secret_key, "secret_key"));
    found.extend(refuse::empty(&config.remote_key, "remote_key"));
    found.extend(days::validate(
        &config.lifetime_days,
        &config.rotate_before_days,
        days::Defaults::UNKNOWN,
    ));
    found.extend(refuse::minted_at(
        &config.token_minted_at,
        "token_minted_at",
        now,
    ));
    found.extend(spare_paths(config));
    found.extend(refuse::token(&config.token_wo, "token_wo"));
    found.extend(refuse::choice(
        &config.on_rotation_due,
        "on_rotation_due",
        &["plan", "warn"],
    ));
    found
}

/// Refuses spares that are no paths, come twice or are the primary itself.
fn spare_paths(config: &OauthToken) -> Option<Diagnostic> {
    let paths = config
        .spare_paths
        .known()
        .filter(|paths| !paths.is_empty())?;
    refuse::pool_paths(paths, config.path.as_str(), "spare_paths")
}

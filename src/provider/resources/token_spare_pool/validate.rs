//! What can be refused in a configuration without reading Vault.

use super::model::TokenSparePool;
use crate::external_secret::numbered_key;
use crate::protocol::{AttributePath, Diagnostic};
use crate::provider::block::days;
use crate::provider::diagnose::{self, refuse};
use crate::sdk::Diagnostics;

/// Checks a configuration; unknown values are accepted.
pub(super) fn validate(config: &TokenSparePool) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.extend(refuse::mount(&config.mount));
    found.extend(refuse::field(&config.field));
    found.extend(refuse::path(&config.primary_path, "primary_path"));
    found.extend(paths(config));
    found.extend(tokens(config));
    found.extend(days::validate(
        &config.lifetime_days,
        &config.rotate_before_days,
        days::Defaults::UNKNOWN,
    ));
    found.extend(min_available(config));
    found.extend(refuse::choice(
        &config.on_shortage,
        "on_shortage",
        &["plan", "warn"],
    ));
    found.extend(prefix(config));
    found
}

fn paths(config: &TokenSparePool) -> Option<Diagnostic> {
    refuse::pool_paths(config.paths.known()?, config.primary_path.as_str(), "paths")
}

/// Refuses tokens for paths that are not in the pool, and values that are not tokens.
fn tokens(config: &TokenSparePool) -> Diagnostics {
    let Some(tokens) = config.tokens_wo.known() else {
        return Diagnostics::new();
    };
    if config.tokens_wo_version.is_null() {
        return vec![diagnose::pool_version_needed()];
    }
    let paths = config.known_paths();
    tokens
        .iter()
        .filter_map(|(path, token)| {
            let foreign = paths.as_ref().is_some_and(|paths| !paths.contains(path));
            if foreign {
                return Some(Diagnostic::error(
                    "Invalid tokens_wo",
                    format!(
                        "{path} is not in paths. Add it there, or remove its token from tokens_wo."
                    ),
                ));
            }
            refuse::token(token, &format!("tokens_wo for {path}"))
        })
        .collect()
}

fn min_available(config: &TokenSparePool) -> Option<Diagnostic> {
    let wanted = config.min_available.known()?;
    let most = config.paths.known().map(Vec::len);
    let fits = wanted
        .as_i64()
        .and_then(|wanted| usize::try_from(wanted).ok())
        .is_some_and(|wanted| most.is_none_or(|most| wanted <= most));
    (!fits).then(|| {
        Diagnostic::error(
            "Invalid min_available",
            "min_available must be a whole number from 0 to the number of paths, because only \
             those spares can be available.",
        )
        .at(AttributePath::attribute("min_available"))
    })
}

fn prefix(config: &TokenSparePool) -> Option<Diagnostic> {
    let prefix = config.secret_key_prefix.as_str()?;
    let last = config.paths.known().map_or(1, Vec::len).max(1);
    let error = numbered_key(prefix, last).err()?;
    Some(
        Diagnostic::error(
            "Invalid secret_key_prefix",
            format!("With a number appended, {error}."),
        )
        .at(AttributePath::attribute("secret_key_prefix")),
    )
}

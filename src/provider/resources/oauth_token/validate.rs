//! What can be refused in a configuration without reading Vault.

use jiff::Timestamp;

use super::model::OauthToken;
use crate::protocol::Diagnostic;
use crate::provider::block::days;
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose::{self, refuse};
use crate::sdk::{Diagnostics, Field};

/// Checks a configuration; unknown values are accepted.
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
    found.extend(unmarkable(config));
    found.extend(refuse::token(&config.token_wo, "token_wo"));
    if config.token_wo.known().is_some() && config.token_wo_version.is_null() {
        found.push(diagnose::version_needed());
    }
    found.extend(refuse::choice(
        &config.on_rotation_due,
        "on_rotation_due",
        &["plan", "warn"],
    ));
    found
}

/// Refuses spares that are not paths, are listed twice, or are the primary itself.
fn spare_paths(config: &OauthToken) -> Option<Diagnostic> {
    let paths = config
        .spare_paths
        .known()
        .filter(|paths| !paths.is_empty())?;
    refuse::pool_paths(paths, config.path.as_str(), "spare_paths")
}

/// Refuses a primary that a mark cannot name, if its spares are to be marked.
fn unmarkable(config: &OauthToken) -> Option<Diagnostic> {
    let spares = config.spare_paths.known()?;
    let unmarked = config.stamp_metadata == Field::Known(false);
    if spares.is_empty() || unmarked || config.field.is_unknown() {
        return None;
    }
    let field = config.field.as_str().unwrap_or(DEFAULT_FIELD);
    refuse::unmarkable(&config.path, field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::mark::MAX_PRIMARY_BYTES;

    fn details(path: &str, change: impl FnOnce(&mut OauthToken)) -> Vec<String> {
        let mut config = OauthToken {
            path: Field::text(path),
            spare_paths: Field::Known(vec![Field::text("spare")]),
            ..OauthToken::default()
        };
        change(&mut config);
        let diagnostics = validate(&config, Timestamp::UNIX_EPOCH);
        diagnostics
            .into_iter()
            .map(|diagnostic| diagnostic.detail.to_string())
            .collect()
    }

    #[test]
    fn primary_with_spares_has_a_name_that_fits_into_a_mark() {
        let longest = "a".repeat(MAX_PRIMARY_BYTES - 1 - DEFAULT_FIELD.len());
        let longer = format!("{longest}a");
        assert_eq!(details(&longest, |_| {}), [""; 0]);
        let refused = details(&longer, |_| {});
        assert!(
            matches!(&refused[..], [detail] if detail.contains("shorter path")),
            "{refused:?}"
        );
        assert_eq!(
            details(&longer, |config| config.field = Field::text("a")),
            [""; 0]
        );
        assert_eq!(
            details(&longer, |config| config.field = Field::Unknown),
            [""; 0]
        );
        assert_eq!(
            details(&longer, |config| config.spare_paths = Field::Null),
            [""; 0]
        );
        let unmarked = |config: &mut OauthToken| config.stamp_metadata = Field::Known(false);
        assert_eq!(details(&longer, unmarked), [""; 0]);
    }
}

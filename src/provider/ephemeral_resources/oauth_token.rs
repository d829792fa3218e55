//! `claude_oauth_token`: the token itself, for another provider's write-only argument.

use async_trait::async_trait;

use crate::protocol::Number;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::refuse;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::lookup::arguments::asks;
use crate::provider::lookup::attributes::described;
use crate::provider::lookup::describe::describe;
use crate::provider::observe::Observed;
use crate::sdk::{Context, Diagnostics, Failure, Field, Found, Lookup};
use crate::secret::Secret;
use crate::token::check::trim;
use crate::vault::{self, Reading};

described! {
    fingerprint: optional_computed "`sha256:` and the SHA-256 of the token in hexadecimal digits. If it is set, any other token is an error. Set it to the `fingerprint` of the resource that manages the token: the token is then read after a promotion in the same apply, never before. Defaults to the fingerprint of the token that is found.";
    /// Configuration and answer of the ephemeral `claude_oauth_token`.
    pub(in crate::provider) struct OauthTokenOpened {
        path: String = required() "Path of the secret in the mount, without `data/`.";
        mount: String = optional_computed() "KV version 2 mount. Defaults to the provider's `mount`.";
        field: String = optional_computed() "Field of the secret that holds the token. Defaults to `claude_oauth_token`.";
        lifetime_days: Number = optional_computed() "Days from mint to expiry. Defaults to the provider's `lifetime_days`.";
        rotate_before_days: Number = optional_computed() "How many days before its expiry the token becomes due for rotation. Defaults to the provider's `rotate_before_days`.";
        allow_expired: bool = optional_computed() "Whether to return an expired token. Defaults to `false`. A value that is not a token is never returned: it may be another secret.";
        token: Secret = computed(sensitive) "The token.";
    }
}

/// The ephemeral resource type.
pub(in crate::provider) struct OauthTokenEphemeral;

asks!(OauthTokenOpened);

#[async_trait]
impl Lookup for OauthTokenEphemeral {
    type Configured = Configured;
    type Model = OauthTokenOpened;

    const TYPE_NAME: &'static str = "claude_oauth_token";
    const DESCRIPTION: &'static str = "Passes one long-lived OAuth token of headless Claude Code, \
        with its dates, to a write-only argument or to the configuration of another provider. The \
        token is never in a plan, state, or log. It is read in each plan and each apply, and \
        nothing is written. A token that is missing, malformed, or expired is an error.\n\n\
        If the same configuration manages the token with `claude_oauth_token`, set `fingerprint` \
        to that resource's `fingerprint`. Otherwise, an apply that promotes a spare can read the \
        *old* token first and write it under the new revision, and every later plan is empty.\n\n\
        Requires Terraform 1.10 or OpenTofu 1.11; write-only arguments require 1.11 of either.";

    fn validate(&self, config: &OauthTokenOpened) -> Diagnostics {
        let mut found = Diagnostics::new();
        found.extend(refuse::path(&config.path, "path"));
        found.extend(config.arguments().validate());
        found.extend(refuse::fingerprint(&config.fingerprint));
        found
    }

    async fn read(
        &self,
        context: &Context<Configured>,
        config: OauthTokenOpened,
    ) -> Result<Found<OauthTokenOpened>, Failure> {
        let configured = &context.configured;
        read_token(configured, config).await
    }
}

/// Reads the secret, and dates the token that is passed on.
async fn read_token(
    configured: &Configured,
    config: OauthTokenOpened,
) -> Result<Found<OauthTokenOpened>, Failure> {
    let asked = config.arguments().resolve(configured).map_err(|obstacle| {
        obstacle.into_diagnostic("This ephemeral resource", diagnose::OPEN_AT_APPLY)
    })?;
    let secret = secret_path(&asked.mount, config.path.as_str().unwrap_or_default())?;
    let place = Place {
        secret: &secret,
        field: &asked.field,
    };
    // What observers remember does not contain the token.
    let reading = asked
        .observer
        .store()
        .read(&secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let token = match &reading {
        Reading::Present(document) => match document.field(&asked.field) {
            vault::FieldValue::Text(text) => Some(text),
            _ => None,
        },
        _ => None,
    };
    let observed = Observed::from(reading);
    let mut description =
        describe(configured, asked.observer, place, asked.lifetime, &observed).await?;
    let allow_expired = config.allow_expired.known() == Some(&true);
    let refusal = match &description.token {
        None => Some(diagnose::nothing_to_hand_out(
            place,
            description.unusable.as_ref(),
        )),
        // A refused token may have expired as well.
        Some(facts) if facts.dates.expires_at <= configured.now() && !allow_expired => Some(
            diagnose::expired_not_handed_out(place, &facts.dates.expires_at_text()),
        ),
        Some(facts) => diagnose::unexpected_token(place, facts.fingerprint, &config.fingerprint),
    };
    if let Some(refusal) = refusal {
        return Err(refusal.into());
    }
    let mut diagnostics = std::mem::take(&mut description.diagnostics);
    let verdict = description
        .token
        .as_ref()
        .and_then(|facts| facts.verdict.as_ref());
    let refused = verdict.filter(|verdict| verdict.is_refused());
    diagnostics.extend(refused.map(|verdict| diagnose::refused_handed_out(place, verdict)));
    diagnostics.extend(configured.skew_warning());
    let mut object = config.clone();
    object.record(place, &description);
    object.token = token
        .map(|token| Secret::new(trim(token.expose()).0))
        .into();
    object.allow_expired = Field::Known(allow_expired);
    object.fill_in(&asked);
    Ok(Found {
        object,
        diagnostics,
    })
}

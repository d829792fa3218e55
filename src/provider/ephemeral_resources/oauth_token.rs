//! `claude_oauth_token`: the token itself, for another provider's write-only argument.

use async_trait::async_trait;

use crate::protocol::Number;
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::refuse;
use crate::provider::diagnose::{self, Place};
use crate::provider::lookup::arguments::{Obstacle, asks};
use crate::provider::lookup::attributes::described;
use crate::provider::lookup::describe::describe;
use crate::provider::secrets::observe::Observed;
use crate::provider::secrets::spares::named;
use crate::sdk::{Context, Diagnostics, EphemeralResource, Failure, Field, Found, Opened};
use crate::secret::Secret;
use crate::token::expiry::Status;
use crate::vault::{self, Reading};

described! {
    /// Configuration and answer of the ephemeral `claude_oauth_token`.
    pub(in crate::provider) struct OauthTokenOpened {
        path: String = required() "Path of the secret in the mount, without `data/`.";
        mount: String = optional_computed() "KV v2 mount. Defaults to the provider's `mount`.";
        field: String = optional_computed() "Field of the secret that holds the token. Defaults to `claude_oauth_token`.";
        lifetime_days: Number = optional_computed() "Days from mint to expiry. Defaults to the provider's `lifetime_days`.";
        rotate_before_days: Number = optional_computed() "Days before its expiry from which the token is due. Defaults to the provider's `rotate_before_days`.";
        allow_expired: bool = optional_computed() "Whether a token is handed out whose day has passed. Defaults to `false`. A value that is no token never is: it may be another secret.";
        token: Secret = computed(sensitive) "The token.";
    }
}

/// The ephemeral resource type.
pub(in crate::provider) struct OauthTokenEphemeral;

asks!(OauthTokenOpened);

#[async_trait]
impl EphemeralResource for OauthTokenEphemeral {
    type Configured = Configured;
    type Model = OauthTokenOpened;

    const TYPE_NAME: &'static str = "claude_oauth_token";
    const DESCRIPTION: &'static str = "Hands on one long-lived OAuth token of headless Claude \
        Code, with its dates, to a write-only argument or to the configuration of another \
        provider. Neither plan nor state nor log has the token. It is read in each plan and each \
        apply and nothing is written; a token that is missing, malformed or expired is an error. \
        From version 1.10 of Terraform and 1.11 of OpenTofu on; write-only arguments from 1.11 of \
        both.";

    fn validate(&self, config: &OauthTokenOpened) -> Diagnostics {
        let mut found = Diagnostics::new();
        found.extend(refuse::path(&config.path, "path"));
        found.extend(config.arguments().validate());
        found
    }

    async fn open(
        &self,
        context: &Context<Configured>,
        config: OauthTokenOpened,
    ) -> Result<Opened<OauthTokenOpened>, Failure> {
        let configured = &context.configured;
        look(configured, config).await
    }
}

/// Reads the secret, and dates the token that is handed out.
async fn look(
    configured: &Configured,
    config: OauthTokenOpened,
) -> Result<Opened<OauthTokenOpened>, Failure> {
    let asked = match config.arguments().resolve(configured) {
        Ok(asked) => asked,
        Err(Obstacle::Unknown(_)) => return Ok(Opened::Later(Diagnostics::new())),
        Err(Obstacle::Wrong(diagnostic)) => return Err(diagnostic.into()),
    };
    let secret = named(&asked.mount, config.path.as_str().unwrap_or_default())?;
    let place = Place {
        secret: &secret,
        field: &asked.field,
    };
    // What observers remember has no token in it.
    let reading = asked
        .observer
        .store()
        .read(&secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let token = match &reading {
        Reading::Present(document) => match document.field(&asked.field) {
            vault::Field::Text(text) => Some(text),
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
            description.problem.as_deref().unwrap_or_default(),
        )),
        Some(facts) if description.status == Status::Expired && !allow_expired => Some(
            diagnose::expired_not_handed_out(place, &facts.dates.expires_at_text()),
        ),
        Some(_) => None,
    };
    if let Some(refusal) = refusal {
        return Err(refusal.into());
    }
    let mut diagnostics = std::mem::take(&mut description.diagnostics);
    diagnostics.extend(configured.skew_warning());
    let mut object = config.clone();
    object.record(place, &description);
    object.token = token.into();
    object.allow_expired = Field::Known(allow_expired);
    object.fill_in(&asked);
    Ok(Opened::Now(Found {
        object,
        diagnostics,
    }))
}

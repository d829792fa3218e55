//! `claude_oauth_token`: what is known about a token that another stack manages, or that is not
//! managed.

use async_trait::async_trait;

use crate::protocol::Number;
use crate::provider::block::configured::Configured;
use crate::provider::defaults::DEFAULT_SECRET_KEY;
use crate::provider::diagnose::refuse;
use crate::provider::diagnose::refuse::secret_path;
use crate::provider::diagnose::{self, Place};
use crate::provider::functions::data_entry::{DataEntry, remote_key};
use crate::provider::lookup::arguments::asks;
use crate::provider::lookup::attributes::described;
use crate::provider::lookup::describe::describe;
use crate::sdk::{Context, Diagnostics, Failure, Field, Found, Lookup};

described! {
    /// Configuration and answer of `claude_oauth_token`.
    pub(in crate::provider) struct OauthTokenData {
        path: String = required() "Path of the secret in the mount, without `data/`.";
        mount: String = optional_computed() "KV version 2 mount. Defaults to the provider's `mount`.";
        field: String = optional_computed() "Field of the secret that holds the token. Defaults to `claude_oauth_token`.";
        lifetime_days: Number = optional_computed() "Days from mint to expiry. Defaults to the provider's `lifetime_days`.";
        rotate_before_days: Number = optional_computed() "How many days before its expiry the token becomes due for rotation. Defaults to the provider's `rotate_before_days`.";
        secret_key: String = optional_computed() "Key in the Kubernetes Secret (`secretKey` of an ExternalSecret). Defaults to `CLAUDE_CODE_OAUTH_TOKEN`.";
        remote_key: String = optional_computed() "Key in the External Secrets store (`remoteRef.key`). Defaults to `path`, or `<mount>/data/<path>` where ESO would otherwise cut the path. Set it if the store is not rooted at the mount, or is of ESO's own `openBao` kind.";
        external_secret_data: Vec<DataEntry> = computed() "The entry for `spec.data` of an ExternalSecret that delivers this token, as a list with one element.";
    }
}

/// The data source type.
pub(in crate::provider) struct OauthTokenDataSource;

asks!(OauthTokenData);

#[async_trait]
impl Lookup for OauthTokenDataSource {
    type Configured = Configured;
    type Model = OauthTokenData;

    const TYPE_NAME: &'static str = "claude_oauth_token";
    const DESCRIPTION: &'static str = "Reads one long-lived Claude Code token that another stack \
        manages: its fingerprint, its dates, and how an ExternalSecret maps it. The token itself \
        is not included. If the token is missing or malformed, `status` and a warning say so, and \
        a stack that needs only the mapping can still be planned. Add a `postcondition` to make it \
        an error. The data source needs `read` on the secret, and reads older versions only if the \
        token has no stamp. For many tokens, use `claude_oauth_tokens`, because Terraform is slow \
        with many instances of a data source.";

    fn validate(&self, config: &OauthTokenData) -> Diagnostics {
        let mut found = Diagnostics::new();
        found.extend(refuse::path(&config.path, "path"));
        found.extend(config.arguments().validate());
        found.extend(refuse::secret_key(&config.secret_key, "secret_key"));
        found.extend(refuse::empty(&config.remote_key, "remote_key"));
        found
    }

    async fn read(
        &self,
        context: &Context<Configured>,
        config: OauthTokenData,
    ) -> Result<Found<OauthTokenData>, Failure> {
        let configured = &context.configured;
        read_token(configured, config).await
    }
}

/// Reads the secret, and dates the token.
async fn read_token(
    configured: &Configured,
    config: OauthTokenData,
) -> Result<Found<OauthTokenData>, Failure> {
    let path = config.path.as_str().unwrap_or_default();
    let asked = config.arguments().resolve(configured).map_err(|obstacle| {
        obstacle.into_diagnostic("Reading data.claude_oauth_token", diagnose::READ_AT_APPLY)
    })?;
    let secret = secret_path(&asked.mount, path)?;
    let place = Place {
        secret: &secret,
        field: &asked.field,
    };
    let observed = asked
        .observer
        .observe(&secret)
        .await
        .map_err(|error| diagnose::vault_error(&error, &place.to_string()))?;
    let mut description =
        describe(configured, asked.observer, place, asked.lifetime, &observed).await?;
    let mut diagnostics = std::mem::take(&mut description.diagnostics);
    diagnostics.extend(configured.skew_warning());
    if let Some(unusable) = &description.unusable {
        diagnostics.push(diagnose::no_token(place, unusable));
    }
    let mut object = config.clone();
    object.record(place, &description);
    let key = remote_key(&Field::text(&asked.mount), &config.path);
    object.secret_key = object.secret_key.or(Field::text(DEFAULT_SECRET_KEY));
    object.remote_key = object.remote_key.or(key);
    object.external_secret_data = Field::Known(vec![DataEntry::new(
        object.secret_key.clone(),
        object.remote_key.clone(),
        Field::text(&asked.field),
    )]);
    object.fill_in(&asked);
    Ok(Found {
        object,
        diagnostics,
    })
}

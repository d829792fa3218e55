//! `claude_oauth_tokens`: every token below a prefix.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};

use crate::protocol::{Diagnostic, Number};
use crate::provider::block::configured::Configured;
use crate::provider::diagnose::refuse;
use crate::provider::diagnose::{self, Place};
use crate::provider::functions::data_entry::DataEntry;
use crate::provider::lookup::arguments::{Asked, asks};
use crate::provider::lookup::attributes::described;
use crate::provider::lookup::describe::describe;
use crate::provider::observe::walk::{Findings, FoundSecret, Skipped, Walk};
use crate::sdk::{Context, Diagnostics, Failure, Field, Found, Lookup, model};
use crate::token::prefix::Prefix;

/// How many tokens are dated at the same time; each may need some reads of older versions.
const CONCURRENCY: usize = 16;

model! {
    /// Configuration and answer of `claude_oauth_tokens`.
    pub(in crate::provider) struct OauthTokensData {
        mount: String = optional_computed() "KV version 2 mount. Defaults to the provider's `mount`.";
        path_prefix: String = optional() "Beginning of the paths: `team/` is a folder, and `claude-agent` matches every path that begins with it, including folders. If omitted, the whole mount.";
        field: String = optional_computed() "Field that holds the token. Secrets without this field are left out. Defaults to `claude_oauth_token`.";
        lifetime_days: Number = optional_computed() "Days from mint to expiry. Defaults to the provider's `lifetime_days`.";
        rotate_before_days: Number = optional_computed() "How many days before its expiry a token becomes due for rotation. Defaults to the provider's `rotate_before_days`.";
        tokens: Vec<FoundToken> = computed() "The tokens, sorted by path.";
    }
}

described! {
    /// One token below the prefix.
    pub(in crate::provider) struct FoundToken {
        path: String = computed() "Path of the secret in the mount.";
        external_secret_data: Vec<DataEntry> = computed() "The entry for `spec.data` of an ExternalSecret that delivers this token, with the `secretKey` `CLAUDE_CODE_OAUTH_TOKEN`.";
    }
}

/// The data source type.
pub(in crate::provider) struct OauthTokensDataSource;

asks!(OauthTokensData);

#[async_trait]
impl Lookup for OauthTokensDataSource {
    type Configured = Configured;
    type Model = OauthTokensData;

    const TYPE_NAME: &'static str = "claude_oauth_tokens";
    const DESCRIPTION: &'static str = "Lists every long-lived Claude Code token below a path: one \
        entry for each secret that has the field. The tokens themselves are not included. The data \
        source needs `list` on the metadata of the folders and `read` on the secrets. Folders and \
        secrets that the policy does not allow are left out, and one warning names them. Each \
        secret is read once, and older versions only if a token has no stamp.";

    fn validate(&self, config: &OauthTokensData) -> Diagnostics {
        let mut found = Diagnostics::new();
        found.extend(refuse::path_prefix(&config.path_prefix, "path_prefix"));
        found.extend(config.arguments().validate());
        found
    }

    async fn read(
        &self,
        context: &Context<Configured>,
        config: OauthTokensData,
    ) -> Result<Found<OauthTokensData>, Failure> {
        let configured = &*context.configured;
        let asked = config.arguments().resolve(configured).map_err(|obstacle| {
            obstacle.into_diagnostic("Reading data.claude_oauth_tokens", diagnose::READ_AT_APPLY)
        })?;
        let text = config.path_prefix.as_str().unwrap_or_default();
        let prefix = match refuse::path_prefix(&config.path_prefix, "path_prefix") {
            Some(wrong) => return Err(wrong.into()),
            None => Prefix::parse(text).unwrap_or_default(),
        };
        let walk = Walk {
            observer: asked.observer,
            mount: &asked.mount,
            prefix: &prefix,
            field: &asked.field,
            also: None,
        };
        let (tokens, skipped) = read_tokens(configured, &asked, walk, text).await?;
        let mut diagnostics: Diagnostics = configured.skew_warning().into_iter().collect();
        diagnostics.extend(diagnose::skipped(&asked.mount, text, &skipped));
        let mut object = config.clone();
        object.tokens = Field::Known(tokens);
        object.fill_in(&asked);
        Ok(Found {
            object,
            diagnostics,
        })
    }
}

/// Walks the prefix and dates each token that it finds. A token that could not be dated in time is
/// reported as not read.
async fn read_tokens(
    configured: &Configured,
    asked: &Asked<'_>,
    walk: Walk<'_>,
    prefix: &str,
) -> Result<(Vec<FoundToken>, Vec<Skipped>), Diagnostic> {
    let Findings {
        secrets,
        mut skipped,
    } = walk
        .to_the_end()
        .await
        .map_err(|error| diagnose::vault_error(&error, &format!("{}/{prefix}*", asked.mount)))?;
    let mut tokens = Vec::new();
    let mut described = pin!(
        stream::iter(secrets)
            .map(async |found| {
                let path = found.secret.path().to_owned();
                (path, token(configured, asked, found).await)
            })
            .buffered(CONCURRENCY)
    );
    while let Some((path, described)) = described.next().await {
        match described {
            Ok(token) => tokens.push(token),
            Err(_) if asked.observer.store().is_time_over() => skipped.push(Skipped::late(&path)),
            Err(error) => return Err(error),
        }
    }
    Ok((tokens, skipped))
}

/// Describes one token. Everything to report about it is in its status and in the source of its
/// mint time, because nobody would read a warning for each of many tokens.
async fn token(
    configured: &Configured,
    asked: &Asked<'_>,
    found: FoundSecret,
) -> Result<FoundToken, Diagnostic> {
    let place = Place {
        secret: &found.secret,
        field: &asked.field,
    };
    let description = describe(
        configured,
        asked.observer,
        place,
        asked.lifetime,
        &found.observed,
    )
    .await?;
    let path = found.secret.path();
    let mut token = FoundToken {
        path: Field::text(path),
        external_secret_data: Field::Known(vec![DataEntry::of_token(
            &asked.mount,
            path,
            &asked.field,
        )]),
        ..FoundToken::default()
    };
    token.record(place, &description);
    Ok(token)
}

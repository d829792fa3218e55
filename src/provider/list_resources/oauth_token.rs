//! Tokens below a prefix, whether or not a state has them.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::StreamExt as _;

use crate::provider::block::configured::Configured;
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose;
use crate::provider::diagnose::refuse;
use crate::provider::resources::oauth_token::OauthTokenResource;
use crate::provider::secrets::walk::{Sight, Unseen, Walk};
use crate::sdk::{
    Context, Diagnostics, Ended, Field, ListRequest, ListResource, Listed, Results, model,
};
use crate::token::prefix::Prefix;

model! {
    /// Which tokens are listed.
    pub(in crate::provider) struct OauthTokenSelection {
        mount: String = optional() "KV v2 mount. Defaults to the provider's `mount`.";
        path_prefix: String = optional() "Beginning of the paths in the mount: `team/` takes everything in the folder `team`, `claude-agent` all paths that begin so. Defaults to the whole mount.";
        field: String = optional() "Field of the secrets that holds the token; a secret that has no such field is left out. Defaults to `claude_oauth_token`.";
    }
}

/// Lists [`OauthTokenResource`].
pub(in crate::provider) struct OauthTokenList;

#[async_trait]
impl ListResource for OauthTokenList {
    type Resource = OauthTokenResource;
    type Config = OauthTokenSelection;

    const DESCRIPTION: &'static str = "Finds the tokens in a mount or below a path, those that no \
        state has yet among them. `terraform query -generate-config-out=FILE` writes `import` and \
        `resource` blocks for them, with which an import changes nothing. It needs `list` on the \
        metadata of folders and `read` on the data of secrets; what may not be listed or read is \
        told in a warning and left out. Terraform lists 100 tokens unless the block has a \
        `limit`; a warning tells where there are more. From Terraform 1.14 on; OpenTofu has no queries.";

    fn validate(&self, config: &OauthTokenSelection) -> Diagnostics {
        let mut found = Diagnostics::new();
        found.extend(refuse::mount(&config.mount));
        found.extend(refuse::path_prefix(&config.path_prefix, "path_prefix"));
        found.extend(refuse::field(&config.field));
        found
    }

    async fn list(
        &self,
        context: &Context<Configured>,
        request: ListRequest<OauthTokenSelection>,
        results: &Results<OauthTokenResource>,
    ) -> Result<(), Ended> {
        let configured = &*context.configured;
        let config = request.config;
        let observer = configured
            .observer()
            .map_err(|unknown| diagnose::not_configured(unknown, "A query"))?;
        let mount = config.mount.or(configured.mount.clone());
        let field = config.field.or(Field::text(DEFAULT_FIELD));
        let (Some(mount), Some(field)) = (mount.as_str(), field.as_str()) else {
            return Err(diagnose::not_configured("mount", "A query").into());
        };
        let path_prefix = config.path_prefix.as_str().unwrap_or_default();
        // Validation has refused what is no prefix.
        let prefix = Prefix::parse(path_prefix).unwrap_or_default();
        let walk = Walk {
            observer,
            mount,
            prefix: &prefix,
            field,
        };
        tell(configured, walk, path_prefix, request.with_states, results).await
    }
}

/// Tells of each token that a walk meets, and in the end of what it had to pass over.
async fn tell(
    configured: &Configured,
    walk: Walk<'_>,
    path_prefix: &str,
    with_states: bool,
    results: &Results<OauthTokenResource>,
) -> Result<(), Ended> {
    let Walk {
        observer,
        mount,
        field,
        ..
    } = walk;
    let sights = walk.stream(async |sighting| {
        let path = sighting.secret.path().to_owned();
        let found = if with_states {
            OauthTokenResource::found(configured, mount, &path, field).await
        } else {
            let named = OauthTokenResource::named(configured, mount, &path, field);
            Ok((named, Diagnostics::new()))
        };
        (path, found)
    });
    let mut sights = pin!(sights);
    let mut unseen = Vec::new();
    while let Some(sight) = sights.next().await {
        let (path, found) = match sight {
            Ok(Sight::Secret(found)) => found,
            Ok(Sight::Unseen(place)) => {
                unseen.push(place);
                continue;
            }
            Err(error) => {
                let place = format!("{mount}/{path_prefix}");
                return Err(diagnose::vault_error(&error, &place).into());
            }
        };
        let (state, diagnostics) = match found {
            Ok(found) => found,
            Err(_) if observer.store().is_time_over() => {
                unseen.push(Unseen::late(&path));
                continue;
            }
            Err(failure) => return Err(failure.into()),
        };
        results
            .send(Listed {
                display_name: state.id.as_str().unwrap_or(&path).to_owned(),
                state,
                diagnostics,
            })
            .await?;
    }
    let unseen = diagnose::unseen(mount, path_prefix, &unseen);
    results.warn(unseen.into_iter().collect()).await
}

//! Tokens below a prefix, whether or not they are in a state.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::StreamExt as _;

use crate::provider::block::configured::Configured;
use crate::provider::defaults::DEFAULT_FIELD;
use crate::provider::diagnose;
use crate::provider::diagnose::refuse;
use crate::provider::observe::walk::{Item, Skipped, Walk};
use crate::provider::resources::oauth_token::OauthTokenResource;
use crate::sdk::{
    Context, Diagnostics, Ended, Field, ListRequest, ListResource, Listed, Results, model,
};
use crate::token::prefix::Prefix;

model! {
    /// Which tokens are listed.
    pub(in crate::provider) struct OauthTokenSelection {
        mount: String = optional() "KV version 2 mount. Defaults to the provider's `mount`.";
        path_prefix: String = optional() "Beginning of the paths in the mount: `team/` is a folder, and `claude-agent` matches every path that begins with it. Defaults to the whole mount.";
        field: String = optional() "Field that holds the token. Secrets without this field are left out. Defaults to `claude_oauth_token`.";
    }
}

/// Lists [`OauthTokenResource`].
pub(in crate::provider) struct OauthTokenList;

#[async_trait]
impl ListResource for OauthTokenList {
    type Resource = OauthTokenResource;
    type Config = OauthTokenSelection;

    const DESCRIPTION: &'static str = "Finds the tokens in a mount or below a path, including \
        those that are in no state yet. The list block goes in a file whose name ends in \
        `.tfquery.hcl`. `terraform query -generate-config-out=FILE` then writes `import` and \
        `resource` blocks for the tokens, and importing with them changes nothing. It needs `list` \
        on the metadata of folders and `read` on the data of secrets. Folders and secrets that the \
        policy does not allow are left out, and a warning names them. Terraform lists 100 tokens \
        unless the block sets `limit`, and a warning says if there are more. Requires Terraform \
        1.14. OpenTofu does not support queries.";

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
        // Validation has refused anything that is not a prefix.
        let prefix = Prefix::parse(path_prefix).unwrap_or_default();
        let walk = Walk {
            observer,
            mount,
            prefix: &prefix,
            field,
            also: None,
        };
        tell(configured, walk, path_prefix, request.with_states, results).await
    }
}

/// Reports each token that a walk finds, and at the end the places that it had to skip.
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
    let findings = walk.stream(async |secret| {
        let path = secret.secret.path().to_owned();
        let found = if with_states {
            OauthTokenResource::found(configured, mount, &path, field).await
        } else {
            let named = OauthTokenResource::named(configured, mount, &path, field);
            Ok((named, Diagnostics::new()))
        };
        (path, found)
    });
    let mut findings = pin!(findings);
    let mut skipped = Vec::new();
    while let Some(item) = findings.next().await {
        let (path, found) = match item {
            Ok(Item::Secret(found)) => found,
            Ok(Item::Skipped(place)) => {
                skipped.push(place);
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
                skipped.push(Skipped::late(&path));
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
    let skipped = diagnose::skipped(mount, path_prefix, &skipped);
    results.warn(skipped.into_iter().collect()).await
}

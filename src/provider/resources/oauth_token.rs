//! `claude_oauth_token`: one token in one field of one secret.

mod change;
mod create;
mod foresee;
mod import;
mod model;
mod plan;
mod private;
mod read;
mod record;
mod update;
mod validate;

use std::sync::Arc;

use async_trait::async_trait;

pub(in crate::provider) use model::{OauthToken, OauthTokenIdentity};
pub(in crate::provider) use private::Private;

use crate::provider::block::configured::Configured;
use crate::provider::block::now::Now;
use crate::provider::diagnose::{self, Place};
use crate::sdk::{
    Applied, ApplyRequest, Context, Diagnostics, Failure, Field, GenerateConfig, ImportRequest,
    ImportState, Imported, PlanRequest, Planned, Read, ReadRequest, Resource, UpgradeState,
};
use crate::token::expiry::Status;
use crate::vault::SecretPath;

/// The resource type.
pub(in crate::provider) struct OauthTokenResource {
    time: Arc<Now>,
}

impl OauthTokenResource {
    /// Creates the resource type; `time` is the current time that mint times are checked against.
    pub(in crate::provider) fn new(time: Arc<Now>) -> Self {
        Self { time }
    }
}

impl OauthTokenResource {
    /// Returns a state that names a token and knows nothing about it.
    pub(in crate::provider) fn named(
        configured: &Configured,
        mount: &str,
        path: &str,
        field: &str,
    ) -> OauthToken {
        let named = OauthToken {
            mount: Field::text(mount),
            path: Field::text(path),
            field: Field::text(field),
            ..OauthToken::default()
        };
        named.with_defaults(configured)
    }

    /// Returns the state that an import and the refresh after it would give a token.
    ///
    /// # Errors
    ///
    /// Fails if the refresh fails.
    pub(in crate::provider) async fn found(
        configured: &Configured,
        mount: &str,
        path: &str,
        field: &str,
    ) -> Result<(OauthToken, Diagnostics), Failure> {
        let request = ReadRequest {
            state: Self::named(configured, mount, path, field),
            private: Private::default(),
        };
        let Read {
            state,
            private,
            mut diagnostics,
        } = read::read(configured, request).await?;
        if let (Some(problem), Some(secret)) = (&private.problem, secret(&state)) {
            let place = Place {
                secret: &secret,
                field,
            };
            // A refresh reports on a resource, which does not exist yet.
            let refreshed = diagnose::unusable(place, problem, state.fails_without_token());
            diagnostics.retain(|diagnostic| *diagnostic != refreshed);
            diagnostics.push(diagnose::unusable_where_found(place, problem));
        }
        Ok((state, diagnostics))
    }
}

#[async_trait]
impl Resource for OauthTokenResource {
    type Configured = Configured;
    type Model = OauthToken;
    type Identity = OauthTokenIdentity;
    type Private = Private;

    const TYPE_NAME: &'static str = "claude_oauth_token";
    const DESCRIPTION: &'static str = "Tracks one long-lived Claude Code token in one field of a \
        KV version 2 secret: when it was minted, when it expires, and how an ExternalSecret maps \
        it. When the token is due, unusable, or leaked, an apply can replace it with a spare. \
        Creating the resource adopts the existing token. Destroying it removes nothing from Vault.";

    fn identity(model: &OauthToken) -> OauthTokenIdentity {
        OauthTokenIdentity {
            mount: model.mount.clone(),
            path: model.path.clone(),
            field: model.field.clone(),
        }
    }

    fn validate(&self, config: &OauthToken) -> Diagnostics {
        validate::validate(config, self.time.latest())
    }

    async fn read(
        &self,
        context: &Context<Configured>,
        request: ReadRequest<Self>,
    ) -> Result<Read<Self>, Failure> {
        let configured = &context.configured;
        read::read(configured, request).await
    }

    async fn plan(
        &self,
        context: &Context<Configured>,
        request: PlanRequest<Self>,
    ) -> Result<Planned<Self>, Failure> {
        plan::plan(&context.configured, request).await
    }

    fn plan_destroy(&self, state: &OauthToken) -> Diagnostics {
        left_in_vault(state)
    }

    async fn create(
        &self,
        context: &Context<Configured>,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure> {
        create::create(&context.configured, request).await
    }

    async fn update(
        &self,
        context: &Context<Configured>,
        prior: OauthToken,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure<Applied<Self>>> {
        update::update(context, &prior, request).await
    }
}

impl UpgradeState for OauthTokenResource {}

impl GenerateConfig for OauthTokenResource {
    fn defaults(configured: &Configured, state: OauthToken) -> OauthToken {
        let given = OauthToken {
            path: state.path,
            ..OauthToken::default()
        };
        given.with_defaults(configured)
    }
}

#[async_trait]
impl ImportState for OauthTokenResource {
    async fn import(
        &self,
        context: &Context<Configured>,
        request: ImportRequest<Self>,
    ) -> Result<Imported<Self>, Failure> {
        let configured = &context.configured;
        import::import(configured, request).await
    }
}

/// Returns the secret that a model names.
fn secret(model: &OauthToken) -> Option<SecretPath> {
    SecretPath::new(model.mount.as_str()?, model.path.as_str()?).ok()
}

/// Warns that a token stays in Vault after its resource is destroyed, unless the token is missing.
fn left_in_vault(model: &OauthToken) -> Diagnostics {
    if model.known_status() == Some(Status::Missing) {
        return Diagnostics::new();
    }
    with_place(model, |place| {
        diagnose::stays_in_vault(place, model.expires_at.as_str())
    })
}

/// Reports something about the token that a model names, if it names one.
fn with_place(
    model: &OauthToken,
    say: impl FnOnce(Place<'_>) -> crate::protocol::Diagnostic,
) -> Diagnostics {
    match (secret(model), model.field.as_str()) {
        (Some(secret), Some(field)) => vec![say(Place {
            secret: &secret,
            field,
        })],
        _ => Diagnostics::new(),
    }
}

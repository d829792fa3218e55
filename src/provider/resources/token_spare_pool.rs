//! `claude_token_spare_pool`: the spare tokens, watched together.

mod apply;
mod import;
mod model;
mod plan;
mod primary;
mod report;
mod survey;
mod validate;
mod wiped;

use async_trait::async_trait;

pub(in crate::provider) use model::{Private, TokenSparePool, TokenSparePoolIdentity};

use crate::provider::block::configured::Configured;
use crate::provider::diagnose;
use crate::sdk::{
    Applied, ApplyRequest, Context, Diagnostics, Failure, GenerateConfig, ImportRequest,
    ImportState, Imported, PlanRequest, Planned, Read, ReadRequest, Resource, UpgradeState,
};
use survey::Surveyor;

/// The resource type.
pub(in crate::provider) struct TokenSparePoolResource;

#[async_trait]
impl Resource for TokenSparePoolResource {
    type Configured = Configured;
    type Model = TokenSparePool;
    type Identity = TokenSparePoolIdentity;
    type Private = Private;

    const TYPE_NAME: &'static str = "claude_token_spare_pool";
    const DESCRIPTION: &'static str = "Watches all spares of a primary together: which are \
        available, which are duplicates, spent, or due, and until when any of them can help. \
        Destroying the resource removes nothing from Vault.";
    const MUTABLE_IDENTITY: bool = true;

    fn identity(model: &TokenSparePool) -> TokenSparePoolIdentity {
        TokenSparePoolIdentity {
            mount: model.mount.clone(),
            paths: model.paths.clone(),
            field: model.field.clone(),
        }
    }

    fn validate(&self, config: &TokenSparePool) -> Diagnostics {
        validate::validate(config)
    }

    async fn read(
        &self,
        context: &Context<Configured>,
        request: ReadRequest<Self>,
    ) -> Result<Read<Self>, Failure> {
        let configured = &*context.configured;
        let ReadRequest { state, private } = request;
        let mut state = state.with_defaults(configured);
        match configured.observer() {
            Ok(observer) => {
                let surveyor = Surveyor {
                    configured,
                    observer,
                    reread: false,
                };
                let mut survey = surveyor.survey(&state, &private).await?;
                survey.record(&mut state);
                let diagnostics = survey.take_diagnostics();
                Ok(Read {
                    state,
                    private: survey.private,
                    diagnostics,
                })
            }
            Err(unknown) => {
                let id = state.id.as_str().unwrap_or_default();
                let diagnostics = vec![diagnose::refreshed_without_vault(id, unknown)];
                report::rejudge(&mut state, configured.now());
                Ok(Read {
                    state,
                    private,
                    diagnostics,
                })
            }
        }
    }

    async fn plan(
        &self,
        context: &Context<Configured>,
        request: PlanRequest<Self>,
    ) -> Result<Planned<Self>, Failure> {
        plan::plan(&context.configured, request)
    }

    fn plan_destroy(&self, state: &TokenSparePool) -> Diagnostics {
        vec![report::stays_in_vault(state)]
    }

    async fn create(
        &self,
        context: &Context<Configured>,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure> {
        apply::create(&context.configured, request).await
    }

    async fn update(
        &self,
        context: &Context<Configured>,
        prior: TokenSparePool,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure<Applied<Self>>> {
        apply::update(&context.configured, &prior, request).await
    }
}

impl UpgradeState for TokenSparePoolResource {}

impl GenerateConfig for TokenSparePoolResource {
    fn defaults(configured: &Configured, state: TokenSparePool) -> TokenSparePool {
        let given = TokenSparePool {
            paths: state.paths,
            ..TokenSparePool::default()
        };
        given.with_defaults(configured)
    }
}

#[async_trait]
impl ImportState for TokenSparePoolResource {
    async fn import(
        &self,
        context: &Context<Configured>,
        request: ImportRequest<Self>,
    ) -> Result<Imported<Self>, Failure> {
        let configured = &context.configured;
        import::import(configured, request).await
    }
}

//! The gRPC service of a provider, and the data that it keeps between calls. Each call has its own
//! file.

mod apply_resource_change;
mod call_function;
mod close_ephemeral_resource;
mod configure_provider;
mod generate_resource_config;
mod get_functions;
mod get_metadata;
mod get_provider_schema;
mod get_resource_identity_schemas;
mod import_resource_state;
mod invoke_action;
mod list_resource;
mod move_resource_state;
mod open_ephemeral_resource;
mod plan_action;
mod plan_resource_change;
mod read_data_source;
mod read_resource;
mod renew_ephemeral_resource;
mod session;
mod stop_provider;
mod upgrade_resource_identity;
mod upgrade_resource_state;
mod validate_action_config;
mod validate_data_resource_config;
mod validate_ephemeral_resource_config;
mod validate_list_resource_config;
mod validate_provider_config;
mod validate_resource_config;

use std::sync::{Arc, LazyLock, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::task::TaskTracker;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::check::config::mistakes;
use super::coding::{self, Outcome};
use super::context::Context;
use super::model::Model;
use super::provider::Provider;
use super::registry::Registry;
use crate::protocol::Schema;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::generated::tfplugin6::provider_server::{Provider as Rpc, ProviderServer};
use session::{Session, sessionless};

/// Maximum message size in bytes, as in hosts and other providers. tonic's default of 4 MiB is too
/// small for large states.
const MESSAGE_LIMIT: usize = 256 << 20;

/// Time that an apply has to finish after the host's request to stop. A partial change is worse
/// than a wait.
const APPLY_GRACE: Duration = Duration::from_secs(10);

/// Serves a provider over gRPC.
pub struct ProviderService<P: Provider> {
    shared: Arc<Shared<P>>,
}

struct Shared<P: Provider> {
    provider: P,
    schema: LazyLock<Schema>,
    types: Registry<P::Configured>,
    invocations: TaskTracker,
    session: RwLock<Session<P::Configured>>,
}

impl<P: Provider> Clone for ProviderService<P> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<P: Provider> ProviderService<P> {
    /// Wraps a provider that is not configured yet.
    pub fn new(provider: P) -> Self {
        Self {
            shared: Arc::new(Shared {
                types: provider.registry(),
                schema: LazyLock::new(|| {
                    Schema::new(P::Config::attributes()).description(P::DESCRIPTION)
                }),
                provider,
                invocations: TaskTracker::new(),
                session: RwLock::new(Session::new()),
            }),
        }
    }

    /// Builds the server to mount, with the message size limit that hosts use.
    pub fn server(&self) -> ProviderServer<Self> {
        ProviderServer::new(self.clone())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }

    /// Releases what the configurations hold outside this process, once running actions have ended
    /// safely.
    pub async fn close(&self) {
        self.session().cancelled.cancel();
        self.shared.invocations.close();
        self.shared.invocations.wait().await;
        let held: Vec<_> = {
            let mut session = self.lock();
            let earlier = std::mem::take(&mut session.earlier);
            earlier
                .into_iter()
                .chain(session.configured.clone())
                .collect()
        };
        self.release(held).await;
    }

    /// Returns the schema of the provider block, built on first use.
    pub fn schema(&self) -> &Schema {
        &self.shared.schema
    }

    /// Returns the types and functions.
    pub fn types(&self) -> &Registry<P::Configured> {
        &self.shared.types
    }

    /// Returns what the current configuration began, for one call.
    fn session(&self) -> Session<P::Configured> {
        self.shared
            .session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn context(&self, session: Session<P::Configured>) -> Outcome<Context<P::Configured>> {
        session.context(&self.shared.provider)
    }

    fn decode_config(&self, config: Option<&wire::DynamicValue>) -> Outcome<P::Config> {
        const WHAT: &str = "the provider block";
        let attributes = &self.schema().attributes;
        let Some(value) = coding::decode(attributes, WHAT, config)? else {
            return Ok(P::Config::default());
        };
        let mistakes = mistakes(attributes, &value);
        if mistakes.is_empty() {
            coding::model(WHAT, value)
        } else {
            Err(mistakes)
        }
    }

    fn lock(&self) -> RwLockWriteGuard<'_, Session<P::Configured>> {
        self.shared
            .session
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn release(&self, held: Vec<Arc<P::Configured>>) {
        join_all(held.iter().map(|held| self.shared.provider.close(held))).await;
    }
}

fn capabilities() -> wire::ServerCapabilities {
    wire::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        generate_resource_config: true,
        ..Default::default()
    }
}

/// Passes each call to the file that has its name.
macro_rules! service {
    ($($rpc:ident),+ $(,)?) => {
        #[tonic::async_trait]
        impl<P: Provider> Rpc for ProviderService<P> {
            type ListResourceStream = BoxStream<wire::list_resource::Event>;
            type InvokeActionStream = BoxStream<wire::invoke_action::Event>;

            $(async fn $rpc(
                &self,
                request: Request<wire::$rpc::Request>,
            ) -> Result<Response<wire::$rpc::Response>, Status> {
                Ok(Response::new($rpc::answer(self, request.into_inner()).await))
            })+

            async fn list_resource(
                &self,
                request: Request<wire::list_resource::Request>,
            ) -> Result<Response<Self::ListResourceStream>, Status> {
                Ok(Response::new(list_resource::answer(self, request.into_inner())))
            }

            async fn invoke_action(
                &self,
                request: Request<wire::invoke_action::Request>,
            ) -> Result<Response<Self::InvokeActionStream>, Status> {
                Ok(Response::new(invoke_action::answer(self, request.into_inner())))
            }
        }
    };
}

service!(
    apply_resource_change,
    call_function,
    close_ephemeral_resource,
    configure_provider,
    generate_resource_config,
    get_functions,
    get_metadata,
    get_provider_schema,
    get_resource_identity_schemas,
    import_resource_state,
    move_resource_state,
    open_ephemeral_resource,
    plan_action,
    plan_resource_change,
    read_data_source,
    read_resource,
    renew_ephemeral_resource,
    stop_provider,
    upgrade_resource_identity,
    upgrade_resource_state,
    validate_action_config,
    validate_data_resource_config,
    validate_ephemeral_resource_config,
    validate_list_resource_config,
    validate_provider_config,
    validate_resource_config,
);

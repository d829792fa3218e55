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

use futures_util::future::{join_all, ready};
use tokio_util::task::TaskTracker;

use super::check::config::mistakes;
use super::coding::{self, Outcome};
use super::context::Context;
use super::model::Model;
use super::provider::Provider;
use super::registry::Registry;
use crate::grpc::Calls;
use crate::protocol::Schema;
use crate::protocol::generated::tfplugin6 as wire;
use session::{Session, sessionless};

/// Time that an apply has to finish after the host's request to stop. A partial change is worse
/// than a wait.
const APPLY_GRACE: Duration = Duration::from_secs(10);

/// The path of a call of the protocol.
macro_rules! path {
    ($name:literal) => {
        concat!("/tfplugin6.Provider/", $name)
    };
}

/// Passes each call with one response to its file.
macro_rules! unary_calls {
    ($($name:literal => $rpc:ident),+ $(,)?) => {
        impl<P: Provider> ProviderService<P> {
            fn add_unary_calls(&self, calls: &mut Calls) {
                $({
                    let service = self.clone();
                    calls.unary(path!($name), move |request: wire::$rpc::Request| {
                        let service = service.clone();
                        async move { Ok($rpc::answer(&service, request).await) }
                    });
                })+
            }
        }
    };
}

unary_calls!(
    "ApplyResourceChange" => apply_resource_change,
    "CallFunction" => call_function,
    "CloseEphemeralResource" => close_ephemeral_resource,
    "ConfigureProvider" => configure_provider,
    "GenerateResourceConfig" => generate_resource_config,
    "GetFunctions" => get_functions,
    "GetMetadata" => get_metadata,
    "GetProviderSchema" => get_provider_schema,
    "GetResourceIdentitySchemas" => get_resource_identity_schemas,
    "ImportResourceState" => import_resource_state,
    "MoveResourceState" => move_resource_state,
    "OpenEphemeralResource" => open_ephemeral_resource,
    "PlanAction" => plan_action,
    "PlanResourceChange" => plan_resource_change,
    "ReadDataSource" => read_data_source,
    "ReadResource" => read_resource,
    "RenewEphemeralResource" => renew_ephemeral_resource,
    "StopProvider" => stop_provider,
    "UpgradeResourceIdentity" => upgrade_resource_identity,
    "UpgradeResourceState" => upgrade_resource_state,
    "ValidateActionConfig" => validate_action_config,
    "ValidateDataResourceConfig" => validate_data_resource_config,
    "ValidateEphemeralResourceConfig" => validate_ephemeral_resource_config,
    "ValidateListResourceConfig" => validate_list_resource_config,
    "ValidateProviderConfig" => validate_provider_config,
    "ValidateResourceConfig" => validate_resource_config,
);

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

    /// Returns the calls of the protocol.
    pub fn calls(&self) -> Calls {
        let mut calls = Calls::default();
        self.add_unary_calls(&mut calls);
        let service = self.clone();
        calls.server_streaming(path!("ListResource"), move |request| {
            ready(Ok(list_resource::answer(&service, request)))
        });
        let service = self.clone();
        calls.server_streaming(path!("InvokeAction"), move |request| {
            ready(Ok(invoke_action::answer(&service, request)))
        });
        calls
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

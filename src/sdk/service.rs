//! The gRPC service of a provider, and the data that it keeps between calls.

mod action;
mod list;
mod lookup;
mod rpc;

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Response, Status};

use super::action::AnyAction;
use super::check::config::mistakes;
use super::coding::{to_wire, undecodable};
use super::erased::{AnyDataSource, AnyEphemeralResource, AnyResource, Erased};
use super::failure::{Diagnostics, has_error};
use super::function::AnyFunction;
use super::guard::{Answer, Call, Retell, Warnings, guarded};
use super::list_resource::AnyListResource;
use super::model::{AttributeValue, Model};
use super::provider::Provider;
use super::resource::Context;
use crate::deadline::Deadline;
use crate::protocol::generated::tfplugin6 as wire;
use crate::protocol::generated::tfplugin6::provider_server::ProviderServer;
use crate::protocol::{AttributePath, Diagnostic, Schema, wire as codec};

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
    schema: OnceLock<Schema>,
    resources: BTreeMap<&'static str, AnyResource<P::Configured>>,
    functions: BTreeMap<&'static str, AnyFunction>,
    data_sources: BTreeMap<&'static str, AnyDataSource<P::Configured>>,
    ephemeral_resources: BTreeMap<&'static str, AnyEphemeralResource<P::Configured>>,
    list_resources: BTreeMap<&'static str, AnyListResource<P::Configured>>,
    actions: BTreeMap<&'static str, AnyAction<P::Configured>>,
    invocations: TaskTracker,
    session: RwLock<Session<P::Configured>>,
}

/// What belongs to one configuration of the provider.
struct Session<C> {
    configured: Option<Arc<C>>,
    cancelled: CancellationToken,
    retell: Option<Retell>,
    /// Additional diagnostics for the response of a request.
    warnings: Warnings,
    /// Configurations of earlier runs that a process in debug mode has served.
    earlier: Vec<Arc<C>>,
}

impl<C> Session<C> {
    /// Describes a call that belongs to the session.
    fn call<'c>(&self, rpc: &'static str, type_name: &'c str) -> Call<'c> {
        Call {
            rpc,
            type_name,
            cancelled: self.cancelled.clone(),
            grace: Duration::ZERO,
            retell: self.retell.clone(),
            warnings: self.warnings.clone(),
        }
    }

    /// Starts the deadline of a request that needs the configuration.
    fn context<P: Provider<Configured = C>>(self, provider: &P) -> Result<Context<C>, Diagnostics> {
        let configured = self.configured.ok_or_else(|| {
            vec![Diagnostic::error(
                "The provider is not configured",
                "Terraform or OpenTofu made a call that needs the provider's configuration before \
                 it sent one. Please report this with the version of Terraform or OpenTofu.",
            )]
        })?;
        let (request, warnings) = provider.begin(&configured, Deadline::start())?;
        self.warnings.add(warnings);
        Ok(Context {
            configured: request,
            cancelled: self.cancelled,
            _in_use: configured,
        })
    }
}

impl<C> Clone for Session<C> {
    fn clone(&self) -> Self {
        Self {
            configured: self.configured.clone(),
            cancelled: self.cancelled.clone(),
            retell: self.retell.clone(),
            warnings: Warnings::default(),
            earlier: Vec::new(),
        }
    }
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
        let resources = provider
            .resources()
            .into_iter()
            .map(|resource| (resource.type_name(), resource))
            .collect();
        let functions = provider
            .functions()
            .into_iter()
            .map(|function| (function.name(), function))
            .collect();
        let data_sources = provider
            .data_sources()
            .into_iter()
            .map(|data_source| (data_source.type_name(), data_source))
            .collect();
        let ephemeral_resources = provider
            .ephemeral_resources()
            .into_iter()
            .map(|ephemeral| (ephemeral.type_name(), ephemeral))
            .collect();
        let list_resources = provider
            .list_resources()
            .into_iter()
            .map(|list| (list.type_name(), list))
            .collect();
        let actions = provider
            .actions()
            .into_iter()
            .map(|action| (action.type_name(), action))
            .collect();
        Self {
            shared: Arc::new(Shared {
                provider,
                schema: OnceLock::new(),
                resources,
                functions,
                data_sources,
                ephemeral_resources,
                list_resources,
                actions,
                invocations: TaskTracker::new(),
                session: RwLock::new(Session {
                    configured: None,
                    cancelled: CancellationToken::new(),
                    retell: None,
                    warnings: Warnings::default(),
                    earlier: Vec::new(),
                }),
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
        self.let_go(&held).await;
    }

    /// Returns the schema of the provider block, built on first use.
    pub fn schema(&self) -> &Schema {
        self.shared
            .schema
            .get_or_init(|| Schema::new(P::Config::attributes()).description(P::DESCRIPTION))
    }

    /// Returns the resource types by name.
    pub fn resources(&self) -> &BTreeMap<&'static str, AnyResource<P::Configured>> {
        &self.shared.resources
    }

    /// Returns the functions by name.
    pub fn functions(&self) -> &BTreeMap<&'static str, AnyFunction> {
        &self.shared.functions
    }

    /// Returns the data source types by name.
    pub fn data_sources(&self) -> &BTreeMap<&'static str, AnyDataSource<P::Configured>> {
        &self.shared.data_sources
    }

    /// Returns the ephemeral resource types by name.
    pub fn ephemeral_resources(
        &self,
    ) -> &BTreeMap<&'static str, AnyEphemeralResource<P::Configured>> {
        &self.shared.ephemeral_resources
    }

    /// Returns the types that can be listed, by the name of their resource type.
    pub fn list_resources(&self) -> &BTreeMap<&'static str, AnyListResource<P::Configured>> {
        &self.shared.list_resources
    }

    /// Returns the actions by name.
    pub fn actions(&self) -> &BTreeMap<&'static str, AnyAction<P::Configured>> {
        &self.shared.actions
    }

    fn session(&self) -> Session<P::Configured> {
        self.shared
            .session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn resource(&self, name: &str) -> Result<&dyn Erased<P::Configured>, Diagnostics> {
        self.shared
            .resources
            .get(name)
            .map(AnyResource::calls)
            .ok_or_else(|| unknown_type("resource"))
    }

    fn function(&self, name: &str) -> Result<&AnyFunction, Diagnostics> {
        self.functions().get(name).ok_or_else(|| {
            vec![Diagnostic::error(
                "Unknown function",
                "This version of the provider does not have the function that was called. Check \
                 that the configuration was written for this version of the provider.",
            )]
        })
    }

    /// Returns the signatures of all functions by name, as sent to hosts.
    fn signatures(&self) -> HashMap<String, wire::Function> {
        let functions = self.functions().iter();
        functions
            .map(|(name, function)| ((*name).to_owned(), function.signature().into()))
            .collect()
    }

    fn decode_config(&self, config: Option<&wire::DynamicValue>) -> Result<P::Config, Diagnostics> {
        let value = codec::decode_object(config, &self.schema().attributes)
            .map_err(|error| vec![undecodable("the provider block", &error.path, &error)])?;
        if value.is_null() {
            return Ok(P::Config::default());
        }
        let mistakes = mistakes(&self.schema().attributes, &value);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        P::Config::from_value(value, &AttributePath::new())
            .map_err(|error| vec![undecodable("the provider block", &error.path, &error)])
    }

    fn lock(&self) -> RwLockWriteGuard<'_, Session<P::Configured>> {
        self.shared
            .session
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn let_go(&self, held: &[Arc<P::Configured>]) {
        join_all(held.iter().map(|held| self.shared.provider.close(held))).await;
    }

    async fn configure(
        &self,
        request: wire::configure_provider::Request,
    ) -> Result<wire::configure_provider::Response, Diagnostics> {
        let config = self.decode_config(request.config.as_ref())?;
        let diagnostics = self.shared.provider.validate(&config);
        if has_error(&diagnostics) {
            return Err(diagnostics);
        }
        let (configured, warnings) = self
            .shared
            .provider
            .configure(config)
            .await
            .map_err(|failure| failure.diagnostics)?;
        let idle = {
            let mut session = self.lock();
            session.retell = self.shared.provider.retell(&configured);
            let before = session.configured.replace(configured);
            session.earlier.extend(before);
            session.cancelled = CancellationToken::new();
            // Calls of the previous run may still be in progress and use their own configuration.
            let (idle, busy) = std::mem::take(&mut session.earlier)
                .into_iter()
                .partition(|earlier| Arc::strong_count(earlier) == 1);
            session.earlier = busy;
            idle
        };
        self.let_go(&idle).await;
        Ok(wire::configure_provider::Response {
            diagnostics: to_wire(warnings),
        })
    }
}

/// Reports that there is no such type of this kind.
fn unknown_type(kind: &str) -> Diagnostics {
    vec![Diagnostic::error(
        format!("Unknown {kind} type"),
        format!(
            "This version of the provider does not have the {kind} type that was requested. Check \
             that the configuration was written for this version of the provider."
        ),
    )]
}

/// Describes a call that belongs to no session, because it never waits.
fn sessionless(rpc: &'static str) -> Call<'static> {
    Call {
        rpc,
        type_name: "",
        cancelled: CancellationToken::new(),
        grace: Duration::ZERO,
        retell: None,
        warnings: Warnings::default(),
    }
}

/// Runs a call under the guard, which always returns a response.
async fn answered<A: Answer>(
    call: Call<'_>,
    fallback: A,
    work: impl Future<Output = Result<A, Diagnostics>>,
) -> Result<Response<A>, Status> {
    Ok(Response::new(guarded(call, fallback, work).await))
}

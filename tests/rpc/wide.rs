//! A provider with what the tiny one lacks: a resource whose schema has grown, a list and an
//! action. Each test chooses what the last two do.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{
    Attribute, AttributePath, Diagnostic, Kind, Type, Value, wire as codec,
};
use terraform_provider_claude::sdk::{
    Action, Applied, ApplyRequest, AttributeValue, Context, Diagnostics, Ended, Failure,
    GenerateConfig, ImportRequest, ImportState, Imported, ListRequest, ListResource, Model,
    ModelError, PlanRequest, Planned, Progress, Provider, ProviderService, Read, ReadRequest,
    Registry, Resource, Results, Upgrade, UpgradeState,
};
use tokio_util::sync::CancellationToken;
use wire::provider_client::ProviderClient;
use wire::provider_server::ProviderServer;

use super::thing::{Script, Thing, ThingIdentity, ThingResource, TinyConfig, raw, ready};

/// Name of the resource type whose schema has grown to version 2.
pub(super) const GROWN: &str = "tiny_grown";
/// Name of the action.
pub(super) const DEED: &str = "tiny_deed";

raw!(
    /// What to list, or what to do: a required name and a note.
    Block,
    vec![
        Attribute::required("name", Type::String),
        Attribute::optional("note", Type::String),
    ]
);

/// Makes a block with a name.
pub(super) fn block(name: impl Into<Value>) -> Value {
    Value::object([("name", name.into()), ("note", Value::Null)])
}

/// Encodes a block.
pub(super) fn encoded(block: &Value) -> wire::DynamicValue {
    codec::encode_object(&Block::attributes(), block).unwrap()
}

type Lister = Box<
    dyn for<'a> Fn(
            ListRequest<Block>,
            &'a Results<ThingResource>,
        ) -> BoxFuture<'a, Result<(), Ended>>
        + Send
        + Sync,
>;
type Doer = Box<
    dyn Fn(CancellationToken, Progress) -> BoxFuture<'static, Result<Diagnostics, Failure>>
        + Send
        + Sync,
>;

/// What the list and the action do.
pub(super) struct Wide {
    pub(super) list: Lister,
    pub(super) invoke: Doer,
}

impl Default for Wide {
    fn default() -> Self {
        Self {
            list: Box::new(|_, _| ready(Ok(()))),
            invoke: Box::new(|_, _| ready(Ok(Vec::new()))),
        }
    }
}

/// Refuses the name `refused`.
fn refuse(block: &Block) -> Diagnostics {
    let refused = block.0.get("name").and_then(Value::as_str) == Some("refused");
    if refused {
        vec![
            Diagnostic::error("Refused", "Take another name.").at(AttributePath::attribute("name")),
        ]
    } else {
        Vec::new()
    }
}

struct ThingList(Arc<Wide>);

#[async_trait]
impl ListResource for ThingList {
    type Resource = ThingResource;
    type Config = Block;

    const DESCRIPTION: &'static str = "Things.";

    fn validate(&self, config: &Block) -> Diagnostics {
        refuse(config)
    }

    async fn list(
        &self,
        _context: &Context<()>,
        request: ListRequest<Block>,
        results: &Results<ThingResource>,
    ) -> Result<(), Ended> {
        (self.0.list)(request, results).await
    }
}

struct Deed(Arc<Wide>);

#[async_trait]
impl Action for Deed {
    type Configured = ();
    type Config = Block;

    const TYPE_NAME: &'static str = DEED;
    const DESCRIPTION: &'static str = "A deed.";

    fn validate(&self, config: &Block) -> Diagnostics {
        refuse(config)
    }

    async fn invoke(
        &self,
        context: &Context<()>,
        _config: Block,
        progress: &Progress,
    ) -> Result<Diagnostics, Failure> {
        (self.0.invoke)(context.cancelled.clone(), progress.clone()).await
    }
}

/// A resource whose name was called `title` in version 0, and whose labels were one text,
/// separated by commas, until version 1.
struct Grown;

/// Nothing but upgrades is asked of it.
fn unasked<T, S>() -> Result<T, Failure<S>> {
    Err(Diagnostic::error("Unasked", "No test asks for this.").into())
}

#[async_trait]
impl Resource for Grown {
    type Configured = ();
    type Model = Thing;
    type Identity = ThingIdentity;
    type Private = String;

    const TYPE_NAME: &'static str = GROWN;
    const DESCRIPTION: &'static str = "A thing that has grown.";

    fn identity(model: &Thing) -> ThingIdentity {
        ThingResource::identity(model)
    }

    fn validate(&self, _config: &Thing) -> Diagnostics {
        Vec::new()
    }

    async fn read(&self, _: &Context<()>, _: ReadRequest<Self>) -> Result<Read<Self>, Failure> {
        unasked()
    }

    async fn plan(&self, _: &Context<()>, _: PlanRequest<Self>) -> Result<Planned<Self>, Failure> {
        unasked()
    }

    fn plan_destroy(&self, _state: &Thing) -> Diagnostics {
        Vec::new()
    }

    async fn create(
        &self,
        _: &Context<()>,
        _: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure> {
        unasked()
    }

    async fn update(
        &self,
        _: &Context<()>,
        _: Thing,
        _: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure<Applied<Self>>> {
        unasked()
    }
}

impl UpgradeState for Grown {
    const UPGRADES: &'static [Upgrade] = &[
        |mut state| {
            let title = state.remove("title").unwrap_or_default();
            if title == "damaged" {
                return Err(Diagnostic::error("Damaged", "Import it again."));
            }
            state.insert("name".to_owned(), title);
            Ok(state)
        },
        |mut state| {
            if let Some(Json::String(text)) = state.get("items") {
                let items: Vec<_> = text.split(',').collect();
                state.insert("items".to_owned(), json!(items));
            }
            Ok(state)
        },
    ];
}

impl GenerateConfig for Grown {
    /// What is `plain` in the note is as good as none, and needs no line.
    fn configuration((): &(), mut state: Thing) -> Thing {
        if state.0.get("note").and_then(Value::as_str) == Some("plain") {
            super::thing::set(&mut state.0, "note", Value::Null);
        }
        state
    }
}

#[async_trait]
impl ImportState for Grown {
    async fn import(
        &self,
        _: &Context<()>,
        _: ImportRequest<Self>,
    ) -> Result<Imported<Self>, Failure> {
        unasked()
    }
}

/// The provider.
pub(super) struct WideProvider(Arc<Wide>);

#[async_trait]
impl Provider for WideProvider {
    type Config = TinyConfig;
    type Configured = ();

    const DESCRIPTION: &'static str = "A provider.";

    fn registry(&self) -> Registry<()> {
        Registry::new()
            .resource(ThingResource(Arc::new(Script::default())))
            .resource(Grown)
            .list_resource(ThingList(Arc::clone(&self.0)))
            .action(Deed(Arc::clone(&self.0)))
    }

    fn validate(&self, _config: &TinyConfig) -> Diagnostics {
        Vec::new()
    }

    async fn configure(&self, _config: TinyConfig) -> Result<(Arc<()>, Diagnostics), Failure> {
        Ok((Arc::new(()), Vec::new()))
    }

    async fn close(&self, _configured: &()) {}
}

/// A host in the same process.
#[derive(Clone)]
pub(super) struct WideHost {
    pub(super) client: ProviderClient<ProviderServer<ProviderService<WideProvider>>>,
    pub(super) service: ProviderService<WideProvider>,
}

impl WideHost {
    /// Starts the provider.
    pub(super) fn new(wide: Wide) -> Self {
        let service = ProviderService::new(WideProvider(Arc::new(wide)));
        Self {
            client: ProviderClient::new(service.server()),
            service,
        }
    }

    /// Starts and configures the provider.
    pub(super) async fn configured(wide: Wide) -> Self {
        let mut host = Self::new(wide);
        let request = wire::configure_provider::Request::default();
        let answer = host.client.configure_provider(request).await.unwrap();
        assert_eq!(answer.into_inner().diagnostics, []);
        host
    }

    pub(super) async fn stop(&mut self) {
        let request = wire::stop_provider::Request {};
        self.client.stop_provider(request).await.unwrap();
    }
}

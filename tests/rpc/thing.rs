//! A tiny provider with one type of each kind, whose answers each test chooses.
//!
//! Its models hold plain values, so that an answer can be wrong in every way there is.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use terraform_provider_claude::protocol::{Attribute, AttributePath, Kind, Nesting, Type, Value};
use terraform_provider_claude::sdk::{
    Applied, ApplyRequest, AttributeValue, Context, Diagnostics, Failure, GenerateConfig,
    ImportRequest, ImportState, Imported, Model, ModelError, PlanRequest, Planned, Provider, Read,
    ReadRequest, Registry, Resource, UpgradeState,
};
use tokio_util::sync::CancellationToken;

use super::functions::{Say, Work};
use super::lookup::{Answer, Looking, found};
use super::wide::{Deed, Doer, Grown, Lister, ThingList};

/// Name of the resource type.
pub(super) const TYPE_NAME: &str = "tiny_thing";

/// Text that no diagnostic may quote.
pub(super) const CANARY: &str = "canary";

/// Declares a model that keeps whatever value it is given.
macro_rules! raw {
    ($(#[$meta:meta])* $name:ident, $attributes:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(super) struct $name(pub(super) Value);

        impl AttributeValue for $name {
            fn kind() -> Kind {
                Kind::nested(terraform_provider_claude::protocol::Nesting::Single, Self::attributes())
            }

            fn from_value(value: Value, _path: &AttributePath) -> Result<Self, ModelError> {
                Ok(Self(value))
            }

            fn into_value(self) -> Value {
                self.0
            }
        }

        impl Model for $name {
            fn attributes() -> Vec<Attribute> {
                $attributes
            }
        }
    };
}

pub(super) use raw;

raw!(Thing, {
    let inner = || ["label", "seen"].map(|name| Attribute::computed(name, Type::String));
    vec![
        Attribute::computed("id", Type::String),
        Attribute::required("name", Type::String).replaces(),
        Attribute::optional("note", Type::String),
        Attribute::optional_computed("size", Type::Number),
        Attribute::optional("token_wo", Type::String).write_only(),
        Attribute::optional("password", Type::String).sensitive(),
        Attribute::optional("items", Type::list(Type::String)),
        Attribute::optional("labels", Type::map(Type::String)),
        Attribute::computed("one", Kind::nested(Nesting::Single, inner())),
        Attribute::computed("parts", Kind::nested(Nesting::List, inner())),
        Attribute::computed("slots", Kind::nested(Nesting::Map, inner())),
    ]
});

raw!(
    ThingIdentity,
    vec![
        Attribute::required("id", Type::String),
        Attribute::optional("region", Type::String),
    ]
);

raw!(
    TinyConfig,
    vec![Attribute::optional("endpoint", Type::String)]
);

type Reply<T, S = ()> = BoxFuture<'static, Result<T, Failure<S>>>;
type Handler<Q, T, S = ()> = Box<dyn Fn(CancellationToken, Q) -> Reply<T, S> + Send + Sync>;
type Now<Q, T> = Box<dyn Fn(Q) -> T + Send + Sync>;
type Configure = Box<dyn Fn(&Value) -> Result<(), Failure> + Send + Sync>;
pub(super) type Check = Box<dyn Fn(&Value) -> Diagnostics + Send + Sync>;
type PlanResult = Result<Planned<ThingResource>, Failure>;
type Apply<S = ()> = Handler<ApplyRequest<ThingResource>, Applied<ThingResource>, S>;

/// What the types do in each call; by default what good ones do.
pub(super) struct Script {
    pub(super) validate: Check,
    pub(super) read: Handler<ReadRequest<ThingResource>, Read<ThingResource>>,
    pub(super) plan: Now<PlanRequest<ThingResource>, PlanResult>,
    pub(super) plan_destroy: Check,
    pub(super) create: Apply,
    pub(super) update: Apply<Applied<ThingResource>>,
    pub(super) import: Handler<ImportRequest<ThingResource>, Imported<ThingResource>>,
    pub(super) configure: Configure,
    pub(super) list: Lister,
    pub(super) invoke: Doer,
    pub(super) validate_lookup: Check,
    pub(super) look_up: Answer,
    pub(super) say: Work,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            validate: Box::new(|_| Vec::new()),
            read: Box::new(|_, request| ready(Ok(read(request.state.0, request.private)))),
            plan: Box::new(|request| {
                let mut state = planned_from(&request);
                if request.prior.is_none() {
                    set(&mut state, "id", Value::Unknown);
                }
                Ok(planned(state, request.private))
            }),
            plan_destroy: Box::new(|_| Vec::new()),
            create: Box::new(|_, request| {
                let mut state = request.planned.0;
                set(&mut state, "id", "thing-1".into());
                ready(Ok(applied(state, request.private)))
            }),
            update: Box::new(|_, request| ready(Ok(applied(request.planned.0, request.private)))),
            import: Box::new(|_, request| {
                let id = match request {
                    ImportRequest::Id(id) => Value::from(id),
                    ImportRequest::Identity(identity) => identity.0.get("id").unwrap().clone(),
                };
                ready(Ok(imported(object([("id", id)]), String::new())))
            }),
            configure: Box::new(|_| Ok(())),
            list: Box::new(|_, _| ready(Ok(()))),
            invoke: Box::new(|_, _| ready(Ok(Vec::new()))),
            validate_lookup: Box::new(|_| Vec::new()),
            look_up: Box::new(|config| Ok(found(config))),
            say: Box::new(Ok),
        }
    }
}

/// Plans what is configured, else what a computed attribute was before.
pub(super) fn planned_from(request: &PlanRequest<ThingResource>) -> Value {
    let prior = request
        .prior
        .as_ref()
        .map_or(&Value::Null, |prior| &prior.0);
    let mut state = proposed(prior, &request.config.0);
    set(&mut state, "token_wo", Value::Null);
    state
}

/// The host's merge: what is configured, else what a computed attribute was before.
pub(super) fn proposed(prior: &Value, config: &Value) -> Value {
    if config.is_null() {
        return Value::Null;
    }
    let attributes = Thing::attributes();
    Value::object(attributes.iter().map(|attribute| {
        let configured = config.get(&attribute.name).unwrap().clone();
        let value = if configured.is_null() && attribute.mode.is_computed() {
            prior.get(&attribute.name).cloned().unwrap_or_default()
        } else {
            configured
        };
        (attribute.name.clone(), value)
    }))
}

/// An answer that is there at once.
pub(super) fn ready<T: Send + 'static>(answer: T) -> BoxFuture<'static, T> {
    Box::pin(async { answer })
}

pub(super) fn read(state: Value, private: String) -> Read<ThingResource> {
    Read {
        state: Thing(state),
        private,
        diagnostics: Vec::new(),
    }
}

pub(super) fn planned(state: Value, private: String) -> Planned<ThingResource> {
    Planned {
        planned: Thing(state),
        private,
        diagnostics: Vec::new(),
    }
}

pub(super) fn applied(state: Value, private: String) -> Applied<ThingResource> {
    Applied {
        state: Thing(state),
        private,
        diagnostics: Vec::new(),
    }
}

pub(super) fn imported(state: Value, private: String) -> Imported<ThingResource> {
    Imported {
        state: Thing(state),
        private,
        diagnostics: Vec::new(),
    }
}

/// A thing in which every attribute but these is null.
pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let mut object = Value::null_object(&Thing::attributes());
    for (name, value) in members {
        set(&mut object, name, value);
    }
    object
}

/// An object of a nested attribute.
pub(super) fn inner(label: impl Into<Value>, seen: impl Into<Value>) -> Value {
    Value::object([("label", label.into()), ("seen", seen.into())])
}

/// A list or a set of texts.
pub(super) fn list<const N: usize>(items: [&str; N]) -> Value {
    Value::List(items.into_iter().map(Value::from).collect())
}

/// Sets an attribute of an object.
pub(super) fn set(object: &mut Value, name: &str, value: Value) {
    let Value::Map(members) = object else {
        panic!("not an object");
    };
    members.insert(name.to_owned(), value);
}

/// The resource type of the tiny provider.
pub(super) struct ThingResource(pub(super) Arc<Script>);

#[async_trait]
impl Resource for ThingResource {
    type Configured = ();
    type Model = Thing;
    type Identity = ThingIdentity;
    type Private = String;

    const TYPE_NAME: &'static str = TYPE_NAME;
    const DESCRIPTION: &'static str = "A thing.";

    fn identity(model: &Thing) -> ThingIdentity {
        let id = model.0.get("id").cloned().unwrap_or_default();
        ThingIdentity(Value::object([("id", id), ("region", Value::Null)]))
    }

    fn validate(&self, config: &Thing) -> Diagnostics {
        (self.0.validate)(&config.0)
    }

    async fn read(
        &self,
        context: &Context<()>,
        request: ReadRequest<Self>,
    ) -> Result<Read<Self>, Failure> {
        (self.0.read)(context.cancelled.clone(), request).await
    }

    async fn plan(
        &self,
        _: &Context<()>,
        request: PlanRequest<Self>,
    ) -> Result<Planned<Self>, Failure> {
        (self.0.plan)(request)
    }

    fn plan_destroy(&self, state: &Thing) -> Diagnostics {
        (self.0.plan_destroy)(&state.0)
    }

    async fn create(
        &self,
        context: &Context<()>,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure> {
        (self.0.create)(context.cancelled.clone(), request).await
    }

    async fn update(
        &self,
        context: &Context<()>,
        _prior: Thing,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure<Applied<Self>>> {
        (self.0.update)(context.cancelled.clone(), request).await
    }
}

impl UpgradeState for ThingResource {}

impl GenerateConfig for ThingResource {}

#[async_trait]
impl ImportState for ThingResource {
    async fn import(
        &self,
        context: &Context<()>,
        request: ImportRequest<Self>,
    ) -> Result<Imported<Self>, Failure> {
        (self.0.import)(context.cancelled.clone(), request).await
    }
}

/// The tiny provider.
pub(super) struct Tiny(pub(super) Arc<Script>);

#[async_trait]
impl Provider for Tiny {
    type Config = TinyConfig;
    type Configured = ();

    const DESCRIPTION: &'static str = "A provider.";

    fn registry(&self) -> Registry<()> {
        Registry::new()
            .resource(ThingResource(Arc::clone(&self.0)))
            .resource(Grown)
            .data_source(Looking::<false>(Arc::clone(&self.0)))
            .ephemeral_resource(Looking::<true>(Arc::clone(&self.0)))
            .list_resource(ThingList(Arc::clone(&self.0)))
            .action(Deed(Arc::clone(&self.0)))
            .function(Say::<true>(Arc::clone(&self.0)))
            .function(Say::<false>(Arc::clone(&self.0)))
    }

    fn validate(&self, _config: &TinyConfig) -> Diagnostics {
        Vec::new()
    }

    async fn configure(&self, config: TinyConfig) -> Result<(Arc<()>, Diagnostics), Failure> {
        (self.0.configure)(&config.0)?;
        Ok((Arc::new(()), Vec::new()))
    }

    async fn close(&self, _configured: &()) {}
}

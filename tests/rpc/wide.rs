//! What the tiny provider has next to its thing: a resource whose schema has grown, a list, and an
//! action.

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
    ModelError, PlanRequest, Planned, Progress, Read, ReadRequest, Resource, Results, Upgrade,
    UpgradeState,
};
use tokio_util::sync::CancellationToken;

use super::thing::{Script, Thing, ThingIdentity, ThingResource, raw};

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

pub(super) type Lister = Box<
    dyn for<'a> Fn(
            ListRequest<Block>,
            &'a Results<ThingResource>,
        ) -> BoxFuture<'a, Result<(), Ended>>
        + Send
        + Sync,
>;
pub(super) type Doer = Box<
    dyn Fn(CancellationToken, Progress) -> BoxFuture<'static, Result<Diagnostics, Failure>>
        + Send
        + Sync,
>;

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

pub(super) struct ThingList(pub(super) Arc<Script>);

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

pub(super) struct Deed(pub(super) Arc<Script>);

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
pub(super) struct Grown;

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
    fn defaults((): &(), mut state: Thing) -> Thing {
        super::thing::set(&mut state.0, "note", "plain".into());
        super::thing::set(&mut state.0, "size", Value::Null);
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

//! A provider on the same transport and SDK that answers every call at once.
//!
//! One of its resources has as many attributes as a token has, the other has one, and neither asks
//! anybody: what a plan of them takes is what Terraform and the way between two processes take.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use terraform_provider_claude::env::{self, Environment, ProcessEnvironment};
use terraform_provider_claude::plugin::{self, HandshakeEnvironment, Plugin};
use terraform_provider_claude::protocol::{Attribute, AttributePath, Kind, Nesting, Type, Value};
use terraform_provider_claude::sdk::{
    Applied, ApplyRequest, AttributeValue, Context, Diagnostics, Failure, GenerateConfig,
    ImportRequest, ImportState, Imported, Model, ModelError, PlanRequest, Planned, Provider,
    ProviderService, Read, ReadRequest, Registry, Resource, UpgradeState,
};
use tokio_util::sync::CancellationToken;

/// Attributes beside `path` of what is as large as a token.
const COMPUTED: usize = 27;

/// Serves the host that started this process.
pub(crate) fn serve() {
    let path = |name| ProcessEnvironment.get(name).map(Into::into);
    let handshake = HandshakeEnvironment {
        cookie: ProcessEnvironment.get(env::TF_PLUGIN_MAGIC_COOKIE),
        protocol_versions: ProcessEnvironment.get(env::PLUGIN_PROTOCOL_VERSIONS),
        client_certificate: ProcessEnvironment.get(env::PLUGIN_CLIENT_CERT),
        socket_folder: path(env::PLUGIN_UNIX_SOCKET_DIR),
        temporary_folder: path(env::TMPDIR),
        multiplex: false,
    };
    let plugin = Plugin {
        cookie: crate::support::host::COOKIE,
        protocol_version: 6,
        calls: ProviderService::new(Instant).calls(),
        stop: CancellationToken::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    let served = runtime.block_on(plugin::serve(plugin, &handshake));
    runtime.shutdown_background();
    served.expect("the host is served");
}

/// Declares a model that keeps whatever value it is given.
macro_rules! raw {
    ($name:ident, $attributes:expr) => {
        #[derive(Clone, Debug, Default, PartialEq)]
        struct $name(Value);

        impl AttributeValue for $name {
            fn kind() -> Kind {
                Kind::nested(Nesting::Single, Self::attributes())
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

raw!(Thing, {
    let computed = (0..COMPUTED).map(|number| Attribute::computed(name(number), Type::String));
    computed
        .chain([Attribute::required("path", Type::String)])
        .collect()
});
raw!(Bare, vec![Attribute::required("path", Type::String)]);
raw!(Identity, vec![Attribute::required("path", Type::String)]);
raw!(Nothing, Vec::new());

fn name(number: usize) -> String {
    format!("attribute_{number:02}")
}

/// What the host gets back when it creates one.
trait Answer: Model + 'static {
    const TYPE_NAME: &'static str;

    fn value(&self) -> &Value;

    /// Sets every computed attribute.
    fn filled(self) -> Self;
}

impl Answer for Thing {
    const TYPE_NAME: &'static str = "claude_instant";

    fn value(&self) -> &Value {
        &self.0
    }

    /// Texts are as long as such texts are.
    fn filled(self) -> Self {
        let Value::Map(mut members) = self.0 else {
            return self;
        };
        for number in 0..COMPUTED {
            members.insert(name(number), Value::from("2026-11-24T08:09:53Z"));
        }
        Self(Value::Map(members))
    }
}

impl Answer for Bare {
    const TYPE_NAME: &'static str = "claude_bare";

    fn value(&self) -> &Value {
        &self.0
    }

    fn filled(self) -> Self {
        self
    }
}

struct Instant;
struct Answering<M>(PhantomData<M>);

#[async_trait]
impl Provider for Instant {
    type Config = Nothing;
    type Configured = ();

    const DESCRIPTION: &'static str = "A provider.";

    fn registry(&self) -> Registry<()> {
        Registry::new()
            .resource(Answering::<Thing>(PhantomData))
            .resource(Answering::<Bare>(PhantomData))
    }

    fn validate(&self, _config: &Nothing) -> Diagnostics {
        Vec::new()
    }

    async fn configure(&self, _config: Nothing) -> Result<(Arc<()>, Diagnostics), Failure> {
        Ok((Arc::new(()), Vec::new()))
    }

    async fn close(&self, _configured: &()) {}
}

#[async_trait]
impl<M: Answer> Resource for Answering<M> {
    type Configured = ();
    type Model = M;
    type Identity = Identity;
    type Private = String;

    const TYPE_NAME: &'static str = M::TYPE_NAME;
    const DESCRIPTION: &'static str = "A thing.";

    fn identity(model: &M) -> Identity {
        let path = model.value().get("path").cloned().unwrap_or_default();
        Identity(Value::object([("path", path)]))
    }

    fn validate(&self, _config: &M) -> Diagnostics {
        Vec::new()
    }

    async fn read(
        &self,
        _context: &Context<()>,
        request: ReadRequest<Self>,
    ) -> Result<Read<Self>, Failure> {
        Ok(Read {
            state: request.state,
            private: request.private,
            diagnostics: Vec::new(),
        })
    }

    async fn plan(
        &self,
        _context: &Context<()>,
        request: PlanRequest<Self>,
    ) -> Result<Planned<Self>, Failure> {
        let planned = match request.prior {
            Some(prior) => prior,
            None => request.config.filled(),
        };
        Ok(Planned {
            planned,
            private: request.private,
            diagnostics: Vec::new(),
        })
    }

    fn plan_destroy(&self, _state: &M) -> Diagnostics {
        Vec::new()
    }

    async fn create(
        &self,
        _context: &Context<()>,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure> {
        Ok(applied(request))
    }

    async fn update(
        &self,
        _context: &Context<()>,
        _prior: M,
        request: ApplyRequest<Self>,
    ) -> Result<Applied<Self>, Failure<Applied<Self>>> {
        Ok(applied(request))
    }
}

impl<M: Answer> UpgradeState for Answering<M> {}

impl<M: Answer> GenerateConfig for Answering<M> {}

#[async_trait]
impl<M: Answer> ImportState for Answering<M> {
    async fn import(
        &self,
        _context: &Context<()>,
        _request: ImportRequest<Self>,
    ) -> Result<Imported<Self>, Failure> {
        Ok(Imported {
            state: M::default(),
            private: String::new(),
            diagnostics: Vec::new(),
        })
    }
}

fn applied<M: Answer>(request: ApplyRequest<Answering<M>>) -> Applied<Answering<M>> {
    Applied {
        state: request.planned,
        private: request.private,
        diagnostics: Vec::new(),
    }
}

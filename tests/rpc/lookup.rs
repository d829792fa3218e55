//! Data sources and ephemeral resources: what the service lets through, and what it withholds.

use std::sync::Arc;

use async_trait::async_trait;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{
    Attribute, AttributePath, Diagnostic, Kind, Type, Value, wire as codec,
};
use terraform_provider_claude::sdk::{
    AttributeValue, Context, Diagnostics, Failure, Found, Lookup, Model, ModelError,
};
use terraform_provider_claude::secret::Secret;

use super::host::Host;
use super::lint;
use super::thing::{CANARY, Script, raw, set};

const TYPE_NAME: &str = "looker_look";

raw!(
    /// A model that keeps whatever value it is given.
    Look,
    vec![
        Attribute::required("name", Type::String),
        Attribute::optional("note", Type::String),
        Attribute::optional_computed("size", Type::Number),
        Attribute::computed("seen", Type::String),
        Attribute::computed("token", Type::String).sensitive(),
    ]
);

pub(super) type Answer = Box<dyn Fn(Value) -> Result<Found<Look>, Failure> + Send + Sync>;

/// Answers with what is configured, and with what only a look tells.
pub(super) fn found(config: Value) -> Found<Look> {
    let mut object = config;
    if object.get("size") == Some(&Value::Null) {
        set(&mut object, "size", 7.into());
    }
    set(&mut object, "seen", "s".into());
    set(&mut object, "token", Value::Secret(Secret::new(CANARY)));
    now(object)
}

fn now(object: Value) -> Found<Look> {
    Found {
        object: Look(object),
        diagnostics: vec![Diagnostic::warning("Soon due", "")],
    }
}

/// Looks for nothing: a data source or an ephemeral resource.
pub(super) struct Looking<const EPHEMERAL: bool>(pub(super) Arc<Script>);

#[async_trait]
impl<const EPHEMERAL: bool> Lookup for Looking<EPHEMERAL> {
    type Configured = ();
    type Model = Look;

    const TYPE_NAME: &'static str = TYPE_NAME;
    const DESCRIPTION: &'static str = if EPHEMERAL {
        "A look that nobody keeps."
    } else {
        "A look."
    };

    fn validate(&self, config: &Look) -> Diagnostics {
        (self.0.validate_lookup)(&config.0)
    }

    async fn read(&self, _: &Context<()>, config: Look) -> Result<Found<Look>, Failure> {
        (self.0.look_up)(config.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    Data,
    Ephemeral,
}

const ROLES: [Role; 2] = [Role::Data, Role::Ephemeral];

struct Asker {
    host: Host,
    type_name: String,
}

impl Asker {
    fn new(script: Script) -> Self {
        Self {
            host: Host::new(script),
            type_name: TYPE_NAME.to_owned(),
        }
    }

    async fn configured(script: Script) -> Self {
        Self {
            host: Host::configured(script).await,
            type_name: TYPE_NAME.to_owned(),
        }
    }

    async fn validate(&mut self, role: Role, config: &Value) -> Vec<wire::Diagnostic> {
        let (type_name, config) = (self.type_name.clone(), Some(encoded(config)));
        match role {
            Role::Data => {
                let request = wire::validate_data_resource_config::Request { type_name, config };
                let answer = self
                    .host
                    .client
                    .validate_data_resource_config(request)
                    .await;
                answer.unwrap().into_inner().diagnostics
            }
            Role::Ephemeral => {
                let request =
                    wire::validate_ephemeral_resource_config::Request { type_name, config };
                let answer = self
                    .host
                    .client
                    .validate_ephemeral_resource_config(request)
                    .await;
                answer.unwrap().into_inner().diagnostics
            }
        }
    }

    async fn look(
        &mut self,
        role: Role,
        config: Option<wire::DynamicValue>,
    ) -> (Option<wire::DynamicValue>, Vec<wire::Diagnostic>) {
        let type_name = self.type_name.clone();
        match role {
            Role::Data => {
                let request = wire::read_data_source::Request {
                    type_name,
                    config,
                    ..Default::default()
                };
                let answer = self.host.client.read_data_source(request).await.unwrap();
                let answer = answer.into_inner();
                assert_eq!(answer.deferred, None);
                (answer.state, answer.diagnostics)
            }
            Role::Ephemeral => {
                let request = wire::open_ephemeral_resource::Request {
                    type_name,
                    config,
                    ..Default::default()
                };
                let answer = self
                    .host
                    .client
                    .open_ephemeral_resource(request)
                    .await
                    .unwrap();
                let answer = answer.into_inner();
                assert_eq!((answer.deferred, answer.renew_at), (None, None));
                assert_eq!(answer.private, None);
                (answer.result, answer.diagnostics)
            }
        }
    }

    async fn renew(&mut self, private: &[u8]) -> wire::renew_ephemeral_resource::Response {
        let request = wire::renew_ephemeral_resource::Request {
            type_name: self.type_name.clone(),
            private: Some(private.to_vec()),
        };
        let answer = self.host.client.renew_ephemeral_resource(request).await;
        answer.unwrap().into_inner()
    }

    async fn close(&mut self, private: Option<Vec<u8>>) -> Vec<wire::Diagnostic> {
        let request = wire::close_ephemeral_resource::Request {
            type_name: self.type_name.clone(),
            private,
        };
        let answer = self.host.client.close_ephemeral_resource(request).await;
        answer.unwrap().into_inner().diagnostics
    }
}

fn encoded(value: &Value) -> wire::DynamicValue {
    codec::encode_object(&Look::attributes(), value).unwrap()
}

/// A configuration in which every attribute but these is null.
fn config<const N: usize>(members: [(&str, Value); N]) -> Value {
    let mut object = Value::null_object(&Look::attributes());
    for (name, value) in members {
        set(&mut object, name, value);
    }
    object
}

fn named() -> Value {
    config([("name", "n".into())])
}

#[tokio::test]
async fn what_is_found_is_answered_with_its_warnings() {
    for role in ROLES {
        let mut asker = Asker::configured(Script::default()).await;
        for (size, expected) in [(Value::Null, Value::from(7)), (3.into(), 3.into())] {
            let asked = config([("name", "n".into()), ("size", size)]);
            let (object, diagnostics) = asker.look(role, Some(encoded(&asked))).await;
            let object = codec::decode_object(object.as_ref(), &Look::attributes()).unwrap();
            assert_eq!(object.get("size"), Some(&expected));
            assert_eq!(object.get("name"), Some(&"n".into()));
            let token = Value::Secret(Secret::new(CANARY));
            assert_eq!(object.get("token"), Some(&token));
            assert_eq!(diagnostics.len(), 1);
            assert_eq!(diagnostics[0].summary, "Soon due");
        }
    }
}

#[tokio::test]
async fn wrong_answers_are_withheld() {
    let with = |name: &str, value: Value| config([("name", "n".into()), (name, value)]);
    for (place, object) in [
        ("the whole object", Value::Null),
        ("the whole object", Value::Unknown),
        ("the whole object", CANARY.into()),
        ("name", with("name", CANARY.into())),
        ("name", with("name", Value::Null)),
        ("note", with("note", CANARY.into())),
        ("seen", with("seen", Value::Unknown)),
        ("size", with("size", CANARY.into())),
    ] {
        for role in ROLES {
            let object = object.clone();
            let look: Answer = Box::new(move |_| Ok(now(object.clone())));
            let script = Script {
                look_up: look,
                ..Script::default()
            };
            let mut asker = Asker::configured(script).await;
            let (object, diagnostics) = asker.look(role, Some(encoded(&named()))).await;
            assert_eq!(object, None);
            let [told] = &diagnostics[..] else {
                panic!("{place}: {diagnostics:?}");
            };
            let call = match role {
                Role::Data => "read",
                Role::Ephemeral => "open",
            };
            assert_eq!(
                told.summary,
                format!("Provider bug: invalid response to {call}")
            );
            let beginning = format!("For {TYPE_NAME}, {place}: ");
            assert!(told.detail.starts_with(&beginning), "{}", told.detail);
            assert!(!told.detail.contains(CANARY), "{}", told.detail);
        }
    }
}

#[tokio::test]
async fn what_is_open_is_neither_renewed_nor_closed() {
    let mut asker = Asker::configured(Script::default()).await;
    for _ in 0..2 {
        let renewed = asker.renew(b"of the open").await;
        assert_eq!(renewed.private.as_deref(), Some(&b"of the open"[..]));
        assert_eq!((renewed.renew_at, renewed.diagnostics), (None, Vec::new()));
    }
    for private in [None, Some(Vec::new()), Some(b"of the open".to_vec())] {
        assert_eq!(asker.close(private).await, []);
    }
}

#[tokio::test]
async fn a_configuration_is_checked_before_there_is_a_provider() {
    for role in ROLES {
        let script = Script {
            validate_lookup: Box::new(|config| match config.get("note") {
                Some(Value::String(_)) => vec![Diagnostic::error("Wrong note", "")],
                _ => Vec::new(),
            }),
            ..Script::default()
        };
        let mut asker = Asker::new(script);
        assert_eq!(asker.validate(role, &named()).await, []);
        let unknown = config([("name", Value::Unknown)]);
        assert_eq!(asker.validate(role, &unknown).await, []);
        let wrong = config([("note", "x".into())]);
        let told = asker.validate(role, &wrong).await;
        let summaries: Vec<_> = told.iter().map(|told| told.summary.as_str()).collect();
        assert_eq!(summaries, ["name is required", "Wrong note"]);
        let (object, told) = asker.look(role, Some(encoded(&named()))).await;
        assert_eq!(object, None);
        assert_eq!(told[0].summary, "The provider is not configured");
    }
}

#[tokio::test]
async fn failures_and_panics_answer_with_an_error_alone() {
    let failing: Answer = Box::new(|_| Err(Diagnostic::error("No", "").into()));
    let panicking: Answer = Box::new(|_| panic!("{CANARY}"));
    for (look, summary) in [
        (failing, "No"),
        (panicking, "Provider bug: a call panicked"),
    ] {
        let script = Script {
            look_up: look,
            ..Script::default()
        };
        let mut asker = Asker::configured(script).await;
        for role in ROLES {
            let (object, told) = asker.look(role, Some(encoded(&named()))).await;
            assert_eq!(object, None);
            assert_eq!(told[0].summary, summary);
            assert!(!told[0].detail.contains(CANARY));
        }
    }
}

#[tokio::test]
async fn what_the_host_must_send_is_asked_for() {
    let mut asker = Asker::configured(Script::default()).await;
    for role in ROLES {
        for config in [None, Some(encoded(&Value::Null))] {
            let (object, told) = asker.look(role, config).await;
            assert_eq!(object, None);
            assert_eq!(
                told[0].summary,
                "Terraform or OpenTofu sent nothing for the configuration"
            );
        }
    }
    asker.type_name = "looker_other".to_owned();
    for role in ROLES {
        let kind = match role {
            Role::Data => "data source",
            Role::Ephemeral => "ephemeral resource",
        };
        let summary = format!("Unknown {kind} type");
        let (_, told) = asker.look(role, Some(encoded(&named()))).await;
        assert_eq!(told[0].summary, summary);
        assert_eq!(asker.validate(role, &named()).await[0].summary, summary);
    }
    let renewed = asker.renew(b"of the open").await;
    assert_eq!(renewed.diagnostics.len(), 1);
    assert_eq!(renewed.private.as_deref(), Some(&b"of the open"[..]));
    assert_eq!(asker.close(None).await.len(), 1);
}

#[tokio::test]
async fn both_are_told_with_their_schemas() {
    let mut asker = Asker::new(Script::default());
    let request = wire::get_provider_schema::Request {};
    let answer = asker
        .host
        .client
        .get_provider_schema(request)
        .await
        .unwrap();
    let answer = answer.into_inner();
    let schemas = [
        &answer.data_source_schemas,
        &answer.ephemeral_resource_schemas,
    ];
    for (schemas, description) in schemas
        .into_iter()
        .zip(["A look.", "A look that nobody keeps."])
    {
        assert_eq!(schemas.keys().collect::<Vec<_>>(), [TYPE_NAME]);
        let block = schemas[TYPE_NAME].block.as_ref().unwrap();
        assert_eq!(block.description, description);
        assert_eq!(block.attributes.len(), Look::attributes().len());
    }
    for schema in [
        asker.host.service.types().data_sources[TYPE_NAME].schema(),
        asker.host.service.types().ephemeral_resources[TYPE_NAME].schema(),
    ] {
        assert_eq!(lint::schema(lint::Role::Other, schema), []);
    }
    let request = wire::get_metadata::Request {};
    let answer = asker.host.client.get_metadata(request).await.unwrap();
    let answer = answer.into_inner();
    assert_eq!(answer.data_sources[0].type_name, TYPE_NAME);
    assert_eq!(answer.ephemeral_resources[0].type_name, TYPE_NAME);
}

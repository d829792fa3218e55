//! Single calls over the socket with mutual TLS, as a host makes them, one at a time.

use std::time::Instant;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Attribute, Value, wire as codec};
use tonic::transport::Channel;

use crate::Effort;
use crate::programs::Programs;
use crate::report::{Figure, Report};
use crate::stack::fill;
use crate::statistics::{Unit, Values};
use crate::support::host::{Host, Options};
use crate::support::openbao::OpenBao;
use crate::trace;

const TYPE_NAME: &str = "claude_oauth_token";

/// What each call took.
struct Times {
    schema: Values,
    configure: Values,
    validate: Values,
    import: Values,
    read: Values,
    plan: Values,
}

/// Measures each call, and how much of it Vault keeps us waiting.
pub(crate) async fn measure(report: &mut Report, programs: &Programs, effort: Effort) {
    let count = effort.pick(50, 500);
    let bao = OpenBao::start_unaudited().await;
    fill(&bao, count).await;
    let (times, _) = session(programs, &bao, count, "off").await;
    for (name, values) in [
        ("GetProviderSchema, first call", times.schema),
        ("ConfigureProvider", times.configure),
        ("ValidateResourceConfig", times.validate),
        ("ImportResourceState (reads Vault)", times.import),
        ("ReadResource (uses what the import read)", times.read),
        ("PlanResourceChange, no change", times.plan),
    ] {
        report.add(Figure::new("rpc", name, values));
    }
    let (_, lines) = session(programs, &bao, count, "trace").await;
    let waits = trace::waits(&lines);
    let name = "a call that reads Vault, inside the provider: total";
    report.add(Figure::new("rpc", name, waits.call));
    let name = "a call that reads Vault, inside the provider: waiting for Vault";
    report.add(Figure::new("rpc", name, waits.vault));
    let name = "a call that reads Vault, inside the provider: our code";
    report.add(Figure::new("rpc", name, waits.own));
}

/// Runs through one life of a provider, and returns what it logged.
async fn session(programs: &Programs, bao: &OpenBao, count: usize, level: &str) -> (Times, String) {
    let options = Options::default()
        .with("VAULT_ADDR", bao.address())
        .with("VAULT_TOKEN", OpenBao::ROOT)
        .with("TF_LOG_PROVIDER", level);
    let host = Host::launch_program(&programs.provider, options).await;
    let channel = host.channel().await;
    let mut client = ProviderClient::new(channel.clone());
    let times = calls(&mut client, count).await;
    let ended = host.shut_down(channel).await;
    (times, ended.errors)
}

async fn calls(client: &mut ProviderClient<Channel>, count: usize) -> Times {
    let seconds = || Values::new(Unit::Seconds);
    let mut times = Times {
        schema: seconds(),
        configure: seconds(),
        validate: seconds(),
        import: seconds(),
        read: seconds(),
        plan: seconds(),
    };
    let started = Instant::now();
    let request = wire::get_provider_schema::Request::default();
    let schemas = client.get_provider_schema(request).await;
    times.schema.push_time(started.elapsed());
    let schemas = schemas.expect("schemas are there").into_inner();
    let empty = |schema: &wire::Schema| {
        let block = schema.block.as_ref().expect("a schema has a block");
        let names = block.attributes.iter().map(|attribute| &attribute.name);
        Value::object(names.map(|name| (name.clone(), Value::Null)))
    };

    let started = Instant::now();
    let provider = schemas.provider.expect("the provider has a schema");
    let request = wire::configure_provider::Request {
        terraform_version: "1.15.5".to_owned(),
        config: Some(encoded(&empty(&provider))),
        ..Default::default()
    };
    let answer = client.configure_provider(request).await;
    times.configure.push_time(started.elapsed());
    assert!(
        answer
            .expect("it answers")
            .into_inner()
            .diagnostics
            .is_empty()
    );

    for number in 0..count {
        let path = format!("agent-{number:04}");
        let mut config = empty(&schemas.resource_schemas[TYPE_NAME]);
        if let Value::Map(members) = &mut config {
            members.insert("path".to_owned(), Value::from(path.as_str()));
        }
        one(client, &mut times, &path, encoded(&config)).await;
    }
    times
}

/// Takes one token through the calls of a plan.
async fn one(
    client: &mut ProviderClient<Channel>,
    times: &mut Times,
    path: &str,
    config: wire::DynamicValue,
) {
    let started = Instant::now();
    let request = wire::validate_resource_config::Request {
        type_name: TYPE_NAME.to_owned(),
        config: Some(config.clone()),
        ..Default::default()
    };
    let answer = client.validate_resource_config(request).await;
    times.validate.push_time(started.elapsed());
    assert!(
        answer
            .expect("it answers")
            .into_inner()
            .diagnostics
            .is_empty()
    );

    let started = Instant::now();
    let request = wire::import_resource_state::Request {
        type_name: TYPE_NAME.to_owned(),
        id: format!("secret/{path}"),
        ..Default::default()
    };
    let answer = client.import_resource_state(request).await;
    times.import.push_time(started.elapsed());
    let imported = answer.expect("it answers").into_inner().imported_resources;
    let imported = imported.into_iter().next().expect("the token is there");

    let started = Instant::now();
    let request = wire::read_resource::Request {
        type_name: TYPE_NAME.to_owned(),
        current_state: imported.state,
        private: imported.private,
        ..Default::default()
    };
    let answer = client.read_resource(request).await;
    times.read.push_time(started.elapsed());
    let read = answer.expect("it answers").into_inner();

    let started = Instant::now();
    let request = wire::plan_resource_change::Request {
        type_name: TYPE_NAME.to_owned(),
        proposed_new_state: read.new_state.clone(),
        prior_state: read.new_state,
        config: Some(config),
        prior_private: read.private,
        ..Default::default()
    };
    let answer = client.plan_resource_change(request).await;
    times.plan.push_time(started.elapsed());
    answer.expect("it answers");
}

/// Encodes an object of nulls and texts without its schema.
fn encoded(value: &Value) -> wire::DynamicValue {
    use terraform_provider_claude::protocol::Type;
    let names = value.as_map().expect("an object").keys();
    let attributes: Vec<Attribute> = names
        .map(|name| Attribute::optional(name.clone(), Type::String))
        .collect();
    codec::encode_object(&attributes, value).expect("nulls and texts fit")
}

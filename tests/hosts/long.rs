//! One process in debug mode for one run after another: what it takes levels off.

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use terraform_provider_claude::env::{Environment as _, ProcessEnvironment};
use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use tokio::task::JoinSet;

use super::replay::proposed;
use super::rules::{self, Schemas};
use super::scenario;
use crate::support::host::{Process, plaintext};
use crate::support::openbao::OpenBao;
use crate::support::usage::{self, Usage};

/// Says how many runs are made, in the place of some hundred.
const ROUNDS: &str = "TF_ACC_LONG_ROUNDS";

/// Runs after which everything that is kept for good is there.
const WARM: usize = 40;

/// Resources that one run refreshes and plans at once, as a host does.
const AT_ONCE: usize = 10;

/// File handles that may be open more or less by chance: connections to Vault that idle.
const CHANCE: usize = 12;

/// KiB of memory by which two looks may differ, for a run that is some hundred rounds long.
const GROWTH: u64 = 4 << 10;

/// Makes one run: a probe, then a connection with all calls of a plan.
async fn run(socket: &str, schemas: &Schemas) {
    drop(plaintext(socket.into()).await.unwrap());
    let channel = plaintext(socket.into()).await.unwrap();
    let mut client = ProviderClient::new(channel);
    let request = wire::configure_provider::Request::default();
    let answer = client
        .configure_provider(request)
        .await
        .unwrap()
        .into_inner();
    rules::no_error("ConfigureProvider", &answer.diagnostics);
    let mut calls = JoinSet::new();
    for number in 0..AT_ONCE {
        let path = scenario::SECRETS[number % scenario::SECRETS.len()];
        let name = "claude_oauth_token";
        let attributes = schemas.resource(name);
        let mut config = Value::null_object(attributes);
        let Value::Map(parts) = &mut config else {
            unreachable!()
        };
        parts.insert("path".to_owned(), Value::from(path));
        let encoded = schemas.encode(name, &config);
        let planning = wire::plan_resource_change::Request {
            type_name: name.to_owned(),
            prior_state: Some(schemas.encode(name, &Value::Null)),
            proposed_new_state: Some(
                schemas.encode(name, &proposed(attributes, &Value::Null, &config)),
            ),
            config: Some(encoded.clone()),
            ..Default::default()
        };
        let importing = wire::import_resource_state::Request {
            type_name: name.to_owned(),
            id: format!("secret/{path}"),
            ..Default::default()
        };
        let mut client = client.clone();
        calls.spawn(async move {
            let planned = client
                .plan_resource_change(planning)
                .await
                .unwrap()
                .into_inner();
            rules::no_error("PlanResourceChange", &planned.diagnostics);
            let imported = client
                .import_resource_state(importing)
                .await
                .unwrap()
                .into_inner();
            rules::no_error("ImportResourceState", &imported.diagnostics);
            let [imported] = <[_; 1]>::try_from(imported.imported_resources).unwrap();
            let reading = wire::read_resource::Request {
                type_name: imported.type_name,
                current_state: imported.state,
                private: imported.private,
                ..Default::default()
            };
            let read = client.read_resource(reading).await.unwrap().into_inner();
            rules::no_error("ReadResource", &read.diagnostics);
            assert!(read.new_state.is_some());
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
}

#[tokio::test]
async fn what_one_process_takes_levels_off() {
    let rounds = ProcessEnvironment.get(ROUNDS);
    let rounds = rounds.map_or(4 * WARM, |text| text.parse().unwrap());
    let schemas = Schemas::new();
    let bao = OpenBao::start_unaudited().await;
    scenario::furnish(&bao).await;
    let environment = [
        ("VAULT_ADDR".to_owned(), bao.address().to_owned()),
        ("VAULT_TOKEN".to_owned(), OpenBao::ROOT.to_owned()),
    ];
    let mut process = Process::start(&["--debug"], &environment);
    let line = process.first_line().await;
    let socket = line.split("\"String\":\"").nth(1).unwrap();
    let socket = socket.split('"').next().unwrap().to_owned();
    let mut warm: Option<Usage> = None;
    for round in 1..=rounds {
        run(&socket, &schemas).await;
        if round % WARM != 0 {
            continue;
        }
        let Some(usage) = usage::of(process.id()) else {
            return;
        };
        println!("after {round} runs: {usage:?}");
        let warm = *warm.get_or_insert(usage);
        assert!(
            usage.handles <= warm.handles + CHANCE,
            "{usage:?} after {warm:?}"
        );
        assert!(usage.threads <= warm.threads, "{usage:?} after {warm:?}");
        assert!(
            usage.resident <= warm.resident + GROWTH,
            "{usage:?} after {warm:?}"
        );
    }
}

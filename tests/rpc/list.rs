//! Listings: what is sent, when they end, and that nothing works on for nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Diagnostic, Value};
use terraform_provider_claude::sdk::{ListRequest, Listed, Results};
use tokio::sync::{Notify, oneshot};
use tonic::Streaming;

use super::host::{Host, assert_bug, assert_error, decoded, identity};
use super::thing::{CANARY, Script, TYPE_NAME, Thing, ThingResource, object};
use super::wide::{Block, block, encoded};

fn found(id: impl Into<Value>) -> Listed<Thing> {
    let id = id.into();
    Listed {
        display_name: format!("the thing {}", id.as_str().unwrap_or("without a name")),
        state: Thing(object([("id", id), ("name", "n".into())])),
        diagnostics: Vec::new(),
    }
}

fn asking(config: &Value) -> wire::list_resource::Request {
    wire::list_resource::Request {
        type_name: TYPE_NAME.to_owned(),
        config: Some(encoded(config)),
        include_resource_object: true,
        limit: 100,
    }
}

async fn stream(
    host: &mut Host,
    request: wire::list_resource::Request,
) -> Streaming<wire::list_resource::Event> {
    host.client
        .list_resource(request)
        .await
        .unwrap()
        .into_inner()
}

async fn events(
    wide: Script,
    request: wire::list_resource::Request,
) -> Vec<wire::list_resource::Event> {
    let mut host = Host::configured(wide).await;
    let mut stream = stream(&mut host, request).await;
    let mut events = Vec::new();
    while let Some(event) = stream.message().await.unwrap() {
        events.push(event);
    }
    events
}

/// Finds three things; counts how many it went on to find.
async fn three(
    results: &Results<ThingResource>,
    sent: &AtomicUsize,
) -> Result<(), terraform_provider_claude::sdk::Ended> {
    for id in ["a", "b", "c"] {
        sent.fetch_add(1, Ordering::Relaxed);
        results.send(found(id)).await?;
    }
    Ok(())
}

fn finds_three() -> (Script, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let wide = Script {
        list: Box::new(move |_, results| {
            let sent = Arc::clone(&counter);
            Box::pin(async move { three(results, &sent).await })
        }),
        ..Script::default()
    };
    (wide, sent)
}

#[tokio::test]
async fn each_thing_has_identity_name_and_state() {
    let (wide, _) = finds_three();
    let events = events(wide, asking(&block("n"))).await;
    let names: Vec<_> = events.iter().map(|event| &event.display_name).collect();
    assert_eq!(names, ["the thing a", "the thing b", "the thing c"]);
    assert_eq!(events[1].identity, Some(identity("b")));
    assert_eq!(
        decoded(events[1].resource_object.as_ref()),
        found("b").state.0
    );
    assert_eq!(events[1].diagnostic, []);
}

#[tokio::test]
async fn a_name_does_not_act_on_terminals() {
    let wide = Script {
        list: Box::new(|_, results| {
            Box::pin(async move { results.send(found("\u{1b}[2J\u{202e}\n")).await })
        }),
        ..Script::default()
    };
    let events = events(wide, asking(&block("n"))).await;
    assert_eq!(events[0].display_name, r"the thing \u{1b}[2J\u{202e}\u{a}");
}

#[tokio::test]
async fn states_are_sent_only_where_they_are_wanted() {
    let (wide, _) = finds_three();
    let request = wire::list_resource::Request {
        include_resource_object: false,
        ..asking(&block("n"))
    };
    let events = events(wide, request).await;
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].identity, Some(identity("a")));
    assert_eq!(events[0].resource_object, None);
}

#[tokio::test]
async fn the_limit_ends_the_work_and_is_told_where_there_is_more() {
    for (limit, expected, looked_at, more) in [
        (1, 1, 2, true),
        (2, 2, 3, true),
        (3, 3, 3, false),
        (4, 3, 3, false),
        (0, 3, 3, false),
    ] {
        let (wide, sent) = finds_three();
        let request = wire::list_resource::Request {
            limit,
            ..asking(&block("n"))
        };
        let events = events(wide, request).await;
        assert_eq!(events.len(), expected, "limit {limit}");
        assert_eq!(sent.load(Ordering::Relaxed), looked_at, "limit {limit}");
        let told = events.iter().flat_map(|event| &event.diagnostic);
        let told: Vec<_> = told.map(|told| told.summary.as_str()).collect();
        let only = format!("Only {limit} of the {TYPE_NAME} found are listed");
        assert_eq!(
            told,
            more.then_some(only.as_str())
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert!(events.iter().all(|event| event.identity.is_some()));
    }
}

/// A host hangs up behind the last one that it wants.
#[tokio::test]
async fn what_is_told_at_the_end_comes_with_the_last_one() {
    for fails in [false, true] {
        let wide = Script {
            list: Box::new(move |_, results| {
                Box::pin(async move {
                    results.send(found("a")).await?;
                    results
                        .warn(vec![Diagnostic::warning("Not all is seen", "")])
                        .await?;
                    match fails {
                        true => Err(Diagnostic::error("Broken", "Mend it.").into()),
                        false => Ok(()),
                    }
                })
            }),
            ..Script::default()
        };
        let request = wire::list_resource::Request {
            limit: 1,
            ..asking(&block("n"))
        };
        let events = events(wide, request).await;
        let [thing] = events.as_slice() else {
            panic!("one event, not {events:?}");
        };
        assert_eq!(thing.identity, Some(identity("a")));
        assert_eq!(thing.diagnostic[0].summary, "Not all is seen");
        assert_eq!(thing.diagnostic.len(), if fails { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_drops_the_work() {
    let (dropped, was_dropped) = oneshot::channel::<()>();
    let dropped = Arc::new(std::sync::Mutex::new(Some(dropped)));
    let wide = Script {
        list: Box::new(move |_, results| {
            let held = dropped.lock().unwrap().take();
            Box::pin(async move {
                let _held = held;
                results.send(found("a")).await?;
                std::future::pending().await
            })
        }),
        ..Script::default()
    };
    let mut host = Host::configured(wide).await;
    let mut stream = stream(&mut host, asking(&block("n"))).await;
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!(first.display_name, "the thing a");
    drop(stream);
    // The work held the sender, and nothing was sent.
    assert!(was_dropped.await.is_err());
}

#[tokio::test]
async fn an_error_ends_the_listing_behind_what_was_found() {
    let wide = Script {
        list: Box::new(|_, results| {
            Box::pin(async move {
                results
                    .warn(vec![Diagnostic::warning("Not all is seen", "")])
                    .await?;
                let mut listed = found("a");
                listed.diagnostics = vec![Diagnostic::warning("Old", "")];
                results.send(listed).await?;
                Err(Diagnostic::error("Broken", "Mend it.").into())
            })
        }),
        ..Script::default()
    };
    let events = events(wide, asking(&block("n"))).await;
    let [warning, thing, error] = events.as_slice() else {
        panic!("three events, not {events:?}");
    };
    assert_eq!(warning.identity, None);
    assert_eq!(warning.diagnostic[0].summary, "Not all is seen");
    assert_eq!(thing.diagnostic[0].summary, "Old");
    assert_eq!(error.identity, None);
    assert_error(&error.diagnostic, "Broken");
}

#[tokio::test]
async fn what_a_host_would_refuse_is_withheld_and_ends_the_listing() {
    let with = |name: &'static str, value: Value| {
        let mut listed = found("a");
        super::thing::set(&mut listed.state.0, name, value);
        listed
    };
    for (place, listed) in [
        ("the whole object", found(Value::Null)),
        ("id", found(Value::Unknown)),
        ("size", with("size", Value::Unknown)),
        ("token_wo", with("token_wo", CANARY.into())),
        ("size", with("size", CANARY.into())),
    ] {
        let wide = Script {
            list: Box::new(move |_, results| {
                let listed = listed.clone();
                Box::pin(async move {
                    results.send(listed).await?;
                    results.send(found("b")).await
                })
            }),
            ..Script::default()
        };
        let events = events(wide, asking(&block("n"))).await;
        let [event] = events.as_slice() else {
            panic!("{place}: one event, not {events:?}");
        };
        assert_bug(&event.diagnostic, "list", place);
        assert_eq!(event.identity, None);
    }
}

#[tokio::test]
async fn a_panic_ends_the_listing_with_an_error() {
    let wide = Script {
        list: Box::new(|_, results| {
            Box::pin(async move {
                results.send(found("a")).await?;
                panic!("{CANARY}");
            })
        }),
        ..Script::default()
    };
    let events = events(wide, asking(&block("n"))).await;
    assert_eq!(events.len(), 2);
    assert_error(&events[1].diagnostic, "Provider bug: a call panicked");
}

#[tokio::test]
async fn the_hosts_stop_ends_the_listing() {
    let begun = Arc::new(Notify::new());
    let told = Arc::clone(&begun);
    let wide = Script {
        list: Box::new(move |_, _| {
            told.notify_one();
            Box::pin(std::future::pending())
        }),
        ..Script::default()
    };
    let mut host = Host::configured(wide).await;
    let mut listing = stream(&mut host, asking(&block("n"))).await;
    let call = tokio::spawn(async move {
        let last = listing.message().await.unwrap();
        (last, listing.message().await.unwrap())
    });
    begun.notified().await;
    host.stop().await;
    let (last, end) = call.await.unwrap();
    assert_error(&last.unwrap().diagnostic, "Operation interrupted");
    assert_eq!(end, None);
}

#[tokio::test]
async fn bad_requests_are_told_and_list_nothing() {
    let good = asking(&block("n"));
    for (request, summary) in [
        (
            wire::list_resource::Request {
                type_name: "tiny_grown".to_owned(),
                ..good.clone()
            },
            "Unknown list resource type",
        ),
        (
            wire::list_resource::Request {
                config: None,
                ..good.clone()
            },
            "name is required",
        ),
        (asking(&block("refused")), "Refused"),
        (
            wire::list_resource::Request {
                config: Some(super::host::config(&Value::Null)),
                ..good.clone()
            },
            "name is required",
        ),
        (
            wire::list_resource::Request {
                config: Some(wire::DynamicValue {
                    msgpack: vec![0xc1],
                    ..Default::default()
                }),
                ..good.clone()
            },
            "Cannot decode the configuration",
        ),
    ] {
        let (wide, sent) = finds_three();
        let events = events(wide, request).await;
        assert_eq!(events.len(), 1, "{summary}");
        assert_error(&events[0].diagnostic, summary);
        assert_eq!(sent.load(Ordering::Relaxed), 0);
    }
    let mut host = Host::new(finds_three().0);
    let mut listing = stream(&mut host, good).await;
    let event = listing.message().await.unwrap().unwrap();
    assert_error(&event.diagnostic, "The provider is not configured");
}

#[tokio::test]
async fn a_configuration_is_checked_before() {
    let mut host = Host::new(Script::default());
    let mut check = async |config: Option<wire::DynamicValue>| {
        let request = wire::validate_list_resource_config::Request {
            type_name: TYPE_NAME.to_owned(),
            config,
            ..Default::default()
        };
        let answer = host.client.validate_list_resource_config(request).await;
        answer.unwrap().into_inner().diagnostics
    };
    assert_eq!(check(Some(encoded(&block("n")))).await, []);
    assert_eq!(check(Some(encoded(&block(Value::Unknown)))).await, []);
    assert_error(&check(Some(encoded(&block("refused")))).await, "Refused");
    assert_error(&check(None).await, "name is required");
}

#[tokio::test]
async fn the_request_reaches_the_list() {
    let wide = Script {
        list: Box::new(|request: ListRequest<Block>, _| {
            Box::pin(async move {
                assert!(request.with_states);
                assert_eq!(request.config, Block(block("n")));
                Ok(())
            })
        }),
        ..Script::default()
    };
    assert_eq!(events(wide, asking(&block("n"))).await, []);
}

#[tokio::test]
async fn the_schema_names_what_is_listed() {
    let mut host = Host::new(Script::default());
    let request = wire::get_provider_schema::Request {};
    let schema = host.client.get_provider_schema(request).await.unwrap();
    let schema = schema.into_inner();
    assert_eq!(
        schema.list_resource_schemas.keys().collect::<Vec<_>>(),
        [TYPE_NAME]
    );
    let block = schema.list_resource_schemas[TYPE_NAME].block.clone();
    assert_eq!(block.unwrap().attributes[0].name, "name");
    let capabilities = schema.server_capabilities.unwrap();
    assert!(capabilities.generate_resource_config && !capabilities.move_resource_state);
    let request = wire::get_metadata::Request {};
    let metadata = host.client.get_metadata(request).await.unwrap();
    let metadata = metadata.into_inner();
    assert_eq!(metadata.list_resources[0].type_name, TYPE_NAME);
    assert_eq!(metadata.actions[0].type_name, super::wide::DEED);
}

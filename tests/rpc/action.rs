//! Actions: progress, one completion, and no work that is cut in half.

use std::sync::Arc;
use std::time::Duration;

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Diagnostic, Value};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tonic::Streaming;
use wire::invoke_action::event::Type;

use super::host::{Host, assert_error};
use super::thing::{CANARY, Script};
use super::wide::{DEED, block, encoded};

/// How long work may go on after a stop.
const GRACE: Duration = Duration::from_secs(10);

fn invoking(config: &Value) -> wire::invoke_action::Request {
    wire::invoke_action::Request {
        action_type: DEED.to_owned(),
        config: Some(encoded(config)),
        ..Default::default()
    }
}

async fn invoke(
    host: &mut Host,
    request: wire::invoke_action::Request,
) -> Streaming<wire::invoke_action::Event> {
    host.client
        .invoke_action(request)
        .await
        .unwrap()
        .into_inner()
}

/// Reads a stream to its end: the messages, then the diagnostics of the one completion, which
/// comes last.
async fn outcome(
    mut stream: Streaming<wire::invoke_action::Event>,
) -> (Vec<String>, Vec<wire::Diagnostic>) {
    let mut messages = Vec::new();
    let mut completed = None;
    while let Some(event) = stream.message().await.unwrap() {
        assert!(completed.is_none(), "nothing follows a completion");
        match event
            .r#type
            .expect("a host panics over an event without a type")
        {
            Type::Progress(progress) => messages.push(progress.message),
            Type::Completed(end) => completed = Some(end.diagnostics),
        }
    }
    (messages, completed.expect("one completion"))
}

#[tokio::test]
async fn progress_comes_first_and_one_completion_last() {
    let wide = Script {
        invoke: Box::new(|_, progress| {
            Box::pin(async move {
                progress.report("one");
                tokio::task::yield_now().await;
                progress.report("two \u{1b}]0;title\u{7}\u{202e}\nError: trust this");
                Ok(vec![Diagnostic::warning("Mind", "")])
            })
        }),
        ..Script::default()
    };
    let mut host = Host::configured(wide).await;
    let (messages, diagnostics) = outcome(invoke(&mut host, invoking(&block("n"))).await).await;
    let two = r"two \u{1b}]0;title\u{7}\u{202e}\u{a}Error: trust this";
    assert_eq!(messages, ["one", two]);
    assert_eq!(diagnostics[0].summary, "Mind");
}

#[tokio::test]
async fn a_failure_or_a_panic_completes_with_an_error() {
    for (panics, summary) in [(false, "Broken"), (true, "Provider bug: a call panicked")] {
        let wide = Script {
            invoke: Box::new(move |_, progress| {
                Box::pin(async move {
                    progress.report("one");
                    assert!(!panics, "{CANARY}");
                    Err(Diagnostic::error("Broken", "Mend it.").into())
                })
            }),
            ..Script::default()
        };
        let mut host = Host::configured(wide).await;
        let stream = invoke(&mut host, invoking(&block("n"))).await;
        let (messages, diagnostics) = outcome(stream).await;
        assert_eq!(messages, ["one"]);
        assert_error(&diagnostics, summary);
    }
}

#[tokio::test]
async fn bad_requests_complete_with_an_error() {
    let good = invoking(&block("n"));
    for (request, summary) in [
        (
            wire::invoke_action::Request {
                action_type: "tiny_misdeed".to_owned(),
                ..good.clone()
            },
            "Unknown action type",
        ),
        (
            wire::invoke_action::Request {
                config: None,
                ..good.clone()
            },
            "name is required",
        ),
        (invoking(&block("refused")), "Refused"),
    ] {
        let wide = Script {
            invoke: Box::new(|_, _| panic!("nothing is to be done")),
            ..Script::default()
        };
        let mut host = Host::configured(wide).await;
        let (messages, diagnostics) = outcome(invoke(&mut host, request).await).await;
        assert_eq!(messages, [""; 0]);
        assert_error(&diagnostics, summary);
    }
    let mut host = Host::new(Script::default());
    let (_, diagnostics) = outcome(invoke(&mut host, good).await).await;
    assert_error(&diagnostics, "The provider is not configured");
}

/// An action that begins, and ends a while after it was cancelled.
fn slow(begun: &Arc<Notify>, after: Duration, ended: oneshot::Sender<()>) -> Script {
    let begun = Arc::clone(begun);
    let ended = std::sync::Mutex::new(Some(ended));
    Script {
        invoke: Box::new(move |cancelled, _| {
            let ended = ended.lock().unwrap().take();
            let begun = Arc::clone(&begun);
            Box::pin(async move {
                begun.notify_one();
                cancelled.cancelled().await;
                tokio::time::sleep(after).await;
                ended.unwrap().send(()).unwrap();
                Err(Diagnostic::error("Interrupted", "Nothing was changed.").into())
            })
        }),
        ..Script::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_cancels_the_work_and_lets_it_end() {
    let begun = Arc::new(Notify::new());
    let (sender, ended) = oneshot::channel();
    let mut host = Host::configured(slow(&begun, GRACE / 2, sender)).await;
    let stream = invoke(&mut host, invoking(&block("n"))).await;
    begun.notified().await;
    let asked = Instant::now();
    drop(stream);
    // The end of the process waits for the end of the work.
    host.service.close().await;
    assert!(asked.elapsed() >= GRACE / 2 && asked.elapsed() < GRACE);
    ended.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_process_cancels_the_work_and_waits_for_it() {
    let begun = Arc::new(Notify::new());
    let (sender, ended) = oneshot::channel();
    let mut host = Host::configured(slow(&begun, GRACE / 2, sender)).await;
    let stream = invoke(&mut host, invoking(&block("n"))).await;
    begun.notified().await;
    host.service.close().await;
    ended.await.unwrap();
    assert_error(&outcome(stream).await.1, "Interrupted");
}

#[tokio::test(start_paused = true)]
async fn work_that_listens_to_a_stop_tells_what_became_of_it() {
    let begun = Arc::new(Notify::new());
    let (sender, ended) = oneshot::channel();
    let mut host = Host::configured(slow(&begun, GRACE / 2, sender)).await;
    let stream = invoke(&mut host, invoking(&block("n"))).await;
    begun.notified().await;
    host.stop().await;
    assert_error(&outcome(stream).await.1, "Interrupted");
    ended.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_listen_is_given_up_after_its_grace() {
    let begun = Arc::new(Notify::new());
    let (sender, ended) = oneshot::channel();
    let mut host = Host::configured(slow(&begun, GRACE * 5, sender)).await;
    let stream = invoke(&mut host, invoking(&block("n"))).await;
    begun.notified().await;
    let asked = Instant::now();
    host.stop().await;
    assert_error(&outcome(stream).await.1, "Operation interrupted");
    assert!(asked.elapsed() >= GRACE && asked.elapsed() < GRACE * 2);
    assert!(ended.await.is_err());
}

#[tokio::test]
async fn a_configuration_is_checked_and_planned_before() {
    let mut host = Host::configured(Script::default()).await;
    let check = async |host: &mut Host, config: &Value| {
        let config = Some(encoded(config));
        let validated = wire::validate_action_config::Request {
            type_name: DEED.to_owned(),
            config: config.clone(),
        };
        let validated = host.client.validate_action_config(validated).await;
        let planned = wire::plan_action::Request {
            action_type: DEED.to_owned(),
            config,
            ..Default::default()
        };
        let planned = host.client.plan_action(planned).await.unwrap().into_inner();
        assert_eq!(planned.deferred, None);
        let validated = validated.unwrap().into_inner().diagnostics;
        assert_eq!(validated, planned.diagnostics);
        validated
    };
    assert_eq!(check(&mut host, &block("n")).await, []);
    assert_eq!(check(&mut host, &block(Value::Unknown)).await, []);
    assert_error(&check(&mut host, &block("refused")).await, "Refused");
    assert_error(
        &check(&mut host, &block(Value::Null)).await,
        "name is required",
    );
}

#[tokio::test]
async fn the_schema_has_the_action() {
    let mut host = Host::new(Script::default());
    let request = wire::get_provider_schema::Request {};
    let schema = host.client.get_provider_schema(request).await.unwrap();
    let actions = schema.into_inner().action_schemas;
    let block = actions[DEED].schema.clone().and_then(|schema| schema.block);
    assert_eq!(block.unwrap().attributes.len(), 2);
}

//! The host asks the provider to stop while a call runs.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use terraform_provider_claude::protocol::{Diagnostic, Value};
use terraform_provider_claude::sdk::Failure;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::host::{Host, applying, assert_error, decoded, identity, reading};
use super::thing::{Script, applied, object, read, ready, set};

const STOPPED: &str = "Operation interrupted";
const NULL: Value = Value::Null;

/// How long an apply may go on after a stop.
const GRACE: Duration = Duration::from_secs(10);

fn state() -> Value {
    object([("id", "thing-1".into()), ("name", "n".into())])
}

fn config() -> Value {
    object([("name", "n".into())])
}

/// Work that tells when it has begun and never ends.
fn hang<T: Send + 'static>(begun: &Arc<Notify>) -> BoxFuture<'static, T> {
    begun.notify_one();
    Box::pin(std::future::pending())
}

/// A resource of which nothing ever ends, as long as the name is that of [`state`].
fn hanging(begun: &Arc<Notify>) -> Script {
    let [to_read, to_create, to_update, to_import] = [(); 4].map(|()| Arc::clone(begun));
    Script {
        read: Box::new(move |_, request| {
            if request.private == "go" {
                return ready(Ok(read(request.state.0, request.private)));
            }
            hang(&to_read)
        }),
        create: Box::new(move |_, _| hang(&to_create)),
        update: Box::new(move |_, _| hang(&to_update)),
        import: Box::new(move |_, _| hang(&to_import)),
        ..Script::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ends_at_once_with_the_state() {
    let begun = Arc::new(Notify::new());
    let mut host = Host::configured(hanging(&begun)).await;
    let mut other = host.clone();
    let call = tokio::spawn(async move { other.read(reading(&state())).await });
    begun.notified().await;
    let asked = Instant::now();
    host.stop().await;
    let answer = call.await.unwrap();
    assert_eq!(asked.elapsed(), Duration::ZERO);
    assert_error(&answer.diagnostics, STOPPED);
    assert_eq!(decoded(answer.new_state.as_ref()), state());
    assert_eq!(answer.private, b"\"before\"");
    assert_eq!(answer.new_identity, Some(identity("thing-1")));
}

#[tokio::test(start_paused = true)]
async fn an_import_ends_at_once() {
    let begun = Arc::new(Notify::new());
    let mut host = Host::configured(hanging(&begun)).await;
    let mut other = host.clone();
    let call = tokio::spawn(async move { other.import("thing-1").await });
    begun.notified().await;
    host.stop().await;
    let answer = call.await.unwrap();
    assert_error(&answer.diagnostics, STOPPED);
    assert_eq!(answer.imported_resources, []);
}

#[tokio::test(start_paused = true)]
async fn an_apply_that_does_not_listen_is_given_up_after_its_grace() {
    for prior in [NULL, state()] {
        let begun = Arc::new(Notify::new());
        let mut host = Host::configured(hanging(&begun)).await;
        let mut other = host.clone();
        let request = applying(&prior, &state(), &config());
        let call = tokio::spawn(async move { other.apply(request).await });
        begun.notified().await;
        let asked = Instant::now();
        host.stop().await;
        let answer = call.await.unwrap();
        assert!(asked.elapsed() >= GRACE && asked.elapsed() < GRACE * 2);
        assert_error(&answer.diagnostics, STOPPED);
        assert_eq!(decoded(answer.new_state.as_ref()), prior);
    }
}

#[tokio::test(start_paused = true)]
async fn an_apply_that_listens_tells_what_it_reached() {
    let begun = Arc::new(Notify::new());
    let script = Script {
        update: Box::new({
            let begun = Arc::clone(&begun);
            move |cancelled, request| {
                begun.notify_one();
                Box::pin(async move {
                    cancelled.cancelled().await;
                    tokio::time::sleep(GRACE / 2).await;
                    let mut half = request.planned.0;
                    set(&mut half, "note", "half".into());
                    let failure = Failure::from(Diagnostic::error("Gave up", ""));
                    Err(failure.with_state(applied(half, "half".to_owned())))
                })
            }
        }),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    let mut other = host.clone();
    let request = applying(&state(), &state(), &config());
    let call = tokio::spawn(async move { other.apply(request).await });
    begun.notified().await;
    host.stop().await;
    let answer = call.await.unwrap();
    assert_error(&answer.diagnostics, "Gave up");
    let reached = decoded(answer.new_state.as_ref());
    assert_eq!(reached.get("note"), Some(&"half".into()));
    assert_eq!(answer.private, b"\"half\"");
}

#[tokio::test(start_paused = true)]
async fn the_next_configuration_begins_anew() {
    let begun = Arc::new(Notify::new());
    let mut host = Host::configured(hanging(&begun)).await;
    host.stop().await;
    // What waits is stopped from the start; what does not is answered.
    let answer = host.read(reading(&state())).await;
    assert_error(&answer.diagnostics, STOPPED);
    assert_eq!(host.validate(&config()).await, []);
    assert_eq!(host.configure(None).await, []);
    let mut other = host.clone();
    let call = tokio::spawn(async move { other.read(reading(&state())).await });
    begun.notified().await;
    begun.notified().await;
    assert!(!call.is_finished());
    let mut request = reading(&state());
    request.private = b"\"go\"".to_vec();
    let answer = host.read(request).await;
    assert_eq!(answer.diagnostics, []);
    host.stop().await;
    assert_error(&call.await.unwrap().diagnostics, STOPPED);
}

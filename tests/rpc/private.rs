//! Private data on its way through the host.

use terraform_provider_claude::protocol::Value;

use super::host::{Host, applying, planning, reading};
use super::thing::{Script, applied, object, planned, planned_from, read, ready};

const NULL: Value = Value::Null;

/// A resource that adds a letter to its private data in each call.
fn counting() -> Script {
    Script {
        read: Box::new(|_, request| ready(Ok(read(request.state.0, request.private + "r")))),
        plan: Box::new(|request| Ok(planned(planned_from(&request), request.private + "p"))),
        create: Box::new(|_, request| ready(Ok(applied(request.planned.0, request.private + "c")))),
        update: Box::new(|_, request| ready(Ok(applied(request.planned.0, request.private + "u")))),
        ..Script::default()
    }
}

fn state() -> Value {
    object([("id", "thing-1".into()), ("name", "n".into())])
}

fn config() -> Value {
    object([("name", "n".into())])
}

#[tokio::test]
async fn each_call_gets_what_the_last_one_left() {
    let mut host = Host::configured(counting()).await;
    let mut request = reading(&state());
    request.private = Vec::new();
    let read = host.read(request).await;
    let mut request = planning(&state(), &config());
    request.prior_private = read.private;
    let plan = host.plan(request).await;
    let mut request = applying(&state(), &state(), &config());
    request.planned_private = plan.planned_private.clone();
    assert_eq!(host.apply(request).await.private, b"\"rpu\"");
    let mut request = applying(&NULL, &state(), &config());
    request.planned_private = plan.planned_private;
    assert_eq!(host.apply(request).await.private, b"\"rpc\"");
}

#[tokio::test]
async fn what_cannot_be_read_is_made_anew() {
    let mut host = Host::configured(counting()).await;
    for garbage in [
        &b"{\"of\":\"another version\"}"[..],
        b"\"cut",
        b"\xff\x00",
        b"null",
    ] {
        let mut request = reading(&state());
        request.private = garbage.to_vec();
        let read = host.read(request).await;
        assert_eq!(read.diagnostics, []);
        assert_eq!(read.private, b"\"r\"");
        let mut request = planning(&state(), &config());
        request.prior_private = garbage.to_vec();
        assert_eq!(host.plan(request).await.planned_private, b"\"p\"");
        let mut request = applying(&state(), &state(), &config());
        request.planned_private = garbage.to_vec();
        assert_eq!(host.apply(request).await.private, b"\"u\"");
    }
}

#[tokio::test]
async fn a_large_one_passes() {
    let mut host = Host::configured(counting()).await;
    // More than the 4 MiB at which gRPC stops unless told otherwise.
    let large = format!("\"{}\"", "x".repeat(5 << 20));
    let mut request = reading(&state());
    request.private = large.clone().into_bytes();
    host.client = host.client.max_decoding_message_size(64 << 20);
    let answer = host.read(request).await;
    assert_eq!(answer.private.len(), large.len() + 1);
}

//! Calls whose frames or messages are not what they should be.

use std::convert::Infallible;

use futures_util::StreamExt as _;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::client::conn::http2::SendRequest;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::Victim;

type Body = UnsyncBoxBody<Bytes, Infallible>;

const PLAN: &str = "/tfplugin6.Provider/PlanResourceChange";

/// Speaks HTTP/2 and no more.
async fn speak(victim: &Victim) -> SendRequest<Body> {
    let stream = victim.host.tls(Some(&victim.identity)).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    tokio::spawn(connection);
    sender
}

/// Puts a message behind a head that announces a length.
fn framed(compressed: u8, announced: u32, message: &[u8]) -> Vec<u8> {
    let mut bytes = vec![compressed];
    bytes.extend(announced.to_be_bytes());
    bytes.extend(message);
    bytes
}

fn request(path: &str, body: Body) -> Request<Body> {
    Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .unwrap()
}

/// A body of these bytes; one that is `open` never ends.
fn body(bytes: Vec<u8>, open: bool) -> Body {
    let first = stream::iter([Ok(Frame::data(Bytes::from(bytes)))]);
    if open {
        StreamBody::new(first.chain(stream::pending())).boxed_unsync()
    } else {
        StreamBody::new(first).boxed_unsync()
    }
}

/// Reads the status of a call from headers or trailers.
async fn status(answer: Response<hyper::body::Incoming>) -> String {
    let text = |headers: &hyper::HeaderMap| {
        let status = headers.get("grpc-status")?;
        Some(status.to_str().unwrap().to_owned())
    };
    if let Some(status) = text(answer.headers()) {
        return status;
    }
    let body = answer.into_body().collect().await.unwrap();
    body.trailers().and_then(text).unwrap_or_default()
}

#[tokio::test]
async fn frames_that_lie_are_refused_one_by_one() {
    let victim = Victim::start().await;
    let mut sender = speak(&victim).await;
    let cases = [
        ("longer than allowed", framed(0, u32::MAX, b"x")),
        ("cut off", framed(0, 1000, b"x")),
        ("compressed by nothing", framed(1, 1, b"x")),
        ("unknown flag", framed(7, 1, b"x")),
        ("half a head", vec![0, 0, 0]),
        ("nothing", Vec::new()),
        ("no message", framed(0, 4, b"\xff\xff\xff\xff")),
        (
            "a length that overflows",
            framed(0, 11, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ),
        ("a type that is no text", framed(0, 4, b"\x0a\x02\xff\xfe")),
        // Groups within groups: an encoding that no one uses any more.
        ("deep groups", framed(0, 200_000, &[0x9b; 200_000])),
    ];
    for (name, bytes) in cases {
        let answer = sender.send_request(request(PLAN, body(bytes, false))).await;
        let status = status(answer.unwrap()).await;
        assert!(!["", "0"].contains(&status.as_str()), "{name}: {status:?}");
    }
    let answer = sender
        .send_request(request("/tfplugin5.Provider/Plan", body(Vec::new(), false)))
        .await
        .unwrap();
    assert_eq!(status(answer).await, "12");
    victim.ends_well().await;
}

#[tokio::test]
async fn what_is_announced_takes_no_memory_before_it_comes() {
    let victim = Victim::start().await;
    let mut sender = speak(&victim).await;
    let mut waiting = Vec::new();
    for _ in 0..64 {
        // As much as one message may have, of which the first bytes come.
        let bytes = framed(0, 256 << 20, &[0; 1024]);
        waiting.push(tokio::spawn(
            sender.send_request(request(PLAN, body(bytes, true))),
        ));
    }
    // An answer shows that what was sent before has been read.
    let answer = sender
        .send_request(request(PLAN, body(Vec::new(), false)))
        .await;
    status(answer.unwrap()).await;
    victim.ends_well().await;
    for call in waiting {
        call.abort();
    }
}

#[tokio::test]
async fn calls_that_are_given_up_leave_nothing() {
    let victim = Victim::start().await;
    for _ in 0..8 {
        let mut sender = speak(&victim).await;
        for number in 0..100 {
            let bytes = framed(0, 2 * (number % 2), &[0; 2]);
            let call = sender.send_request(request(PLAN, body(bytes, true)));
            // The connection may be closed by now: resets in a row are an attack of their own.
            let call = tokio::spawn(call);
            tokio::task::yield_now().await;
            call.abort();
        }
    }
    victim.ends_well().await;
}

#[tokio::test]
async fn fields_of_later_versions_are_read_over() {
    let victim = Victim::start().await;
    let mut sender = speak(&victim).await;
    // Field 999 as a number, as text and as eight bytes.
    let later = b"\xb8\x3e\x07\xba\x3e\x02hi\xb9\x3e\x01\x02\x03\x04\x05\x06\x07\x08";
    for rpc in [
        "GetProviderSchema",
        "GetMetadata",
        "StopProvider",
        "ValidateProviderConfig",
    ] {
        let bytes = framed(0, u32::try_from(later.len()).unwrap(), later);
        let path = format!("/tfplugin6.Provider/{rpc}");
        let answer = sender
            .send_request(request(&path, body(bytes, false)))
            .await;
        assert_eq!(status(answer.unwrap()).await, "0", "{rpc}");
    }
    victim.ends_well().await;
}

//! Every outcome of a call returns a response with the known state.

use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::protocol::{Command, Text};

type Response = wire::read_resource::Response;

const STATE: &[u8] = b"known";

fn call(cancelled: &CancellationToken, grace: Duration) -> Call<'static> {
    Call {
        rpc: "ReadResource",
        type_name: "test_thing",
        cancelled: cancelled.clone(),
        grace,
        site: Site::default(),
        warnings: Warnings::default(),
    }
}

fn fallback() -> Response {
    Response {
        private: STATE.to_vec(),
        ..Default::default()
    }
}

/// Runs work without a request to stop.
async fn run(work: impl Future<Output = Result<Response, Diagnostics>> + Send) -> Response {
    let call = call(&CancellationToken::new(), Duration::ZERO);
    guarded(call, fallback(), work).await
}

fn summaries(answer: &Response) -> Vec<&str> {
    let diagnostics = answer.diagnostics.iter();
    diagnostics
        .map(|diagnostic| diagnostic.summary.as_str())
        .collect()
}

#[tokio::test]
async fn an_answer_passes_through() {
    let answer = run(async { Ok(Response::default()) }).await;
    assert_eq!(answer, Response::default());
}

#[tokio::test]
async fn answers_and_failures_name_the_server() {
    let site = Site {
        variables: vec![("ADDRESS", "here".to_owned())],
        place: " (here)".to_owned(),
    };
    let run = |outcome| {
        let call = Call {
            site: site.clone(),
            ..call(&CancellationToken::new(), Duration::ZERO)
        };
        reported(call, fallback(), async { outcome })
    };
    let detail = || Text::from("Run:") + Command::new("list");
    let warnings = vec![Diagnostic::warning("first", detail())];
    let answer = run(Ok((Response::default(), warnings))).await;
    assert_eq!(summaries(&answer), ["first (here)"]);
    assert_eq!(
        answer.diagnostics[0].detail,
        "Run:\n\n    ADDRESS=here list"
    );
    let answer = run(Err(vec![Diagnostic::error("first", detail())])).await;
    assert_eq!(summaries(&answer), ["first"]);
    assert_eq!(
        answer.diagnostics[0].detail,
        "Run:\n\n    ADDRESS=here list"
    );
}

#[tokio::test]
async fn a_failure_keeps_the_known_state() {
    let answer = run(async {
        Err(vec![
            Diagnostic::warning("first", ""),
            Diagnostic::error("second", ""),
        ])
    })
    .await;
    assert_eq!(answer.private, STATE);
    assert_eq!(summaries(&answer), ["first", "second"]);
}

#[tokio::test]
async fn a_failure_without_an_error_gets_one() {
    for diagnostics in [Vec::new(), vec![Diagnostic::warning("soft", "")]] {
        let answer = run(async { Err(diagnostics) }).await;
        assert_eq!(answer.private, STATE);
        let last = answer.diagnostics.last().unwrap();
        assert_eq!(last.summary, "Provider bug: a call failed without a reason");
        assert_eq!(last.severity(), wire::diagnostic::Severity::Error);
    }
}

#[tokio::test]
async fn a_panic_keeps_the_known_state_and_its_text_to_itself() {
    let value = "canary";
    let answer = run(async {
        tokio::task::yield_now().await;
        panic!("{value}")
    })
    .await;
    assert_eq!(answer.private, STATE);
    assert_eq!(summaries(&answer), ["Provider bug: a call panicked"]);
    assert!(!answer.diagnostics[0].detail.contains(value));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_call_at_once() {
    let cancelled = CancellationToken::new();
    let started = Instant::now();
    cancelled.cancel();
    let answer = guarded(
        call(&cancelled, Duration::ZERO),
        fallback(),
        std::future::pending(),
    )
    .await;
    assert_eq!(answer.private, STATE);
    assert_eq!(summaries(&answer), ["Operation interrupted"]);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_call_that_is_done_when_it_starts_is_never_stopped() {
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let work = async { Ok(Response::default()) };
    let answer = guarded(call(&cancelled, Duration::ZERO), fallback(), work).await;
    assert_eq!(answer, Response::default());
}

#[tokio::test(start_paused = true)]
async fn a_call_with_grace_comes_back_by_itself() {
    let cancelled = CancellationToken::new();
    let seen = cancelled.clone();
    let work = async move {
        seen.cancelled().await;
        sleep(Duration::from_secs(9)).await;
        Err(vec![Diagnostic::error("Gave up", "")])
    };
    let started = Instant::now();
    cancelled.cancel();
    let grace = Duration::from_secs(10);
    let answer = guarded(call(&cancelled, grace), fallback(), work).await;
    assert_eq!(summaries(&answer), ["Gave up"]);
    assert_eq!(started.elapsed(), Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn grace_has_an_end() {
    let cancelled = CancellationToken::new();
    let started = Instant::now();
    let grace = Duration::from_secs(10);
    let answer = tokio::spawn({
        let call = call(&cancelled, grace);
        async move { guarded(call, fallback(), std::future::pending()).await }
    });
    advance(Duration::from_secs(60)).await;
    assert!(!answer.is_finished());
    cancelled.cancel();
    let answer = answer.await.unwrap();
    assert_eq!(answer.private, STATE);
    assert_eq!(summaries(&answer), ["Operation interrupted"]);
    assert!(started.elapsed() >= Duration::from_secs(70));
    assert!(started.elapsed() < Duration::from_secs(71));
}

//! An apply that is killed after it wrote the token and before it recorded that.

use std::sync::{Arc, mpsc};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;

use super::super::stack::{AGENT, FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, text, warnings};
use super::{BOTH, aged, agent, ago, metadata, short, value_at};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};
use crate::support::secrets::token;
use crate::support::terraform::Run;

/// Reports the write of the primary, and gives no answer to it.
struct Write {
    landed: mpsc::Sender<()>,
    /// Whether the metadata of the primary may be written.
    records: bool,
}

impl Judge for Write {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        let path = seen.target.strip_prefix("/v1/secret/").unwrap_or_default();
        let writes = matches!(seen.method.as_str(), "PATCH" | "POST" | "PUT");
        if writes && path == format!("data/{PRIMARY}") {
            let landed = async move { self.landed.send(()).unwrap() };
            let judgement = Judgement {
                step: Step::HangAfter,
                afterwards: Some(landed.boxed()),
            };
            return std::future::ready(judgement).boxed();
        }
        if writes && path == format!("metadata/{PRIMARY}") && !self.records {
            return Step::json(403, r#"{"errors":["permission denied"]}"#).judged();
        }
        Step::Pass.judged()
    }
}

/// Kills an apply after its write of the primary.
async fn kill_an_apply(stack: &mut Stack, records: bool) {
    let (landed, wait) = mpsc::channel();
    let judge = Arc::new(Write { landed, records });
    let proxy = Proxy::judged(stack.bao.address(), judge).await;
    let apply = stack
        .workspace
        .command(["apply", "-auto-approve"])
        .env("VAULT_ADDR", proxy.address())
        .killed(move || wait.recv().unwrap())
        .run();
    assert_eq!(apply.code, None, "{}", apply.transcript());
    let version = stack.current_version(PRIMARY).await;
    assert_eq!(value_at(stack, PRIMARY, version).await, token(SPARES[0]));
}

fn refresh(stack: &Stack) -> Run {
    let refresh = stack
        .workspace
        .run(["apply", "-refresh-only", "-auto-approve"]);
    refresh.exits(0);
    refresh
}

/// Refreshes, and expects the report of the rotation and nothing after it.
async fn reports_once(stack: &Stack) -> Run {
    let version = stack.current_version(PRIMARY).await;
    let refreshed = refresh(stack);
    let summary = format!("Token {PRIMARY_ID} was replaced by the token of a spare");
    let found = warnings(&refreshed);
    assert_eq!(found, [summary], "{}", refreshed.transcript());
    refreshed.says(&format!(
        "The token of the spare {} is now in version {version} of secret/{PRIMARY}",
        SPARES[0]
    ));
    assert_eq!(text(&stack.attributes(AGENT)["rotated_from"]), SPARES[0]);
    stack.is_quiet();
    refreshed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_next_refresh_says_what_it_did() {
    let mut stack = aged("interrupted", 340).await;
    let mut entries = metadata(&stack, SPARES[0]).await;
    let verified = format!("{} works {}", short(&token(SPARES[0])), ago(0).as_second());
    entries.insert(format!("{FIELD}.account"), "team-b".to_owned());
    entries.insert(format!("{FIELD}.verified"), verified.clone());
    let entries = json!({ "custom_metadata": entries });
    stack.set_metadata(SPARES[0], entries).await;
    stack.applied(&agent(BOTH));
    kill_an_apply(&mut stack, true).await;
    reports_once(&stack)
        .await
        .says("claude.ai. Before you revoke it, find every place");

    // A later apply that changes the resource records the rest.
    stack.applied(&agent(&format!("{BOTH}  lifetime_days = 300\n")));
    let entries = metadata(&stack, PRIMARY).await;
    let next = format!("{FIELD}.next");
    assert!(!entries.contains_key(&next), "{entries:?}");
    assert_eq!(entries[&format!("{FIELD}.rotated_from")], SPARES[0]);
    assert_eq!(entries[&format!("{FIELD}.account")], "team-b");
    assert_eq!(entries[&format!("{FIELD}.verified")], verified);
    let retired = &entries[&format!("{FIELD}.retired")];
    assert!(retired.starts_with(&short(&token("primary"))), "{retired}");
    stack.is_quiet();
}

/// The mark on the spare shows where the token came from.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_write_that_could_not_be_announced_is_reported() {
    let mut stack = aged("interrupted-unannounced", 340).await;
    stack.applied(&agent(BOTH));
    kill_an_apply(&mut stack, false).await;
    let entries = metadata(&stack, PRIMARY).await;
    let next = format!("{FIELD}.next");
    assert!(!entries.contains_key(&next), "{entries:?}");
    reports_once(&stack).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_value_that_was_no_token_is_not_named() {
    let mut stack = aged("interrupted-malformed", 1).await;
    stack.applied(&agent(BOTH));
    stack
        .patch(PRIMARY, json!({ FIELD: "sk-ant-oat01-" }))
        .await;
    refresh(&stack);
    kill_an_apply(&mut stack, true).await;
    reports_once(&stack).await.omits("the previous token");
}

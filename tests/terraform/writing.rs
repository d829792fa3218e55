//! Tokens that are stored, promoted and stamped: what is written to Vault, and what is not.

mod action;
mod adopted;
mod firewall;
mod foreseen;
mod host;
mod interrupted;
mod leaks;
mod order;
mod pool;
mod promoted;
mod records;
mod refused;
mod rehearsed;
mod requested;
mod rights;
mod skew;
mod spares;
mod stamped;
mod stored;
mod unable;
mod unseen;
mod verified;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use terraform_provider_claude::clock;

use super::stack::{FIELD, PRIMARY, PRIMARY_ID, SPARES, Stack, days, fingerprint, warnings};
use crate::support::certificates::trusting_nobody;
use crate::support::openbao::OpenBao;
use crate::support::secrets::token;
use crate::support::terraform::Run;

/// Argument that names both spares.
const BOTH: &str =
    "  spare_paths = [\"claude-agent-service-spare-1\", \"claude-agent-service-spare-2\"]\n";

/// Returns the token resource with further arguments.
fn agent(arguments: &str) -> String {
    format!("resource \"claude_oauth_token\" \"agent\" {{\n  path = \"{PRIMARY}\"\n{arguments}}}\n")
}

/// Returns the time of this machine.
fn now() -> Timestamp {
    clock::now()
}

/// Returns a moment so many days ago, in whole seconds.
pub(super) fn ago(count: i64) -> Timestamp {
    Timestamp::from_second((now() - days(count)).as_second()).unwrap()
}

/// Returns the digits by which metadata names a token.
fn short(token: &str) -> String {
    fingerprint(token)["sha256:".len()..][..16].to_owned()
}

/// Returns a stamp beside an entry of somebody else.
fn stamp_with_foreign_key(token: &str, minted_at: Timestamp) -> Value {
    json!({ "custom_metadata": {
        format!("{FIELD}.fingerprint"): short(token),
        format!("{FIELD}.minted_at"): minted_at.to_string(),
        "owner": "team",
    } })
}

/// A deployment whose primary was minted so many days ago, and its spares one and two days ago.
async fn aged(name: &str, age: i64) -> Stack {
    let stack = Stack::start(name).await;
    let minted_at = ago(age);
    let stamp = stamp_with_foreign_key(&token("primary"), minted_at);
    stack.set_metadata(PRIMARY, stamp).await;
    for (path, age) in SPARES.into_iter().zip(1..) {
        let stamp = stamp_with_foreign_key(&token(path), ago(age));
        stack.set_metadata(path, stamp).await;
    }
    stack
}

/// Returns all custom metadata of a secret.
async fn metadata(stack: &Stack, path: &str) -> BTreeMap<String, String> {
    let target = format!("secret/metadata/{path}");
    let (status, answer) = stack.bao.call("GET", &target, Value::Null).await;
    match status {
        404 => BTreeMap::new(),
        _ => serde_json::from_value(answer["data"]["custom_metadata"].clone()).unwrap_or_default(),
    }
}

/// Returns the keys and values of the marks on a spare.
async fn marks(stack: &Stack, path: &str) -> Vec<(String, String)> {
    let marks = all_marks(stack, path).await.into_iter();
    marks.filter(|(_, mark)| !mark.contains(" 0 ")).collect()
}

/// Returns the marks of a spare that say that a primary holds or held its token.
async fn held_marks(stack: &Stack, path: &str) -> Vec<(String, String)> {
    let marks = all_marks(stack, path).await.into_iter();
    marks.filter(|(_, mark)| mark.contains(" 0 ")).collect()
}

async fn all_marks(stack: &Stack, path: &str) -> Vec<(String, String)> {
    let prefix = format!("{FIELD}.promoted_to.");
    let all = metadata(stack, path).await.into_iter();
    all.filter(|(key, _)| key.starts_with(&prefix)).collect()
}

/// Returns the field of the token in a version of a secret.
async fn value_at(stack: &Stack, path: &str, version: u64) -> Value {
    let target = format!("secret/data/{path}?version={version}");
    let answer = stack.bao.must("GET", &target, Value::Null).await;
    answer["data"]["data"][FIELD].clone()
}

/// Calls the API as root with a body that is sent as it is.
async fn send(stack: &Stack, method: &str, target: &str, body: String) -> (u16, String) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .tls_backend_preconfigured(trusting_nobody())
        .build()
        .unwrap();
    let answer = client
        .request(
            method.parse().unwrap(),
            format!("{}/v1/{target}", stack.bao.address()),
        )
        .header("X-Vault-Token", OpenBao::ROOT)
        .header("Content-Type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Writes a document that is sent as it is.
async fn put_text(stack: &Stack, path: &str, document: &str) {
    let body = format!("{{\"data\":{document}}}");
    let (status, answer) = send(stack, "POST", &format!("secret/data/{path}"), body).await;
    assert_eq!(status, 200, "{answer}");
}

/// Returns the text of a document as the server shows it.
async fn text_of(stack: &Stack, path: &str) -> String {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let target = format!("secret/data/{path}");
    let (status, answer) = send(stack, "GET", &target, String::new()).await;
    assert_eq!(status, 200, "{answer}");
    let envelope: Envelope<'_> = serde_json::from_str(&answer).unwrap();
    envelope.data.data.get().to_owned()
}

/// Demands that a time in seconds since the epoch is not long ago.
#[track_caller]
fn is_recent(seconds: &str) {
    let at = Timestamp::from_second(seconds.parse().unwrap()).unwrap();
    let age = now().duration_since(at);
    assert!(age.abs() < SignedDuration::from_mins(5), "{at}");
}

/// Returns the warnings of an apply beyond the one about a rotation that was carried out, and
/// beyond those of its plan: a host makes the plan once more within the apply, and shows what it
/// says again.
fn news(run: &Run) -> Vec<String> {
    let planned = format!("Token {PRIMARY_ID} expires ");
    let expired = format!("Token {PRIMARY_ID} expired ");
    let mut told = warnings(run);
    told.retain(|told| {
        !told.starts_with(&planned)
            && !told.starts_with(&expired)
            && !told.ends_with(" was rotated")
    });
    told
}

/// Returns the words of a run as one line: Terraform wraps what it says.
fn spoken(run: &Run) -> String {
    let text = format!("{} {}", run.stdout, run.stderr);
    let words = text.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}

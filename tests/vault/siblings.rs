//! A write of one field leaves every other as it was.

use jiff::Timestamp;
use serde_json::json;
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{Document, Reading, Store};

use super::{path, raw, root_store};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

/// Fields that a careless client would change, each as JSON text.
const SIBLINGS: [(&str, &str); 14] = [
    ("a.key.with.dots", r#""x""#),
    ("empty", r#""""#),
    (
        "escaped",
        r#""quote \" slash \\ tab \t é \u0001 \u2028 </&""#,
    ),
    ("float", "1.0"),
    ("fraction", "0.1"),
    ("large", "1234567890123456789012345"),
    ("list", r#"[1, null, "", [], {}, 2.50]"#),
    (
        "nested",
        r#"{"b": {"a": null, "token": "inner"}, "a": 12345678901234567890}"#,
    ),
    ("negative", "-0"),
    ("no", "false"),
    ("null", "null"),
    ("precise", "9007199254740993"),
    ("tiny", "5e-324"),
    ("token", r#""one""#),
];

fn object(fields: &[(&str, &str)]) -> String {
    let members: Vec<_> = fields
        .iter()
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

async fn present(store: &Store, name: &str) -> Document {
    match store.read(&path(name)).await.unwrap() {
        Reading::Present(document) => document,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_server_shows_the_same_text_but_for_the_field() {
    let bao = OpenBao::start().await;
    let mut fields = SIBLINGS.to_vec();
    raw::put(&bao, "agent", &object(&fields)).await;
    fields.retain(|(name, _)| *name != "token");
    raw::put(&bao, "other", &object(&fields)).await;
    let store = root_store(bao.address());
    for (name, field) in [("agent", "token"), ("other", "z.new")] {
        let before = raw::document(&bao, name).await;
        let new = present(&store, name).await;
        let new = new.with_field(field, &Secret::new("two \" é"));
        let written = store
            .write(&path(name), &new, 1, Timestamp::MAX)
            .await
            .unwrap();
        assert_eq!(written.version, 2);
        let after = raw::document(&bao, name).await;
        let expected = match field {
            "token" => before.replace(r#""token":"one""#, r#""token":"two \" é""#),
            _ => before.replace(r#""tiny":5e-324}"#, r#""tiny":5e-324,"z.new":"two \" é"}"#),
        };
        assert_ne!(expected, before);
        assert_eq!(after, expected);
    }
}

#[tokio::test]
async fn what_was_read_is_sent_to_the_byte() {
    let mut fields = SIBLINGS.to_vec();
    fields.insert(3, ("huge", "1e400"));
    fields.insert(0, ("z", "1.10"));
    let metadata = r#""created_time":"2026-11-24T08:09:53Z","version":7"#;
    let read = format!(
        r#"{{"data":{{"data":{},"metadata":{{{metadata}}}}}}}"#,
        object(&fields)
    );
    let written = format!(r#"{{"data":{{{metadata}}}}}"#);
    let proxy = Proxy::alone([Step::json(200, &read), Step::json(200, &written)]).await;
    let store = root_store(proxy.address());
    let new = present(&store, "agent").await;
    let new = new.with_field("token", &Secret::new("two"));
    store
        .write(&path("agent"), &new, 7, Timestamp::MAX)
        .await
        .unwrap();
    let last = fields.len() - 1;
    fields[last].1 = r#""two""#;
    let sent = &proxy.seen()[1];
    assert_eq!(
        sent.body,
        format!(r#"{{"options":{{"cas":7}},"data":{}}}"#, object(&fields))
    );
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let length = sent.body.len().to_string();
    assert_eq!(sent.header("content-length"), Some(length.as_str()));
}

#[tokio::test]
async fn a_document_just_under_the_limit_of_raft_is_written() {
    let bao = OpenBao::start().await;
    let filler = "x".repeat(1024 * 1024 - 300);
    bao.put(
        "secret",
        "agent",
        json!({ "filler": filler, "token": "one" }),
    )
    .await;
    let store = root_store(bao.address());
    let new = present(&store, "agent").await;
    let new = new.with_field("token", &Secret::new("two"));
    store
        .write(&path("agent"), &new, 1, Timestamp::MAX)
        .await
        .unwrap();
    let after = raw::document(&bao, "agent").await;
    assert_eq!(after, format!(r#"{{"filler":"{filler}","token":"two"}}"#));
}

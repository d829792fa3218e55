//! Import by id and by identity.

use std::sync::{Arc, Mutex};

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Diagnostic, Value};
use terraform_provider_claude::sdk::ImportRequest;

use super::host::{Host, assert_bug, assert_error, decoded, identity};
use super::thing::{CANARY, Script, TYPE_NAME, imported, object, ready, set};

const NULL: Value = Value::Null;

fn finds(state: &Value) -> Script {
    let state = state.clone();
    Script {
        import: Box::new(move |_, _| ready(Ok(imported(state.clone(), "found".to_owned())))),
        ..Script::default()
    }
}

#[tokio::test]
async fn one_object_comes_back() {
    let found = object([("id", "thing-1".into())]);
    let mut host = Host::configured(finds(&found)).await;
    let answer = host.import("thing-1").await;
    assert_eq!(answer.diagnostics, []);
    let [one] = answer.imported_resources.as_slice() else {
        panic!("one object, not {answer:?}");
    };
    assert_eq!(one.type_name, TYPE_NAME);
    assert_eq!(decoded(one.state.as_ref()), found);
    assert_eq!(one.private, b"\"found\"");
    assert_eq!(one.identity, Some(identity("thing-1")));
}

#[tokio::test]
async fn the_resource_is_told_which_way_it_is_named() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let script = Script {
        import: Box::new({
            let asked = Arc::clone(&asked);
            move |_, request| {
                let told = match request {
                    ImportRequest::Id(id) => format!("id {id}"),
                    ImportRequest::Identity(identity) => {
                        let text = |name| identity.0.get(name).and_then(Value::as_str);
                        format!("identity {:?} {:?}", text("id"), text("region"))
                    }
                };
                asked.lock().unwrap().push(told);
                ready(Ok(imported(object([("id", "x".into())]), String::new())))
            }
        }),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    host.import("thing-1").await;
    host.import_by(wire::import_resource_state::Request {
        identity: Some(identity("thing-2")),
        ..Default::default()
    })
    .await;
    host.import_by(wire::import_resource_state::Request {
        id: "thing-3".to_owned(),
        identity: Some(wire::ResourceIdentityData::default()),
        ..Default::default()
    })
    .await;
    let asked = asked.lock().unwrap();
    assert_eq!(
        *asked,
        [
            "id thing-1",
            "identity Some(\"thing-2\") None",
            "id thing-3"
        ]
    );
}

#[tokio::test]
async fn wrong_imports_are_withheld() {
    let with = |name: &str, value: Value| {
        let mut state = object([("id", "thing-1".into())]);
        set(&mut state, name, value);
        state
    };
    for (place, state) in [
        ("the whole object", NULL),
        ("the whole object", Value::Unknown),
        ("note", with("note", Value::Unknown)),
        ("token_wo", with("token_wo", CANARY.into())),
        ("size", with("size", CANARY.into())),
        // An object without an identity.
        ("the whole object", with("id", NULL)),
    ] {
        let mut host = Host::configured(finds(&state)).await;
        let answer = host.import("thing-1").await;
        assert_bug(&answer.diagnostics, "import", place);
        assert_eq!(answer.imported_resources, []);
    }
}

#[tokio::test]
async fn an_import_that_fails_says_why() {
    let script = Script {
        import: Box::new(|_, _| ready(Err(Diagnostic::error("No", "").into()))),
        ..Script::default()
    };
    let mut host = Host::configured(script).await;
    let answer = host.import("thing-1").await;
    assert_error(&answer.diagnostics, "No");
    assert_eq!(answer.imported_resources, []);
}

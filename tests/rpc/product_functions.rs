//! The functions of the product, called as OpenTofu and Terraform call them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Type, Value, msgpack, wire as codec};
use terraform_provider_claude::provider::ClaudeProvider;
use terraform_provider_claude::sdk::ProviderService;

use crate::support::secrets::{LeakSearch, malformed, token};

/// A null as OpenTofu sends it.
fn null() -> wire::DynamicValue {
    wire::DynamicValue::default()
}

fn text(text: impl Into<Value>) -> wire::DynamicValue {
    codec::encode(&Type::String, &text.into()).unwrap()
}

/// Calls a function of a provider that nobody has configured.
async fn call(name: &str, arguments: Vec<wire::DynamicValue>) -> wire::call_function::Response {
    let environment = Arc::new(BTreeMap::<String, String>::new());
    let provider = ClaudeProvider::new(environment);
    let mut client = ProviderClient::new(ProviderService::new(provider).calls());
    let request = wire::call_function::Request {
        name: name.to_owned(),
        arguments,
    };
    client.call_function(request).await.unwrap().into_inner()
}

/// Calls a function that succeeds, and returns its result.
async fn result(name: &str, ty: &Type, arguments: Vec<wire::DynamicValue>) -> Value {
    let answer = call(name, arguments).await;
    assert_eq!(answer.error, None);
    msgpack::decode(ty, &answer.result.as_ref().unwrap().msgpack).unwrap()
}

async fn error(name: &str, arguments: Vec<wire::DynamicValue>) -> (Option<i64>, String) {
    let answer = call(name, arguments).await;
    assert_eq!(answer.result, None);
    let error = answer.error.unwrap();
    (error.function_argument, error.text)
}

fn report() -> Type {
    Type::object([
        ("valid", Type::Bool),
        ("kind", Type::String),
        ("problem", Type::String),
        ("fingerprint", Type::String),
    ])
}

fn entries() -> Type {
    let reference = Type::object([("key", Type::String), ("property", Type::String)]);
    Type::list(Type::object([
        ("secretKey", Type::String),
        ("remoteRef", reference),
    ]))
}

#[tokio::test]
async fn an_empty_message_is_null() {
    let checked = result("token_check", &report(), vec![null()]).await;
    assert_eq!(checked.get("valid"), Some(&false.into()));
    assert_eq!(checked.get("kind"), Some(&"none".into()));
    let arguments = vec![text("agent"), null(), null()];
    let found = result("external_secret_data", &entries(), arguments).await;
    let entry = &found.as_list().unwrap()[0];
    assert_eq!(
        entry.get("secretKey"),
        Some(&"CLAUDE_CODE_OAUTH_TOKEN".into())
    );
    let (argument, told) = error("external_secret_data", vec![null(), null(), null()]).await;
    assert_eq!(
        (argument, told.as_str()),
        (Some(0), "The argument must not be null")
    );
    let (argument, _) = error("external_secret", vec![null()]).await;
    assert_eq!(argument, Some(0));
}

#[tokio::test]
async fn unknown_arguments_leave_the_rest_known() {
    let arguments = vec![text(Value::Unknown), null(), text("KEY")];
    let found = result("external_secret_data", &entries(), arguments).await;
    let reference = Value::object([
        ("key", Value::Unknown),
        ("property", "claude_oauth_token".into()),
    ]);
    let entry = Value::object([("secretKey", "KEY".into()), ("remoteRef", reference)]);
    assert_eq!(found, vec![entry].into());
    let unknown = result("token_check", &report(), vec![text(Value::Unknown)]).await;
    assert_eq!(unknown, Value::Unknown);
    let unknown = wire::DynamicValue {
        msgpack: b"\xd4\x00\x00".to_vec(),
        json: Vec::new(),
    };
    let manifest = result("external_secret", &Type::Dynamic, vec![unknown]).await;
    assert_eq!(manifest, Value::Unknown);
}

#[tokio::test]
async fn wrong_values_are_errors_of_their_argument() {
    for (arguments, argument, beginning) in [
        (["/agent", "f", "K"], 0, "The path starts with `/`."),
        (["", "f", "K"], 0, "The path is empty."),
        (["a", "", "K"], 1, "The field is empty."),
        (["a", "f", ""], 2, "The key is empty"),
        (["a", "f", "K K"], 2, "Character 2 of the key is ' '"),
    ] {
        let arguments = arguments.map(text).to_vec();
        let (at, told) = error("external_secret_data", arguments).await;
        assert_eq!(at, Some(argument), "{told}");
        assert!(told.starts_with(beginning), "{told}");
    }
}

/// Hosts write the text to a terminal as it is.
#[tokio::test]
async fn names_in_an_error_do_nothing_to_a_terminal() {
    let spec = Value::Dynamic(
        Type::object([("\u{1b}[2J\u{202e}x", Type::String)]),
        Box::new(Value::object([("\u{1b}[2J\u{202e}x", "y".into())])),
    );
    let spec = codec::encode(&Type::Dynamic, &spec).unwrap();
    let (at, told) = error("external_secret", vec![spec]).await;
    assert_eq!(at, Some(0));
    assert!(
        told.starts_with(r"There is no attribute `\u{1b}[2J\u{202e}x`."),
        "{told}"
    );
}

/// The encoding of a refined unknown carries what is promised about it.
#[tokio::test]
async fn promises_about_unknown_values_are_read_over() {
    let refined = b"\xc7\x0a\x0c\x82\x01\xc2\x02\xa5agent";
    let ty = br#"["object",{"name":"string","namespace":"string","data":["list","string"]}]"#;
    let mut spec = vec![0x92, 0xc4, u8::try_from(ty.len()).unwrap()];
    spec.extend(ty);
    spec.extend(b"\x83\xa4name");
    spec.extend(refined);
    spec.extend(b"\xa9namespace\xa1n\xa4data\xd4\x00\x00");
    let message = wire::DynamicValue {
        msgpack: spec,
        json: Vec::new(),
    };
    let manifest = result("external_secret", &Type::Dynamic, vec![message]).await;
    let Value::Dynamic(_, manifest) = manifest else {
        panic!("a manifest, not {manifest:?}");
    };
    let metadata = manifest.get("metadata").unwrap();
    assert_eq!(metadata.get("name"), Some(&Value::Unknown));
    assert_eq!(metadata.get("namespace"), Some(&"n".into()));
}

#[tokio::test]
async fn nothing_of_a_token_is_in_any_answer() {
    let mut search = LeakSearch::new();
    let mut values = malformed("checked");
    values.push(("good", token("checked")));
    for (label, value) in &values {
        search.plant(label, value);
        if *label != "good" {
            search.plant_digest(label, value);
        }
    }
    for (label, value) in values {
        let answer = call("token_check", vec![text(value)]).await;
        assert_eq!(answer.error, None, "{label}");
        let bytes = answer.result.unwrap().msgpack;
        search.text(label, &String::from_utf8_lossy(&bytes));
    }
    // A value that cannot be decoded either.
    let mut cut = text(token("checked")).msgpack;
    cut.pop();
    let message = wire::DynamicValue {
        msgpack: cut,
        json: Vec::new(),
    };
    let (argument, told) = error("token_check", vec![message]).await;
    assert_eq!(argument, Some(0));
    search.text("error", &told);
    search.assert_clean();
}

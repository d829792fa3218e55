//! Functions: what they are told to be, how they are called, and answers that are wrong.

use std::sync::Arc;

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{
    Attribute, AttributePath, Diagnostic, Kind, Type, Value, msgpack, wire as codec,
};
use terraform_provider_claude::sdk::{AttributeValue, Function, Model, ModelError};
use terraform_provider_claude::secret::Secret;

use super::host::Host;
use super::lint;
use super::thing::{CANARY, Script, raw};

pub(super) type Work = Box<dyn Fn(Value) -> Result<Value, Diagnostic> + Send + Sync>;

raw!(
    /// Arguments as they were decoded.
    Arguments,
    vec![
        Attribute::required("text", Type::String).description("A text."),
        Attribute::optional("any", Type::Dynamic),
        Attribute::optional("secret", Type::list(Type::String)).sensitive(),
    ]
);

/// A result of which anything may be wrong.
pub(super) struct Words(Value);

impl AttributeValue for Words {
    fn kind() -> Kind {
        Kind::Plain(Type::list(Type::String))
    }

    fn from_value(value: Value, _path: &AttributePath) -> Result<Self, ModelError> {
        Ok(Self(value))
    }

    fn into_value(self) -> Value {
        self.0
    }
}

/// Takes unknown arguments or does not.
pub(super) struct Say<const UNKNOWN: bool>(pub(super) Arc<Script>);

impl<const UNKNOWN: bool> Function for Say<UNKNOWN> {
    type Arguments = Arguments;
    type Result = Words;

    const NAME: &'static str = if UNKNOWN { "say" } else { "say_known" };
    const SUMMARY: &'static str = "Says it.";
    const DESCRIPTION: &'static str = "Says it again.";
    const TAKES_UNKNOWN: bool = UNKNOWN;

    fn call(&self, arguments: Arguments) -> Result<Words, Diagnostic> {
        (self.0.say)(arguments.0).map(Words)
    }
}

fn host(work: impl Fn(Value) -> Result<Value, Diagnostic> + Send + Sync + 'static) -> Host {
    Host::new(Script {
        say: Box::new(work),
        ..Script::default()
    })
}

async fn send(
    host: &mut Host,
    name: &str,
    arguments: Vec<wire::DynamicValue>,
) -> wire::call_function::Response {
    let request = wire::call_function::Request {
        name: name.to_owned(),
        arguments,
    };
    host.client
        .call_function(request)
        .await
        .unwrap()
        .into_inner()
}

fn arguments(text: Value, any: Value, secret: Value) -> Vec<wire::DynamicValue> {
    let parameters = Arguments::attributes();
    let values = [text, any, secret];
    parameters
        .iter()
        .zip(values)
        .map(|(parameter, value)| codec::encode(&parameter.implied_type(), &value).unwrap())
        .collect()
}

fn plain() -> Vec<wire::DynamicValue> {
    arguments("t".into(), Value::Null, Value::Null)
}

fn words(words: &[&str]) -> Value {
    words
        .iter()
        .map(|word| Value::from(*word))
        .collect::<Vec<_>>()
        .into()
}

/// Returns the result of a call that succeeded.
#[track_caller]
fn result(answer: &wire::call_function::Response) -> Value {
    assert_eq!(answer.error, None);
    msgpack::decode(
        &Type::list(Type::String),
        &answer.result.as_ref().unwrap().msgpack,
    )
    .unwrap()
}

/// Demands the error of a call that failed, and that it quotes no value.
#[track_caller]
fn failed(answer: &wire::call_function::Response, argument: Option<i64>, beginning: &str) {
    assert_eq!(answer.result, None);
    let error = answer.error.as_ref().unwrap();
    assert_eq!(error.function_argument, argument, "{}", error.text);
    assert!(error.text.starts_with(beginning), "{}", error.text);
    assert!(!error.text.contains(CANARY), "{}", error.text);
    // Hosts write one themselves.
    assert!(!error.text.ends_with('.'), "{}", error.text);
}

#[tokio::test]
async fn functions_are_told_alike_wherever_a_host_asks() {
    let mut host = host(Ok);
    for (name, function) in host.service.types().functions.iter() {
        assert_eq!(lint::function(name, function.signature()), []);
    }
    let request = wire::get_provider_schema::Request {};
    let schemas = host
        .client
        .get_provider_schema(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(schemas.diagnostics, []);
    let request = wire::get_functions::Request {};
    let functions = host
        .client
        .get_functions(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(functions.diagnostics, []);
    assert_eq!(functions.functions, schemas.functions);
    let request = wire::get_metadata::Request {};
    let metadata = host
        .client
        .get_metadata(request)
        .await
        .unwrap()
        .into_inner();
    let names: Vec<_> = metadata.functions.into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["say", "say_known"]);

    let say = &schemas.functions["say"];
    let told: Vec<_> = say
        .parameters
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.allow_null_value,
                one.allow_unknown_values,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("text", false, true),
            ("any", true, true),
            ("secret", true, true)
        ]
    );
    assert_eq!(say.parameters[1].r#type, br#""dynamic""#);
    assert_eq!(
        say.r#return.as_ref().unwrap().r#type,
        br#"["list","string"]"#
    );
    assert_eq!(
        (say.summary.as_str(), say.description.as_str()),
        ("Says it.", "Says it again.")
    );
    let strict = &schemas.functions["say_known"].parameters;
    assert!(strict.iter().all(|one| !one.allow_unknown_values));
}

#[tokio::test]
async fn arguments_arrive_as_they_were_sent() {
    let object = Type::object([("known", Type::String), ("unknown", Type::Number)]);
    let sent = Value::Dynamic(
        object,
        Box::new(Value::object([
            ("known", "k".into()),
            ("unknown", Value::Unknown),
        ])),
    );
    let expected = sent.clone();
    let mut host = host(move |arguments| {
        assert_eq!(arguments.get("text"), Some(&"t".into()));
        assert_eq!(arguments.get("any"), Some(&expected));
        // Texts in a sensitive argument are secrets.
        let secrets = arguments.get("secret").and_then(Value::as_list).unwrap();
        assert_eq!(secrets[0], Value::Secret(Secret::new(CANARY)));
        Ok(words(&["done"]))
    });
    let arguments = arguments("t".into(), sent, words(&[CANARY]));
    // Without a configuration, and as often as a host likes.
    for _ in 0..2 {
        let answer = send(&mut host, "say", arguments.clone()).await;
        assert_eq!(result(&answer), words(&["done"]));
    }
}

#[tokio::test]
async fn null_comes_in_every_form() {
    let mut host = host(|arguments| {
        assert!(arguments.get("any").unwrap().is_null());
        assert!(arguments.get("secret").unwrap().is_null());
        Ok(Value::Null)
    });
    let typed = Value::Dynamic(Type::Bool, Box::new(Value::Null));
    let mut forms = vec![plain(), arguments("t".into(), typed, Value::Null)];
    // OpenTofu sends messages with nothing in them.
    let mut empty = plain();
    empty[1] = wire::DynamicValue::default();
    empty[2] = wire::DynamicValue::default();
    forms.push(empty);
    for form in forms {
        assert_eq!(result(&send(&mut host, "say", form).await), Value::Null);
    }
    for null in [plain()[1].clone(), wire::DynamicValue::default()] {
        let mut arguments = plain();
        arguments[0] = null;
        failed(
            &send(&mut host, "say", arguments).await,
            Some(0),
            "The argument must not be null",
        );
    }
}

#[tokio::test]
async fn a_function_that_takes_nothing_unknown_is_not_called_with_it() {
    let mut host = host(|_| panic!("{CANARY}"));
    let deep = Value::Dynamic(
        Type::list(Type::Bool),
        Box::new(vec![Value::Unknown].into()),
    );
    for arguments in [
        arguments(Value::Unknown, Value::Null, Value::Null),
        arguments("t".into(), deep, Value::Null),
    ] {
        let answer = send(&mut host, "say_known", arguments).await;
        assert_eq!(result(&answer), Value::Unknown);
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_told_by_their_place() {
    let mut host = host(Ok);
    let message = |bytes: &[u8]| wire::DynamicValue {
        msgpack: bytes.to_vec(),
        json: Vec::new(),
    };
    let canary = |ty: &Type| codec::encode(ty, &CANARY.into()).unwrap();
    for (place, argument, text) in [
        (0, message(b"\xc3"), "a string is required"),
        (0, message(b"\xd9"), "the encoding ends too early"),
        (
            1,
            canary(&Type::String),
            "a value with its type is required",
        ),
        (
            1,
            message(b"\x92\xc4\x01x\xc0"),
            "the type of the dynamic value",
        ),
        (2, canary(&Type::String), "a list is required"),
        (2, message(b"\x91\x01"), "[0]: a string is required"),
    ] {
        let mut arguments = plain();
        arguments[place] = argument;
        let answer = send(&mut host, "say", arguments).await;
        failed(&answer, i64::try_from(place).ok(), text);
    }
    for count in [0, 2, 4] {
        let mut arguments = plain();
        arguments.resize(count, wire::DynamicValue::default());
        let answer = send(&mut host, "say", arguments).await;
        let text = format!("Invalid number of arguments: say takes 3 and got {count}");
        failed(&answer, None, &text);
    }
    let answer = send(&mut host, "none", plain()).await;
    failed(
        &answer,
        None,
        "Unknown function: This version of the provider does not have the function",
    );
}

#[tokio::test]
async fn errors_name_the_argument_and_the_part_of_it() {
    let path = || AttributePath::attribute("any");
    for (at, argument, text) in [
        (Some(path()), Some(1), "It is wrong. Mend it"),
        (
            Some(path().then_attribute("data").then_index(2)),
            Some(1),
            "data[2]: It is wrong. Mend it",
        ),
        (
            Some(AttributePath::attribute("stranger")),
            None,
            "No: It is wrong. Mend it",
        ),
        (None, None, "No: It is wrong. Mend it"),
    ] {
        let mut host = host(move |_| {
            let mut error = Diagnostic::error("No", "It is wrong. Mend it.");
            error.path = at.clone();
            Err(error)
        });
        let answer = send(&mut host, "say", plain()).await;
        failed(&answer, argument, text);
        assert_eq!(answer.error.unwrap().text, text);
    }
}

#[tokio::test]
async fn a_wrong_result_is_withheld() {
    let unknown = || vec![CANARY.into(), Value::Unknown].into();
    for (answer, rule) in [
        (CANARY.into(), "a list is required"),
        (vec![true.into()].into(), "[0]: a string is required"),
        (
            Value::Unknown,
            "the result is unknown, though no argument is",
        ),
        (unknown(), "the result is unknown, though no argument is"),
    ] {
        let mut host = host(move |_| Ok(answer.clone()));
        for name in ["say", "say_known"] {
            let answer = send(&mut host, name, plain()).await;
            failed(
                &answer,
                None,
                &format!("Provider bug: invalid result: {name}: {rule}"),
            );
        }
    }
    let mut host = host(move |_| Ok(unknown()));
    let arguments = arguments(Value::Unknown, Value::Null, Value::Null);
    assert_eq!(result(&send(&mut host, "say", arguments).await), unknown());
    // A secret that got into a result would be shown.
    let mut leaky = self::host(|arguments| Ok(arguments.get("secret").unwrap().clone()));
    let arguments = self::arguments("t".into(), Value::Null, words(&[CANARY]));
    let answer = send(&mut leaky, "say", arguments).await;
    failed(
        &answer,
        None,
        "Provider bug: invalid result: say: [0]: a secret is not allowed",
    );
}

#[tokio::test]
async fn a_panic_is_an_error_of_its_call_alone() {
    let mut host = host(|arguments| match arguments.get("any") {
        Some(Value::Null) => panic!("{CANARY}"),
        _ => Ok(words(&["still here"])),
    });
    for _ in 0..2 {
        let answer = send(&mut host, "say", plain()).await;
        failed(
            &answer,
            None,
            "Provider bug: a call panicked: CallFunction panicked.",
        );
    }
    let some = Value::Dynamic(Type::Bool, Box::new(true.into()));
    let answer = send(&mut host, "say", arguments("t".into(), some, Value::Null)).await;
    assert_eq!(result(&answer), words(&["still here"]));
}

//! What hosts may send, and what is told where nothing can be made of it.

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Type, Value, wire as codec};
use terraform_provider_claude::sdk::Model;

use super::host::{
    Host, applying, assert_error, config, decoded, identity, planning, reading, thing,
};
use super::thing::{Script, TYPE_NAME, Thing, object};

fn state() -> Value {
    object([("id", "thing-1".into()), ("name", "n".into())])
}

fn configured() -> Value {
    object([("name", "n".into())])
}

/// Messages that are no thing.
fn garbage() -> Vec<wire::DynamicValue> {
    let whole = thing(&state()).msgpack;
    let attributes = Thing::attributes();
    let fewer = &attributes[1..];
    let lacking = codec::encode_object(fewer, &Value::null_object(fewer)).unwrap();
    let other = codec::encode(&Type::Bool, &true.into()).unwrap();
    let message = |msgpack: Vec<u8>| wire::DynamicValue {
        msgpack,
        json: Vec::new(),
    };
    vec![
        message(whole[..whole.len() - 1].to_vec()),
        message([&whole[..], b"\xc0"].concat()),
        lacking,
        other,
        message(vec![0xc1]),
        wire::DynamicValue {
            msgpack: Vec::new(),
            json: b"{".to_vec(),
        },
    ]
}

#[tokio::test]
async fn what_cannot_be_decoded_is_told_and_the_known_state_kept() {
    let mut host = Host::configured(Script::default()).await;
    for garbage in garbage() {
        let request = wire::validate_resource_config::Request {
            type_name: TYPE_NAME.to_owned(),
            config: Some(garbage.clone()),
            ..Default::default()
        };
        let answer = host.client.validate_resource_config(request).await;
        let diagnostics = answer.unwrap().into_inner().diagnostics;
        assert_error(&diagnostics, "Cannot decode the configuration");

        let mut request = reading(&state());
        request.current_state = Some(garbage.clone());
        let answer = host.read(request).await;
        assert_error(&answer.diagnostics, "Cannot decode the state");
        assert_eq!(answer.new_state.as_ref(), Some(&garbage));

        let whole = || planning(&state(), &configured());
        let mut prior = whole();
        prior.prior_state = Some(garbage.clone());
        let mut config = whole();
        config.config = Some(garbage.clone());
        let mut proposed = whole();
        proposed.proposed_new_state = Some(garbage.clone());
        for (request, what) in [
            (prior, "the prior state"),
            (config, "the configuration"),
            (proposed, "the proposed state"),
        ] {
            let known = request.prior_state.clone();
            let answer = host.plan(request).await;
            assert_error(&answer.diagnostics, &format!("Cannot decode {what}"));
            assert_eq!(answer.planned_state, known);
        }

        let whole = || applying(&state(), &state(), &configured());
        let mut prior = whole();
        prior.prior_state = Some(garbage.clone());
        let mut config = whole();
        config.config = Some(garbage.clone());
        let mut planned = whole();
        planned.planned_state = Some(garbage.clone());
        for (request, what) in [
            (prior, "the prior state"),
            (config, "the configuration"),
            (planned, "the plan"),
        ] {
            let known = request.prior_state.clone();
            let answer = host.apply(request).await;
            assert_error(&answer.diagnostics, &format!("Cannot decode {what}"));
            assert_eq!(answer.new_state, known);
        }

        let answer = host
            .import_by(wire::import_resource_state::Request {
                identity: Some(wire::ResourceIdentityData {
                    identity_data: Some(garbage.clone()),
                }),
                ..Default::default()
            })
            .await;
        assert_error(&answer.diagnostics, "Cannot decode the identity");

        let request = wire::validate_provider_config::Request {
            config: Some(garbage.clone()),
        };
        let answer = host.client.validate_provider_config(request).await;
        let diagnostics = answer.unwrap().into_inner().diagnostics;
        assert_error(&diagnostics, "Cannot decode the provider block");
        let diagnostics = host.configure(Some(garbage)).await;
        assert_error(&diagnostics, "Cannot decode the provider block");
    }
}

#[tokio::test]
async fn json_is_read_where_there_is_no_msgpack() {
    let json = |text: &str| {
        Some(wire::DynamicValue {
            msgpack: Vec::new(),
            json: text.as_bytes().to_vec(),
        })
    };
    let mut host = Host::new(Script::default());
    assert_eq!(host.configure(json(r#"{"endpoint":"e"}"#)).await, []);
    let mut request = reading(&state());
    request.current_state = json(r#"{"id":"thing-1","name":"n"}"#);
    request.current_identity = Some(wire::ResourceIdentityData {
        identity_data: json(r#"{"id":"thing-1"}"#),
    });
    let answer = host.read(request).await;
    assert_eq!(answer.diagnostics, []);
    assert_eq!(answer.new_state, Some(thing(&state())));
    assert_eq!(answer.new_identity, Some(identity("thing-1")));
}

#[tokio::test]
async fn no_provider_block_is_one_without_values() {
    let nothing = [
        None,
        Some(wire::DynamicValue::default()),
        Some(config(&Value::Null)),
    ];
    for message in nothing {
        let mut host = Host::new(Script::default());
        let request = wire::validate_provider_config::Request {
            config: message.clone(),
        };
        let answer = host.client.validate_provider_config(request).await;
        assert_eq!(answer.unwrap().into_inner().diagnostics, []);
        assert_eq!(host.configure(message).await, []);
        let answer = host.read(reading(&state())).await;
        assert_eq!(decoded(answer.new_state.as_ref()), state());
    }
}

#[tokio::test]
async fn a_resource_without_configuration_is_not_validated() {
    let mut host = Host::new(Script::default());
    for message in [None, Some(wire::DynamicValue::default())] {
        let request = wire::validate_resource_config::Request {
            type_name: TYPE_NAME.to_owned(),
            config: message,
            ..Default::default()
        };
        let answer = host.client.validate_resource_config(request).await;
        assert_error(
            &answer.unwrap().into_inner().diagnostics,
            "Terraform or OpenTofu sent nothing for the configuration",
        );
    }
}

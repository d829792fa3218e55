//! Well-formed calls that make no sense.

use std::fmt::Debug;

use crate::support::generated::tfplugin6::provider_client::ProviderClient;
use futures_util::future::join_all;
use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use tonic::transport::Channel;

use super::Victim;

/// Depth of nesting that would overflow any stack.
const DEPTH: usize = 100_000;

/// Names of types, some of which exist.
const TYPES: [&str; 4] = [
    "claude_oauth_token",
    "claude_token_spare_pool",
    "claude_none",
    "",
];

/// Values that are of no schema here.
fn values() -> Vec<(&'static str, wire::DynamicValue)> {
    let msgpack = |msgpack: Vec<u8>| wire::DynamicValue {
        msgpack,
        json: Vec::new(),
    };
    let json = |json: String| wire::DynamicValue {
        json: json.into_bytes(),
        msgpack: Vec::new(),
    };
    let repeated = |part: &[u8]| msgpack(part.repeat(DEPTH));
    vec![
        ("nothing", msgpack(Vec::new())),
        ("null", msgpack(vec![0xc0])),
        ("unknown", msgpack(vec![0xd4, 0, 0])),
        ("lists in lists", repeated(&[0x91])),
        (
            "maps in maps",
            repeated(&[0x81, 0xa4, b'p', b'a', b't', b'h']),
        ),
        (
            "lists below an attribute",
            msgpack([&b"\x81\xabspare_paths"[..], &[0x91; DEPTH]].concat()),
        ),
        (
            "4 billion elements",
            msgpack(vec![0xdd, 0xff, 0xff, 0xff, 0xff]),
        ),
        (
            "4 billion entries",
            msgpack(vec![0xdf, 0xff, 0xff, 0xff, 0xff]),
        ),
        (
            "text of 4 GiB",
            msgpack(vec![0xdb, 0xff, 0xff, 0xff, 0xff, b'x']),
        ),
        (
            "extension of 4 GiB",
            msgpack(vec![0xc9, 0xff, 0xff, 0xff, 0xff, 0x0c]),
        ),
        ("unused marker", msgpack(vec![0xc1])),
        ("half", msgpack(vec![0x81, 0xa4, b'p'])),
        ("no object", msgpack(vec![0x2a])),
        ("another object", msgpack(b"\x81\xa5other\x01".to_vec())),
        (
            "the same twice",
            msgpack(b"\x82\xa4path\xa1a\xa4path\xa1b".to_vec()),
        ),
        ("lists in lists of JSON", json("[".repeat(DEPTH))),
        (
            "closed lists in lists of JSON",
            json("[".repeat(DEPTH) + &"]".repeat(DEPTH)),
        ),
        (
            "objects in objects of JSON",
            json("{\"path\":".repeat(DEPTH)),
        ),
        (
            "lists of JSON below an attribute",
            json(format!(
                "{{\"spare_paths\":{}{}}}",
                "[".repeat(DEPTH),
                "]".repeat(DEPTH)
            )),
        ),
        (
            "a number without an end",
            json(format!("{{\"lifetime_days\":1e{}}}", "9".repeat(DEPTH))),
        ),
        (
            "a long number",
            json(format!("{{\"lifetime_days\":{}}}", "9".repeat(DEPTH))),
        ),
        ("no JSON", json("{path".to_owned())),
    ]
}

fn identity(value: &wire::DynamicValue) -> Option<wire::ResourceIdentityData> {
    let identity_data = Some(value.clone());
    Some(wire::ResourceIdentityData { identity_data })
}

/// Demands an answer that is no panic.
fn is_calm<A: Debug>(case: &str, answer: Result<A, tonic::Status>) {
    if let Ok(answer) = answer {
        let shown = format!("{answer:?}");
        assert!(!shown.contains("panicked"), "{case}: {shown}");
    }
}

/// Sends a value in every place that takes one.
async fn send_everywhere(
    client: &ProviderClient<Channel>,
    (name, value): (&str, &wire::DynamicValue),
    type_name: &str,
) {
    let case = format!("{name} for {type_name:?}");
    let value = Some(value.clone());
    macro_rules! send {
        ($method:ident, $module:ident { $($field:ident: $content:expr),* $(,)? }) => {{
            let mut request = wire::$module::Request::default();
            type_name.clone_into(&mut request.type_name);
            $(request.$field = $content;)*
            is_calm(&case, client.clone().$method(request).await);
        }};
    }
    let raw = value.as_ref().map(|value| wire::RawState {
        json: [value.json.clone(), value.msgpack.clone()].concat(),
        ..Default::default()
    });
    let data = value.as_ref().and_then(identity);
    let private = value.as_ref().map(|value| value.json.clone()).unwrap();
    send!(
        validate_resource_config,
        validate_resource_config {
            config: value.clone()
        }
    );
    send!(
        upgrade_resource_state,
        upgrade_resource_state {
            raw_state: raw.clone()
        }
    );
    send!(
        upgrade_resource_identity,
        upgrade_resource_identity {
            raw_identity: raw,
            version: 7
        }
    );
    send!(
        read_resource,
        read_resource {
            current_state: value.clone(),
            private: private.clone(),
            current_identity: data.clone(),
        }
    );
    send!(
        plan_resource_change,
        plan_resource_change {
            prior_state: value.clone(),
            proposed_new_state: value.clone(),
            config: value.clone(),
            prior_private: private.clone(),
            prior_identity: data.clone(),
        }
    );
    send!(
        apply_resource_change,
        apply_resource_change {
            prior_state: value.clone(),
            planned_state: value.clone(),
            config: value.clone(),
            planned_private: private,
            planned_identity: data.clone(),
        }
    );
    send!(
        import_resource_state,
        import_resource_state {
            id: "/\u{0}#{1..999999999}".to_owned(),
            identity: data,
        }
    );
    send!(
        validate_data_resource_config,
        validate_data_resource_config {
            config: value.clone()
        }
    );
    send!(
        read_data_source,
        read_data_source {
            config: value.clone()
        }
    );
    send!(
        validate_ephemeral_resource_config,
        validate_ephemeral_resource_config {
            config: value.clone()
        }
    );
    send!(
        open_ephemeral_resource,
        open_ephemeral_resource {
            config: value.clone()
        }
    );
    send!(
        validate_list_resource_config,
        validate_list_resource_config {
            config: value.clone()
        }
    );
    send!(validate_action_config, validate_action_config {});
    send!(
        generate_resource_config,
        generate_resource_config {
            state: value.clone()
        }
    );
    let call = wire::call_function::Request {
        name: type_name.to_owned(),
        arguments: vec![value.clone().unwrap(); 3],
    };
    is_calm(&case, client.clone().call_function(call).await);
    let provider = wire::validate_provider_config::Request { config: value };
    is_calm(
        &case,
        client.clone().validate_provider_config(provider).await,
    );
}

#[tokio::test]
async fn values_of_no_schema_are_refused_before_and_after_the_configuration() {
    let victim = Victim::start().await;
    let channel = victim.host.channel().await;
    let mut client = ProviderClient::new(channel)
        .max_decoding_message_size(64 << 20)
        .max_encoding_message_size(64 << 20);
    let values = values();
    for configured in [false, true] {
        if configured {
            let request = wire::configure_provider::Request::default();
            let answer = client.configure_provider(request).await.unwrap();
            assert_eq!(answer.into_inner().diagnostics, []);
        }
        let types = if configured { &TYPES[..] } else { &TYPES[..1] };
        for type_name in types {
            let all = values
                .iter()
                .map(|(name, value)| send_everywhere(&client, (name, value), type_name));
            join_all(all).await;
        }
        for (name, value) in &values {
            let config = Some(value.clone());
            let request = wire::configure_provider::Request {
                config,
                ..Default::default()
            };
            is_calm(name, client.configure_provider(request).await);
        }
    }
    victim.ends_well().await;
}

#[tokio::test]
async fn calls_in_the_wrong_order_are_answered() {
    let victim = Victim::start().await;
    let channel = victim.host.channel().await;
    let client = ProviderClient::new(channel);
    let all = (0..100).map(|number| {
        let mut client = client.clone();
        async move {
            match number % 5 {
                0 => is_calm(
                    "stop",
                    client.stop_provider(wire::stop_provider::Request {}).await,
                ),
                1 => {
                    let request = wire::configure_provider::Request::default();
                    is_calm("configure", client.configure_provider(request).await);
                }
                2 => {
                    let request = wire::close_ephemeral_resource::Request::default();
                    is_calm("close", client.close_ephemeral_resource(request).await);
                }
                3 => {
                    let request = wire::renew_ephemeral_resource::Request {
                        private: Some(vec![0xff; 1000]),
                        ..Default::default()
                    };
                    is_calm("renew", client.renew_ephemeral_resource(request).await);
                }
                _ => {
                    let request = wire::apply_resource_change::Request {
                        type_name: "claude_oauth_token".to_owned(),
                        ..Default::default()
                    };
                    is_calm("apply", client.apply_resource_change(request).await);
                }
            }
        }
    });
    join_all(all).await;
    victim.ends_well().await;
}

//! Stored state on its way into the present schema.

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;

use super::host::{Host, assert_error, decoded};
use super::thing::{CANARY, Script, TYPE_NAME, object};

#[tokio::test]
async fn a_state_of_the_present_version_is_read() {
    let mut host = Host::new(Script::default());
    for json in [
        // With every attribute that is set, and the rest missing.
        r#"{"id":"thing-1","name":"n","members":["b","a"]}"#,
        // With one that the schema does not have.
        r#"{"id":"thing-1","name":"n","members":["b","a"],"extra":{"a":[1]}}"#,
        // With a write-only value that an old host let in.
        r#"{"id":"thing-1","name":"n","members":["b","a"],"token_wo":"canary"}"#,
    ] {
        let answer = host.upgrade(0, json).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(
            decoded(answer.upgraded_state.as_ref()),
            object([
                ("id", "thing-1".into()),
                ("name", "n".into()),
                ("members", super::thing::list(["b", "a"])),
            ])
        );
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_an_error_and_never_null() {
    let mut host = Host::new(Script::default());
    for (version, json, summary) in [
        (0, "", "The host sent nothing for the stored state"),
        (0, "null", "The host sent nothing for the stored state"),
        (0, "{", "Cannot decode the stored state"),
        (0, "[]", "Cannot decode the stored state"),
        (0, r#"{"size":"canary"}"#, "Cannot decode the stored state"),
        (1, r#"{"name":"n"}"#, "Unknown state version"),
        (-1, r#"{"name":"n"}"#, "Unknown state version"),
    ] {
        let answer = host.upgrade(version, json).await;
        assert_error(&answer.diagnostics, summary);
        assert_eq!(answer.upgraded_state, None);
    }
}

#[tokio::test]
async fn a_request_without_a_state_is_an_error() {
    let mut host = Host::new(Script::default());
    for raw_state in [
        None,
        Some(wire::RawState {
            flatmap: [("name".to_owned(), CANARY.to_owned())].into(),
            ..Default::default()
        }),
    ] {
        let request = wire::upgrade_resource_state::Request {
            type_name: TYPE_NAME.to_owned(),
            raw_state,
            ..Default::default()
        };
        let answer = host.client.upgrade_resource_state(request).await.unwrap();
        let answer = answer.into_inner();
        assert_error(
            &answer.diagnostics,
            "The host sent nothing for the stored state",
        );
        assert_eq!(answer.upgraded_state, None);
    }
}

#[tokio::test]
async fn an_identity_of_another_version_is_an_error() {
    let mut host = Host::new(Script::default());
    let request = wire::upgrade_resource_identity::Request {
        type_name: TYPE_NAME.to_owned(),
        version: 1,
        ..Default::default()
    };
    let answer = host.client.upgrade_resource_identity(request).await;
    let answer = answer.unwrap().into_inner();
    assert_error(&answer.diagnostics, "Unknown identity version");
    assert_eq!(answer.upgraded_identity, None);
}

#[tokio::test]
async fn a_move_from_another_type_is_an_error() {
    let mut host = Host::new(Script::default());
    let request = wire::move_resource_state::Request {
        target_type_name: TYPE_NAME.to_owned(),
        ..Default::default()
    };
    let answer = host.client.move_resource_state(request).await.unwrap();
    let answer = answer.into_inner();
    assert_error(
        &answer.diagnostics,
        "Cannot move from another resource type",
    );
    assert_eq!(answer.target_state, None);
}

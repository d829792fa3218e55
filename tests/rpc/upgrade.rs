//! Stored state on its way into the present schema.

use terraform_provider_claude::protocol::generated::tfplugin6 as wire;
use terraform_provider_claude::protocol::{Number, Value};

use super::host::{Host, assert_error, decoded, identity, reading};
use super::thing::{CANARY, Script, TYPE_NAME, object};
use super::wide::GROWN;

#[tokio::test]
async fn a_state_of_the_present_version_is_read() {
    let mut host = Host::new(Script::default());
    for json in [
        // With every attribute that is set, and the rest missing.
        r#"{"id":"thing-1","name":"n","items":["b","a"]}"#,
        // With one that the schema does not have.
        r#"{"id":"thing-1","name":"n","items":["b","a"],"extra":{"a":[1]}}"#,
        // With a write-only value that an old host let in.
        r#"{"id":"thing-1","name":"n","items":["b","a"],"token_wo":"canary"}"#,
    ] {
        let answer = host.upgrade(0, json).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(
            decoded(answer.upgraded_state.as_ref()),
            object([
                ("id", "thing-1".into()),
                ("name", "n".into()),
                ("items", super::thing::list(["b", "a"])),
            ])
        );
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_an_error_and_never_null() {
    let mut host = Host::new(Script::default());
    for (version, json, summary) in [
        (
            0,
            "",
            "Terraform or OpenTofu sent nothing for the stored state",
        ),
        (
            0,
            "null",
            "Terraform or OpenTofu sent nothing for the stored state",
        ),
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
            "Terraform or OpenTofu sent nothing for the stored state",
        );
        assert_eq!(answer.upgraded_state, None);
    }
}

/// Upgrades a stored state of the resource whose schema has grown to version 2.
async fn grown(version: i64, json: &str) -> wire::upgrade_resource_state::Response {
    let mut host = Host::new(Script::default());
    let request = wire::upgrade_resource_state::Request {
        type_name: GROWN.to_owned(),
        version,
        raw_state: Some(wire::RawState {
            json: json.as_bytes().to_vec(),
            ..Default::default()
        }),
    };
    let answer = host.client.upgrade_resource_state(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn each_older_version_is_brought_to_the_present_one() {
    const DIGITS: &str = "1234567890123456789012345";
    for (version, json) in [
        (
            0,
            r#"{"id":"thing-1","title":"n","items":"b,a","size":SIZE}"#,
        ),
        (
            1,
            r#"{"id":"thing-1","name":"n","items":"b,a","size":SIZE}"#,
        ),
        (
            2,
            r#"{"id":"thing-1","name":"n","items":["b","a"],"size":SIZE}"#,
        ),
        // What an old host let in, or a newer version left behind, goes by the way.
        (
            0,
            r#"{"id":"thing-1","title":"n","items":"b,a","size":SIZE,"token_wo":"canary","x":[1]}"#,
        ),
    ] {
        let answer = grown(version, &json.replace("SIZE", DIGITS)).await;
        assert_eq!(answer.diagnostics, [], "version {version}");
        assert_eq!(
            decoded(answer.upgraded_state.as_ref()),
            object([
                ("id", "thing-1".into()),
                ("name", "n".into()),
                ("items", super::thing::list(["b", "a"])),
                ("size", Number::parse(DIGITS).unwrap().into()),
            ]),
            "version {version}"
        );
    }
}

#[tokio::test]
async fn an_older_state_that_cannot_be_brought_there_is_an_error_and_never_null() {
    for (version, json, summary) in [
        (3, r#"{"name":"n"}"#, "Unknown state version"),
        (-1, r#"{"name":"n"}"#, "Unknown state version"),
        (
            0,
            "",
            "Terraform or OpenTofu sent nothing for the stored state",
        ),
        (
            0,
            "null",
            "Terraform or OpenTofu sent nothing for the stored state",
        ),
        (0, r#"{"title":"canary""#, "Cannot decode the stored state"),
        (0, "[\"canary\"]", "Cannot decode the stored state"),
        (0, r#"{"title":"damaged"}"#, "Damaged"),
        (
            1,
            r#"{"name":"n","size":"canary"}"#,
            "Cannot decode the stored state",
        ),
    ] {
        let answer = grown(version, json).await;
        assert_error(&answer.diagnostics, summary);
        assert_eq!(answer.upgraded_state, None, "{json}");
    }
}

#[tokio::test]
async fn the_schema_tells_its_version() {
    let mut host = Host::new(Script::default());
    let request = wire::get_provider_schema::Request {};
    let schema = host.client.get_provider_schema(request).await.unwrap();
    let schemas = schema.into_inner().resource_schemas;
    let versions = [GROWN, TYPE_NAME].map(|name| schemas[name].version);
    assert_eq!(versions, [2, 0]);
}

/// Upgrades a stored identity.
async fn identified(version: i64, json: &str) -> wire::upgrade_resource_identity::Response {
    let mut host = Host::new(Script::default());
    let request = wire::upgrade_resource_identity::Request {
        type_name: TYPE_NAME.to_owned(),
        version,
        raw_identity: Some(wire::RawState {
            json: json.as_bytes().to_vec(),
            ..Default::default()
        }),
    };
    let answer = host.client.upgrade_resource_identity(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test]
async fn an_identity_of_the_present_version_is_echoed() {
    for json in [
        r#"{"id":"thing-1","region":null}"#,
        r#"{ "region" : null, "id" : "thing-1", "extra" : [1] }"#,
        r#"{"id":"thing-1"}"#,
    ] {
        let answer = identified(0, json).await;
        assert_eq!(answer.diagnostics, []);
        assert_eq!(
            answer.upgraded_identity,
            Some(identity("thing-1")),
            "{json}"
        );
    }
}

/// A host takes no null for an answer; a refresh fills in an identity of nulls.
#[tokio::test]
async fn an_identity_that_was_never_stored_is_one_of_nulls() {
    for json in ["", "null", "{}"] {
        let answer = identified(0, json).await;
        assert_eq!(answer.diagnostics, []);
        let nulls = identity(Value::Null);
        assert_eq!(answer.upgraded_identity, Some(nulls.clone()), "{json}");
        let mut host = Host::configured(Script::default()).await;
        let state = object([("id", "thing-1".into()), ("name", "n".into())]);
        let read = wire::read_resource::Request {
            current_identity: answer.upgraded_identity,
            ..reading(&state)
        };
        let read = host.read(read).await;
        assert_eq!(read.diagnostics, []);
        assert_eq!(read.new_identity, Some(identity("thing-1")));
    }
}

#[tokio::test]
async fn an_identity_that_cannot_be_read_is_an_error() {
    for (version, json, summary) in [
        (1, r#"{"id":"canary"}"#, "Unknown identity version"),
        (-1, r#"{"id":"canary"}"#, "Unknown identity version"),
        (
            0,
            r#"{"id":["canary"]}"#,
            "Cannot decode the stored identity",
        ),
        (0, "canary", "Cannot decode the stored identity"),
    ] {
        let answer = identified(version, json).await;
        assert_error(&answer.diagnostics, summary);
        assert_eq!(answer.upgraded_identity, None);
    }
    let mut host = Host::new(Script::default());
    let request = wire::upgrade_resource_identity::Request {
        type_name: "tiny_none".to_owned(),
        ..Default::default()
    };
    let answer = host.client.upgrade_resource_identity(request).await;
    assert_error(
        &answer.unwrap().into_inner().diagnostics,
        "Unknown resource type",
    );
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
        "Moving from another resource type is not supported",
    );
    assert_eq!(answer.target_state, None);
}

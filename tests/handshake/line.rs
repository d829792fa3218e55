//! The handshake line, and where the socket is.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Host, Options};

/// Asks for the plugin's health over a fresh connection.
async fn is_serving(host: &Host) -> bool {
    let request = HealthCheckRequest {
        service: "plugin".to_owned(),
    };
    let answer = HealthClient::new(host.channel().await)
        .check(request)
        .await
        .unwrap();
    answer.into_inner().status() == ServingStatus::Serving
}

#[tokio::test]
async fn line_has_six_fields() {
    let host = Host::launch(Options::default()).await;
    let fields = &host.handshake.fields;
    assert_eq!(fields.len(), 6);
    assert_eq!(fields[..3], ["1", "6", "unix"]);
    assert!(host.handshake.socket().is_absolute());
    assert_eq!(fields[4], "grpc");
    assert!(host.handshake.certificate().len() > 100);
    assert!(is_serving(&host).await);
}

#[tokio::test]
async fn plaintext_line_ends_in_an_empty_field() {
    let host = Host::launch(Options::plaintext()).await;
    assert_eq!(host.handshake.fields.len(), 6);
    assert_eq!(host.handshake.fields[5], "");
    assert!(is_serving(&host).await);
}

#[tokio::test]
async fn every_list_of_versions_is_answered_with_six() {
    let options = || Options::plaintext();
    for options in [
        options().with("PLUGIN_PROTOCOL_VERSIONS", "6,5"),
        options().with("PLUGIN_PROTOCOL_VERSIONS", "5"),
        options().without("PLUGIN_PROTOCOL_VERSIONS"),
    ] {
        let host = Host::launch(options).await;
        assert_eq!(host.handshake.fields[1], "6");
    }
}

#[tokio::test]
async fn seventh_field_is_for_hosts_that_ask() {
    let host = Host::launch(Options::default().with("PLUGIN_MULTIPLEX_GRPC", "true")).await;
    assert_eq!(host.handshake.fields.len(), 7);
    assert_eq!(host.handshake.fields[6], "false");
    assert!(is_serving(&host).await);
}

#[tokio::test]
async fn socket_is_private_in_the_folder_that_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for variable in ["TMPDIR", "PLUGIN_UNIX_SOCKET_DIR"] {
        let host = Host::launch(Options::plaintext().with(variable, path)).await;
        let socket = host.handshake.socket();
        assert!(socket.starts_with(folder.path()));
        let mode = fs::metadata(socket.parent().unwrap())
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o700);
    }
}

#[tokio::test]
async fn folder_with_a_long_path_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("d".repeat(100));
    fs::create_dir(&long).unwrap();
    let host = Host::launch(Options::default().with("TMPDIR", long.to_str().unwrap())).await;
    assert!(host.handshake.socket().starts_with("/tmp"));
    let channel = host.channel().await;
    // The folder in the place that all share is removed by the process itself.
    host.shut_down(channel).await;
}

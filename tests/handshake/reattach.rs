//! Debug mode, in which a developer starts the process and hosts come and go.

use rustix::process::Signal;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Process, plaintext};

#[tokio::test]
async fn printed_variable_leads_to_a_plaintext_server_until_an_interrupt() {
    let mut process = Process::start(&["--debug"], &[]);
    let line = process.first_line().await;
    let json = line
        .strip_prefix("TF_REATTACH_PROVIDERS='")
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap();
    let providers: serde_json::Value = serde_json::from_str(json).unwrap();
    let provider = &providers["terraform.local/claude-ops/claude"];
    assert_eq!(provider["Protocol"], "grpc");
    assert_eq!(provider["ProtocolVersion"], 6);
    assert_eq!(provider["Pid"], process.id());
    assert_eq!(provider["Test"], true);
    assert_eq!(provider["Addr"]["Network"], "unix");
    let socket = provider["Addr"]["String"].as_str().unwrap();

    for _ in 0..2 {
        let channel = plaintext(socket.into()).await.unwrap();
        HealthClient::new(channel)
            .check(HealthCheckRequest::default())
            .await
            .unwrap();
    }
    process.signal(Signal::INT);
    let ended = process.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(ended.output, "");
    assert!(!std::path::Path::new(socket).exists());
}

//! Standard error, as the host reads it.

use jiff::Timestamp;
use serde_json::{Map, Value};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Host, Options};

/// Runs one session, in which a stranger is refused, and returns standard error.
async fn session(options: Options) -> String {
    let host = Host::launch(options).await;
    assert!(host.plaintext_channel().await.is_err() || host.tls(None).await.is_ok());
    let channel = host.channel().await;
    HealthClient::new(channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
    host.shut_down(channel).await.errors
}

#[tokio::test]
async fn every_line_is_a_record_of_ours() {
    let errors = session(Options::default().with("TF_LOG", "JSON")).await;
    assert!(!errors.is_empty());
    for line in errors.lines() {
        let record: Map<String, Value> = serde_json::from_str(line).expect(line);
        for key in ["@level", "@message", "@module", "@timestamp"] {
            assert!(record[key].is_string(), "{line}");
        }
        let module = record["@module"].as_str().unwrap();
        assert!(
            module == "provider" || module.starts_with("provider."),
            "{line}"
        );
        let time = record["@timestamp"].as_str().unwrap();
        assert!(time.parse::<Timestamp>().is_ok(), "{line}");
        assert_eq!(time.len(), "2027-03-20T01:02:03.456789Z".len(), "{line}");
    }
}

#[tokio::test]
async fn nothing_is_written_unless_asked() {
    assert_eq!(session(Options::default()).await, "");
    let most_specific = Options::default()
        .with("TF_LOG", "TRACE")
        .with("TF_LOG_PROVIDER_CLAUDE", "OFF");
    assert_eq!(session(most_specific).await, "");
}

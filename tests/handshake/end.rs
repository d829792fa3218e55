//! How the process ends: when it is told, when the host is gone, and not before.

use std::time::Instant;

use crate::support::generated::plugin::grpc_broker_client::GrpcBrokerClient;
use crate::support::generated::plugin::grpc_stdio_client::GrpcStdioClient;
use crate::support::generated::plugin::{ConnInfo, StdioData};
use rustix::process::Signal;
use tonic::Streaming;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{AT_ONCE, Host, Options};

/// Opens the two streams that hosts open at once.
async fn open_streams(channel: &Channel) -> (Streaming<StdioData>, Streaming<ConnInfo>) {
    let stdio = GrpcStdioClient::new(channel.clone())
        .stream_stdio(())
        .await
        .unwrap();
    let announcement = tokio_stream::once(ConnInfo::default());
    let broker = GrpcBrokerClient::new(channel.clone())
        .start_stream(announcement)
        .await
        .unwrap();
    (stdio.into_inner(), broker.into_inner())
}

async fn is_alive(channel: &Channel) -> bool {
    let request = HealthCheckRequest::default();
    HealthClient::new(channel.clone())
        .check(request)
        .await
        .is_ok()
}

#[tokio::test]
async fn shutdown_ends_it_at_once_with_both_streams_open() {
    for options in [Options::default(), Options::plaintext()] {
        let host = Host::launch(options).await;
        let folder = host.handshake.socket().parent().unwrap().to_owned();
        let channel = host.channel().await;
        let (mut stdio, mut broker) = open_streams(&channel).await;
        assert!(folder.exists());

        let asked = Instant::now();
        let ended = host.shut_down(channel).await;
        assert!(asked.elapsed() < AT_ONCE);
        assert_eq!(ended.status.code(), Some(0));
        assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("", ""));
        assert!(!folder.exists());
        // Neither stream ever carried anything.
        assert!(!matches!(stdio.message().await, Ok(Some(_))));
        assert!(!matches!(broker.message().await, Ok(Some(_))));
    }
}

#[tokio::test]
async fn interrupt_is_left_to_the_host() {
    let host = Host::launch(Options::default()).await;
    let channel = host.channel().await;
    host.process.signal(Signal::INT);
    assert!(is_alive(&channel).await);
    let ended = host.shut_down(channel).await;
    assert_eq!(ended.status.code(), Some(0));
}

#[tokio::test]
async fn termination_ends_it_and_removes_the_socket() {
    let host = Host::launch(Options::default()).await;
    let folder = host.handshake.socket().parent().unwrap().to_owned();
    let channel = host.channel().await;
    let _streams = open_streams(&channel).await;
    host.process.signal(Signal::TERM);
    let ended = host.process.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    assert!(!folder.exists());
}

#[tokio::test]
async fn lost_host_ends_it() {
    let host = Host::launch(Options::default()).await;
    let folder = host.handshake.socket().parent().unwrap().to_owned();
    let channel = host.channel().await;
    let streams = open_streams(&channel).await;
    assert!(is_alive(&channel).await);
    drop((channel, streams));
    let ended = host.process.ended().await;
    assert_eq!(ended.status.code(), Some(0));
    assert!(!folder.exists());
}

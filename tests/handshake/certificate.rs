//! Who may connect: the holder of the announced certificate's key, and nobody else.

use rustls::SignatureScheme;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::support::host::{Host, Identity, Options, Process};

/// Tells whether a call over the channel is answered.
async fn answers(channel: Result<Channel, tonic::transport::Error>) -> bool {
    let Ok(channel) = channel else { return false };
    let request = HealthCheckRequest {
        service: "plugin".to_owned(),
    };
    HealthClient::new(channel).check(request).await.is_ok()
}

fn with(identity: &Identity) -> Options {
    Options {
        identity: Some(identity.clone()),
        ..Options::default()
    }
}

#[tokio::test]
async fn announced_certificate_is_accepted_in_both_versions_of_tls() {
    let identity = Identity::p521();
    let host = Host::launch(with(&identity)).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        assert!(answers(host.connect(Some(&identity), &[version]).await).await);
    }
    let stream = host.tls(Some(&identity)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_key_may_sign_any_hash_in_the_older_version_of_tls() {
    for scheme in [
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ECDSA_NISTP384_SHA384,
        SignatureScheme::ECDSA_NISTP521_SHA512,
    ] {
        let identity = Identity::p521_signing(scheme);
        let host = Host::launch(with(&identity)).await;
        let older = &[&rustls::version::TLS12];
        let channel = host.connect(Some(&identity), older).await;
        assert!(answers(channel).await, "{scheme:?}");
    }
}

#[tokio::test]
async fn other_kinds_of_keys_are_accepted_too() {
    let identity = Identity::p256();
    let host = Host::launch(with(&identity)).await;
    assert!(answers(host.connect(Some(&identity), rustls::ALL_VERSIONS).await).await);
}

#[tokio::test]
async fn everyone_else_is_refused() {
    let identity = Identity::p521();
    let stranger = Identity::p521();
    let host = Host::launch(with(&identity)).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        assert!(!answers(host.connect(Some(&stranger), &[version]).await).await);
        let thief = identity.with_key_of(&stranger);
        assert!(!answers(host.connect(Some(&thief), &[version]).await).await);
    }
    assert!(!answers(host.plaintext_channel().await).await);
    assert!(answers(Ok(host.channel().await)).await);
}

#[tokio::test]
async fn client_without_a_certificate_is_refused() {
    let host = Host::launch(Options::default()).await;
    // In TLS 1.3 the client is done before the server has looked at its certificate, so the
    // refusal shows at the first read.
    let refused = match host.tls(None).await {
        Err(_) => true,
        Ok(mut stream) => stream.read_u8().await.is_err(),
    };
    assert!(refused);
}

#[tokio::test]
async fn peers_that_never_finish_do_not_hold_up_others() {
    let host = Host::launch(Options::default()).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(UnixStream::connect(host.handshake.socket()).await.unwrap());
    }
    let mut garbage = UnixStream::connect(host.handshake.socket()).await.unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(answers(Ok(host.channel().await)).await);
}

#[tokio::test]
async fn broken_certificate_is_an_error_and_not_plaintext() {
    for broken in [
        "garbage",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let options = Options::default().with("PLUGIN_CLIENT_CERT", broken);
        let ended = Process::start(&[], &options.environment()).ended().await;
        assert_eq!(ended.status.code(), Some(1));
        assert_eq!(ended.output, "");
        assert!(ended.errors.contains("PLUGIN_CLIENT_CERT"), "{ended:?}");
    }
}

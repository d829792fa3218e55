//! Answers that are not Vault's.

use std::time::{Duration, Instant};

use serde_json::json;
use terraform_provider_claude::vault::{ConnectionProblem, VaultError};
use tokio::io::AsyncWriteExt as _;

use super::{path, root_store, settings, store, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

#[tokio::test]
async fn a_page_in_place_of_json_is_told_with_status_and_type() {
    for status in [200, 201, 400, 401, 403, 404, 413] {
        let proxy = Proxy::alone([Step::html(status)]).await;
        assert_eq!(
            root_store(proxy.address()).read(&path("agent")).await,
            Err(VaultError::NotJson {
                address: proxy.address().into(),
                api_path: "secret/data/agent".into(),
                status,
                content_type: "text/html; charset=utf-8".into(),
            })
        );
        assert_eq!(proxy.seen().len(), 1);
    }
}

#[tokio::test]
async fn json_of_another_shape_is_told_by_the_part_that_is_missing() {
    let bao = OpenBao::start().await;
    for (body, what) in [
        ("{}", "`data` is missing"),
        (
            r#"{"data":{"token":"canary"}}"#,
            "`data.metadata` is missing",
        ),
    ] {
        // The second request asks for the mount and passes.
        let proxy = Proxy::before(bao.address(), [Step::json(200, body)]).await;
        assert_eq!(
            root_store(proxy.address()).read(&path("agent")).await,
            Err(VaultError::UnexpectedAnswer {
                api_path: "secret/data/agent".into(),
                what,
            })
        );
    }
    let proxy = Proxy::alone([Step::json(200, "{}")]).await;
    assert_eq!(
        root_store(proxy.address()).mount_of("secret/agent").await,
        Err(VaultError::UnexpectedAnswer {
            api_path: "sys/internal/ui/mounts/secret/agent".into(),
            what: "`data.path` or `data.type` is missing",
        })
    );
}

#[tokio::test]
async fn an_answer_without_a_body_is_odd_but_no_panic() {
    let bao = OpenBao::start().await;
    let empty = Step::Answer {
        status: 204,
        headers: vec![],
        body: String::new(),
    };
    let proxy = Proxy::before(bao.address(), [empty]).await;
    assert!(matches!(
        root_store(proxy.address()).read(&path("agent")).await,
        Err(VaultError::UnexpectedAnswer { .. })
    ));
}

#[tokio::test]
async fn an_answer_has_a_bounded_size() {
    let bao = OpenBao::start().await;
    let fields = json!({ "filler": "x".repeat(100_000) });
    bao.put("secret", "agent", fields).await;
    for step in [Step::Endless, Step::Pass] {
        let proxy = Proxy::before(bao.address(), [step]).await;
        let mut small = settings(proxy.address(), token(OpenBao::ROOT));
        small.limits.body = 64 * 1024;
        let started = Instant::now();
        assert_eq!(
            store(small).read(&path("agent")).await,
            Err(VaultError::TooLarge { limit: 64 * 1024 })
        );
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_server_of_another_protocol_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            stream
                .write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
                .await
                .unwrap();
            open.push(stream);
        }
    });
    let mut once = settings(&address, token("t"));
    once.max_retries = 0;
    assert_eq!(
        store(once).read(&path("agent")).await,
        Err(VaultError::Unreachable {
            address: address.as_str().into(),
            problem: ConnectionProblem::NotHttp,
        })
    );
    server.abort();
}

//! A server, or something in its place, that wants more than it should have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{Credentials, Identity, Login, TlsSettings, VaultError};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::{path, root_store, settings, store, text, token};
use crate::support::certificates::Authority;
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

/// Listens without TLS, and counts every byte that anybody sends.
async fn listener() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let bytes = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&bytes);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                // A connection alone counts as well.
                counter.fetch_add(1, Ordering::SeqCst);
                let mut buffer = [0; 1024];
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    counter.fetch_add(read, Ordering::SeqCst);
                }
            });
        }
    });
    (address, bytes)
}

#[tokio::test]
async fn nothing_follows_a_redirect_out_of_tls() {
    let authority = Authority::new("authority of a test");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let (elsewhere, bytes) = listener().await;
    let login = Credentials::Login(Login {
        mount: "approle".to_owned(),
        namespace: None,
        identity: Identity::AppRole {
            role_id: "role".to_owned(),
            secret_id: Secret::new("canary-of-a-login"),
        },
    });
    for status in [301, 302, 303, 307, 308] {
        for credentials in [token("canary-token"), login.clone()] {
            let to = format!("{elsewhere}/v1/secret/data/agent");
            let pair = authority.sign(&["127.0.0.1"]);
            let vault = Proxy::secure(&pair, vec![Step::redirect(status, &to); 9]).await;
            let mut trusting = settings(vault.address(), credentials);
            trusting.tls = TlsSettings {
                ca_cert_file: Some(file.clone()),
                ..TlsSettings::default()
            };
            let told = store(trusting).read(&path("agent")).await.unwrap_err();
            assert_eq!(told, VaultError::Redirected { status, to });
            assert_eq!(vault.seen().len(), 1);
        }
    }
    assert_eq!(bytes.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_document_of_10_mib_is_read_as_any_other() {
    let bao = OpenBao::start().await;
    let document = json!({
        "data": {
            "data": { "token": "one", "filler": "x".repeat(10 << 20) },
            "metadata": {
                "created_time": "2026-01-01T00:00:00Z",
                "custom_metadata": null,
                "deletion_time": "",
                "destroyed": false,
                "version": 1,
            },
        },
    });
    let proxy = Proxy::before(bao.address(), [Step::json(200, &document.to_string())]).await;
    let reading = root_store(proxy.address()).read(&path("agent")).await;
    assert_eq!(text(&reading.unwrap(), "token"), "one");
}

#[tokio::test]
async fn json_that_is_nested_without_end_is_odd_and_no_more() {
    let bao = OpenBao::start().await;
    for (open, close) in [("[", "]"), ("{\"data\":", "}")] {
        let inside = open.repeat(100_000) + "1" + &close.repeat(100_000);
        for body in [
            format!("{{\"data\":{{\"data\":{{\"token\":{inside}}},\"metadata\":{inside}}}}}"),
            format!("{{\"data\":{inside}}}"),
            format!("{{\"errors\":{inside}}}"),
        ] {
            for status in [200, 403, 404] {
                let step = Step::json(status, &body);
                let proxy = Proxy::before(bao.address(), [step]).await;
                let _ = root_store(proxy.address()).read(&path("agent")).await;
            }
        }
    }
}

#[tokio::test]
async fn names_of_engines_are_shown_without_what_acts_on_a_terminal() {
    let hostile = "\\u001b]0;title\\u0007\\u001b[31mdata\\u202e\\r\\nbase";
    for (kind, options) in [(hostile, "null"), ("kv", "{\"version\":\"1\"}")] {
        let mount = format!(
            "{{\"data\":{{\"path\":\"{hostile}/\",\"type\":\"{kind}\",\"options\":{options}}}}}"
        );
        let absent = Step::json(404, r#"{"errors":[]}"#);
        let proxy = Proxy::alone([absent, Step::json(200, &mount)]).await;
        let told = root_store(proxy.address()).read(&path("agent")).await;
        let told = told.unwrap_err().to_string();
        assert!(told.contains("data base"), "{told:?}");
        assert!(!told.contains(char::is_control), "{told:?}");
        assert!(!told.contains('\u{202e}'), "{told:?}");
    }
}

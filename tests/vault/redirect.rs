//! Redirects: one of a standby is followed, all others are told.

use serde_json::json;
use terraform_provider_claude::vault::VaultError;

use super::{path, root_store, settings, store, text};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

#[tokio::test]
async fn one_redirect_of_a_standby_is_followed_with_the_token() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    for status in [307, 308] {
        let active = Proxy::before(bao.address(), []).await;
        let to = format!("{}/v1/secret/data/agent?version=1", active.address());
        let standby = Proxy::alone([Step::redirect(status, &to)]).await;
        let reading = root_store(standby.address()).read(&path("agent")).await;
        assert_eq!(text(&reading.unwrap(), "token"), "one");
        let seen = &active.seen()[0];
        assert_eq!(seen.header("x-vault-token"), Some(OpenBao::ROOT));
        assert_eq!(seen.target, "/v1/secret/data/agent?version=1");
    }
}

#[tokio::test]
async fn a_redirect_to_another_path_of_the_same_server_is_followed() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let proxy = Proxy::before(
        bao.address(),
        [Step::redirect(307, "/v1/secret/data/agent")],
    )
    .await;
    let reading = root_store(proxy.address()).read(&path("other")).await;
    assert_eq!(text(&reading.unwrap(), "token"), "one");
}

#[tokio::test]
async fn a_login_is_sent_again_with_its_body() {
    use terraform_provider_claude::secret::Secret;
    use terraform_provider_claude::vault::{Credentials, Identity, Login};

    let active = Proxy::alone([Step::json(200, r#"{"auth":{"client_token":"t"}}"#)]).await;
    let to = format!("{}/v1/auth/jwt/login", active.address());
    let standby = Proxy::alone([Step::redirect(307, &to), Step::json(403, "{}")]).await;
    let login = Credentials::Login(Login {
        mount: "jwt".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "ci".into(),
            jwt: Secret::new("signed"),
        },
    });
    let _ = store(settings(standby.address(), login))
        .read(&path("agent"))
        .await;
    let seen = &active.seen()[0];
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.body, r#"{"jwt":"signed","role":"ci"}"#);
    assert_eq!(seen.header("x-vault-token"), None);
}

#[tokio::test]
async fn every_other_redirect_is_an_error_that_names_the_place() {
    for status in [301, 302, 303] {
        let to = "https://login.example.com/\u{9}start?token=canary#x";
        let to = to.replace('\u{9}', "");
        let proxy = Proxy::alone([Step::redirect(status, &to)]).await;
        assert_eq!(
            root_store(proxy.address()).read(&path("agent")).await,
            Err(VaultError::Redirected {
                status,
                to: "https://login.example.com/start".into(),
            })
        );
        assert_eq!(proxy.seen().len(), 1);
    }
    let nowhere = Step::Answer {
        status: 307,
        headers: vec![],
        body: String::new(),
    };
    let proxy = Proxy::alone([nowhere]).await;
    assert_eq!(
        root_store(proxy.address()).read(&path("agent")).await,
        Err(VaultError::Redirected {
            status: 307,
            to: String::new(),
        })
    );
}

#[tokio::test]
async fn a_second_redirect_is_not_followed() {
    let proxy = Proxy::alone([]).await;
    let to = format!("{}/v1/secret/data/agent", proxy.address());
    proxy.then([Step::redirect(307, &to), Step::redirect(307, &to)]);
    assert_eq!(
        root_store(proxy.address()).read(&path("agent")).await,
        Err(VaultError::Redirected { status: 307, to })
    );
    assert_eq!(proxy.seen().len(), 2);
}

//! Tokens that are refused, a sealed server, and what may be told of a hostile one.

use serde_json::json;
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{
    Credentials, Identity, Login, SettingsError, Store, TokenOrigin, TokenSource, VaultError,
};

use super::{path, root_store, settings, store, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

#[tokio::test]
async fn a_missing_right_is_named_with_its_path() {
    let bao = OpenBao::start().await;
    let rules = r#"path "secret/data/other" { capabilities = ["read"] }"#;
    let reader = store(settings(bao.address(), token(&bao.token(rules).await)));
    assert_eq!(
        reader.read(&path("team/agent")).await,
        Err(VaultError::Forbidden {
            api_path: "secret/data/team/agent".into(),
            capability: "read",
            errors: vec![],
        })
    );
    assert_eq!(bao.count("read", "secret/data/team/agent"), 1);
}

#[tokio::test]
async fn a_token_that_vault_does_not_know_is_no_missing_right() {
    let bao = OpenBao::start().await;
    for (credentials, source) in [
        (token("s.unknown"), TokenSource::Given(TokenOrigin::File)),
        (Credentials::None, TokenSource::None),
    ] {
        let reader = store(settings(bao.address(), credentials));
        assert_eq!(
            reader.read(&path("agent")).await,
            Err(VaultError::Unauthenticated { token: source })
        );
    }
}

#[tokio::test]
async fn a_sealed_server_says_so() {
    let bao = OpenBao::start().await;
    bao.must("PUT", "sys/seal", json!(null)).await;
    let reader = root_store(bao.address());
    assert_eq!(reader.read(&path("agent")).await, Err(VaultError::Sealed));
}

#[tokio::test]
async fn an_echo_of_our_credentials_is_shown_nowhere() {
    const CANARY: &str = "canary-of-this-test";
    let errors = json!({ "errors": [format!("\u{1b}[31mbad {CANARY}\u{7}"), CANARY, "ok"] });
    let errors = errors.to_string();
    let steps = || {
        let mut steps = vec![
            Step::html(418).with("x-echo", CANARY),
            Step::redirect(302, &format!("https://vault/{CANARY}")),
            Step::Answer {
                status: 403,
                headers: vec![("content-type", CANARY.into())],
                body: CANARY.into(),
            },
        ];
        for status in [400, 404, 405, 500, 503] {
            steps.push(Step::json(status, &errors));
        }
        steps.push(Step::json(200, &format!("{{\"data\":{{\"{CANARY}\":1}}}}")));
        steps
    };
    let credentials = [
        token(CANARY),
        Credentials::Login(Login {
            mount: "approle".into(),
            namespace: None,
            identity: Identity::AppRole {
                role_id: "role".into(),
                secret_id: Secret::new(CANARY),
            },
        }),
        Credentials::Login(Login {
            mount: "jwt".into(),
            namespace: None,
            identity: Identity::Jwt {
                role: "role".into(),
                jwt: Secret::new(CANARY),
            },
        }),
    ];
    for credentials in credentials {
        for step in steps() {
            let proxy = Proxy::alone([step.clone()]).await;
            let mut settings = settings(proxy.address(), credentials.clone());
            settings.max_retries = 0;
            assert!(!format!("{settings:?}").contains(CANARY));
            let error = store(settings).read(&path("agent")).await.unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(CANARY), "{step:?}: {shown}");
            assert!(!shown.contains('\u{1b}'), "{step:?}: {shown}");
        }
    }
}

#[test]
fn values_that_no_header_can_carry_are_refused_before_any_call() {
    let new = |change: &dyn Fn(&mut terraform_provider_claude::vault::Settings)| {
        let mut settings = settings("http://127.0.0.1:1", Credentials::None);
        change(&mut settings);
        Store::new(settings).err()
    };
    assert_eq!(
        new(&|settings| settings.credentials = token("s.a\nb")),
        Some(SettingsError::Token)
    );
    assert_eq!(
        new(&|settings| settings.namespace = Some("a\nb".into())),
        Some(SettingsError::Namespace)
    );
    let login = Login {
        mount: "/jwt".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "role".into(),
            jwt: Secret::new("jwt"),
        },
    };
    assert!(matches!(
        new(&|settings| settings.credentials = Credentials::Login(login.clone())),
        Some(SettingsError::LoginMount(_))
    ));
}

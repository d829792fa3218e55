//! Logins: once for all callers, again when their token dies, and revoked at the end.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ED25519, SigningKey as _};
use serde_json::{Value, json};
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{
    Credentials, Identity, Login, LoginMethod, LoginProblem, Store, TokenSource, VaultError,
};

use super::{path, settings, store, text, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};

const RULES: &str = r#"
path "secret/data/*" { capabilities = ["read"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
"#;

/// A server with one secret and an AppRole that may read it.
async fn server() -> (OpenBao, Login) {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    bao.policy("reader", RULES).await;
    bao.must("POST", "sys/auth/approle", json!({ "type": "approle" }))
        .await;
    let role = json!({ "token_policies": ["reader"], "token_no_default_policy": true });
    bao.must("POST", "auth/approle/role/ci", role).await;
    let role = bao
        .must("GET", "auth/approle/role/ci/role-id", json!(null))
        .await;
    let secret = bao
        .must("POST", "auth/approle/role/ci/secret-id", json!({}))
        .await;
    let login = Login {
        mount: "approle".into(),
        namespace: None,
        identity: Identity::AppRole {
            role_id: role["data"]["role_id"].as_str().unwrap().into(),
            secret_id: Secret::new(secret["data"]["secret_id"].as_str().unwrap()),
        },
    };
    (bao, login)
}

fn logged_in(address: &str, login: Login) -> Store {
    store(settings(address, Credentials::Login(login)))
}

/// Counts revocations; the dev server makes some of its own while it starts.
fn revocations(bao: &OpenBao) -> usize {
    bao.count("update", "auth/token/revoke-self")
}

#[tokio::test]
async fn an_app_role_logs_in_once_for_all_callers() {
    let (bao, login) = server().await;
    let reader = Arc::new(logged_in(bao.address(), login));
    assert_eq!(bao.count("update", "auth/approle/login"), 0);
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let reader = Arc::clone(&reader);
        reads.spawn(async move { reader.read(&path("agent")).await });
    }
    for reading in reads.join_all().await {
        assert_eq!(text(&reading.unwrap(), "token"), "one");
    }
    assert_eq!(bao.count("update", "auth/approle/login"), 1);
}

#[tokio::test]
async fn a_token_that_died_is_replaced_by_one_more_login() {
    let (bao, login) = server().await;
    let reader = logged_in(bao.address(), login);
    reader.read(&path("agent")).await.unwrap();
    // Drops every token that the auth method gave.
    let prefix = "sys/leases/revoke-prefix/auth/approle/login";
    bao.must("POST", prefix, json!({ "sync": true })).await;
    let reading = reader.read(&path("agent")).await.unwrap();
    assert_eq!(text(&reading, "token"), "one");
    assert_eq!(bao.count("update", "auth/approle/login"), 2);
}

#[tokio::test]
async fn a_missing_right_is_no_reason_for_another_login() {
    let (bao, login) = server().await;
    bao.policy(
        "reader",
        r#"path "secret/data/x" { capabilities = ["read"] }"#,
    )
    .await;
    let reader = logged_in(bao.address(), login);
    assert!(matches!(
        reader.read(&path("agent")).await,
        Err(VaultError::Forbidden { .. })
    ));
    assert_eq!(bao.count("update", "auth/approle/login"), 1);
}

#[tokio::test]
async fn a_token_that_is_never_accepted_leads_to_two_logins_and_an_error() {
    let given = r#"{"auth":{"client_token":"t"}}"#;
    let unknown = r#"{"errors":["permission denied"]}"#;
    let proxy = Proxy::alone([
        Step::json(200, given),
        Step::json(403, unknown),
        Step::json(200, given),
        Step::json(403, unknown),
    ])
    .await;
    let login = Login {
        mount: "jwt".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "ci".into(),
            jwt: Secret::new("signed"),
        },
    };
    assert_eq!(
        logged_in(proxy.address(), login).read(&path("agent")).await,
        Err(VaultError::Unauthenticated {
            token: TokenSource::Login(LoginMethod::Jwt)
        })
    );
    assert_eq!(proxy.seen().len(), 4);
}

#[tokio::test]
async fn closing_revokes_the_token_of_the_login() {
    let (bao, login) = server().await;
    let reader = logged_in(bao.address(), login);
    reader.read(&path("agent")).await.unwrap();
    let accessors = async || {
        let listed = bao.must("LIST", "auth/token/accessors", json!(null)).await;
        listed["data"]["keys"].as_array().unwrap().len()
    };
    assert_eq!(accessors().await, 2);
    let before = revocations(&bao);
    reader.close().await;
    reader.close().await;
    assert_eq!(revocations(&bao), before + 1);
    assert_eq!(accessors().await, 1);
    assert_eq!(
        reader.read(&path("agent")).await,
        Err(VaultError::Cancelled)
    );
}

#[tokio::test]
async fn closing_never_revokes_a_token_that_was_given() {
    let (bao, login) = server().await;
    let before = revocations(&bao);
    let given = bao.token(RULES).await;
    let reader = store(settings(bao.address(), token(&given)));
    reader.read(&path("agent")).await.unwrap();
    reader.close().await;
    let unused = logged_in(bao.address(), login);
    unused.close().await;
    assert_eq!(revocations(&bao), before);
    assert_eq!(bao.count("update", "auth/approle/login"), 0);
    let target = "secret/data/agent";
    let (status, _) = bao.call_as(&given, "GET", target, json!(null)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_server_that_is_silent() {
    let given = r#"{"auth":{"client_token":"t"}}"#;
    let silent = Step::Delay(std::time::Duration::from_secs(60));
    let steps = [Step::json(200, given), Step::json(403, "{}"), silent];
    let proxy = Proxy::alone(steps).await;
    let login = Login {
        mount: "jwt".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "ci".into(),
            jwt: Secret::new("signed"),
        },
    };
    let mut settings = settings(proxy.address(), Credentials::Login(login));
    settings.limits.close = std::time::Duration::from_millis(100);
    let reader = store(settings);
    reader.read(&path("agent")).await.unwrap_err();
    let started = std::time::Instant::now();
    reader.close().await;
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
    assert_eq!(proxy.seen()[2].target, "/v1/auth/token/revoke-self");
    assert_eq!(proxy.seen()[2].header("x-vault-token"), Some("t"));
}

#[tokio::test]
async fn a_refused_login_is_told_and_not_repeated() {
    let (bao, _) = server().await;
    let reader = logged_in(
        bao.address(),
        Login {
            mount: "approle".into(),
            namespace: None,
            identity: Identity::AppRole {
                role_id: "unknown".into(),
                secret_id: Secret::new("canary-secret-id"),
            },
        },
    );
    for _ in 0..3 {
        let error = reader.read(&path("agent")).await.unwrap_err();
        let VaultError::LoginFailed {
            method: LoginMethod::AppRole,
            mount,
            status: 400,
            errors,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(mount, "approle");
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
    assert_eq!(bao.count("update", "auth/approle/login"), 1);
}

#[tokio::test]
async fn a_login_at_a_mount_that_is_none_is_forbidden() {
    let bao = OpenBao::start().await;
    let login = Login {
        mount: "nowhere".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "ci".into(),
            jwt: Secret::new("signed"),
        },
    };
    assert_eq!(
        logged_in(bao.address(), login).read(&path("agent")).await,
        Err(VaultError::LoginForbidden {
            method: LoginMethod::Jwt,
            mount: "nowhere".into(),
            errors: vec![],
        })
    );
}

#[tokio::test]
async fn callers_that_waited_for_a_failed_login_share_its_failure() {
    let proxy = Proxy::alone(vec![
        Step::json(503, r#"{"errors":["Vault is sealed"]}"#);
        9
    ])
    .await;
    let login = Login {
        mount: "jwt".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "ci".into(),
            jwt: Secret::new("signed"),
        },
    };
    let mut settings = settings(proxy.address(), Credentials::Login(login));
    settings.max_retries = 1;
    let reader = store(settings);
    let agent = path("agent");
    let read = || reader.read(&agent);
    let outcomes = tokio::join!(read(), read(), read());
    let sealed = || Err(VaultError::Sealed);
    assert_eq!(outcomes, (sealed(), sealed(), sealed()));
    assert_eq!(proxy.seen().len(), 2);
    // What may pass is tried again by the next caller.
    assert_eq!(read().await, sealed());
    assert_eq!(proxy.seen().len(), 4);
}

#[tokio::test]
async fn an_answer_without_a_token_is_a_failed_login() {
    for body in ["{}", r#"{"auth":null}"#, r#"{"auth":{"client_token":""}}"#] {
        let proxy = Proxy::alone([Step::json(200, body)]).await;
        let login = Login {
            mount: "jwt".into(),
            namespace: None,
            identity: Identity::Jwt {
                role: "ci".into(),
                jwt: Secret::new("signed"),
            },
        };
        assert_eq!(
            logged_in(proxy.address(), login).read(&path("agent")).await,
            Err(VaultError::LoginWithoutToken {
                method: LoginMethod::Jwt,
                mount: "jwt".into(),
                problem: LoginProblem::NoToken,
            })
        );
    }
}

#[tokio::test]
async fn a_signed_token_logs_in() {
    let (bao, _) = server().await;
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    bao.must("POST", "sys/auth/ci/tokens", json!({ "type": "jwt" }))
        .await;
    let config = json!({
        "jwt_validation_pubkeys": [key.public_key_pem()],
        "jwt_supported_algs": ["EdDSA"],
    });
    bao.must("POST", "auth/ci/tokens/config", config).await;
    let role = json!({
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": ["vault"],
        "token_policies": ["reader"],
    });
    bao.must("POST", "auth/ci/tokens/role/deploy", role).await;
    let claims =
        json!({ "sub": "job", "aud": "vault", "iat": 1, "nbf": 1, "exp": 4_102_444_800_u64 });
    let unsigned = format!("{}.{}", part(&json!({ "alg": "EdDSA" })), part(&claims));
    let signature = key.sign(unsigned.as_bytes()).unwrap();
    let jwt = format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature));
    let login = Login {
        mount: "ci/tokens".into(),
        namespace: None,
        identity: Identity::Jwt {
            role: "deploy".into(),
            jwt: Secret::new(jwt),
        },
    };
    let reader = logged_in(bao.address(), login);
    let reading = reader.read(&path("agent")).await.unwrap();
    assert_eq!(text(&reading, "token"), "one");
}

#[tokio::test]
async fn a_service_account_logs_in() {
    let (bao, _) = server().await;
    let account = "system:serviceaccount:agents:deployer";
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "status": {
            "authenticated": true,
            "user": { "username": account, "uid": "an-uid", "groups": [] },
        },
    });
    let cluster = Proxy::alone([Step::json(200, &review.to_string())]).await;
    bao.must(
        "POST",
        "sys/auth/kubernetes",
        json!({ "type": "kubernetes" }),
    )
    .await;
    let config = json!({
        "kubernetes_host": cluster.address(),
        "disable_local_ca_jwt": true,
        "kubernetes_ca_cert": crate::support::certificates::Authority::new("unused").pem(),
    });
    bao.must("POST", "auth/kubernetes/config", config).await;
    let role = json!({
        "bound_service_account_names": ["deployer"],
        "bound_service_account_namespaces": ["agents"],
        "token_policies": ["reader"],
    });
    bao.must("POST", "auth/kubernetes/role/agents", role).await;
    let claims = json!({
        "iss": "https://kubernetes.default.svc",
        "sub": account,
        "iat": 1,
        "nbf": 1,
        "exp": 4_102_444_800_u64,
        "kubernetes.io": {
            "namespace": "agents",
            "serviceaccount": { "name": "deployer", "uid": "an-uid" },
        },
    });
    let head = json!({ "alg": "RS256" });
    let jwt = format!("{}.{}.c2lnbmF0dXJl", part(&head), part(&claims));
    let login = Login {
        mount: "kubernetes".into(),
        namespace: None,
        identity: Identity::Kubernetes {
            role: "agents".into(),
            jwt: Secret::new(jwt),
        },
    };
    let reader = logged_in(bao.address(), login);
    let reading = reader.read(&path("agent")).await.unwrap();
    assert_eq!(text(&reading, "token"), "one");
    assert!(cluster.seen()[0].target.ends_with("/tokenreviews"));
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

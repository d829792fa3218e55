//! Answers that say something else than they seem to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use terraform_provider_claude::secret::Secret;
use terraform_provider_claude::vault::{
    Credentials, Identity, Login, LoginProblem, Store, TokenOrigin, VaultError,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{path, root_store, settings, store, text, token};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};

#[tokio::test]
async fn an_address_with_a_wrong_path_is_no_missing_secret() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let limited = bao
        .token(r#"path "secret/data/*" { capabilities = ["read"] }"#)
        .await;
    for wrong in ["/vault", "/v1", "/v1/", "/ui"] {
        for known in [OpenBao::ROOT, &limited] {
            let address = format!("{}{wrong}", bao.address());
            for secret in ["agent", "none"] {
                let reader = store(settings(&address, token(known)));
                let error = reader.read(&path(secret)).await;
                assert!(
                    matches!(
                        error,
                        // Policies deny paths that do not exist as well.
                        Err(VaultError::WrongAddress { .. }
                            | VaultError::NotJson { .. }
                            | VaultError::Forbidden { .. })
                    ),
                    "{wrong}: {error:?}"
                );
            }
        }
    }
    let address = format!("{}/", bao.address());
    let reading = store(settings(&address, token(&limited)))
        .read(&path("agent"))
        .await;
    assert_eq!(text(&reading.unwrap(), "token"), "one");
}

#[tokio::test]
async fn answers_of_what_stands_in_between_are_named() {
    let wrapped = r#"{"wrap_info":{"token":"s.x","ttl":300},"data":null,"auth":null}"#;
    let gzip = Step::json(200, "xx").with("content-encoding", "gzip");
    for (step, told) in [
        (
            Step::json(200, wrapped),
            "with a wrapping token instead of the content",
        ),
        (gzip, "is compressed, which was not requested"),
        (Step::html(407), "asks for a user name and password (407)"),
    ] {
        let proxy = Proxy::alone([step]).await;
        let error = root_store(proxy.address())
            .read(&path("agent"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(proxy.seen().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn a_login_that_gives_no_token_says_why() {
    let second_factor = r#"{"auth":{"client_token":"","mfa_requirement":{"mfa_request_id":"x"}}}"#;
    let wrapped = r#"{"wrap_info":{"token":"s.x"},"data":null,"auth":null}"#;
    for (body, expected) in [
        (second_factor, LoginProblem::SecondFactor),
        (wrapped, LoginProblem::Wrapped),
        ("{}", LoginProblem::NoToken),
    ] {
        let proxy = Proxy::alone([Step::json(200, body)]).await;
        let login = Credentials::Login(Login {
            mount: "jwt".into(),
            namespace: None,
            identity: Identity::Jwt {
                role: "ci".into(),
                jwt: Secret::new("signed"),
            },
        });
        let error = store(settings(proxy.address(), login))
            .read(&path("agent"))
            .await;
        assert!(
            matches!(error, Err(VaultError::LoginWithoutToken { problem, .. }) if problem == expected),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_login_goes_to_its_own_namespace_and_calls_to_the_other() {
    let auth = r#"{"auth":{"client_token":"t"}}"#;
    let missing = Step::json(404, r#"{"errors":[]}"#);
    let denied = Step::json(
        403,
        r#"{"errors":["preflight capability check returned 403"]}"#,
    );
    let proxy = Proxy::alone([Step::json(200, auth), missing, denied]).await;
    let mut apart = settings(
        proxy.address(),
        Credentials::Login(Login {
            mount: "approle".into(),
            namespace: Some("parent".into()),
            identity: Identity::AppRole {
                role_id: "role".into(),
                secret_id: Secret::new("secret"),
            },
        }),
    );
    apart.namespace = Some("parent/team".into());
    store(apart).read(&path("agent")).await.unwrap();
    let seen = proxy.seen();
    let namespaces = seen.iter().map(|seen| seen.header("x-vault-namespace"));
    let namespaces: Vec<_> = namespaces.collect();
    assert_eq!(
        namespaces,
        [Some("parent"), Some("parent/team"), Some("parent/team")]
    );
}

#[tokio::test]
async fn a_mount_in_a_child_namespace_is_written_with_the_child() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/namespaces/team", json!({})).await;
    let kv = json!({ "type": "kv", "options": { "version": "2" } });
    bao.must("POST", "team/sys/mounts/secret", kv).await;
    bao.put("team/secret", "agent", json!({ "token": "child" }))
        .await;
    let secret = terraform_provider_claude::vault::SecretPath::new("team/secret", "agent").unwrap();
    let reading = root_store(bao.address()).read(&secret).await.unwrap();
    assert_eq!(text(&reading, "token"), "child");
}

#[tokio::test]
async fn what_the_server_asks_to_wait_is_reported_and_spread() {
    let patient = Step::json(429, "{}").with("retry-after", "60");
    let proxy = Proxy::alone([patient]).await;
    let error = root_store(proxy.address()).read(&path("agent")).await;
    assert_eq!(error, Err(VaultError::RateLimited { seconds: Some(60) }));
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn retries_outlast_an_election() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let electing = Step::json(
        500,
        r#"{"errors":["local node not active but active cluster node not found"]}"#,
    );
    let waiting = Step::json(
        400,
        r#"{"errors":["Waiting for the primary to upgrade from non-versioned to versioned data. This backend will be unavailable until the primary has upgraded."]}"#,
    );
    let proxy = Proxy::before(
        bao.address(),
        [electing.clone(), electing.clone(), waiting, electing],
    )
    .await;
    let mut product = settings(proxy.address(), token(OpenBao::ROOT));
    product.limits = terraform_provider_claude::vault::Limits::default();
    let started = Instant::now();
    let reading = store(product).read(&path("agent")).await.unwrap();
    assert_eq!(text(&reading, "token"), "one");
    assert!(started.elapsed() > Duration::from_secs(6));
}

#[tokio::test]
async fn a_wrapped_secret_id_is_named() {
    let bao = OpenBao::start().await;
    bao.must("POST", "sys/auth/approle", json!({ "type": "approle" }))
        .await;
    bao.must("POST", "auth/approle/role/test", json!({})).await;
    let role = bao
        .must("GET", "auth/approle/role/test/role-id", json!(null))
        .await;
    let login = |secret_id: &str| {
        Credentials::Login(Login {
            mount: "approle".into(),
            namespace: None,
            identity: Identity::AppRole {
                role_id: role["data"]["role_id"].as_str().unwrap().to_owned(),
                secret_id: Secret::new(secret_id),
            },
        })
    };
    let store_of = |secret_id: &str| store(settings(bao.address(), login(secret_id)));
    let wrapped = store_of(&bao.wrapping_token().await);
    for error in read_at_once(&wrapped).await {
        assert!(
            matches!(error, VaultError::WrappingToken { .. }),
            "{error:?}"
        );
    }
    let error = store_of("another").read(&path("agent")).await;
    assert!(
        matches!(error, Err(VaultError::LoginFailed { .. })),
        "{error:?}"
    );
}

/// Reads many secrets at the same time, as the plan of many resources does, and returns the errors.
async fn read_at_once(store: &Store) -> Vec<VaultError> {
    let mut reads = JoinSet::new();
    for number in 0..24 {
        let store = store.clone();
        reads.spawn(async move { store.read(&path(&format!("agent-{number}"))).await });
    }
    let ended = reads.join_all().await;
    ended.into_iter().map(Result::unwrap_err).collect()
}

#[tokio::test]
async fn requests_that_share_a_wrapping_token_all_name_it() {
    let bao = OpenBao::start().await;
    for turn in 1..=5 {
        let wrapping = token(&bao.wrapping_token().await);
        let errors = read_at_once(&store(settings(bao.address(), wrapping))).await;
        for error in &errors {
            assert!(
                matches!(error, VaultError::TokenUsedUp { .. }),
                "{errors:?}"
            );
        }
        let asked = bao.count("read", "auth/token/lookup-self");
        assert_eq!(asked, turn, "once for all requests");
    }
    // One that is unknown from the start is no wrapping token.
    let unknown = store(settings(bao.address(), token("s.unknown")));
    for error in read_at_once(&unknown).await {
        assert!(
            matches!(error, VaultError::Unauthenticated { .. }),
            "{error:?}"
        );
    }
}

/// Passes the first request on, and gives its answer back only after that of another.
struct FirstIsLast {
    came: AtomicBool,
    answered: Semaphore,
    others: Semaphore,
}

impl Judge for FirstIsLast {
    fn judge(self: Arc<Self>, _seen: Seen) -> BoxFuture<'static, Judgement> {
        let is_first = !self.came.swap(true, Ordering::AcqRel);
        async move {
            if !is_first {
                // It is never given out; it is closed once the first has been answered.
                let _ = self.answered.acquire().await;
            }
            let afterwards = async move {
                if is_first {
                    self.answered.close();
                    self.others.acquire().await.unwrap().forget();
                } else {
                    self.others.add_permits(1);
                }
            };
            Judgement {
                step: Step::Pass,
                afterwards: Some(afterwards.boxed()),
            }
        }
        .boxed()
    }
}

#[tokio::test]
async fn the_request_that_used_a_wrapping_token_up_may_be_answered_last() {
    let bao = OpenBao::start().await;
    let judge = FirstIsLast {
        came: AtomicBool::new(false),
        answered: Semaphore::new(0),
        others: Semaphore::new(0),
    };
    let proxy = Proxy::judged(bao.address(), Arc::new(judge)).await;
    let wrapping = token(&bao.wrapping_token().await);
    let errors = read_at_once(&store(settings(proxy.address(), wrapping))).await;
    for error in &errors {
        assert!(
            matches!(error, VaultError::TokenUsedUp { .. }),
            "{errors:?}"
        );
    }
}

#[tokio::test]
async fn a_wrapping_token_in_place_of_a_vault_token_is_recognized() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let reader = store(settings(bao.address(), token(&bao.wrapping_token().await)));
    for _ in 0..2 {
        let error = reader.read(&path("agent")).await;
        assert_eq!(
            error,
            Err(VaultError::TokenUsedUp {
                origin: TokenOrigin::File
            })
        );
    }
    // A token that may do little stays denied, and one that may be used twice serves twice.
    let limited = bao
        .token(r#"path "secret/data/other" { capabilities = ["read"] }"#)
        .await;
    let reader = store(settings(bao.address(), token(&limited)));
    for _ in 0..2 {
        let error = reader.read(&path("agent")).await;
        assert!(
            matches!(error, Err(VaultError::Forbidden { .. })),
            "{error:?}"
        );
    }
    let asked = bao.count("read", "auth/token/lookup-self");
    assert_eq!(asked, 2, "once for each token");
}

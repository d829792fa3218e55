//! Who the provider is towards Vault: which token counts, and logins that end with the process.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ED25519, SigningKey as _};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::certificates::Authority;
use crate::support::host::Process;
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Proxy, Step};
use crate::support::secrets::token;
use crate::support::terraform::Workspace;

const READ: &str = r#"path "secret/data/*" { capabilities = ["read"] }"#;

const READ_AND_LEAVE: &str = r#"
path "secret/data/*" { capabilities = ["read"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
"#;

const AGENT: &str = "resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n";

const REVOKE: (&str, &str) = ("update", "auth/token/revoke-self");

async fn server() -> (OpenBao, Workspace) {
    let bao = OpenBao::start().await;
    bao.put(
        "secret",
        "agent",
        json!({ "claude_oauth_token": token("agent") }),
    )
    .await;
    bao.policy("reader", READ_AND_LEAVE).await;
    let mut workspace = Workspace::new("login");
    workspace.set("VAULT_ADDR", bao.address());
    (bao, workspace)
}

/// Runs a whole life and demands that each run logs in once and leaves nothing behind.
async fn logs_in_and_out(bao: &OpenBao, workspace: &mut Workspace, login: &str, block: &str) {
    workspace.configure(&format!("provider \"claude\" {{\n{block}\n}}\n\n{AGENT}"));
    // A login counts before any token that lies around.
    workspace.set("VAULT_TOKEN", "s.of-somebody-else");
    let held = async || {
        let listed = bao.must("LIST", "auth/token/accessors", Value::Null).await;
        listed["data"]["keys"].as_array().unwrap().len()
    };
    let before = held().await;
    for (arguments, code, logins) in [
        (&["validate"][..], 0, 0),
        // Nothing is read for a resource that is to be created.
        (&["plan", "-detailed-exitcode"], 2, 0),
        (&["apply", "-auto-approve"], 0, 1),
        (&["plan", "-detailed-exitcode"], 0, 1),
        (&["plan", "-refresh-only", "-detailed-exitcode"], 0, 1),
        (&["destroy", "-auto-approve"], 0, 1),
    ] {
        let count = |(operation, path)| bao.count(operation, path);
        let (logged_in, revoked) = (count(("update", login)), count(REVOKE));
        workspace.run(arguments.iter().copied()).exits(code);
        assert_eq!(
            count(("update", login)) - logged_in,
            logins,
            "{arguments:?}"
        );
        assert_eq!(count(REVOKE) - revoked, logins, "{arguments:?}");
        assert_eq!(held().await, before, "{arguments:?}");
    }
}

/// Makes an AppRole at `ci/roles` and returns the argument that logs in to it.
async fn app_role(bao: &OpenBao) -> String {
    bao.must("POST", "sys/auth/ci/roles", json!({ "type": "approle" }))
        .await;
    let role = json!({ "token_policies": ["reader"], "token_no_default_policy": true });
    bao.must("POST", "auth/ci/roles/role/deploy", role).await;
    let role = "auth/ci/roles/role/deploy";
    let id = bao
        .must("GET", &format!("{role}/role-id"), Value::Null)
        .await;
    let secret = bao
        .must("POST", &format!("{role}/secret-id"), json!({}))
        .await;
    format!(
        "auth_login_approle = {{\n  role_id = {}\n  secret_id = {}\n  mount = \"ci/roles\"\n}}",
        id["data"]["role_id"], secret["data"]["secret_id"]
    )
}

#[tokio::test]
async fn an_app_role_logs_in_and_out() {
    let (bao, mut workspace) = server().await;
    let block = app_role(&bao).await;
    logs_in_and_out(&bao, &mut workspace, "auth/ci/roles/login", &block).await;
}

#[tokio::test]
async fn a_process_that_serves_many_runs_ends_all_logins() {
    let (bao, mut workspace) = server().await;
    let block = app_role(&bao).await;
    workspace.configure(&format!("provider \"claude\" {{\n{block}\n}}\n\n{AGENT}"));
    workspace.apply().exits(0);
    let variables = [("VAULT_ADDR".to_owned(), bao.address().to_owned())];
    let mut provider = Process::start(&["--debug"], &variables);
    let line = provider.first_line().await;
    let line = line
        .strip_prefix("TF_REATTACH_PROVIDERS='")
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap();
    workspace.set("TF_REATTACH_PROVIDERS", line);
    let revoked = bao.count(REVOKE.0, REVOKE.1);
    for _ in 0..2 {
        workspace.plan().changes_nothing();
    }
    provider.signal(Signal::INT);
    provider.ended().await;
    assert_eq!(bao.count(REVOKE.0, REVOKE.1), revoked + 2);
}

#[tokio::test]
async fn a_signed_token_logs_in_and_out() {
    let (bao, mut workspace) = server().await;
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    bao.must("POST", "sys/auth/jwt", json!({ "type": "jwt" }))
        .await;
    let config = json!({
        "jwt_validation_pubkeys": [key.public_key_pem()],
        "jwt_supported_algs": ["EdDSA"],
    });
    bao.must("POST", "auth/jwt/config", config).await;
    let role = json!({
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": ["vault"],
        "token_policies": ["reader"],
    });
    bao.must("POST", "auth/jwt/role/deploy", role).await;
    let claims =
        json!({ "sub": "job", "aud": "vault", "iat": 1, "nbf": 1, "exp": 4_102_444_800_u64 });
    let unsigned = format!("{}.{}", part(&json!({ "alg": "EdDSA" })), part(&claims));
    let signature = key.sign(unsigned.as_bytes()).unwrap();
    let jwt = format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature));
    // As a CI system gives it.
    workspace.set("TF_VAR_jwt", &jwt);
    let block = "auth_login_jwt = {\n  role = \"deploy\"\n  jwt = var.jwt\n}\n}\n\n\
                 variable \"jwt\" {\n  sensitive = true";
    logs_in_and_out(&bao, &mut workspace, "auth/jwt/login", block).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_service_account_logs_in_and_out() {
    let (bao, mut workspace) = server().await;
    let account = "system:serviceaccount:agents:deployer";
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "status": {
            "authenticated": true,
            "user": { "username": account, "uid": "an-uid", "groups": [] },
        },
    });
    let cluster = Proxy::alone(vec![Step::json(200, &review.to_string()); 9]).await;
    bao.must(
        "POST",
        "sys/auth/kubernetes",
        json!({ "type": "kubernetes" }),
    )
    .await;
    let config = json!({
        "kubernetes_host": cluster.address(),
        "disable_local_ca_jwt": true,
        "kubernetes_ca_cert": Authority::new("unused").pem(),
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
    let jwt = format!(
        "{}.{}.c2lnbmF0dXJl\n",
        part(&json!({ "alg": "RS256" })),
        part(&claims)
    );
    workspace.write("service-account.jwt", &jwt);
    let block =
        "auth_login_kubernetes = {\n  role = \"agents\"\n  jwt_file = \"service-account.jwt\"\n}";
    logs_in_and_out(&bao, &mut workspace, "auth/kubernetes/login", block).await;
    assert_eq!(cluster.seen().len(), 4);
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn the_nearest_token_counts_and_is_never_revoked() {
    let (bao, mut workspace) = server().await;
    let good = bao.token_named("only-reader", READ).await;
    let wrong = "s.unknown-to-this-server";
    workspace.configure(AGENT);
    workspace.set("VAULT_TOKEN", &good);
    workspace.apply().exits(0);
    let revoked = bao.count(REVOKE.0, REVOKE.1);

    let file = workspace.home().join(".vault-token");
    let provider = |line: &str| format!("provider \"claude\" {{\n{line}\n}}\n\n{AGENT}");
    let argument = |token: &str| provider(&format!("token = \"{token}\""));
    for (vault_token, bao_token, in_file, in_block) in [
        (wrong, wrong, wrong, good.as_str()),
        (&good, wrong, wrong, ""),
        ("", &good, wrong, ""),
        ("", "", &good, ""),
        // An editor or `echo` leaves a line break behind.
        ("", "", &format!("{good}\n"), ""),
        (&format!("{good}\n"), "", "", ""),
    ] {
        std::fs::write(&file, in_file).unwrap();
        workspace.configure(&match in_block {
            "" => AGENT.to_owned(),
            token => argument(token),
        });
        workspace
            .command(["plan"])
            .env("VAULT_TOKEN", vault_token)
            .env("BAO_TOKEN", bao_token)
            .run()
            .changes_nothing();
    }
    for (vault_token, in_file, in_block) in [
        (good.as_str(), good.as_str(), wrong),
        (wrong, &good, ""),
        ("", wrong, ""),
    ] {
        std::fs::write(&file, in_file).unwrap();
        workspace.configure(&match in_block {
            "" => AGENT.to_owned(),
            token => argument(token),
        });
        workspace
            .command(["plan"])
            .env("VAULT_TOKEN", vault_token)
            .run()
            .exits(1)
            .says("Error: Vault did not accept the Vault token: secret/agent#claude_oauth_token");
    }
    assert_eq!(bao.count(REVOKE.0, REVOKE.1), revoked);
    let read = bao.call_as(&good, "GET", "secret/data/agent", Value::Null);
    assert_eq!(read.await.0, 200);
}

#[tokio::test]
async fn a_token_file_that_cannot_be_read_is_told() {
    let (_bao, workspace) = server().await;
    workspace.configure(AGENT);
    std::fs::create_dir(workspace.home().join(".vault-token")).unwrap();
    workspace
        .apply()
        .exits(1)
        .says("Warning: Cannot read the Vault token file")
        .says("No Vault token: ");
}

#[tokio::test]
async fn a_namespace_is_where_secrets_and_logins_are() {
    let (bao, mut workspace) = server().await;
    bao.must("POST", "sys/namespaces/team", json!({})).await;
    let engine = json!({ "type": "kv", "options": { "version": "2" } });
    bao.must("POST", "team/sys/mounts/secret", engine).await;
    let fields = json!({ "claude_oauth_token": token("of the team") });
    bao.put("team/secret", "agent", fields).await;
    bao.must(
        "POST",
        "team/sys/policies/acl/reader",
        json!({ "policy": READ_AND_LEAVE }),
    )
    .await;
    bao.must(
        "POST",
        "team/sys/auth/approle",
        json!({ "type": "approle" }),
    )
    .await;
    let role = json!({ "token_policies": ["reader"], "bind_secret_id": false,
                       "token_bound_cidrs": ["127.0.0.1/32"] });
    bao.must("POST", "team/auth/approle/role/ci", role).await;
    let id = bao
        .must("GET", "team/auth/approle/role/ci/role-id", Value::Null)
        .await;
    let fingerprint = |workspace: &Workspace| {
        workspace.state_json()["values"]["root_module"]["resources"][0]["values"]["fingerprint"]
            .clone()
    };
    workspace.configure(AGENT);
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.apply().exits(0);
    let outside = fingerprint(&workspace);

    // Other secrets behind the same names: the next plan takes the other token up.
    workspace.set("VAULT_NAMESPACE", "team");
    workspace.apply().exits(0);
    let inside = fingerprint(&workspace);
    assert_ne!(inside, outside);
    workspace.set("VAULT_NAMESPACE", "elsewhere");
    workspace.configure(&format!(
        "provider \"claude\" {{\n  namespace = \"team\"\n  auth_login_approle = {{ role_id = {} \
         }}\n}}\n\n{AGENT}",
        id["data"]["role_id"]
    ));
    let revoked = bao.count(REVOKE.0, REVOKE.1);
    workspace.plan().changes_nothing();
    assert_eq!(fingerprint(&workspace), inside);
    assert_eq!(bao.count(REVOKE.0, REVOKE.1), revoked + 1);
    workspace
        .command(["plan"])
        .env("VAULT_TOKEN", OpenBao::ROOT)
        .run()
        .changes_nothing();
}

//! Addresses, TLS, and a server that goes away.

use serde_json::json;

use super::{Stack, fails};
use crate::support::certificates::{Authority, Pair};
use crate::support::openbao::{OpenBao, TlsListener, free_port};
use crate::support::proxy::{Proxy, Step};
use crate::support::secrets::token;
use crate::support::terraform::Workspace;

#[tokio::test]
async fn a_server_that_stops_between_two_runs_is_told_and_the_state_is_kept() {
    let mut stack = Stack::of(&["agent"]).await;
    let before = stack.workspace.state_json();
    stack
        .workspace
        .run(["plan", "-out", "before.tfplan"])
        .exits(0);
    stack.bao.stop();
    stack.point(|_| "max_retries = 1".to_owned());
    let told = stack.plan().exits(1).told();
    let says = [
        "connection refused",
        "Nothing is listening there",
        "Check the address",
    ];
    fails(&told, "agent", "Vault cannot be reached", &says);
    stack.workspace.apply().exits(1);
    stack
        .workspace
        .run(["plan", "-refresh-only"])
        .exits(1)
        .says("Vault cannot be reached");
    assert_eq!(stack.workspace.state_json(), before);
    stack
        .workspace
        .run(["plan", "-refresh=false"])
        .exits(0)
        .says("No changes.");
    // Nothing is removed from Vault, so it need not be there.
    stack
        .workspace
        .run(["destroy", "-auto-approve", "-refresh=false"])
        .exits(0)
        .says("Token secret/agent#claude_oauth_token stays in Vault");
}

#[tokio::test]
async fn an_address_with_a_wrong_path_is_no_missing_token() {
    let stack = Stack::of(&["agent"]).await;
    let before = stack.workspace.state_json();
    stack.point(|_| format!("address = \"{}/vault\"", stack.bao.address()));
    let told = stack.plan().exits(1).told();
    fails(&told, "agent", "Invalid Vault address", &["/vault"]);
    stack.workspace.apply().exits(1);
    assert_eq!(stack.workspace.state_json(), before);
}

#[tokio::test]
async fn a_server_that_stops_between_plan_and_apply_leaves_no_state() {
    let mut bao = OpenBao::start().await;
    let mut workspace = Workspace::new("half-way");
    workspace.set("VAULT_ADDR", bao.address());
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(
        "provider \"claude\" {\n  max_retries = 1\n}\n\n\
         resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n",
    );
    workspace.plan().exits(2);
    bao.stop();
    workspace
        .apply_saved()
        .exits(1)
        .says("Error: Vault cannot be reached: secret/agent#claude_oauth_token");
    assert_eq!(workspace.run(["state", "list"]).stdout, "");
}

#[test]
fn a_pool_tells_once_what_is_true_of_all_its_spares() {
    let mut workspace = Workspace::new("unreachable-pool");
    workspace.set("VAULT_ADDR", format!("http://127.0.0.1:{}", free_port()));
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(
        "provider \"claude\" {\n  max_retries = 0\n}\n\n\
         resource \"claude_token_spare_pool\" \"all\" {\n  \
         paths        = [for number in range(100) : \"spare-${number}\"]\n  \
         primary_path = \"agent\"\n}\n",
    );
    let told = workspace
        .run(["apply", "-json", "-auto-approve"])
        .exits(1)
        .told();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0]
            .detail
            .ends_with("The same applies to 100 more secrets in this pool.")
    );
}

struct Files {
    authority: String,
    folder: String,
    stranger: String,
    client: (String, String),
}

/// A server with a listener for each kind of trouble, and the files that clients need.
async fn secure_server() -> (OpenBao, Files, Authority) {
    let authority = Authority::new("authority of a test");
    let listener = |pair: Pair, client_authority: Option<String>| TlsListener {
        certificate: pair.certificate,
        key: pair.key,
        client_authority,
        ..TlsListener::default()
    };
    let bao = OpenBao::start_with(&[
        listener(authority.sign(&["127.0.0.1"]), None),
        listener(authority.sign(&["vault.internal"]), None),
        listener(authority.sign_expired(&["127.0.0.1"]), None),
        listener(authority.sign(&["127.0.0.1"]), Some(authority.pem())),
    ])
    .await;
    let folder = bao.folder().join("authorities");
    std::fs::create_dir(&folder).unwrap();
    let file = |name: &str, content: &str| {
        let path = bao.folder().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let client = authority.sign(&["client"]);
    let files = Files {
        authority: file("authorities/ca.pem", &authority.pem()),
        folder: folder.display().to_string(),
        stranger: file("stranger.pem", &Authority::new("another").pem()),
        client: (
            file("c.pem", &client.certificate),
            file("c.key", &client.key),
        ),
    };
    (bao, files, authority)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tls_works_as_configured_and_says_what_is_wrong_with_it() {
    let (bao, files, authority) = secure_server().await;
    let [good, renamed, expired, mutual] = [0, 1, 2, 3].map(|index| bao.tls_address(index));
    let plain_for_secure = good.replace("https", "http");
    let secure_for_plain = bao.address().replace("http", "https");
    let wrong_port = format!("https://127.0.0.1:{}", free_port());
    let downgrade = Proxy::secure(
        &authority.sign(&["127.0.0.1"]),
        [Step::redirect(
            307,
            &format!("{}/v1/secret/data/downgrade", bao.address()),
        )],
    )
    .await;
    let file = format!("ca_cert_file = \"{}\"", files.authority);
    let folder = format!("ca_cert_dir = \"{}\"", files.folder);
    let stranger = format!("ca_cert_file = \"{}\"", files.stranger);
    let client = format!(
        "client_auth = {{ cert_file = \"{}\", key_file = \"{}\" }}",
        files.client.0, files.client.1
    );
    let works = [
        ("by-file", good, vec![&*file]),
        ("by-folder", good, vec![&*folder]),
        (
            "by-name",
            renamed,
            vec![&*file, "tls_server_name = \"vault.internal\""],
        ),
        ("unchecked", expired, vec!["skip_tls_verify = true"]),
        ("unchecked-name", renamed, vec!["skip_tls_verify = true"]),
        ("mutual", mutual, vec![&*file, &*client]),
        ("plain", bao.address(), vec![]),
    ];
    let tls = "No secure connection to Vault";
    let reach = "Vault cannot be reached";
    let broken = [
        (
            "stranger",
            good,
            vec![&*stranger],
            tls,
            "Set ca_cert_file or VAULT_CACERT",
        ),
        (
            "nobody",
            good,
            vec![],
            tls,
            "Set ca_cert_file or VAULT_CACERT",
        ),
        (
            "another-name",
            renamed,
            vec![&*file],
            tls,
            "tls_server_name",
        ),
        (
            "expired",
            expired,
            vec![&*file],
            tls,
            "Renew the server's certificate",
        ),
        ("no-client", mutual, vec![&*file], tls, "Set client_auth"),
        (
            "not-tls",
            &*secure_for_plain,
            vec![&*file],
            tls,
            "begins with http://",
        ),
        (
            "not-plain",
            &*plain_for_secure,
            vec![],
            "Vault expects https",
            "begins with https://",
        ),
        (
            "wrong-port",
            &*wrong_port,
            vec![&*file],
            reach,
            "Nothing is listening there",
        ),
        (
            "no-host",
            "https://vault.invalid",
            vec![&*file],
            reach,
            "Check the host name",
        ),
        (
            "downgrade",
            downgrade.address(),
            vec![&*file],
            "Vault redirects to another address",
            "not sent there",
        ),
    ];
    let mut text = String::new();
    let all = works
        .iter()
        .map(|(name, address, lines)| (name, address, lines))
        .chain(
            broken
                .iter()
                .map(|(name, address, lines, ..)| (name, address, lines)),
        );
    for (name, address, lines) in all {
        bao.put("secret", name, json!({ "claude_oauth_token": token(name) }))
            .await;
        text += &format!(
            "provider \"claude\" {{\n  alias = \"{name}\"\n  address = \"{address}\"\n  \
             max_retries = 0\n  {}\n}}\n\n\
             resource \"claude_oauth_token\" \"{name}\" {{\n  provider = claude.{name}\n  \
             path = \"{name}\"\n}}\n\n",
            lines.join("\n  ")
        );
    }
    let mut workspace = Workspace::new("tls");
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace.configure(&text);
    let run = workspace.run(["apply", "-json", "-auto-approve", "-parallelism=64"]);
    let told = run.exits(1).told();
    for (name, _, _, summary, says) in &broken {
        fails(&told, name, summary, &[says]);
    }
    assert_eq!(told.len(), broken.len(), "{told:#?}");
    let kept = workspace.run(["state", "list"]).stdout;
    let mut expected: Vec<_> = works
        .iter()
        .map(|(name, ..)| format!("claude_oauth_token.{name}"))
        .collect();
    expected.sort();
    assert_eq!(kept.lines().collect::<Vec<_>>(), expected);
    // The place that it was sent to got no request: all of them came from the tokens that work.
    assert_eq!(bao.count("read", "secret/data/downgrade"), 0);
}

#[tokio::test]
async fn the_environment_configures_tls_as_the_command_line_of_vault_does() {
    let (bao, files, _) = secure_server().await;
    bao.put(
        "secret",
        "agent",
        json!({ "claude_oauth_token": token("agent") }),
    )
    .await;
    let mut workspace = Workspace::new("tls-environment");
    workspace.configure("resource \"claude_oauth_token\" \"agent\" {\n  path = \"agent\"\n}\n");
    workspace.set("VAULT_TOKEN", OpenBao::ROOT);
    workspace
        .command(["apply", "-auto-approve"])
        .env("VAULT_ADDR", bao.tls_address(3))
        .env("VAULT_CACERT", &files.authority)
        .env("VAULT_CLIENT_CERT", &files.client.0)
        .env("VAULT_CLIENT_KEY", &files.client.1)
        .run()
        .exits(0);
    for variables in [
        vec![
            ("BAO_ADDR", bao.tls_address(0)),
            ("BAO_CAPATH", &files.folder),
        ],
        vec![
            ("VAULT_ADDR", bao.tls_address(1)),
            ("VAULT_CACERT", &files.authority),
            ("BAO_TLS_SERVER_NAME", "vault.internal"),
        ],
        vec![
            ("VAULT_ADDR", bao.tls_address(2)),
            ("VAULT_SKIP_VERIFY", "1"),
        ],
        // The first name of each pair counts.
        vec![
            ("VAULT_ADDR", bao.address()),
            ("BAO_ADDR", "http://127.0.0.1:1"),
        ],
    ] {
        let mut plan = workspace.command(["plan"]);
        for (name, value) in variables {
            plan = plan.env(name, value);
        }
        plan.run().changes_nothing();
    }
}

//! Proxies, as Vault's own client uses them, and Unix sockets.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use terraform_provider_claude::vault::{
    ConnectionProblem, Proxies, ProxyVariables, Settings, VaultError,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use url::Url;

use super::{path, settings, store, text, token};
use crate::support::certificates::Authority;
use crate::support::openbao::{OpenBao, TlsListener};
use crate::support::provision;
use crate::support::proxy::{Proxy, Step};

/// An address, the variables that are set (`P` stands for the proxy), and whether it is used.
type Case = (&'static str, &'static [(&'static str, &'static str)], bool);

const CASES: &[Case] = &[
    ("http://127.0.0.1:1", &[("HTTP_PROXY", "P")], false),
    ("http://127.1.2.3:1", &[("HTTP_PROXY", "P")], false),
    ("http://localhost:1", &[("HTTP_PROXY", "P")], false),
    ("http://[::1]:1", &[("HTTP_PROXY", "P")], false),
    ("http://127.0.0.1:1", &[("VAULT_PROXY_ADDR", "P")], true),
    ("http://127.0.0.1:1", &[("VAULT_HTTP_PROXY", "P")], true),
    ("http://127.0.0.1:1", &[("BAO_PROXY_ADDR", "P")], true),
    ("http://127.0.0.1:1", &[("BAO_HTTP_PROXY", "P")], true),
    (
        "http://127.0.0.1:1",
        &[("VAULT_PROXY_ADDR", "P"), ("NO_PROXY", "*")],
        true,
    ),
    ("http://vault.invalid", &[("HTTP_PROXY", "P")], true),
    ("http://vault.invalid", &[("http_proxy", "P")], true),
    ("http://vault.invalid", &[("HTTPS_PROXY", "P")], false),
    ("http://vault.invalid", &[("ALL_PROXY", "P")], false),
    ("https://vault.invalid", &[("HTTPS_PROXY", "P")], true),
    ("https://vault.invalid", &[("https_proxy", "P")], true),
    ("https://vault.invalid", &[("HTTP_PROXY", "P")], false),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "*")],
        false,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("no_proxy", "vault.invalid")],
        false,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "invalid")],
        false,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", ".invalid")],
        false,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "*.invalid")],
        false,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", ".vault.invalid")],
        true,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "ault.invalid")],
        true,
    ),
    (
        "http://VAULT.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "Vault.INVALID")],
        false,
    ),
    (
        "http://vault.invalid:81",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "vault.invalid:81")],
        false,
    ),
    (
        "http://vault.invalid:82",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "vault.invalid:81")],
        true,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "a, vault.invalid ,b")],
        false,
    ),
    (
        "http://vault.invalid",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "vault.invalid b")],
        true,
    ),
    ("http://192.0.2.7", &[("HTTP_PROXY", "P")], true),
    (
        "http://192.0.2.7",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "192.0.2.0/24")],
        false,
    ),
    (
        "http://192.0.2.7",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "192.0.3.0/24")],
        true,
    ),
    (
        "http://192.0.2.7",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "192.0.2.7")],
        false,
    ),
    (
        "http://192.0.2.7:81",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "192.0.2.7:81")],
        false,
    ),
    (
        "http://192.0.2.7:82",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "192.0.2.7:81")],
        true,
    ),
    (
        "http://[2001:db8::7]:81",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "[2001:db8::7]:81")],
        false,
    ),
    (
        "http://[2001:db8::7]",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "2001:db8::/32")],
        false,
    ),
    (
        "http://[2001:db8::7]",
        &[("HTTP_PROXY", "P"), ("NO_PROXY", "2001:db9::/32")],
        true,
    ),
];

/// Returns what the provider makes of the variables.
fn proxies(variables: &BTreeMap<&'static str, String>) -> Proxies {
    let first = |names: &[&'static str]| {
        let mut names = names.iter();
        names.find_map(|name| Some((*name, variables.get(name)?.clone())))
    };
    Proxies::new(ProxyVariables {
        every: first(&[
            "VAULT_PROXY_ADDR",
            "VAULT_HTTP_PROXY",
            "BAO_PROXY_ADDR",
            "BAO_HTTP_PROXY",
        ]),
        https: first(&["HTTPS_PROXY", "https_proxy"]),
        http: first(&["HTTP_PROXY", "http_proxy"]),
        exceptions: first(&["NO_PROXY", "no_proxy"]).map(|(_, value)| value),
    })
}

/// A store that reads through the proxy that these variables set.
fn through(address: &str, variables: &[(&'static str, &str)]) -> Settings {
    let variables = variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    let mut through = settings(address, token(OpenBao::ROOT));
    through.proxies = proxies(&variables.collect());
    through.max_retries = 0;
    through
}

#[tokio::test]
async fn proxies_are_used_where_the_client_of_the_server_uses_them() {
    let check = |(address, variables, expected): Case| {
        let variables: Vec<(&'static str, &'static str)> = variables.to_vec();
        async move {
            let proxy = Proxy::alone(vec![Step::json(403, "{}"); 9]).await;
            let variables: BTreeMap<&'static str, String> = variables
                .into_iter()
                .map(|(name, value)| (name, value.replace('P', proxy.address())))
                .map(|(name, value)| match name {
                    // A host's name may have that letter.
                    "NO_PROXY" | "no_proxy" => (name, value.replace(proxy.address(), "P")),
                    _ => (name, value),
                })
                .collect();
            let ours = proxies(&variables);
            let ours = ours.for_url(&Url::parse(address).unwrap()).unwrap();
            let status = tokio::process::Command::new(provision::openbao())
                .args(["read", "secret/data/agent"])
                .env_clear()
                .env("HOME", "/nonexistent")
                .env("BAO_ADDR", address)
                .env("BAO_TOKEN", "t")
                .env("BAO_MAX_RETRIES", "0")
                .env("BAO_CLIENT_TIMEOUT", "2")
                .envs(&variables)
                .stdin(Stdio::null())
                .output()
                .await
                .unwrap();
            let theirs = !proxy.seen().is_empty();
            let told = String::from_utf8_lossy(&status.stderr).into_owned();
            assert_eq!(
                (ours.is_some(), theirs),
                (expected, expected),
                "{address} {variables:?}: {told}"
            );
        }
    };
    for some in CASES.chunks(6) {
        futures_util::future::join_all(some.iter().copied().map(check)).await;
    }
}

#[tokio::test]
async fn nothing_for_loopback_reaches_a_proxy() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let proxy = Proxy::alone(vec![Step::json(403, "{}"); 9]).await;
    let direct = through(bao.address(), &[("HTTP_PROXY", proxy.address())]);
    let reading = store(direct).read(&path("agent")).await.unwrap();
    assert_eq!(text(&reading, "token"), "one");
    assert!(proxy.seen().is_empty());
}

#[tokio::test]
async fn a_proxy_of_http_gets_the_whole_address_and_its_password() {
    let proxy = Proxy::alone([Step::html(407), Step::html(502)]).await;
    let known = proxy.address().replace("http://", "http://me:p%40ss@");
    let asks = through("http://vault.invalid:8200", &[("HTTP_PROXY", &known)]);
    let store = store(asks);
    let error = store.read(&path("agent")).await.unwrap_err();
    assert!(
        matches!(
            error,
            VaultError::Unreachable {
                problem: ConnectionProblem::ProxyCredentials,
                ..
            }
        ),
        "{error:?}"
    );
    let told = error.to_string();
    let shown = format!("through the proxy `{}`, set by HTTP_PROXY", proxy.address());
    assert!(told.contains(&shown) && !told.contains("ss@"), "{told}");
    let seen = proxy.seen();
    assert_eq!(seen[0].header("host"), Some("vault.invalid:8200"));
    // `me:p@ss`
    assert_eq!(
        seen[0].header("proxy-authorization"),
        Some("Basic bWU6cEBzcw==")
    );
}

#[tokio::test]
async fn a_server_name_changes_nothing_about_the_proxy() {
    let authority = Authority::new("authority of a test");
    let pair = authority.sign(&["vault.internal"]);
    let bao = OpenBao::start_with(&[TlsListener {
        certificate: pair.certificate,
        key: pair.key,
        client_authority: None,
        ..TlsListener::default()
    }])
    .await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let target = bao.tls_address(0).trim_start_matches("https://").to_owned();
    let tunnel = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(client.read_u8().await.unwrap());
        }
        let mut server = TcpStream::connect(target).await.unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
        String::from_utf8(asked).unwrap()
    });
    let file = bao.folder().join("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let mut named = through("https://vault.invalid:8200", &[("HTTPS_PROXY", &proxy)]);
    named.tls.ca_cert_file = Some(file);
    named.tls.server_name = Some("vault.internal".into());
    let store = store(named);
    let reading = store.read(&path("agent")).await.unwrap();
    assert_eq!(text(&reading, "token"), "one");
    drop(store);
    let asked = tunnel.await.unwrap();
    assert!(
        asked.starts_with("CONNECT vault.invalid:8200 HTTP/1.1\r\n"),
        "{asked}"
    );
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_named_by_its_variable() {
    let socks = through(
        "https://vault.invalid",
        &[("HTTPS_PROXY", "socks5://127.0.0.1:1080")],
    );
    let error = store(socks).read(&path("agent")).await.unwrap_err();
    assert_eq!(
        error,
        VaultError::Proxy {
            variable: "HTTPS_PROXY"
        }
    );
    // Where it is not used, it does not matter.
    let bao = OpenBao::start().await;
    let unused = through(bao.address(), &[("HTTP_PROXY", "socks5://127.0.0.1:1080")]);
    store(unused).read(&path("agent")).await.unwrap();
}

#[tokio::test]
async fn an_agent_behind_a_socket_is_reached_whatever_the_proxies() {
    let bao = OpenBao::start().await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let target = bao.address().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(&target).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let address = format!("unix://{}", socket.display());
    let behind = through(&address, &[("VAULT_PROXY_ADDR", "http://127.0.0.1:1")]);
    let reading = tokio::time::timeout(Duration::from_secs(20), async {
        store(behind).read(&path("agent")).await.unwrap()
    });
    assert_eq!(text(&reading.await.unwrap(), "token"), "one");
}

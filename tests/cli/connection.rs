//! Errors of the connection: commands have no provider block, so no text names its arguments.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::certificates::Authority;
use crate::support::openbao::{OpenBao, TlsListener};
use crate::support::proxy::{Proxy, Step};

use super::program::{Program, words};

/// What only a provider block has.
const ARGUMENTS: &[&str] = &[
    "ca_cert_",
    "tls_server_name",
    "skip_tls_verify",
    "client_auth",
    "auth_login",
    "max_retries",
    "secret_id",
    "token =",
    "argument",
    "`address`",
    "`token`",
    "`namespace`",
    "set mount",
    "provider block",
    "provider's",
    "provider \"claude\"",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn errors_of_the_connection_name_variables_and_no_arguments() {
    let authority = Authority::new("authority of a test");
    let listener = |name: &str, client_authority| {
        let pair = authority.sign(&[name]);
        TlsListener {
            certificate: pair.certificate,
            key: pair.key,
            client_authority,
            ..TlsListener::default()
        }
    };
    let bao = OpenBao::start_with(&[
        listener("127.0.0.1", None),
        listener("vault.internal", None),
        listener("127.0.0.1", Some(authority.pem())),
    ])
    .await;
    let trusted = authority.pem();
    let asking = Proxy::alone(std::iter::repeat_n(Step::html(407), 8)).await;
    let page = Proxy::alone(std::iter::repeat_n(Step::html(200), 8)).await;
    let elsewhere = Step::redirect(302, "https://login.example.com/");
    let elsewhere = Proxy::alone(std::iter::repeat_n(elsewhere, 8)).await;
    let wrapping = [bao.wrapping_token().await, bao.wrapping_token().await];
    let plain = bao.address();
    let wrong_path = format!("{plain}/vault");
    let not_https = bao.tls_address(0).replace("https:", "http:");
    let not_http = plain.replace("http:", "https:");
    let trusting = ("VAULT_CACERT_BYTES", trusted.as_str());
    let root = ("VAULT_TOKEN", OpenBao::ROOT);
    let at = |address| ("VAULT_ADDR", address);
    let through = |proxy| ("VAULT_PROXY_ADDR", proxy);
    let tls = |number| at(bao.tls_address(number));
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[at(plain)], "No Vault token"),
        (
            &[at(plain), ("VAULT_TOKEN", "s.unknown")],
            "The Vault token in VAULT_TOKEN has expired",
        ),
        (&[at("http://127.0.0.1:1"), root], "Vault cannot be reached"),
        (
            &[at("http://vault.invalid:8200"), root],
            "the host name cannot be resolved",
        ),
        (&[at("vault"), root], "Invalid address in VAULT_ADDR"),
        (&[at(&wrong_path), root], "Invalid Vault address"),
        (&[at(&not_https), root], "Vault expects https"),
        (&[at(&not_http), root], "the server does not use TLS"),
        (
            &[at(page.address()), root],
            "The response is not from Vault",
        ),
        (
            &[at(elsewhere.address()), root],
            "Vault redirects to another address",
        ),
        (&[tls(0), root], "Set VAULT_CACERT to"),
        (&[tls(1), root, trusting], "set VAULT_TLS_SERVER_NAME to"),
        (
            &[tls(2), root, trusting],
            "Set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY to",
        ),
        (
            &[tls(0), root, ("VAULT_CACERT", "/does/not/exist")],
            "/does/not/exist",
        ),
        (
            &[tls(0), root, ("VAULT_CACERT_BYTES", "garbage")],
            "VAULT_CACERT_BYTES",
        ),
        (
            &[tls(0), root, trusting, ("VAULT_CLIENT_CERT", "/client.pem")],
            "VAULT_CLIENT_KEY",
        ),
        (
            &[at(plain), root, ("VAULT_NAMESPACE", "nowhere")],
            "Vault namespace not found",
        ),
        (
            &[at(plain), root, through("http://127.0.0.1:1")],
            "Check the proxy that VAULT_PROXY_ADDR sets",
        ),
        (
            &[at(plain), root, through("socks5://127.0.0.1:1")],
            "Invalid proxy",
        ),
        (
            &[at(plain), root, through(asking.address())],
            "Set the user name and password in VAULT_PROXY_ADDR",
        ),
    ];
    let commands = [
        &["status", "agent"][..],
        &["find", "agent", "--fingerprint", "0123456789ab"],
    ];
    // Each case on its own thread, because some wait for their retries.
    tokio::task::block_in_place(|| {
        std::thread::scope(|threads| {
            for (command, wrapping) in commands.into_iter().zip(&wrapping) {
                let used_up = vec![at(plain), ("VAULT_TOKEN", wrapping)];
                let used_up = (used_up, "Wrapping token in place of a Vault token");
                let cases = cases.iter().map(|(set, told)| (set.to_vec(), *told));
                for (variables, told) in cases.chain([used_up]) {
                    threads.spawn(move || check(command, &variables, told));
                }
            }
        });
    });
}

/// Demands that a command tells the cause, and does not name what it does not have.
fn check(command: &[&str], variables: &[(&str, &str)], told: &str) {
    let mut program = Program::new();
    for (name, value) in variables {
        program = program.with(name, value);
    }
    let ran = program.run(command);
    ran.exits(1);
    let text = words(&format!("{} {}", ran.stdout, ran.stderr));
    assert!(text.contains(told), "{variables:?} {told}\n{ran:#?}");
    let text = text.replace("VAULT_TLS_SERVER_NAME", "").to_lowercase();
    for argument in ARGUMENTS {
        assert!(!text.contains(argument), "{argument}: {ran:#?}");
    }
}

/// Programs that start at the same moment would otherwise return at the same moment, each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_start_together_do_not_retry_together() {
    let steps = || {
        [
            Step::json(503, r#"{"errors":["busy"]}"#),
            Step::json(403, r#"{"errors":["permission denied"]}"#),
        ]
    };
    let proxies = join_all((0..8).map(|_| Proxy::alone(steps()))).await;
    let runs = proxies.iter().map(|proxy| {
        let program = Program::new()
            .with("VAULT_ADDR", proxy.address())
            .with("VAULT_TOKEN", "t");
        tokio::task::spawn_blocking(move || {
            program.run(&["status", "agent"]).exits(1);
        })
    });
    for run in join_all(runs).await {
        run.unwrap();
    }
    let waits = proxies.iter().map(|proxy| {
        let seen = proxy.seen();
        seen[1].at - seen[0].at
    });
    let waits: Vec<_> = waits.collect();
    // Between half of the first backoff and all of it: by chance, eight are as close as this once
    // in a million runs.
    let spread = *waits.iter().max().unwrap() - *waits.iter().min().unwrap();
    assert!(spread > Duration::from_millis(10), "{waits:?}");
}

//! Every kind of certificate that the server's own PKI engine issues.

use serde_json::{Value, json};
use terraform_provider_claude::vault::{ClientCertificate, Settings, TlsProblem, VaultError};

use super::{path, settings, store, text, token};
use crate::support::certificates::Pair;
use crate::support::openbao::{OpenBao, TlsListener};

/// Kinds of keys: type and bits.
const KINDS: &[(&str, u32)] = &[
    ("rsa", 2048),
    ("ec", 256),
    ("ec", 384),
    ("ec", 521),
    ("ed25519", 0),
];

/// An authority in the PKI engine of a server.
struct Engine<'a> {
    bao: &'a OpenBao,
    mount: String,
    pem: String,
}

impl<'a> Engine<'a> {
    /// Makes an authority with a key of a kind, whose RSA signatures have so many bits.
    async fn new(bao: &'a OpenBao, mount: &str, kind: (&str, u32), signature_bits: u32) -> Self {
        bao.must(
            "POST",
            &format!("sys/mounts/{mount}"),
            json!({ "type": "pki" }),
        )
        .await;
        let root = json!({
            "common_name": "authority of a test",
            "key_type": kind.0,
            "key_bits": kind.1,
            "signature_bits": signature_bits,
        });
        let made = bao
            .must("POST", &format!("{mount}/root/generate/internal"), root)
            .await;
        Self {
            bao,
            mount: mount.to_owned(),
            pem: string(&made["data"]["certificate"]),
        }
    }

    /// Issues a certificate for loopback with a key of a kind, and further settings of its role.
    async fn issue(&self, kind: (&str, u32), signature_bits: u32, role: Value) -> Pair {
        let mut role = role;
        role["allow_any_name"] = json!(true);
        role["key_type"] = json!(kind.0);
        role["key_bits"] = json!(kind.1);
        role["signature_bits"] = json!(signature_bits);
        let mount = &self.mount;
        self.bao
            .must("POST", &format!("{mount}/roles/test"), role)
            .await;
        let request = json!({ "common_name": "vault.test", "ip_sans": "127.0.0.1", "ttl": "1h" });
        let made = self
            .bao
            .must("POST", &format!("{mount}/issue/test"), request)
            .await;
        Pair {
            certificate: string(&made["data"]["certificate"]),
            key: string(&made["data"]["private_key"]),
        }
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn listener(pair: Pair, client_authority: Option<String>) -> TlsListener {
    TlsListener {
        certificate: pair.certificate,
        key: pair.key,
        client_authority,
        ..TlsListener::default()
    }
}

/// Settings for a listener, with what is trusted in PEM.
fn trusting(bao: &OpenBao, index: usize, authority: &str) -> Settings {
    let mut trusting = settings(bao.tls_address(index), token(OpenBao::ROOT));
    trusting.tls.ca_cert_pem = Some(authority.to_owned());
    trusting.max_retries = 0;
    trusting
}

async fn reads(settings: Settings) -> Result<String, VaultError> {
    let reading = store(settings).read(&path("agent")).await?;
    Ok(text(&reading, "token"))
}

#[tokio::test]
async fn every_kind_that_the_engine_issues_is_accepted() {
    let issuer = OpenBao::start_unaudited().await;
    let mut listeners = Vec::new();
    let mut trusted = Vec::new();
    for (number, authority) in KINDS.iter().enumerate() {
        for (signature_bits, use_pss) in [(256, false), (384, false), (512, false), (256, true)] {
            if authority.0 != "rsa" && (signature_bits > 256 || use_pss) {
                // Their keys decide about the signature.
                continue;
            }
            let role = json!({ "use_pss": use_pss });
            let mount = format!("pki-{number}-{signature_bits}-{use_pss}");
            let engine = Engine::new(&issuer, &mount, *authority, signature_bits).await;
            for kind in KINDS {
                listeners.push(listener(
                    engine.issue(*kind, signature_bits, role.clone()).await,
                    None,
                ));
                trusted.push((*authority, signature_bits, *kind, engine.pem.clone()));
            }
        }
    }
    let client_engine = Engine::new(&issuer, "pki-clients", ("ec", 521), 0).await;
    let mut clients = Vec::new();
    for kind in KINDS {
        clients.push(client_engine.issue(*kind, 0, json!({})).await);
    }
    let mutual = listeners.len();
    let server = client_engine.issue(("ec", 256), 0, json!({})).await;
    listeners.push(listener(server, Some(client_engine.pem.clone())));
    for is_older in [false, true] {
        for listener in &mut listeners {
            listener.is_older = is_older;
        }
        let bao = OpenBao::start_with(&listeners).await;
        bao.put("secret", "agent", json!({ "token": "one" })).await;
        for (index, (authority, signature_bits, kind, pem)) in trusted.iter().enumerate() {
            let read = reads(trusting(&bao, index, pem)).await;
            assert_eq!(
                read,
                Ok("one".to_owned()),
                "{kind:?} signed by {authority:?} with {signature_bits}"
            );
            // The certificate itself, pinned.
            let pinned = &listeners[index].certificate;
            assert_eq!(
                reads(trusting(&bao, index, pinned)).await,
                Ok("one".to_owned()),
                "{kind:?} pinned"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        for (kind, pair) in KINDS.iter().zip(&clients) {
            let cert_file = folder.path().join("client.pem");
            let key_file = folder.path().join("client.key");
            std::fs::write(&cert_file, &pair.certificate).unwrap();
            std::fs::write(&key_file, &pair.key).unwrap();
            let mut shows = trusting(&bao, mutual, &client_engine.pem);
            shows.tls.client_certificate = Some(ClientCertificate {
                cert_file,
                key_file,
            });
            assert_eq!(reads(shows).await, Ok("one".to_owned()), "client {kind:?}");
        }
    }
}

#[tokio::test]
async fn a_renewed_authority_with_the_same_name_is_told_from_the_old_one() {
    let issuer = OpenBao::start_unaudited().await;
    let old = Engine::new(&issuer, "old", ("ec", 256), 0).await;
    let renewed = Engine::new(&issuer, "renewed", ("ec", 521), 0).await;
    let bao = OpenBao::start_with(&[
        listener(old.issue(("ec", 256), 0, json!({})).await, None),
        listener(renewed.issue(("ec", 256), 0, json!({})).await, None),
    ])
    .await;
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    for both in [
        format!("{}\n{}", old.pem, renewed.pem),
        format!("{}\n{}", renewed.pem, old.pem),
    ] {
        for index in [0, 1] {
            assert_eq!(
                reads(trusting(&bao, index, &both)).await,
                Ok("one".to_owned())
            );
        }
    }
    assert_eq!(
        problem(reads(trusting(&bao, 1, &old.pem)).await),
        TlsProblem::AnotherKey
    );
}

#[tokio::test]
async fn kinds_that_are_not_supported_are_named() {
    let issuer = OpenBao::start_unaudited().await;
    let small = Engine::new(&issuer, "small", ("ec", 224), 0).await;
    let usual = Engine::new(&issuer, "usual", ("ec", 256), 0).await;
    let server = small.issue(("ec", 256), 0, json!({})).await;
    let small_server = usual.issue(("ec", 224), 0, json!({})).await;
    let client_only = json!({ "server_flag": false, "client_flag": true });
    let client_only = usual.issue(("ec", 256), 0, client_only).await;
    let bao = OpenBao::start_with(&[
        listener(server, None),
        listener(small_server, None),
        listener(client_only, None),
    ])
    .await;
    let told = async |index: usize, engine: &Engine<'_>| {
        problem(reads(trusting(&bao, index, &engine.pem)).await)
    };
    assert_eq!(
        told(0, &small).await.to_string(),
        "the server uses a certificate signed with a key on P-224, which is not supported"
    );
    assert_eq!(told(1, &usual).await, TlsProblem::NothingInCommon);
    assert_eq!(told(2, &usual).await, TlsProblem::NotForServers);
}

fn problem(read: Result<String, VaultError>) -> TlsProblem {
    match read {
        Err(VaultError::Tls { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

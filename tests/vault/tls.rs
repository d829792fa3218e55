//! Trust, names and client certificates against real TLS listeners.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use terraform_provider_claude::vault::{
    ClientCertificate, ConnectionProblem, Settings, TlsProblem, TlsSettings, VaultError,
};

use super::{path, settings, store, text, token};
use crate::support::certificates::{Authority, Pair, self_signed};
use crate::support::openbao::{OpenBao, TlsListener};

/// A server with listeners of every kind, and the files that clients need.
struct Fixture {
    bao: OpenBao,
    authority: PathBuf,
    stranger: PathBuf,
    client: ClientCertificate,
    stranger_client: ClientCertificate,
}

const GOOD: usize = 0;
const RENAMED: usize = 1;
const EXPIRED: usize = 2;
const MUTUAL: usize = 3;

async fn fixture() -> Fixture {
    let authority = Authority::new("authority of a test");
    let stranger = Authority::new("another authority");
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
    bao.put("secret", "agent", json!({ "token": "one" })).await;
    let folder = bao.folder().to_owned();
    let file = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let client = |name: &str, pair: Pair| ClientCertificate {
        cert_file: file(&format!("{name}.pem"), &pair.certificate),
        key_file: file(&format!("{name}.key"), &pair.key),
    };
    Fixture {
        authority: file("authority.pem", &authority.pem()),
        stranger: file("stranger.pem", &stranger.pem()),
        client: client("client", authority.sign(&["client"])),
        stranger_client: client("stranger-client", stranger.sign(&["client"])),
        bao,
    }
}

impl Fixture {
    fn settings(&self, listener: usize, tls: TlsSettings) -> Settings {
        let mut settings = settings(self.bao.tls_address(listener), token(OpenBao::ROOT));
        settings.tls = tls;
        settings.max_retries = 0;
        settings
    }

    async fn read(&self, listener: usize, tls: TlsSettings) -> Result<String, VaultError> {
        let reading = store(self.settings(listener, tls))
            .read(&path("agent"))
            .await?;
        Ok(text(&reading, "token"))
    }

    async fn problem(&self, listener: usize, tls: TlsSettings) -> TlsProblem {
        match self.read(listener, tls).await {
            Err(VaultError::Tls { problem, address }) => {
                assert_eq!(address.address, self.bao.tls_address(listener));
                problem
            }
            other => panic!("{other:?}"),
        }
    }
}

fn trusting(file: &Path) -> TlsSettings {
    TlsSettings {
        ca_cert_file: Some(file.to_owned()),
        ..TlsSettings::default()
    }
}

#[tokio::test]
async fn only_given_authorities_are_trusted() {
    let fixture = fixture().await;
    let one = Ok("one".to_owned());
    assert_eq!(fixture.read(GOOD, trusting(&fixture.authority)).await, one);

    let folder = fixture.bao.folder().join("authorities");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&fixture.authority, folder.join("one.pem")).unwrap();
    let from_folder = TlsSettings {
        ca_cert_dir: Some(folder),
        ..TlsSettings::default()
    };
    assert_eq!(fixture.read(GOOD, from_folder).await, one);

    let stranger = fixture.problem(GOOD, trusting(&fixture.stranger)).await;
    assert_eq!(stranger, TlsProblem::UnknownAuthority);
    // A machine without any authorities says that in place of it.
    let platform = fixture.problem(GOOD, TlsSettings::default()).await;
    assert!(
        matches!(
            platform,
            TlsProblem::UnknownAuthority | TlsProblem::NoAuthorities
        ),
        "{platform}"
    );
}

#[tokio::test]
async fn names_and_dates_are_checked_unless_told_otherwise() {
    let fixture = fixture().await;
    let one = Ok("one".to_owned());
    let trusting = || trusting(&fixture.authority);
    assert_eq!(
        fixture.problem(RENAMED, trusting()).await,
        TlsProblem::NameMismatch
    );
    assert_eq!(
        fixture.problem(EXPIRED, trusting()).await,
        TlsProblem::Expired
    );
    let named = |name: &str| TlsSettings {
        server_name: Some(name.to_owned()),
        ..trusting()
    };
    assert_eq!(fixture.read(RENAMED, named("vault.internal")).await, one);
    assert_eq!(
        fixture.problem(RENAMED, named("other.internal")).await,
        TlsProblem::NameMismatch
    );
    for listener in [GOOD, RENAMED, EXPIRED] {
        let careless = TlsSettings {
            skip_verify: true,
            ..TlsSettings::default()
        };
        assert_eq!(fixture.read(listener, careless).await, one);
    }
}

#[tokio::test]
async fn a_server_may_be_an_authority_only_where_it_is_the_one_that_was_given() {
    let authority = Authority::new("authority of a test");
    let own = self_signed(&["127.0.0.1"]);
    let renamed = self_signed(&["vault.internal"]);
    let signed = authority.sign_authority(&["127.0.0.1"]);
    let trusted = [&own.certificate, &renamed.certificate, &authority.pem()];
    let trusted = trusted.map(String::as_str).concat();
    let listener = |pair: Pair| TlsListener {
        certificate: pair.certificate,
        key: pair.key,
        client_authority: None,
        ..TlsListener::default()
    };
    let bao = OpenBao::start_with(&[listener(own), listener(renamed), listener(signed)]).await;
    let file = bao.folder().join("trusted.pem");
    std::fs::write(&file, trusted).unwrap();
    let read = async |listener: usize| {
        let mut settings = settings(bao.tls_address(listener), token(OpenBao::ROOT));
        settings.tls = trusting(&file);
        match store(settings).read(&path("agent")).await {
            Ok(_) => None,
            Err(VaultError::Tls { problem, .. }) => Some(problem),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(read(0).await, None);
    assert_eq!(read(1).await, Some(TlsProblem::NameMismatch));
    assert_eq!(read(2).await, Some(TlsProblem::AuthorityAsServer));
}

#[tokio::test]
async fn client_certificates_are_shown_and_missed() {
    let fixture = fixture().await;
    let showing = |client: &ClientCertificate| TlsSettings {
        client_certificate: Some(client.clone()),
        ..trusting(&fixture.authority)
    };
    assert_eq!(
        fixture.read(MUTUAL, showing(&fixture.client)).await,
        Ok("one".to_owned())
    );
    assert_eq!(
        fixture.problem(MUTUAL, trusting(&fixture.authority)).await,
        TlsProblem::ClientCertificateRequired
    );
    assert_eq!(
        fixture
            .problem(MUTUAL, showing(&fixture.stranger_client))
            .await,
        TlsProblem::ClientCertificateRefused
    );
}

#[tokio::test]
async fn the_wrong_scheme_is_told() {
    let fixture = fixture().await;
    let secure = fixture.bao.tls_address(GOOD).to_owned();
    let plain_for_secure = secure.replace("https", "http");
    let reader = store(settings(&plain_for_secure, token(OpenBao::ROOT)));
    assert_eq!(
        reader.read(&path("agent")).await,
        Err(VaultError::HttpsExpected {
            address: plain_for_secure.as_str().into()
        })
    );

    let secure_for_plain = fixture.bao.address().replace("http", "https");
    let mut settings = settings(&secure_for_plain, token(OpenBao::ROOT));
    settings.tls = trusting(&fixture.authority);
    assert_eq!(
        store(settings).read(&path("agent")).await,
        Err(VaultError::Tls {
            address: secure_for_plain.as_str().into(),
            problem: TlsProblem::NotTls
        })
    );
}

#[tokio::test]
async fn the_server_name_is_sent_and_the_host_connected_to() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = rustls::server::Acceptor::default();
        let start = tokio_rustls::LazyConfigAcceptor::new(acceptor, stream);
        let start = start.await.unwrap();
        start.client_hello().server_name().map(str::to_owned)
    });
    let mut settings = settings(&address, token("t"));
    settings.max_retries = 0;
    settings.tls.skip_verify = true;
    settings.tls.server_name = Some("vault.internal".into());
    let reader = Arc::new(store(settings));
    let error = reader.read(&path("agent")).await.unwrap_err();
    assert!(
        matches!(
            &error,
            VaultError::Unreachable {
                problem: ConnectionProblem::Closed | ConnectionProblem::Reset,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(server.await.unwrap().as_deref(), Some("vault.internal"));
}

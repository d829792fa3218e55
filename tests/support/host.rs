//! Plays the plugin host against the real binary, over its real socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure here is a failed test"
)]

mod certificate;
mod process;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::support::generated::plugin::Empty;
use crate::support::generated::plugin::grpc_controller_client::GrpcControllerClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};

pub(crate) use certificate::Identity;
pub(crate) use process::{Ended, Process};

/// The cookie that real hosts set.
pub(crate) const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// Time in which a process ends that nothing holds up, on a machine that is busy. A host kills after
/// 2 s, and an attempt to reach Vault, which could hold it up, has 10 s.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(8);

/// Bounds every wait, so that a failing test ends.
pub(crate) const BOUND: Duration = Duration::from_secs(30);

/// How the binary is started.
pub(crate) struct Options {
    /// The host's certificate; without one the connection is plaintext.
    pub(crate) identity: Option<Identity>,
    /// Variables on top of those that a host sets; `None` takes one away.
    pub(crate) variables: Vec<(&'static str, Option<String>)>,
}

impl Default for Options {
    /// Starts the binary as Terraform does.
    fn default() -> Self {
        Self {
            identity: Some(Identity::p521()),
            variables: Vec::new(),
        }
    }
}

impl Options {
    /// Starts the binary as Terraform does where the user turned TLS off.
    pub(crate) fn plaintext() -> Self {
        Self {
            identity: None,
            variables: Vec::new(),
        }
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, Some(value.into())));
        self
    }

    /// Takes a variable away.
    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.variables.push((name, None));
        self
    }

    /// Variables that the process gets, and no others.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let certificate = self.identity.as_ref().map(Identity::pem);
        let standard = [
            ("TF_PLUGIN_MAGIC_COOKIE", Some(COOKIE.to_owned())),
            ("PLUGIN_PROTOCOL_VERSIONS", Some("5,6".to_owned())),
            ("PLUGIN_MIN_PORT", Some("10000".to_owned())),
            ("PLUGIN_MAX_PORT", Some("25000".to_owned())),
            ("PLUGIN_CLIENT_CERT", certificate),
        ];
        let mut variables = std::collections::BTreeMap::new();
        for (name, value) in standard.into_iter().chain(self.variables.iter().cloned()) {
            match value {
                Some(value) => variables.insert(name.to_owned(), value),
                None => variables.remove(name),
            };
        }
        variables.into_iter().collect()
    }
}

/// A running plugin and what it said in its handshake.
pub(crate) struct Host {
    pub(crate) process: Process,
    pub(crate) handshake: Handshake,
    identity: Option<Identity>,
}

/// The handshake line, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    pub(crate) fields: Vec<String>,
}

impl Handshake {
    /// Takes the line apart.
    pub(crate) fn parse(line: &str) -> Self {
        Self {
            fields: line.split('|').map(str::to_owned).collect(),
        }
    }

    /// Path of the socket.
    pub(crate) fn socket(&self) -> PathBuf {
        PathBuf::from(&self.fields[3])
    }

    /// Certificate of the plugin; padding or line breaks in it are an error, as they are to hosts.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        STANDARD_NO_PAD.decode(&self.fields[5]).unwrap().into()
    }
}

impl Host {
    /// Starts the binary and reads its handshake line.
    pub(crate) async fn launch(options: Options) -> Self {
        let process = Process::start(&[], &options.environment());
        Self::greet(process, options).await
    }

    /// Starts another provider and reads its handshake line.
    #[allow(dead_code, reason = "benches start the release binary")]
    pub(crate) async fn launch_program(program: &Path, options: Options) -> Self {
        let process = Process::start_program(program, &[], &options.environment());
        Self::greet(process, options).await
    }

    async fn greet(mut process: Process, options: Options) -> Self {
        let line = process.first_line().await;
        Self {
            handshake: Handshake::parse(&line),
            process,
            identity: options.identity,
        }
    }

    /// Connects as the host does: with its certificate, or in plaintext where it has none.
    pub(crate) async fn channel(&self) -> Channel {
        self.connect(self.identity.as_ref(), rustls::ALL_VERSIONS)
            .await
            .unwrap()
    }

    /// Connects in plaintext.
    pub(crate) async fn plaintext_channel(&self) -> Result<Channel, tonic::transport::Error> {
        self.connect(None, &[]).await
    }

    /// Connects with any certificate, or in plaintext, and with any versions of TLS.
    pub(crate) async fn connect(
        &self,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Result<Channel, tonic::transport::Error> {
        let socket = self.handshake.socket();
        match identity {
            None => plaintext(socket).await,
            Some(identity) => {
                let config = client_config(&self.handshake, Some(identity), versions);
                encrypted(socket, config).await
            }
        }
    }

    /// Brings a TLS connection up without speaking HTTP/2 through it.
    pub(crate) async fn tls(
        &self,
        identity: Option<&Identity>,
    ) -> io::Result<TlsStream<UnixStream>> {
        let config = client_config(&self.handshake, identity, rustls::ALL_VERSIONS);
        connect_tls(self.handshake.socket(), config).await
    }

    /// Asks the plugin to shut down, closes the connection and waits for its end.
    pub(crate) async fn shut_down(self, channel: Channel) -> Ended {
        GrpcControllerClient::new(channel)
            .shutdown(Empty {})
            .await
            .unwrap();
        self.process.ended().await
    }
}

/// Connects to a socket in plaintext.
pub(crate) async fn plaintext(socket: PathBuf) -> Result<Channel, tonic::transport::Error> {
    let connector = move |_: Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    };
    Endpoint::from_static("http://localhost")
        .connect_with_connector(tower::service_fn(connector))
        .await
}

async fn encrypted(
    socket: PathBuf,
    config: Arc<ClientConfig>,
) -> Result<Channel, tonic::transport::Error> {
    let connector = move |_: Uri| {
        let (socket, config) = (socket.clone(), Arc::clone(&config));
        async move { connect_tls(socket, config).await.map(TokioIo::new) }
    };
    Endpoint::from_static("http://localhost")
        .connect_with_connector(tower::service_fn(connector))
        .await
}

async fn connect_tls(
    socket: PathBuf,
    config: Arc<ClientConfig>,
) -> io::Result<TlsStream<UnixStream>> {
    let stream = UnixStream::connect(socket).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(config).connect(name, stream).await
}

/// Trusts the certificate of the handshake line alone, and offers the identity if there is one.
fn client_config(
    handshake: &Handshake,
    identity: Option<&Identity>,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(handshake.certificate()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let chain = vec![identity.certificate().clone()];
            let key = CertifiedKey::new(chain, identity.key());
            config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

//! A real OpenBao server for one test, in memory, ended when the test is.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::provision;

/// Time for a server to answer its first request.
const START: Duration = Duration::from_secs(30);

/// A dev server with its KV v2 engine at `secret`.
pub(crate) struct OpenBao {
    process: Child,
    address: String,
    tls_addresses: Vec<String>,
    folder: tempfile::TempDir,
    http: reqwest::Client,
}

/// A further listener that speaks TLS.
#[derive(Clone, Default)]
pub(crate) struct TlsListener {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// Authority of the client certificates that are demanded.
    pub(crate) client_authority: Option<String>,
    /// Whether it speaks TLS 1.2 alone.
    pub(crate) is_older: bool,
}

/// A request that the server took note of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditedRequest {
    /// Such as `read` or `update`.
    pub(crate) operation: String,
    /// Such as `secret/data/a`.
    pub(crate) path: String,
}

impl OpenBao {
    /// Token of the root user.
    pub(crate) const ROOT: &'static str = "root-of-one-test";

    /// Starts a server that speaks plain HTTP on loopback.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server that takes no note of its requests, for tests that make very many.
    pub(crate) async fn start_unaudited() -> Self {
        Self::start_as(&[], false).await
    }

    /// Starts a server that has TLS listeners, too.
    pub(crate) async fn start_with(listeners: &[TlsListener]) -> Self {
        Self::start_as(listeners, true).await
    }

    async fn start_as(listeners: &[TlsListener], audited: bool) -> Self {
        for _ in 0..5 {
            // Another process may take the port between our look and the server's.
            if let Some(server) = Self::try_start(listeners, audited).await {
                return server;
            }
        }
        panic!("no OpenBao server came up in five attempts");
    }

    async fn try_start(listeners: &[TlsListener], audited: bool) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut config = String::new();
        if audited {
            writeln!(
                config,
                "audit \"file\" \"requests\" {{\n  options {{\n    file_path = \"{}\"\n  }}\n}}",
                folder.path().join("audit.log").display()
            )
            .unwrap();
        }
        let mut tls_addresses = Vec::new();
        for (index, listener) in listeners.iter().enumerate() {
            let port = free_port();
            let file = |name: &str, content: &str| {
                let path = folder.path().join(format!("{index}-{name}.pem"));
                std::fs::write(&path, content).unwrap();
                path.display().to_string()
            };
            write!(
                config,
                "listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = \"{}\"\n  tls_key_file = \"{}\"\n",
                file("cert", &listener.certificate),
                file("key", &listener.key),
            )
            .unwrap();
            if let Some(authority) = &listener.client_authority {
                write!(
                    config,
                    "  tls_require_and_verify_client_cert = true\n  tls_client_ca_file = \"{}\"\n",
                    file("client-ca", authority)
                )
                .unwrap();
            }
            if listener.is_older {
                config.push_str("  tls_max_version = \"tls12\"\n");
            }
            config.push_str("}\n");
            tls_addresses.push(format!("https://127.0.0.1:{port}"));
        }
        let config_file = folder.path().join("config.hcl");
        std::fs::write(&config_file, config).unwrap();
        let log = std::fs::File::create(folder.path().join("server.log")).unwrap();
        let process = Command::new(provision::openbao())
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={}", Self::ROOT))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .arg(format!("-config={}", config_file.display()))
            .env_clear()
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the server binary starts");
        let mut server = Self {
            process,
            address: format!("http://127.0.0.1:{port}"),
            tls_addresses,
            folder,
            http: reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .tls_backend_preconfigured(super::certificates::trusting_nobody())
                .build()
                .unwrap(),
        };
        if !server.wait_until_ready().await {
            return None;
        }
        // Vault takes audit devices by API, OpenBao from its configuration alone.
        let log = server.folder.path().join("audit.log");
        // The file may be a moment behind the first answer of a server that knows its device.
        let deadline = std::time::Instant::now() + Duration::from_secs(2);
        while audited && !log.exists() && std::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if audited && !log.exists() {
            let device = json!({ "type": "file", "options": { "file_path": log } });
            server.must("POST", "sys/audit/requests", device).await;
        }
        Some(server)
    }

    /// Waits for the KV engine: the dev server mounts it after it first reports health.
    async fn wait_until_ready(&mut self) -> bool {
        let ready = async {
            loop {
                if self.process.try_wait().unwrap().is_some() {
                    return false;
                }
                let probe = self
                    .http
                    .get(format!("{}/v1/secret/config", self.address))
                    .header("X-Vault-Token", Self::ROOT)
                    .send()
                    .await;
                if probe.is_ok_and(|answer| answer.status().is_success()) {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(START, ready).await {
            Ok(ready) => ready,
            Err(_) => panic!("the server is not ready: {}", self.log()),
        }
    }

    /// Returns what the server logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// Returns the plain HTTP address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the address of a TLS listener.
    pub(crate) fn tls_address(&self, index: usize) -> &str {
        &self.tls_addresses[index]
    }

    /// Returns a folder that lives as long as the server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Calls the API as root and returns status and body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.call_as(Self::ROOT, method, path, body).await
    }

    /// Calls the API with a token. The path is sent as it is, so it must be encoded.
    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let mut request = self
            .http
            .request(
                method.parse().unwrap(),
                format!("{}/v1/{path}", self.address),
            )
            .header("X-Vault-Token", token);
        if !body.is_null() {
            let kind = match method {
                "PATCH" => "application/merge-patch+json",
                _ => "application/json",
            };
            request = request.header("Content-Type", kind).body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Calls the API as root and returns status and body as text: what a JSON value in between
    /// would change is seen there.
    pub(crate) async fn call_text(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let answer = self
            .http
            .request(
                method.parse().unwrap(),
                format!("{}/v1/{path}", self.address),
            )
            .header("X-Vault-Token", Self::ROOT)
            .header("Content-Type", "application/json")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap())
    }

    /// Makes a wrapping token.
    pub(crate) async fn wrapping_token(&self) -> String {
        let answer = self
            .http
            .request(
                "POST".parse().unwrap(),
                format!("{}/v1/sys/wrapping/wrap", self.address),
            )
            .header("X-Vault-Token", Self::ROOT)
            .header("X-Vault-Wrap-TTL", "5m")
            .header("Content-Type", "application/json")
            .body(json!({ "token": "of nobody" }).to_string())
            .send()
            .await
            .unwrap();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        body["wrap_info"]["token"].as_str().unwrap().to_owned()
    }

    /// Calls the API as root and fails the test where that fails.
    pub(crate) async fn must(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    /// Writes a new version of a secret and returns its number.
    pub(crate) async fn put(&self, mount: &str, path: &str, fields: Value) -> u64 {
        let target = format!("{mount}/data/{path}");
        let answer = self.must("POST", &target, json!({ "data": fields })).await;
        answer["data"]["version"].as_u64().unwrap()
    }

    /// Makes a token that has just the given rules.
    pub(crate) async fn token(&self, rules: &str) -> String {
        self.token_named("of-a-test", rules).await
    }

    /// Makes a token that has just the given rules, as a policy that can be rewritten by its name.
    pub(crate) async fn token_named(&self, policy: &str, rules: &str) -> String {
        self.policy(policy, rules).await;
        let body = json!({ "policies": [policy], "no_default_policy": true });
        let answer = self.must("POST", "auth/token/create", body).await;
        answer["auth"]["client_token"].as_str().unwrap().to_owned()
    }

    /// Writes a policy.
    pub(crate) async fn policy(&self, name: &str, rules: &str) {
        let path = format!("sys/policies/acl/{name}");
        self.must("POST", &path, json!({ "policy": rules })).await;
    }

    /// Returns the requests that the server has seen so far, in their order.
    pub(crate) fn requests(&self) -> Vec<AuditedRequest> {
        let log = std::fs::read_to_string(self.folder.path().join("audit.log")).unwrap();
        log.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|entry| entry["type"] == "request")
            .map(|entry| AuditedRequest {
                operation: entry["request"]["operation"].as_str().unwrap().to_owned(),
                path: entry["request"]["path"].as_str().unwrap().to_owned(),
            })
            .collect()
    }

    /// Returns how many of the requests so far were of the operation and for the path.
    pub(crate) fn count(&self, operation: &str, path: &str) -> usize {
        let wanted = |seen: &AuditedRequest| seen.operation == operation && seen.path == path;
        self.requests().into_iter().filter(wanted).count()
    }
}

impl OpenBao {
    /// Ends the server; nothing listens at its address then.
    pub(crate) fn stop(&mut self) {
        // The process may have ended by itself; then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Asks the system for a port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

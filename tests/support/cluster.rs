//! Three OpenBao servers that share their storage by Raft, ended by process id when the test is.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails ends its test"
)]

use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::certificates::trusting_nobody;
use super::openbao::free_port;
use super::provision;

/// How many servers there are.
const SIZE: usize = 3;
/// Bounds every wait, so that a failing test ends.
const BOUND: Duration = Duration::from_secs(60);

/// One server of the cluster.
struct Node {
    process: Option<Child>,
    port: u16,
    cluster_port: u16,
}

/// The servers, unsealed, with a KV v2 engine at `secret`.
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    folder: tempfile::TempDir,
    http: reqwest::Client,
    root: String,
    key: String,
}

impl Cluster {
    /// Starts three servers and waits until each serves requests.
    pub(crate) async fn start() -> Self {
        for _ in 0..3 {
            // Another process may take a port between our look and the server's.
            if let Some(cluster) = Self::try_start().await {
                return cluster;
            }
        }
        panic!("no cluster came up in three attempts");
    }

    async fn try_start() -> Option<Self> {
        let nodes = (0..SIZE)
            .map(|_| Node {
                process: None,
                port: free_port(),
                cluster_port: free_port(),
            })
            .collect();
        let mut cluster = Self {
            nodes,
            folder: tempfile::tempdir().unwrap(),
            http: reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .tls_backend_preconfigured(trusting_nobody())
                .timeout(Duration::from_secs(10))
                .build()
                .unwrap(),
            root: String::new(),
            key: String::new(),
        };
        for index in 0..SIZE {
            cluster.launch(index);
        }
        let begun = Instant::now();
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        loop {
            if cluster.has_lost_a_server() || begun.elapsed() > BOUND {
                return None;
            }
            if let Some((200, keys)) = cluster.call(0, "POST", "sys/init", shares.clone()).await {
                cluster.root = keys["root_token"].as_str().unwrap().to_owned();
                cluster.key = keys["keys"][0].as_str().unwrap().to_owned();
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        cluster.unseal(0).await;
        cluster
            .until("there is a leader", async |cluster| {
                cluster.leader().await.is_some()
            })
            .await;
        let engine = json!({ "type": "kv", "options": { "version": "2" } });
        cluster
            .until("the engine is mounted", async |cluster| {
                let mounted = cluster
                    .call(0, "POST", "sys/mounts/secret", engine.clone())
                    .await;
                mounted.is_some_and(|(status, _)| status < 300)
            })
            .await;
        for index in 1..SIZE {
            cluster.unseal(index).await;
        }
        // A server that has just joined has no vote for a while, and without votes the loss of the
        // leader is the loss of the cluster.
        let hurried = json!({ "server_stabilization_time": "1s" });
        let autopilot = "sys/storage/raft/autopilot/configuration";
        cluster.must("POST", autopilot, hurried).await;
        cluster
            .until("everybody votes", async |cluster| {
                let raft = "sys/storage/raft/configuration";
                let Some((_, answer)) = cluster.call(0, "GET", raft, Value::Null).await else {
                    return false;
                };
                let servers = answer["data"]["config"]["servers"].as_array();
                servers.is_some_and(|servers| {
                    servers.len() == SIZE && servers.iter().all(|server| server["voter"] == true)
                })
            })
            .await;
        for index in 0..SIZE {
            cluster.wait_until_ready(index).await;
        }
        Some(cluster)
    }

    /// Starts a server, for the first time or again.
    pub(crate) fn launch(&mut self, index: usize) {
        let folder = self.folder.path().join(format!("node-{index}"));
        std::fs::create_dir_all(folder.join("raft")).unwrap();
        let node = &self.nodes[index];
        let mut config = format!(
            "storage \"raft\" {{\n  path = \"{}\"\n  node_id = \"node-{index}\"\n  performance_multiplier = 1\n",
            folder.join("raft").display()
        );
        for (other, node) in self.nodes.iter().enumerate() {
            if other != index {
                write!(
                    config,
                    "  retry_join {{\n    leader_api_addr = \"http://127.0.0.1:{}\"\n  }}\n",
                    node.port
                )
                .unwrap();
            }
        }
        write!(
            config,
            "}}\nlistener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  cluster_address = \"127.0.0.1:{cluster}\"\n  tls_disable = true\n}}\napi_addr = \"http://127.0.0.1:{port}\"\ncluster_addr = \"https://127.0.0.1:{cluster}\"\n",
            port = node.port,
            cluster = node.cluster_port,
        )
        .unwrap();
        let file = folder.join("config.hcl");
        std::fs::write(&file, config).unwrap();
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let process = Command::new(provision::openbao())
            .arg("server")
            .arg(format!("-config={}", file.display()))
            .env_clear()
            .env("HOME", &folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.nodes[index].process = Some(process);
    }

    /// Kills a server.
    pub(crate) fn kill(&mut self, index: usize) {
        end(&mut self.nodes[index]);
    }

    /// Returns the id of a server's process.
    pub(crate) fn id(&self, index: usize) -> u32 {
        self.nodes[index].process.as_ref().unwrap().id()
    }

    /// Opens a sealed server.
    pub(crate) async fn unseal(&self, index: usize) {
        let body = json!({ "key": self.key });
        self.until("a server is unsealed", async |cluster| {
            let answer = cluster
                .call(index, "POST", "sys/unseal", body.clone())
                .await;
            // A server that has not joined yet cannot be unsealed.
            answer.is_some_and(|(status, answer)| status == 200 && answer["sealed"] == false)
        })
        .await;
    }

    /// Seals a server, as long as it leads nobody.
    pub(crate) async fn seal(&mut self, index: usize) {
        // Only the active node takes `sys/seal`; a restart seals a standby as well.
        self.kill(index);
        self.launch(index);
        self.until("a sealed server answers", async |cluster| {
            let answer = cluster
                .call(index, "GET", "sys/seal-status", Value::Null)
                .await;
            answer.is_some_and(|(_, answer)| answer["sealed"] == true)
        })
        .await;
    }

    /// Waits until a server serves the engine.
    pub(crate) async fn wait_until_ready(&self, index: usize) {
        self.until("a server serves the engine", async |cluster| {
            let answer = cluster
                .call(index, "GET", "secret/config", Value::Null)
                .await;
            answer.is_some_and(|(status, _)| status == 200)
        })
        .await;
    }

    /// Waits until every server shows what is there.
    pub(crate) async fn wait_until_read(&self, path: &str) {
        self.until("a standby shows it", async |cluster| {
            for index in 0..SIZE {
                let answer = cluster.call(index, "GET", path, Value::Null).await;
                if answer.is_none_or(|(status, _)| status != 200) {
                    return false;
                }
            }
            true
        })
        .await;
    }

    /// Returns the server that is active, if there is one now.
    pub(crate) async fn leader(&self) -> Option<usize> {
        for index in 0..self.nodes.len() {
            if self.nodes[index].process.is_some()
                && let Some((200, answer)) =
                    self.call(index, "GET", "sys/leader", Value::Null).await
                && answer["is_self"] == true
            {
                return Some(index);
            }
        }
        None
    }

    /// Returns the active server and the two others.
    pub(crate) async fn roles(&self) -> (usize, [usize; 2]) {
        let leader = self.leader().await.unwrap();
        let others: Vec<_> = (0..SIZE).filter(|index| *index != leader).collect();
        (leader, [others[0], others[1]])
    }

    /// Returns the address of a server.
    pub(crate) fn address(&self, index: usize) -> String {
        format!("http://127.0.0.1:{}", self.nodes[index].port)
    }

    /// Returns the token of the root user.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// Calls the API of one server as root; nothing where it does not answer.
    pub(crate) async fn call(
        &self,
        index: usize,
        method: &str,
        path: &str,
        body: Value,
    ) -> Option<(u16, Value)> {
        let url = format!("{}/v1/{path}", self.address(index));
        let mut request = self
            .http
            .request(method.parse().unwrap(), url)
            .header("X-Vault-Token", &self.root);
        if !body.is_null() {
            let kind = match method {
                "PATCH" => "application/merge-patch+json",
                _ => "application/json",
            };
            request = request.header("Content-Type", kind).body(body.to_string());
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// Calls the active server, whichever that is, until it does what was asked.
    pub(crate) async fn must(&self, method: &str, path: &str, body: Value) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(leader) = self.leader().await
                && let Some((status, answer)) = self.call(leader, method, path, body.clone()).await
                && status < 300
            {
                return answer;
            }
            assert!(begun.elapsed() < BOUND, "{method} {path}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn until(&self, what: &str, reached: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        while !reached(self).await {
            assert!(begun.elapsed() < BOUND, "{what}: {}", self.logs());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn has_lost_a_server(&mut self) -> bool {
        self.nodes.iter_mut().any(|node| {
            node.process
                .as_mut()
                .is_none_or(|process| process.try_wait().unwrap().is_some())
        })
    }

    fn logs(&self) -> String {
        (0..SIZE)
            .map(|index| {
                let file = self.folder.path().join(format!("node-{index}/server.log"));
                std::fs::read_to_string(file).unwrap_or_default()
            })
            .collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes.iter_mut().for_each(end);
    }
}

fn end(node: &mut Node) {
    if let Some(mut process) = node.process.take() {
        // The process may have ended by itself; then there is nothing to do.
        let _ = process.kill();
        let _ = process.wait();
    }
}

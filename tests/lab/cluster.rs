//! Three servers, and what becomes of a plan and of a promotion when one of them is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use terraform_provider_claude::protocol::Value;

use super::bench::{FIELD, fingerprint};
use super::host::{Access, Host, Instance, config, errors};
use super::trial::{adopted, refreshed};
use crate::support::cluster::Cluster;
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};
use crate::support::secrets::token;

/// How many tokens a large plan has.
const TOKENS: usize = 60;
/// Retries that outlast an election.
const RETRIES: u32 = 12;

/// Does something once, when so many requests have come.
struct Interruption {
    /// Counts requests of this kind alone, such as `POST`.
    method: &'static str,
    /// After how many of them.
    after: usize,
    count: AtomicUsize,
    process: u32,
    /// The server is killed after it has answered, and its answer is lost.
    answered: bool,
}

impl Interruption {
    fn kill(self: &Arc<Self>) {
        let process = Pid::from_raw(i32::try_from(self.process).unwrap()).unwrap();
        kill_process(process, Signal::KILL).unwrap();
    }
}

impl Judge for Interruption {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        async move {
            let now = seen.method == self.method
                && self.count.fetch_add(1, Ordering::SeqCst) == self.after;
            let pass = Step::Pass.into();
            if !now {
                return pass;
            }
            if !self.answered {
                self.kill();
                return pass;
            }
            Judgement {
                step: Step::CutAfter,
                afterwards: Some(async move { self.kill() }.boxed()),
            }
        }
        .boxed()
    }
}

fn access(cluster: &Cluster, address: impl Into<String>) -> Access {
    Access {
        address: address.into(),
        token: cluster.root().to_owned(),
        max_retries: RETRIES,
    }
}

async fn put(cluster: &Cluster, path: &str, token: &str) {
    let body = json!({ "data": { FIELD: token, "sibling": 1 } });
    cluster
        .must("POST", &format!("secret/data/{path}"), body)
        .await;
}

fn primary(asked: bool) -> Value {
    let mut parts = vec![
        ("path", Value::from("agent")),
        ("spare_paths", Value::List(vec!["spare".into()])),
    ];
    if asked {
        let request = Value::object([("leak", Value::from("1"))]);
        parts.push(("rotate_when_changed", request));
    }
    config(&parts)
}

/// Stores a primary and a spare, and has the primary adopted.
async fn furnish(cluster: &Cluster, leader: usize) -> Instance {
    put(cluster, "agent", &token("cluster/present")).await;
    put(cluster, "spare", &token("cluster/spare")).await;
    // A new process knows of no index, so that a standby may still show it the time before.
    cluster.wait_until_read("secret/data/spare").await;
    adopted(&access(cluster, cluster.address(leader)), &primary(false)).await
}

/// Fails unless the primary holds the spare's token, in a version of its own.
async fn assert_promoted(cluster: &Cluster) {
    let read = cluster
        .must("GET", "secret/data/agent", serde_json::Value::Null)
        .await;
    assert_eq!(read["data"]["data"][FIELD], json!(token("cluster/spare")));
    assert_eq!(read["data"]["data"]["sibling"], json!(1));
    assert_eq!(read["data"]["metadata"]["version"], json!(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_survives_the_loss_of_the_leader() {
    let cluster = Cluster::start().await;
    let (leader, [standby, _]) = cluster.roles().await;
    let direct = access(&cluster, cluster.address(leader));
    let mut instances = Vec::new();
    for number in 0..TOKENS {
        let path = format!("many/{number}");
        put(&cluster, &path, &token(&path)).await;
        let config = config(&[("path", Value::from(path))]);
        instances.push((adopted(&direct, &config).await, config));
    }
    // Through a standby that goes on, and through the leader's own address, where nobody is left.
    let judge = Arc::new(Interruption {
        method: "GET",
        after: TOKENS / 3,
        count: AtomicUsize::new(0),
        process: cluster.id(leader),
        answered: false,
    });
    let proxy = Proxy::judged(&cluster.address(standby), judge).await;
    let through = access(&cluster, proxy.address());
    let reads = instances.iter().map(|(instance, config)| {
        let through = &through;
        async move { refreshed(through, instance, config, &mut Vec::new()).await }
    });
    for (_, _, empty) in join_all(reads).await {
        assert!(empty);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_survives_the_loss_of_the_leader() {
    // Before the mark, before the write, and between the write and its answer.
    for (method, after, answered) in [("PATCH", 0, false), ("POST", 0, false), ("POST", 0, true)] {
        let cluster = Cluster::start().await;
        let (leader, [standby, other]) = cluster.roles().await;
        let instance = furnish(&cluster, leader).await;
        let through = access(&cluster, cluster.address(standby));
        let config = primary(true);
        let (instance, plan, _) = refreshed(&through, &instance, &config, &mut Vec::new()).await;
        let judge = Arc::new(Interruption {
            method,
            after,
            count: AtomicUsize::new(0),
            process: cluster.id(leader),
            answered,
        });
        let proxy = Proxy::judged(&cluster.address(standby), judge).await;
        let interrupted = access(&cluster, proxy.address());
        let mut host = Host::inside(&interrupted).await;
        let applied = host.apply(Some(&instance), &config, &plan).await.unwrap();
        let mut instance = applied.instance.unwrap();
        println!(
            "leader killed at {method} ({}): {}",
            if answered { "answer lost" } else { "before" },
            applied
                .told
                .first()
                .map_or("promoted", |told| &*told.summary),
        );
        if !errors(&applied.told).is_empty() {
            let through = access(&cluster, cluster.address(other));
            let (read, plan, _) = refreshed(&through, &instance, &config, &mut Vec::new()).await;
            let mut host = Host::inside(&through).await;
            let applied = host.apply(Some(&read), &config, &plan).await.unwrap();
            assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
            instance = applied.instance.unwrap();
        }
        let new = fingerprint(&token("cluster/spare"));
        assert_eq!(instance.text("fingerprint"), Some(&*new));
        assert_promoted(&cluster).await;
        let through = access(&cluster, cluster.address(other));
        let (_, _, empty) = refreshed(&through, &instance, &config, &mut Vec::new()).await;
        assert!(empty);
    }
}

/// Answers as a standby does that neither forwards nor serves, every other time.
struct Unwilling {
    count: AtomicUsize,
}

impl Judge for Unwilling {
    fn judge(self: Arc<Self>, _: Seen) -> BoxFuture<'static, Judgement> {
        const STATUSES: [u16; 4] = [429, 473, 472, 412];
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let step = if count.is_multiple_of(2) {
            Step::json(
                STATUSES[count / 2 % STATUSES.len()],
                r#"{"errors":["standby"]}"#,
            )
            .with("retry-after", "0")
        } else {
            Step::Pass
        };
        step.judged()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standbys_do_until_they_are_sealed() {
    let mut cluster = Cluster::start().await;
    let (leader, [standby, other]) = cluster.roles().await;
    let instance = furnish(&cluster, leader).await;
    let config = primary(true);

    // One that is sealed says so, and nothing is lost.
    cluster.seal(other).await;
    let sealed = Access {
        max_retries: 1,
        ..access(&cluster, cluster.address(other))
    };
    let through = access(&cluster, cluster.address(standby));
    let (instance, plan, _) = refreshed(&through, &instance, &config, &mut Vec::new()).await;
    let mut host = Host::inside(&sealed).await;
    let applied = host.apply(Some(&instance), &config, &plan).await.unwrap();
    let [error] = errors(&applied.told)[..] else {
        panic!("{:?}", applied.told);
    };
    assert!(error.summary.starts_with("Vault is sealed"), "{error:?}");
    let instance = applied.instance.unwrap();

    // One that is unwilling every other time is asked again, and forwards what it takes.
    let judge = Arc::new(Unwilling {
        count: AtomicUsize::new(0),
    });
    let proxy = Proxy::judged(&cluster.address(standby), judge).await;
    let unwilling = access(&cluster, proxy.address());
    let (instance, plan, _) = refreshed(&unwilling, &instance, &config, &mut Vec::new()).await;
    let mut host = Host::inside(&unwilling).await;
    let applied = host.apply(Some(&instance), &config, &plan).await.unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    assert_promoted(&cluster).await;

    // One that comes back shows what happened meanwhile.
    cluster.unseal(other).await;
    cluster.wait_until_ready(other).await;
    let through = access(&cluster, cluster.address(other));
    let instance = applied.instance.unwrap();
    let (_, _, empty) = refreshed(&through, &instance, &config, &mut Vec::new()).await;
    assert!(empty);
}

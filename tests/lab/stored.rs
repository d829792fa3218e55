//! `token_wo` under the faults of the laboratory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::secret::Secret as Text;

use super::bench::{Bench, Deed, FIELD, PRIMARY, Secret, fingerprint};
use super::fault::{Fault, Referee, Side, Strike};
use super::host::{Access, Applied, Host, Instance, config, errors};
use super::table::{Outcome, Row, assert_complete, fill};
use super::trial::{Lab, Rights, adopted, changes, refreshed};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};
use crate::support::secrets::LeakSearch;

/// Requests that store a token in the place of another.
const REPLACING: [Row; 6] = [
    ("GET data/m-agent", 0, "read"),
    ("PATCH metadata/m-agent", 0, "announce"),
    ("POST data/m-agent", 0, "write"),
    ("GET data/m-agent", 1, "read again"),
    ("PATCH metadata/m-agent", 1, "stamp"),
    ("GET data/m-agent?version=1", 0, "look back"),
];

/// Requests that store a token where there is no secret.
const CREATING: [Row; 5] = [
    ("GET data/m-agent", 0, "read"),
    (
        "GET /v1/sys/internal/ui/mounts/secret/m-agent",
        0,
        "ask for the mount",
    ),
    ("POST data/m-agent", 0, "write"),
    ("GET data/m-agent", 1, "read anew"),
    ("PATCH metadata/m-agent", 0, "stamp"),
];

/// A token to store.
#[derive(Clone, Copy)]
struct Storing {
    /// There is no secret yet, and no resource.
    creates: bool,
    max_retries: u32,
}

impl Storing {
    fn config(self, bench: &Bench, asked: bool) -> Value {
        let mut parts = vec![("path", Value::from(bench.path(PRIMARY)))];
        if asked {
            parts.push(("token_wo", Text::new(bench.token("new")).into()));
            parts.push(("token_wo_version", Value::from(1_i64)));
        }
        config(&parts)
    }

    async fn furnish(self, lab: &Lab) -> (Arc<Bench>, Option<Instance>) {
        let bench = Bench::new(&lab.bao, lab.folder());
        if self.creates {
            return (bench, None);
        }
        let token = bench.token("present");
        bench.put(PRIMARY, &token, r#""one":1.0,"two":null"#).await;
        bench.date(PRIMARY, &token, 100).await;
        let access = lab.access(Rights::All, 1);
        let prior = adopted(&access, &self.config(&bench, false)).await;
        (bench, Some(prior))
    }

    async fn run(self, lab: &Lab, strikes: &[Strike]) -> (Outcome, Vec<(String, usize)>) {
        let (bench, prior) = self.furnish(lab).await;
        let direct = lab.access(Rights::All, 1);
        let config = self.config(&bench, true);
        let mut texts = Vec::new();
        let plan = Host::inside(&direct)
            .await
            .plan(prior.as_ref(), &config)
            .await;
        let referee = Referee::new(&bench, strikes);
        let proxy = Proxy::judged(lab.bao.address(), Arc::clone(&referee) as _).await;
        let access = Access {
            address: proxy.address().to_owned(),
            ..lab.access(Rights::All, self.max_retries)
        };
        let killed = strikes.iter().any(|strike| strike.fault == Fault::Kill);
        let first = if killed {
            let (mut host, killer) = Host::outside(&access).await;
            let killing = async {
                referee.fatal.notified().await;
                killer.kill();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                applied = host.apply(prior.as_ref(), &config, &plan) => applied,
                () = killing => None,
            }
        } else {
            let mut host = Host::inside(&access).await;
            host.apply(prior.as_ref(), &config, &plan).await
        };
        drop(proxy);
        let mut findings = Vec::new();
        let answer = self.judge(
            &bench,
            prior.as_ref(),
            first.as_ref(),
            killed,
            &mut findings,
        );
        texts.extend(first.as_ref().map(|first| format!("{:?}", first.told)));
        referee.deliver(Side::Before).await;
        if exists(&bench).await {
            bench.undelete().await;
        }

        let mut instance = match first {
            Some(Applied { instance, .. }) => instance,
            None => prior.clone(),
        };
        let mut then = '=';
        let plan = match &instance {
            Some(old) => {
                let (read, plan, empty) = refreshed(&direct, old, &config, &mut texts).await;
                instance = Some(read);
                (!empty).then_some(plan)
            }
            None => Some(Host::inside(&direct).await.plan(None, &config).await),
        };
        referee.deliver(Side::After).await;
        // What was broken after it had been stored is for a person to mend: there is no spare.
        let broken = bench.deeds().iter().any(|(deed, _)| *deed == Deed::Broken);
        if broken
            && answer == 'S'
            && let Some(plan) = &plan
            && deed_was_last(&bench).await
        {
            let outcome = Outcome {
                letters: "Se".to_owned(),
                struck: referee.struck(),
                findings,
            };
            let mut host = Host::inside(&direct).await;
            let applied = host.apply(instance.as_ref(), &config, plan).await.unwrap();
            assert!(!errors(&applied.told).is_empty(), "{:?}", applied.told);
            return (outcome, referee.requests());
        }
        if let Some(plan) = plan {
            let versions = versions(&bench).await;
            let mut host = Host::inside(&direct).await;
            let applied = host.apply(instance.as_ref(), &config, &plan).await.unwrap();
            texts.push(format!("{:?}", applied.told));
            for error in errors(&applied.told) {
                findings.push(format!("the apply without faults failed: {error:?}"));
            }
            then = if self::versions(&bench).await > versions {
                's'
            } else {
                'k'
            };
            if let Some(done) = applied.instance {
                let (read, plan, empty) = refreshed(&direct, &done, &config, &mut texts).await;
                if !empty {
                    let changes = changes(&read.state, &plan.planned);
                    findings.push(format!("the last plan is not empty: {changes}"));
                }
            }
        }
        findings.extend(kept(&bench, &bench.secret(PRIMARY).await));
        let mut search = LeakSearch::new();
        for (label, token) in bench.tokens() {
            search.plant(&label, &token);
        }
        for text in &texts {
            search.text("what a user reads", text);
        }
        findings.extend(search.leaks().to_vec());
        let outcome = Outcome {
            letters: format!("{answer}{then}"),
            struck: referee.struck(),
            findings,
        };
        (outcome, referee.requests())
    }

    /// Returns the letter of the apply under faults: `S` stored, `A` another token adopted, `E`
    /// an error, `U` nobody knows, `k` killed.
    fn judge(
        self,
        bench: &Bench,
        prior: Option<&Instance>,
        first: Option<&Applied>,
        killed: bool,
        findings: &mut Vec<String>,
    ) -> char {
        let Some(applied) = first else {
            if !killed {
                findings.push("the provider did not answer".to_owned());
            }
            return 'k';
        };
        let all = format!("{:?}", applied.told);
        if all.contains("Provider bug") {
            findings.push(format!("a bug was told: {all}"));
        }
        let failed = !errors(&applied.told).is_empty();
        let recorded = applied
            .instance
            .as_ref()
            .and_then(|instance| instance.text("fingerprint"));
        if applied.instance.is_none() && (prior.is_some() || !failed) {
            findings.push(format!("an answer without a state: {all}"));
        }
        if applied.instance.is_some() && prior.is_none() && failed {
            findings.push(format!("a creation with state and error: {all}"));
        }
        if failed {
            let before = prior.and_then(|prior| prior.text("fingerprint"));
            if recorded != before {
                findings.push(format!("an error with a new token: {all}"));
            }
            return if all.contains("did not confirm") {
                'U'
            } else {
                'E'
            };
        }
        if recorded == Some(&fingerprint(&bench.token("new"))) {
            'S'
        } else {
            'A'
        }
    }
}

/// Tells whether the current version is the second writer's.
async fn deed_was_last(bench: &Bench) -> bool {
    let version = usize::try_from(versions(bench).await).unwrap();
    bench.deeds().iter().any(|(_, made)| *made == Some(version))
}

async fn exists(bench: &Bench) -> bool {
    versions(bench).await > 0
}

async fn versions(bench: &Bench) -> u64 {
    let path = format!("secret/metadata/{}", bench.path(PRIMARY));
    let (_, answer) = bench.bao.call("GET", &path, serde_json::Value::Null).await;
    answer["data"]["current_version"]
        .as_u64()
        .unwrap_or_default()
}

/// What must hold of the secret in the end.
fn kept(bench: &Bench, secret: &Secret) -> Vec<String> {
    let mut findings = Vec::new();
    let new = bench.token("new");
    let deeds = bench.deeds();
    let mut siblings = None;
    for version in 1..=secret.version() {
        let deed = deeds.iter().find(|(_, made)| *made == Some(version));
        let mut fields = secret.versions[version - 1].clone().unwrap();
        fields.remove(FIELD);
        let is_new = deed.is_some_and(|(deed, _)| *deed == Deed::Sibling);
        if let Some(siblings) = &siblings
            && *siblings != fields
            && !is_new
        {
            findings.push(format!("version {version} has other siblings"));
        }
        siblings = Some(fields);
        let value = secret.value(version);
        let ours = deed.is_none() && !(version == 1 && value == Some(bench.token("present")));
        if ours && value.as_ref() != Some(&new) {
            findings.push(format!("version {version} of ours has another value"));
        }
        if ours && version > 1 && secret.value(version - 1) == value {
            findings.push(format!("version {version} repeats the one before"));
        }
    }
    let by_hand = deeds
        .iter()
        .any(|(deed, made)| *deed == Deed::Working && *made == Some(secret.version()));
    if secret.current() != Some(new) && !by_hand {
        findings.push("the token is not there in the end".to_owned());
    }
    findings
}

async fn table(storing: Storing, rows: &[Row]) {
    let lab = Lab::start().await;
    let (undisturbed, requests) = storing.run(&lab, &[]).await;
    assert_eq!(undisturbed.findings, [""; 0]);
    assert_complete(rows, requests);
    let mut faults = Fault::all();
    faults.retain(|fault| !matches!(fault, Fault::Deed(Deed::Rival | Deed::Refill)));
    if storing.creates {
        // Before the write there is nothing that a person could change.
        faults.retain(|fault| !matches!(fault, Fault::Deed(_)));
    }
    faults.push(Fault::Kill);
    let title = format!(
        "{} by token_wo, max_retries {}",
        if storing.creates {
            "creation"
        } else {
            "update"
        },
        storing.max_retries
    );
    fill(&title, rows, &faults, |strike| {
        let lab = Arc::clone(&lab);
        async move {
            let heals = storing.max_retries > 0 && strike.fault.is_transient();
            let (mut outcome, _) = storing.run(&lab, &[strike]).await;
            if heals && outcome.letters != "S=" {
                outcome
                    .findings
                    .push("a fault that was over at the second attempt shows".to_owned());
            }
            outcome
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_of_a_stored_token_under_each_fault() {
    for max_retries in [0, 1] {
        let storing = Storing {
            creates: false,
            max_retries,
        };
        table(storing, &REPLACING).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_of_a_creation_under_each_fault() {
    for max_retries in [0, 1] {
        let storing = Storing {
            creates: true,
            max_retries,
        };
        table(storing, &CREATING).await;
    }
}

/// Loses the answer of the first write, and then shows reads of some time ago, as a standby does
/// that lags behind.
struct Laggard {
    old: String,
    stale: usize,
    writes: AtomicUsize,
    reads: AtomicUsize,
}

impl Judge for Laggard {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        async move {
            let step = match seen.method.as_str() {
                "POST" if self.writes.fetch_add(1, Ordering::SeqCst) == 0 => Step::CutAfter,
                "GET"
                    if self.writes.load(Ordering::SeqCst) > 0
                        && self.reads.fetch_add(1, Ordering::SeqCst) < self.stale =>
                {
                    Step::json(200, &self.old)
                }
                _ => Step::Pass,
            };
            step.into()
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_standby_that_lags_behind_a_lost_answer_is_waited_for() {
    let lab = Lab::start().await;
    let storing = Storing {
        creates: false,
        max_retries: 1,
    };
    let (bench, prior) = storing.furnish(&lab).await;
    let direct = lab.access(Rights::All, 1);
    let config = storing.config(&bench, true);
    let plan = Host::inside(&direct)
        .await
        .plan(prior.as_ref(), &config)
        .await;
    let path = format!("secret/data/{}", bench.path(PRIMARY));
    let laggard = Laggard {
        old: lab.bao.call_text("GET", &path, "").await.1,
        stale: 4,
        writes: AtomicUsize::new(0),
        reads: AtomicUsize::new(0),
    };
    let proxy = Proxy::judged(lab.bao.address(), Arc::new(laggard)).await;
    let access = Access {
        address: proxy.address().to_owned(),
        ..direct
    };
    let mut host = Host::inside(&access).await;
    let applied = host.apply(prior.as_ref(), &config, &plan).await.unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    let new = fingerprint(&bench.token("new"));
    assert_eq!(applied.instance.unwrap().text("fingerprint"), Some(&*new));
    assert_eq!(bench.secret(PRIMARY).await.version(), 2);
}

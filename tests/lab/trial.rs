//! One run: a change that is applied under faults, then one apply without.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use terraform_provider_claude::protocol::Value;

use super::bench::{Bench, Deed, PRIMARY, SPARES, Secret};
use super::fault::{Fault, Referee, Side, Strike};
use super::host::{Access, Applied, Host, Instance, Plan, config, errors};
use super::verdict;
use crate::support::openbao::OpenBao;
use crate::support::proxy::Proxy;

/// Why the token is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The user asks for it by name.
    Requested,
    /// It is due.
    Due,
}

/// What the provider may do in Vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// Everything.
    All,
    /// No `patch` on metadata, so that they are read and written back whole.
    NoPatch,
    /// Nothing on metadata.
    NoMetadata,
    /// Everything, but stamps and marks are not wanted.
    Unwanted,
}

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) cause: Cause,
    pub(super) rights: Rights,
    pub(super) max_retries: u32,
    pub(super) strikes: Vec<Strike>,
}

/// The server that all runs share, and tokens with fewer rights.
pub(super) struct Lab {
    pub(super) bao: Arc<OpenBao>,
    no_patch: String,
    no_metadata: String,
    next: AtomicU64,
}

/// How a run went.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// What the apply under faults came to, in a letter.
    pub(super) answer: char,
    /// What the apply without faults came to.
    pub(super) then: char,
    /// The requests of the apply under faults.
    pub(super) requests: Vec<(String, usize)>,
    /// How many strikes met a request.
    pub(super) struck: usize,
    /// Summaries of what the apply under faults told.
    pub(super) told: Vec<String>,
    /// What should not have been.
    pub(super) findings: Vec<String>,
}

/// Everything that the verdict looks at.
pub(super) struct Evidence<'a> {
    pub(super) case: &'a Case,
    pub(super) bench: &'a Bench,
    pub(super) before: Vec<Secret>,
    pub(super) after: Vec<Secret>,
    pub(super) prior: &'a Instance,
    pub(super) first: Option<&'a Applied>,
    /// Everything that a user could have read.
    pub(super) texts: Vec<String>,
}

impl Lab {
    pub(super) async fn start() -> Arc<Self> {
        let bao = Arc::new(OpenBao::start_unaudited().await);
        let data = r#"path "secret/data/*" { capabilities = ["create", "read", "update"] }"#;
        let metadata = r#"path "secret/metadata/*" { capabilities = ["read", "update"] }"#;
        let no_patch = bao
            .token_named("no-patch", &format!("{data}\n{metadata}"))
            .await;
        let no_metadata = bao.token_named("no-metadata", data).await;
        Arc::new(Self {
            bao,
            no_patch,
            no_metadata,
            next: AtomicU64::new(0),
        })
    }

    /// Returns the name of a folder that no other run has.
    pub(super) fn folder(&self) -> String {
        format!("run-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns how a run reaches the server.
    pub(super) fn access(&self, rights: Rights, max_retries: u32) -> Access {
        Access {
            address: self.bao.address().to_owned(),
            token: match rights {
                Rights::All | Rights::Unwanted => OpenBao::ROOT.to_owned(),
                Rights::NoPatch => self.no_patch.clone(),
                Rights::NoMetadata => self.no_metadata.clone(),
            },
            max_retries,
        }
    }
}

impl Case {
    /// Returns whether spares cannot be marked.
    fn is_unmarked(&self) -> bool {
        matches!(self.rights, Rights::NoMetadata | Rights::Unwanted)
            || self.strikes.iter().any(|strike| {
                strike.request.contains("metadata/spare") && strike.fault == Fault::Status(403)
            })
    }

    /// Returns the configuration: before the user asks for the rotation, or after.
    fn config(&self, bench: &Bench, asked: bool) -> Value {
        let spares = SPARES.map(|spare| Value::from(bench.path(spare)));
        let mut parts = vec![
            ("path", Value::from(bench.path(PRIMARY))),
            ("spare_paths", Value::List(spares.into())),
        ];
        if asked && self.cause == Cause::Requested {
            let request = Value::object([("leak", Value::from("1"))]);
            parts.push(("rotate_when_changed", request));
        }
        if self.rights == Rights::Unwanted {
            parts.push(("stamp_metadata", Value::from(false)));
        }
        config(&parts)
    }

    /// Carries the run out.
    pub(super) async fn run(&self, lab: &Lab) -> Report {
        let age = match self.cause {
            Cause::Requested => 100,
            Cause::Due => 340,
        };
        let bench = Bench::furnished(&lab.bao, lab.folder(), age).await;
        let direct = lab.access(self.rights, 1);
        let config = self.config(&bench, true);
        let mut texts = Vec::new();

        let prior = adopted(&direct, &self.config(&bench, false)).await;
        let (prior, plan, _) = refreshed(&direct, &prior, &config, &mut texts).await;
        assert!(
            plan.planned.get("fingerprint").unwrap().is_unknown(),
            "{plan:?}"
        );
        let before = secrets(&bench).await;

        let referee = Referee::new(&bench, &self.strikes);
        let first = {
            let proxy = Proxy::judged(lab.bao.address(), Arc::clone(&referee) as _).await;
            let access = Access {
                address: proxy.address().to_owned(),
                ..lab.access(self.rights, self.max_retries)
            };
            if self
                .strikes
                .iter()
                .any(|strike| strike.fault == Fault::Kill)
            {
                let (mut host, killer) = Host::outside(&access).await;
                let killing = async {
                    referee.fatal.notified().await;
                    killer.kill();
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    applied = host.apply(Some(&prior), &config, &plan) => applied,
                    () = killing => None,
                }
            } else {
                let mut host = Host::inside(&access).await;
                host.apply(Some(&prior), &config, &plan).await
            }
        };
        if let Some(first) = &first {
            texts.push(format!("{:?}", first.told));
            if let Some(instance) = &first.instance {
                texts.push(format!("{:?} {}", instance.state, instance.private()));
            }
        }
        referee.deliver(Side::Before).await;
        bench.undelete().await;
        let after = secrets(&bench).await;
        let evidence = Evidence {
            case: self,
            bench: &bench,
            before,
            after,
            prior: &prior,
            first: first.as_ref(),
            texts: Vec::new(),
        };
        let (answer, mut findings) = verdict::of_the_change(&evidence);

        // What Terraform has if the process died is what it had before.
        let instance = match first.as_ref() {
            Some(Applied {
                instance: Some(instance),
                ..
            }) => instance.clone(),
            _ => prior.clone(),
        };
        let (instance, plan, empty) = refreshed(&direct, &instance, &config, &mut texts).await;
        referee.deliver(Side::After).await;
        let mut then = '=';
        let mut is_barred = false;
        if !empty {
            let versions = bench.secret(PRIMARY).await.version();
            let mut host = Host::inside(&direct).await;
            let applied = host.apply(Some(&instance), &config, &plan).await.unwrap();
            texts.push(format!("{:?}", applied.told));
            // A spare that cannot be marked is not promoted while another primary uses the spares.
            is_barred = self.is_unmarked()
                && bench.deeds().iter().any(|(deed, _)| *deed == Deed::Rival)
                && applied
                    .told
                    .iter()
                    .any(|told| told.summary.contains("No spare for"));
            for error in errors(&applied.told).into_iter().filter(|_| !is_barred) {
                findings.push(format!("the apply without faults failed: {error:?}"));
            }
            then = if bench.secret(PRIMARY).await.version() > versions {
                'p'
            } else {
                'k'
            };
            let instance = applied.instance.unwrap_or(instance);
            let (instance, plan, empty) = refreshed(&direct, &instance, &config, &mut texts).await;
            if !empty && !is_barred {
                let changes = changes(&instance.state, &plan.planned);
                findings.push(format!("the last plan is not empty: {changes}"));
            }
        }
        let end = Evidence {
            after: secrets(&bench).await,
            texts,
            ..evidence
        };
        findings.extend(verdict::of_the_end(&end, is_barred));
        Report {
            answer,
            then,
            requests: referee.requests(),
            struck: referee.struck(),
            told: first
                .iter()
                .flat_map(|first| &first.told)
                .map(|told| told.summary.clone())
                .collect(),
            findings,
        }
    }
}

/// Has a token adopted by a new resource.
pub(super) async fn adopted(access: &Access, config: &Value) -> Instance {
    let mut host = Host::inside(access).await;
    let plan = host.plan(None, config).await;
    let applied = host.apply(None, config, &plan).await.unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    applied.instance.unwrap()
}

/// Refreshes and plans in a process of its own; tells whether the plan is empty.
pub(super) async fn refreshed(
    access: &Access,
    instance: &Instance,
    config: &Value,
    texts: &mut Vec<String>,
) -> (Instance, Plan, bool) {
    let mut host = Host::inside(access).await;
    let (read, told) = host.read(instance).await;
    assert!(errors(&told).is_empty(), "{told:?}");
    let plan = host.plan(Some(&read), config).await;
    assert!(errors(&plan.told).is_empty(), "{:?}", plan.told);
    texts.push(format!("{told:?} {:?}", plan.told));
    texts.push(format!("{:?} {}", read.state, read.private()));
    let empty = plan.planned == read.state;
    (read, plan, empty)
}

/// Names the attributes that differ.
pub(super) fn changes(before: &Value, after: &Value) -> String {
    let after = after.as_map().unwrap();
    let differ = |(name, value): (&String, &Value)| {
        (after[name] != *value).then(|| format!("{name}: {value:?} -> {:?}", after[name]))
    };
    let before = before.as_map().unwrap();
    before
        .iter()
        .filter_map(differ)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Reads the primary and, behind it, the spares.
async fn secrets(bench: &Bench) -> Vec<Secret> {
    let mut secrets = vec![bench.secret(PRIMARY).await];
    for spare in SPARES {
        secrets.push(bench.secret(spare).await);
    }
    secrets
}

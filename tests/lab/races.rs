//! Many applies at once, each by a provider of its own, as many pipelines are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use terraform_provider_claude::protocol::Value;
use tokio::sync::Barrier;

use super::bench::{Bench, FIELD, fingerprint};
use super::host::{Access, Applied, Host, Instance, Plan, config, errors};
use super::number;
use super::trial::{Lab, Rights, adopted, refreshed};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};

/// A primary that is about to be rotated.
struct Racer {
    name: String,
    config: Value,
    prior: Instance,
    plan: Plan,
}

/// Primaries and the spares that they share.
struct Race {
    lab: Arc<Lab>,
    bench: Arc<Bench>,
    racers: Vec<Racer>,
    spares: Vec<String>,
}

impl Race {
    /// Prepares a race. `due` says that dates ask for the rotations, not the user.
    async fn prepare(lab: &Arc<Lab>, primaries: usize, spares: usize, due: bool) -> Self {
        let bench = Bench::new(&lab.bao, lab.folder());
        let spares: Vec<_> = (1..=spares).map(|spare| format!("spare-{spare}")).collect();
        // The first is the best: it is the youngest.
        for (spare, age) in spares.iter().zip(5..) {
            let token = bench.token(spare);
            bench.put(spare, &token, "").await;
            bench.date(spare, &token, age).await;
        }
        let list = spares.iter().map(|spare| Value::from(bench.path(spare)));
        let list = Value::List(list.collect());
        let access = lab.access(Rights::All, 4);
        let racers = join_all((1..=primaries).map(|number| {
            let (bench, list, access) = (&bench, &list, &access);
            async move {
                let name = format!("agent-{number:02}");
                let token = bench.token(&name);
                bench.put(&name, &token, r#""sibling":1.0"#).await;
                bench.date(&name, &token, if due { 340 } else { 100 }).await;
                let mut parts = vec![
                    ("path", Value::from(bench.path(&name))),
                    ("spare_paths", list.clone()),
                ];
                let before = config(&parts);
                if !due {
                    let request = Value::object([("leak", Value::from("1"))]);
                    parts.push(("rotate_when_changed", request));
                }
                let config = config(&parts);
                let prior = adopted(access, &before).await;
                let (prior, plan, _) = refreshed(access, &prior, &config, &mut Vec::new()).await;
                Racer {
                    name,
                    config,
                    prior,
                    plan,
                }
            }
        }))
        .await;
        Self {
            lab: Arc::clone(lab),
            bench,
            racers,
            spares,
        }
    }

    /// Has all start at once, each with `twins` applies.
    async fn run(&self, twins: usize) -> Vec<(&Racer, Applied)> {
        let start = Barrier::new(self.racers.len() * twins);
        let start = &start;
        let access = self.lab.access(Rights::All, 4);
        let access = &access;
        let applies = self.racers.iter().flat_map(|racer| {
            (0..twins).map(move |_| async move {
                let mut host = Host::inside(access).await;
                let (racer_config, prior, plan) = (
                    racer.config.clone(),
                    racer.prior.clone(),
                    racer.plan.clone(),
                );
                start.wait().await;
                // A task of its own, so that both processors are used.
                let task =
                    tokio::spawn(
                        async move { host.apply(Some(&prior), &racer_config, &plan).await },
                    );
                (racer, task.await.unwrap().unwrap())
            })
        });
        join_all(applies).await
    }

    /// Returns which spares' tokens each primary came to hold; fails where one is in two.
    async fn promoted(&self) -> BTreeMap<String, String> {
        let tokens: BTreeMap<_, _> = self
            .spares
            .iter()
            .map(|spare| (self.bench.token(spare), spare.clone()))
            .collect();
        let mut promoted = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for racer in &self.racers {
            let secret = self.bench.secret(&racer.name).await;
            let later: Vec<_> = (2..=secret.version())
                .filter_map(|version| secret.value(version))
                .collect();
            assert!(later.len() <= 1, "{} was written twice", racer.name);
            let old = secret.versions[0].as_ref().unwrap();
            let new = secret.versions.last().unwrap().as_ref().unwrap();
            assert_eq!(old["sibling"], new["sibling"]);
            if let Some(token) = later.first() {
                let spare = &tokens[token];
                assert!(taken.insert(spare.clone()), "{spare} is in two primaries");
                promoted.insert(racer.name.clone(), spare.clone());
            }
        }
        for spare in &self.spares {
            let secret = self.bench.secret(spare).await;
            assert_eq!(secret.version(), 1, "{spare} got a version");
            let marks = secret
                .metadata
                .keys()
                .filter(|key| key.starts_with(&format!("{FIELD}.promoted_to.")))
                .count();
            assert_eq!(
                marks,
                // One from before the write, and one that says that the primary holds it.
                2 * usize::from(taken.contains(spare)),
                "{:?}",
                secret.metadata
            );
        }
        promoted
    }
}

/// How often each race is run.
fn rounds() -> u64 {
    number("TF_ACC_RACE_RUNS", 2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twelve_primaries_and_five_spares_five_are_promoted() {
    let lab = Lab::start().await;
    let mut flakes = Vec::new();
    for round in 0..rounds() {
        let due = round % 2 == 1;
        let race = Race::prepare(&lab, 12, 5, due).await;
        let outcome = race.run(1).await;
        let promoted = race.promoted().await;
        if promoted.len() != 5 {
            let told: Vec<_> = outcome.iter().map(|(_, applied)| &applied.told).collect();
            flakes.push(format!("round {round}: {promoted:?} {told:#?}"));
        }
        for (racer, applied) in &outcome {
            let instance = applied.instance.as_ref().unwrap();
            let recorded = instance.text("fingerprint");
            let failed = !errors(&applied.told).is_empty();
            if let Some(spare) = promoted.get(&racer.name) {
                let token = fingerprint(&race.bench.token(spare));
                assert_eq!(recorded, Some(&*token), "{:?}", applied.told);
                assert!(!failed, "{:?}", applied.told);
                assert_eq!(
                    instance.text("rotated_from"),
                    Some(&*race.bench.path(spare))
                );
            } else {
                assert_eq!(recorded, racer.prior.text("fingerprint"));
                // By request nothing less than the rotation will do; a date is no reason to fail.
                assert_eq!(failed, !due, "{:?}", applied.told);
                let told = applied.told.last().unwrap();
                assert!(told.summary.starts_with("No spare for "), "{told:?}");
            }
        }
    }
    assert!(
        flakes.is_empty(),
        "{} flakes\n{}",
        flakes.len(),
        flakes.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_applies_of_one_primary_one_promotes_and_the_other_adopts() {
    let lab = Lab::start().await;
    for round in 0..rounds() * 5 {
        let race = Race::prepare(&lab, 1, 2, round % 2 == 1).await;
        let outcome = race.run(2).await;
        let secret = race.bench.secret("agent-01").await;
        assert_eq!(secret.version(), 2, "round {round}");
        let token = fingerprint(&secret.current().unwrap());
        for (_, applied) in &outcome {
            assert!(
                errors(&applied.told).is_empty(),
                "{round}: {:?}",
                applied.told
            );
            let instance = applied.instance.as_ref().unwrap();
            assert_eq!(instance.text("fingerprint"), Some(&*token));
            assert_eq!(
                instance.text("rotated_from"),
                Some(&*race.bench.path("spare-1"))
            );
            let racer = &race.racers[0];
            let access = lab.access(Rights::All, 1);
            let (_, _, empty) = refreshed(&access, instance, &racer.config, &mut Vec::new()).await;
            assert!(empty, "round {round}");
        }
    }
}

/// The other apply promotes just before this one looks at the best spare. That spare is spent by
/// then, so this one stamps the primary for the second best, and loses.
struct Overtaking {
    access: Access,
    config: Value,
    prior: Instance,
    plan: Plan,
    done: AtomicBool,
}

impl Judge for Overtaking {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        async move {
            if seen.target.ends_with("/spare-1") && !self.done.swap(true, Ordering::SeqCst) {
                let mut host = Host::inside(&self.access).await;
                let applied = host
                    .apply(Some(&self.prior), &self.config, &self.plan)
                    .await;
                assert!(errors(&applied.unwrap().told).is_empty());
            }
            Step::Pass.into()
        }
        .boxed()
    }
}

/// Starts a proxy through which the other apply is always first, and returns the access to it.
async fn overtaken(lab: &Arc<Lab>, racer: &Racer) -> (Proxy, Access) {
    let access = lab.access(Rights::All, 1);
    let judge = Overtaking {
        access: access.clone(),
        config: racer.config.clone(),
        prior: racer.prior.clone(),
        plan: racer.plan.clone(),
        done: AtomicBool::new(false),
    };
    let proxy = Proxy::judged(lab.bao.address(), Arc::new(judge)).await;
    let through = Access {
        address: proxy.address().to_owned(),
        ..access
    };
    (proxy, through)
}

#[tokio::test]
async fn an_apply_that_lost_with_another_spare_knows_where_the_token_came_from() {
    let lab = Lab::start().await;
    let race = Race::prepare(&lab, 1, 2, false).await;
    let racer = &race.racers[0];
    let (_proxy, access) = overtaken(&lab, racer).await;
    let mut host = Host::inside(&access).await;
    let applied = host
        .apply(Some(&racer.prior), &racer.config, &racer.plan)
        .await
        .unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    let spare = race.bench.path("spare-1");
    let instance = applied.instance.unwrap();
    assert_eq!(instance.text("rotated_from"), Some(&*spare));
    let secret = race.bench.secret("agent-01").await;
    assert_eq!(secret.version(), 2);
    assert_eq!(secret.current(), Some(race.bench.token("spare-1")));
    let stamp = &secret.metadata[&format!("{FIELD}.rotated_from")];
    assert_eq!(*stamp, spare);
    let spare = race.bench.secret("spare-2").await;
    assert!(
        !spare.metadata.keys().any(|key| key.contains("promoted_to")),
        "{:?}",
        spare.metadata
    );
}

/// Has the other apply promote the only spare just before this one reads it: in the apply, or in
/// its plan already.
async fn loses_the_only_spare(lab: &Arc<Lab>, due: bool, in_plan: bool) {
    let race = Race::prepare(lab, 1, 1, due).await;
    let racer = &race.racers[0];
    let (_proxy, access) = overtaken(lab, racer).await;
    let mut host = Host::inside(&access).await;
    let plan = if in_plan {
        let (read, _) = host.read(&racer.prior).await;
        let plan = host.plan(Some(&read), &racer.config).await;
        assert!(errors(&plan.told).is_empty(), "{:?}", plan.told);
        plan
    } else {
        racer.plan.clone()
    };
    let applied = host.apply(Some(&racer.prior), &racer.config, &plan).await;
    let applied = applied.unwrap();
    for told in plan.told.iter().chain(&applied.told) {
        assert!(!told.summary.starts_with("No spare"), "{told:?}");
    }
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    let secret = race.bench.secret("agent-01").await;
    assert_eq!(secret.version(), 2);
    let instance = applied.instance.unwrap();
    assert_eq!(
        instance.text("fingerprint"),
        Some(&*fingerprint(&race.bench.token("spare-1"))),
        "{:?}",
        applied.told
    );
    assert_eq!(
        instance.text("rotated_from"),
        Some(&*race.bench.path("spare-1"))
    );
}

#[tokio::test]
async fn an_apply_whose_only_spare_the_other_promoted_adopts_its_token() {
    let lab = Lab::start().await;
    for (due, in_plan) in [(false, false), (true, false), (false, true)] {
        loses_the_only_spare(&lab, due, in_plan).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_primaries_that_want_one_spare_one_gets_it() {
    let lab = Lab::start().await;
    for round in 0..rounds() * 5 {
        let due = round % 2 == 1;
        let race = Race::prepare(&lab, 2, 1, due).await;
        let outcome = race.run(1).await;
        let promoted = race.promoted().await;
        assert_eq!(
            promoted.len(),
            1,
            "round {round}: {outcome:?}",
            outcome = outcome
                .iter()
                .map(|(_, applied)| &applied.told)
                .collect::<Vec<_>>()
        );
        let failed = outcome
            .iter()
            .filter(|(_, applied)| !errors(&applied.told).is_empty())
            .count();
        assert_eq!(failed, usize::from(!due));
    }
}

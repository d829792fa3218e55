//! Whole lives by a seed: two primaries, spares with copies and duplicates, and people who roll
//! back, create secrets again, prune versions, and refill slots in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::again::{Primary, current, fill, wipe};
use super::bench::{Bench, FIELD};
use super::host::{Access, Host, errors};
use super::number;
use super::trial::{Lab, Rights};

/// Lives of the ordinary suite.
const LIVES: u64 = 48;
/// Lives at once: some of them wait for seconds.
const LIVES_AT_ONCE: usize = 48;
/// Steps of a life.
const STEPS: usize = 10;

const PRIMARIES: [&str; 2] = ["agent-1", "agent-2"];
/// Spares that both primaries list.
const SHARED: [&str; 3] = ["spare-1", "spare-2", "spare-3"];
/// Spares that only one primary lists; each may be a copy of its token.
const OWN: [&str; 2] = ["own-1", "own-2"];

/// What happens in a step.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A rotation of this primary is requested.
    Rotate(usize),
    /// Both are requested by processes that start together.
    RotateBoth,
    /// A person puts the value of an older version of a secret back, as `kv rollback` does.
    Rollback(&'static str),
    /// A person deletes a primary with its metadata, and creates it again with its token.
    Recreate(usize),
    /// A person deletes a spare with its metadata, and creates it with a new token.
    RecreateSpare(&'static str),
    /// A secret keeps so many versions from now on.
    Keep(&'static str, u64),
    /// Each new version of a secret deletes itself.
    DeleteLater(&'static str),
    /// A person stores a new token in a spare.
    Refill(&'static str),
    /// A person copies the token of one shared spare into another.
    Duplicate(&'static str, &'static str),
    /// A person copies the token of a primary into its own spare.
    Copy(usize),
    /// Somebody replaces the metadata of a primary.
    Wipe(usize),
    /// A person stores a new token in a primary.
    Store(usize),
    /// A version of another field.
    Sibling(usize),
}

fn step(random: &mut fastrand::Rng) -> Step {
    let primary = random.usize(..2);
    let spare = SHARED[random.usize(..3)];
    let any = [PRIMARIES[0], PRIMARIES[1], SHARED[0], SHARED[1], SHARED[2]][random.usize(..5)];
    match random.u8(..20) {
        0..=5 => Step::Rotate(primary),
        6 | 7 => Step::RotateBoth,
        8 | 9 => Step::Rollback(any),
        10 => Step::Recreate(primary),
        11 => Step::RecreateSpare(spare),
        12 => Step::Keep(any, random.u64(1..=2)),
        13 => Step::DeleteLater(any),
        14 | 15 => Step::Refill(spare),
        16 => Step::Duplicate(spare, SHARED[random.usize(..3)]),
        17 => Step::Copy(primary),
        18 => Step::Wipe(primary),
        _ if random.bool() => Step::Store(primary),
        _ => Step::Sibling(primary),
    }
}

/// One life.
struct Life {
    bench: Arc<Bench>,
    access: Access,
    primaries: Vec<Primary>,
    /// Every token that each primary ever held.
    held: [BTreeSet<String>; 2],
    /// Every token that each shared spare ever held.
    offered: BTreeMap<&'static str, BTreeSet<String>>,
    has_recreated: bool,
    fresh: usize,
    told: Vec<String>,
}

impl Life {
    async fn begin(lab: &Lab, random: &mut fastrand::Rng) -> Self {
        let bench = Bench::new(&lab.bao, lab.folder());
        let access = lab.access(Rights::All, 2);
        let labels = ["X", "Y", "Z"];
        for (spare, age) in SHARED.iter().zip(5..) {
            fill(&bench, spare, labels[random.usize(..3)], age).await;
        }
        let mut primaries = Vec::new();
        for (name, own) in PRIMARIES.into_iter().zip(OWN) {
            let label = if random.bool() { name } else { own };
            fill(&bench, own, label, 3).await;
            let spares = [own, SHARED[0], SHARED[1], SHARED[2]];
            let primary = Primary::new(&bench, name, &spares);
            primaries.push(primary.adopt(&access, 3).await);
        }
        let mut life = Self {
            bench,
            access,
            primaries,
            held: [BTreeSet::new(), BTreeSet::new()],
            offered: BTreeMap::new(),
            has_recreated: false,
            fresh: 0,
            told: Vec::new(),
        };
        life.note().await;
        life
    }

    /// Returns a token that nobody has.
    fn fresh(&mut self) -> String {
        self.fresh += 1;
        format!("fresh {}", self.fresh)
    }

    async fn call(&self, method: &str, kind: &str, name: &str, body: Value) -> Value {
        let path = format!("secret/{kind}/{}", self.bench.path(name));
        self.bench.bao.call(method, &path, body).await.1
    }

    async fn fields(&self, name: &str, version: u64) -> Value {
        let path = format!("{}?version={version}", self.bench.path(name));
        let path = format!("secret/data/{path}");
        let read = self.bench.bao.call("GET", &path, Value::Null).await.1;
        read["data"]["data"].clone()
    }

    async fn version(&self, name: &str) -> u64 {
        let read = self.call("GET", "data", name, Value::Null).await;
        read["data"]["metadata"]["version"].as_u64().unwrap_or(0)
    }

    async fn write(&self, name: &str, fields: Value) {
        let body = json!({ "data": fields });
        self.call("POST", "data", name, body).await;
    }

    /// Returns whether a primary ever held a token.
    fn is_spent(&self, token: &String) -> bool {
        self.held.iter().any(|held| held.contains(token))
    }

    /// Notes what the primaries and the spares hold now.
    async fn note(&mut self) {
        for name in SHARED {
            let token = current(&self.bench, name).await;
            self.offered.entry(name).or_default().extend(token);
        }
        for (name, held) in PRIMARIES.iter().zip(&mut self.held) {
            held.extend(current(&self.bench, name).await);
        }
    }

    /// Has a person do something. What a person puts into a primary, the provider sees before it
    /// promotes anything.
    async fn act(&mut self, step: Step, random: &mut fastrand::Rng) {
        match step {
            Step::Rotate(_) | Step::RotateBoth => {}
            Step::Rollback(name) => {
                let newest = self.version(name).await;
                let fields = self.fields(name, random.u64(1..=newest.max(1))).await;
                if fields[FIELD].is_string() {
                    self.write(name, fields).await;
                }
            }
            // An apply waits for the version that it knows, in case a standby lags.
            Step::Recreate(_) if self.has_recreated => {}
            Step::Recreate(index) => {
                self.has_recreated = true;
                let name = PRIMARIES[index];
                let fields = self.fields(name, self.version(name).await).await;
                self.call("DELETE", "metadata", name, Value::Null).await;
                self.write(name, fields).await;
            }
            // Marks go with a secret, so that a person who deletes it frees its token.
            Step::RecreateSpare(name)
                if self.offered[name].iter().any(|token| self.is_spent(token)) => {}
            Step::RecreateSpare(name) => {
                self.call("DELETE", "metadata", name, Value::Null).await;
                let label = self.fresh();
                fill(&self.bench, name, &label, 1).await;
            }
            Step::Keep(name, versions) => {
                let body = json!({ "max_versions": versions });
                self.call("POST", "metadata", name, body).await;
            }
            Step::DeleteLater(name) => {
                let body = json!({ "delete_version_after": "720h" });
                self.call("POST", "metadata", name, body).await;
            }
            Step::Refill(name) => {
                let label = self.fresh();
                fill(&self.bench, name, &label, 1).await;
            }
            Step::Duplicate(from, to) => {
                // The copy of a spent token is marked by the next apply of its primary.
                if let Some(token) = current(&self.bench, from).await
                    && !self.is_spent(&token)
                {
                    self.write(to, json!({ FIELD: token })).await;
                }
            }
            Step::Copy(index) => {
                if let Some(token) = current(&self.bench, PRIMARIES[index]).await {
                    self.write(OWN[index], json!({ FIELD: token })).await;
                }
            }
            Step::Wipe(index) => wipe(&self.bench, PRIMARIES[index]).await,
            Step::Store(index) => {
                let label = self.fresh();
                fill(&self.bench, PRIMARIES[index], &label, 1).await;
            }
            Step::Sibling(index) => {
                let body = json!({ "data": { "sibling": random.u32(..) } });
                self.call("PATCH", "data", PRIMARIES[index], body).await;
            }
        }
    }

    /// Rotates, and returns what should not have been.
    async fn rotate(&mut self, indexes: &[usize]) -> Vec<String> {
        let mut findings = Vec::new();
        for index in indexes {
            self.primaries[*index].refresh(&self.access).await;
        }
        let mut before = Vec::new();
        for name in PRIMARIES {
            let version = self.version(name).await;
            before.push((version, self.fields(name, version).await));
        }
        let access = self.access.clone();
        let applies = self
            .primaries
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| indexes.contains(index))
            .map(|(_, primary)| {
                let access = &access;
                async move {
                    let applied = primary.rotate(access).await;
                    format!("{}: {:?}", primary.name, applied.told)
                }
            });
        let told = join_all(applies).await;
        self.told.extend(told);
        for (index, name) in PRIMARIES.iter().enumerate() {
            let (version, fields) = &before[index];
            let newest = self.version(name).await;
            let now = self.fields(name, newest).await;
            if now == *fields {
                continue;
            }
            if newest != version + 1 {
                findings.push(format!("{name} went from version {version} to {newest}"));
            }
            let without = |fields: &Value| {
                let mut fields = fields.as_object().cloned().unwrap_or_default();
                fields.remove(FIELD);
                fields
            };
            if without(&now) != without(fields) {
                findings.push(format!("{name} lost siblings: {fields} became {now}"));
            }
            let token = now[FIELD].as_str().unwrap_or_default().to_owned();
            for (other, held) in PRIMARIES.iter().zip(&self.held) {
                if held.contains(&token) {
                    findings.push(format!("{name} got a token that {other} held"));
                }
            }
        }
        let tokens = [
            current(&self.bench, PRIMARIES[0]).await,
            current(&self.bench, PRIMARIES[1]).await,
        ];
        if tokens[0] == tokens[1] {
            findings.push("one token is in both primaries".to_owned());
        }
        findings
    }
}

/// Lives a life, and returns what should not have been.
async fn live(lab: &Lab, seed: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut life = Life::begin(lab, &mut random).await;
    let mut done = Vec::new();
    for _ in 0..STEPS {
        let step = step(&mut random);
        done.push(step);
        life.act(step, &mut random).await;
        let findings = match step {
            Step::Rotate(index) => life.rotate(&[index]).await,
            Step::RotateBoth => life.rotate(&[0, 1]).await,
            _ => {
                // A refresh sees what people did.
                for primary in &mut life.primaries {
                    primary.refresh(&life.access).await;
                }
                Vec::new()
            }
        };
        life.note().await;
        if !findings.is_empty() {
            let told = life.told.join("\n");
            return vec![format!("seed {seed}: {findings:#?}\n{done:#?}\n{told}")];
        }
    }
    Vec::new()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_comes_back_and_none_is_in_two_primaries() {
    let lab = Lab::start().await;
    let first = number("TF_ACC_LAB_SEED", 1);
    let lives = number("TF_ACC_LAB_RUNS", LIVES);
    let wrong: Vec<String> = stream::iter(first..first + lives)
        .map(|seed| {
            let lab = Arc::clone(&lab);
            async move {
                match tokio::spawn(async move { live(&lab, seed).await }).await {
                    Ok(wrong) => wrong,
                    Err(panic) => vec![format!("seed {seed}: {panic}")],
                }
            }
        })
        .buffer_unordered(LIVES_AT_ONCE)
        .flat_map(stream::iter)
        .collect()
        .await;
    assert!(
        wrong.is_empty(),
        "{} of {lives} lives; replay one with TF_ACC_LAB_SEED=<seed> TF_ACC_LAB_RUNS=1\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
}

/// Stacks that a tool starts all at once, each with a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_in_the_same_moment_take_different_spares() {
    const NAMES: [&str; 4] = ["agent-1", "agent-2", "agent-3", "agent-4"];
    let lab = Lab::start().await;
    let access = lab.access(Rights::All, 4);
    for round in 0..number("TF_ACC_RACE_RUNS", 2) {
        let bench = Bench::new(&lab.bao, lab.folder());
        for (spare, age) in SHARED.iter().zip(5..) {
            fill(&bench, spare, spare, age).await;
        }
        let mut prepared = Vec::new();
        for name in NAMES {
            let primary = Primary::new(&bench, name, &SHARED);
            let mut primary = primary.adopt(&access, 100).await;
            prepared.push(primary.requested(&access).await);
        }
        let applies = prepared.iter().map(|(config, prior, plan)| {
            let access = access.clone();
            async move {
                let (mut host, _) = Host::outside(&access).await;
                host.apply(Some(prior), config, plan).await.unwrap()
            }
        });
        let applied = join_all(applies).await;
        let failed = applied
            .iter()
            .filter(|applied| !errors(&applied.told).is_empty())
            .count();
        let mut taken = BTreeSet::new();
        for name in NAMES {
            let token = current(&bench, name).await.unwrap();
            if token != bench.token(name) {
                assert!(
                    taken.insert(token),
                    "round {round}: one token in two primaries"
                );
            }
        }
        assert_eq!((taken.len(), failed), (3, 1), "round {round}: {applied:?}");
        // Each attempt draws a key of its own.
        let mut keys = BTreeSet::new();
        for spare in SHARED {
            for key in bench.secret(spare).await.metadata.into_keys() {
                let is_mark = key.contains(".promoted_to.");
                assert!(!is_mark || keys.insert(key.clone()), "{key}");
            }
        }
    }
}

//! Tokens that must not come back: copies, refilled slots, secrets that were created again, lost
//! answers, and metadata that were wiped.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use terraform_provider_claude::protocol::Value;
use terraform_provider_claude::secret::Secret as Text;

use super::bench::{Bench, Deed, FIELD, PRIMARY, fingerprint, short};
use super::fault::{Fault, Referee, Side, Strike};
use super::host::{Access, Applied, Host, Instance, Plan, config, errors};
use super::trial::{Lab, Rights, adopted, refreshed};
use crate::support::proxy::Proxy;

/// One primary with the spares that it lists.
pub(super) struct Primary {
    bench: Arc<Bench>,
    pub(super) name: &'static str,
    field: &'static str,
    spares: Vec<&'static str>,
    pub(super) instance: Option<Instance>,
    requests: i64,
}

impl Primary {
    pub(super) fn new(bench: &Arc<Bench>, name: &'static str, spares: &[&'static str]) -> Self {
        Self {
            bench: Arc::clone(bench),
            name,
            field: FIELD,
            spares: spares.to_vec(),
            instance: None,
            requests: 0,
        }
    }

    /// Stores a token in a new secret and adopts it.
    pub(super) async fn adopt(mut self, access: &Access, age: i32) -> Self {
        let token = self.bench.token(self.name);
        self.bench.put(self.name, &token, "").await;
        self.bench.date(self.name, &token, age).await;
        self.instance = Some(adopted(access, &self.config()).await);
        self
    }

    pub(super) fn config(&self) -> Value {
        let spares = self
            .spares
            .iter()
            .map(|spare| Value::from(self.bench.path(spare)));
        let mut parts = vec![
            ("path", Value::from(self.bench.path(self.name))),
            ("field", Value::from(self.field)),
            ("spare_paths", Value::List(spares.collect())),
        ];
        if self.requests > 0 {
            let leak = Value::object([("leak", Value::from(self.requests.to_string()))]);
            parts.push(("rotate_when_changed", leak));
        }
        config(&parts)
    }

    pub(super) async fn refresh(&mut self, access: &Access) {
        let instance = self.instance.take().unwrap();
        let mut host = Host::inside(access).await;
        let (read, told) = host.read(&instance).await;
        assert!(errors(&told).is_empty(), "{told:?}");
        self.instance = Some(read);
    }

    /// Asks for a rotation, and applies it through `through`.
    pub(super) async fn rotate_through(&mut self, access: &Access, through: &Access) -> Applied {
        self.requests += 1;
        self.apply_through(access, through).await
    }

    /// Plans a requested rotation, and returns what an apply of it takes.
    pub(super) async fn requested(&mut self, access: &Access) -> (Value, Instance, Plan) {
        self.requests += 1;
        let config = self.config();
        let instance = self.instance.clone().unwrap();
        let (prior, plan, _) = refreshed(access, &instance, &config, &mut Vec::new()).await;
        (config, prior, plan)
    }

    /// Refreshes and plans, and applies that through `through`.
    pub(super) async fn apply_through(&mut self, access: &Access, through: &Access) -> Applied {
        let config = self.config();
        let instance = self.instance.take().unwrap();
        let mut host = Host::inside(access).await;
        let (read, told) = host.read(&instance).await;
        assert!(errors(&told).is_empty(), "{told:?}");
        let plan = host.plan(Some(&read), &config).await;
        if let [error] = errors(&plan.told)[..] {
            // A request that no spare can serve is an error of the plan.
            self.instance = Some(read);
            self.requests -= 1;
            return Applied {
                instance: None,
                told: vec![error.clone()],
            };
        }
        let mut host = Host::inside(through).await;
        let applied = host.apply(Some(&read), &config, &plan).await.unwrap();
        self.instance = Some(applied.instance.clone().unwrap_or(read));
        applied
    }

    pub(super) async fn rotate(&mut self, access: &Access) -> Applied {
        self.rotate_through(access, access).await
    }

    /// Asks for a rotation that a spare serves.
    pub(super) async fn rotates_to(&mut self, access: &Access, label: &str) {
        let applied = self.rotate(access).await;
        assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
        let current = current(&self.bench, self.name).await;
        assert_eq!(current, Some(self.bench.token(label)), "{:?}", applied.told);
    }

    /// Asks for a rotation that no spare can serve.
    pub(super) async fn finds_no_spare(&mut self, access: &Access) {
        let before = current(&self.bench, self.name).await;
        let applied = self.rotate(access).await;
        assert!(!errors(&applied.told).is_empty(), "{:?}", applied.told);
        assert_eq!(current(&self.bench, self.name).await, before);
    }
}

pub(super) async fn fill(bench: &Bench, spare: &str, label: &str, age: i32) {
    let token = bench.token(label);
    bench.put(spare, &token, "").await;
    bench.date(spare, &token, age).await;
}

pub(super) async fn bench() -> (Arc<Lab>, Arc<Bench>, Access) {
    let lab = Lab::start().await;
    let bench = Bench::new(&lab.bao, lab.folder());
    let access = lab.access(Rights::All, 1);
    (lab, bench, access)
}

/// Removes all metadata of a secret, as `vault kv metadata put -custom-metadata=…` does.
pub(super) async fn wipe(bench: &Bench, name: &str) {
    let path = format!("secret/metadata/{}", bench.path(name));
    let body = json!({ "custom_metadata": { "owner": "team" } });
    bench.bao.must("POST", &path, body).await;
}

/// Reads the token of the current version only: older ones may be pruned.
pub(super) async fn current(bench: &Bench, name: &str) -> Option<String> {
    let path = format!("secret/data/{}", bench.path(name));
    let read = bench.bao.must("GET", &path, serde_json::Value::Null).await;
    read["data"]["data"][FIELD].as_str().map(str::to_owned)
}

async fn destroy(bench: &Bench, name: &str, versions: &[usize]) {
    let path = format!("secret/destroy/{}", bench.path(name));
    bench
        .bao
        .must("POST", &path, json!({ "versions": versions }))
        .await;
}

#[tokio::test]
async fn two_spares_with_one_token_serve_one_primary() {
    let (_lab, bench, access) = bench().await;
    for spare in ["spare-1", "spare-2"] {
        fill(&bench, spare, "X", 5).await;
    }
    let spares = ["spare-1", "spare-2"];
    let mut first = Primary::new(&bench, "agent-1", &spares)
        .adopt(&access, 100)
        .await;
    let mut second = Primary::new(&bench, "agent-2", &spares)
        .adopt(&access, 100)
        .await;
    first.rotates_to(&access, "X").await;
    second.finds_no_spare(&access).await;
}

#[tokio::test]
async fn a_slot_that_was_refilled_keeps_the_evidence_of_its_old_token() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let mut primaries = Vec::new();
    for name in ["agent-1", "agent-2", "agent-3"] {
        primaries.push(
            Primary::new(&bench, name, &["spare"])
                .adopt(&access, 100)
                .await,
        );
    }
    primaries[0].rotates_to(&access, "X").await;
    fill(&bench, "spare", "Y", 5).await;
    primaries[1].rotates_to(&access, "Y").await;
    fill(&bench, "spare", "X", 5).await;
    primaries[2].finds_no_spare(&access).await;
}

#[tokio::test]
async fn a_secret_that_was_created_again_does_not_take_its_old_token() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let mut primary = Primary::new(&bench, "agent", &["spare"])
        .adopt(&access, 100)
        .await;
    primary.rotates_to(&access, "X").await;
    // Only the mark from before the write is left, as an older release leaves it, and it is older
    // than the time in which a write may follow.
    let spare = bench.secret("spare").await;
    let path = format!("secret/metadata/{}", bench.path("spare"));
    for (key, value) in spare.metadata {
        let parts: Vec<_> = value.split(' ').collect();
        let changed = match parts[..] {
            [_, "0", _, _] => None,
            [token, version, at, primary] => {
                let at = at.parse::<i64>().unwrap() - 600;
                Some(format!("{token} {version} {at} {primary}"))
            }
            _ => continue,
        };
        let body = json!({ "custom_metadata": { key: changed } });
        bench.bao.must("PATCH", &path, body).await;
    }
    let path = format!("secret/metadata/{}", bench.path("agent"));
    bench
        .bao
        .must("DELETE", &path, serde_json::Value::Null)
        .await;
    let mut again = Primary::new(&bench, "agent", &["spare"])
        .adopt(&access, 100)
        .await;
    again.finds_no_spare(&access).await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_keeps_its_mark() {
    for deed in [Deed::Working, Deed::Back] {
        let lab = Lab::start().await;
        let bench = Bench::furnished(&lab.bao, lab.folder(), 100).await;
        let access = lab.access(Rights::All, 1);
        let mut primary = Primary::new(&bench, PRIMARY, &["spare-2"]);
        primary.instance = Some(adopted(&access, &primary.config()).await);
        let mut rival = Primary::new(&bench, "a-rival", &["spare-2"]);
        rival.instance = Some(adopted(&access, &rival.config()).await);
        let strike = |occurrence, fault, side| Strike {
            request: format!("POST data/{PRIMARY}"),
            occurrence,
            times: 1,
            fault,
            side,
        };
        let strikes = [
            strike(0, Fault::Cut, Side::After),
            strike(1, Fault::Deed(deed), Side::Before),
        ];
        let referee = Referee::new(&bench, &strikes);
        let proxy = Proxy::judged(lab.bao.address(), Arc::clone(&referee) as _).await;
        let through = Access {
            address: proxy.address().to_owned(),
            ..access.clone()
        };
        let applied = primary.rotate_through(&access, &through).await;
        assert_eq!(referee.struck(), 2, "{:?}", applied.told);
        assert_eq!(
            bench.secret(PRIMARY).await.value(3),
            Some(bench.token("spare-2"))
        );
        rival.finds_no_spare(&access).await;
    }
}

#[tokio::test]
async fn a_token_that_was_replaced_manually_does_not_come_back_from_its_copy() {
    let (_lab, bench, access) = bench().await;
    let spares = ["copy", "good"];
    let mut primary = Primary::new(&bench, "agent", &spares)
        .adopt(&access, 3)
        .await;
    // The copy lasts longest.
    fill(&bench, "copy", "agent", 3).await;
    fill(&bench, "good", "good", 50).await;
    fill(&bench, "agent", "by hand", 100).await;
    primary.refresh(&access).await;
    destroy(&bench, "agent", &[1]).await;
    primary.rotates_to(&access, "good").await;
    primary.finds_no_spare(&access).await;
}

#[tokio::test]
async fn wiped_metadata_do_not_bring_a_spent_token_back() {
    let (_lab, bench, access) = bench().await;
    let spares = ["spare-1", "spare-2"];
    fill(&bench, "spare-1", "X", 5).await;
    fill(&bench, "spare-2", "Y", 10).await;
    let mut primary = Primary::new(&bench, "agent", &spares)
        .adopt(&access, 100)
        .await;
    primary.rotates_to(&access, "X").await;
    primary.rotates_to(&access, "Y").await;
    for name in ["agent", "spare-1", "spare-2"] {
        wipe(&bench, name).await;
    }
    destroy(&bench, "agent", &[1, 2]).await;
    primary.finds_no_spare(&access).await;
    // The next apply that writes puts the bookkeeping back.
    fill(&bench, "spare-2", "Z", 1).await;
    primary.rotates_to(&access, "Z").await;
    let metadata = bench.secret("agent").await.metadata;
    let retired = &metadata[&format!("{FIELD}.retired")];
    for label in ["agent", "X", "Y"] {
        assert!(
            retired.contains(&short(&bench.token(label))),
            "{label}: {retired}"
        );
    }
    assert_eq!(metadata["owner"], "team");
    let spare = bench.secret("spare-1").await.metadata;
    let held = format!("{} 0 ", short(&bench.token("X")));
    assert!(
        spare.values().any(|mark| mark.starts_with(&held)),
        "{spare:?}"
    );
}

#[tokio::test]
async fn an_entry_among_the_marks_that_nobody_knows_bars_the_spare() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let key = "promoted_to.v2-00c0ffee";
    bench.note("spare", &[(key, "anything".to_owned())]).await;
    let mut primary = Primary::new(&bench, "agent", &["spare"])
        .adopt(&access, 100)
        .await;
    primary.requests = 0;
    let applied = primary.rotate(&access).await;
    let [error] = errors(&applied.told)[..] else {
        panic!("{:?}", applied.told);
    };
    assert!(error.detail.contains(key), "{error:?}");
}

/// The plan was made for a date that was corrected since.
#[tokio::test]
async fn an_apply_keeps_a_token_that_is_not_due_any_more() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let primary = Primary::new(&bench, "agent", &["spare"])
        .adopt(&access, 340)
        .await;
    let config = primary.config();
    let prior = primary.instance.clone().unwrap();
    let (prior, plan, empty) = refreshed(&access, &prior, &config, &mut Vec::new()).await;
    assert!(!empty);
    bench.date("agent", &bench.token("agent"), 100).await;
    let mut host = Host::inside(&access).await;
    let applied = host.apply(Some(&prior), &config, &plan).await.unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    assert!(
        applied
            .told
            .iter()
            .any(|told| told.summary.contains("is not due")),
        "{:?}",
        applied.told
    );
    let instance = applied.instance.unwrap();
    assert_eq!(instance.text("fingerprint"), prior.text("fingerprint"));
    assert_eq!(bench.secret("agent").await.version(), 1);
    let (_, _, empty) = refreshed(&access, &instance, &config, &mut Vec::new()).await;
    assert!(empty);
}

/// Every new version would be deleted, and so due, as soon as this one.
#[tokio::test]
async fn a_deletion_that_makes_every_version_due_uses_up_no_spare() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let path = format!("secret/metadata/{}", bench.path("agent"));
    let body = json!({ "delete_version_after": "720h" });
    bench.bao.must("POST", &path, body).await;
    let primary = Primary::new(&bench, "agent", &["spare"])
        .adopt(&access, 100)
        .await;
    let config = primary.config();
    let mut instance = primary.instance.clone().unwrap();
    for _ in 0..2 {
        let (prior, plan, empty) = refreshed(&access, &instance, &config, &mut Vec::new()).await;
        assert!(!empty);
        let mut host = Host::inside(&access).await;
        let applied = host.apply(Some(&prior), &config, &plan).await.unwrap();
        assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
        let says = |text| applied.told.iter().any(|told| told.detail.contains(text));
        assert!(says("-delete-version-after=0s"), "{:?}", applied.told);
        assert!(
            says("secret/config delete_version_after=0s"),
            "{:?}",
            applied.told
        );
        assert_eq!(bench.secret("agent").await.version(), 1);
        instance = applied.instance.unwrap();
    }
}

#[tokio::test]
async fn a_copy_of_the_new_token_is_marked_as_well() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare-1", "X", 5).await;
    fill(&bench, "spare-2", "X", 5).await;
    let spares = ["spare-1", "spare-2"];
    let mut primary = Primary::new(&bench, "agent", &spares)
        .adopt(&access, 100)
        .await;
    primary.rotates_to(&access, "X").await;
    let held = format!("{} 0 ", short(&bench.token("X")));
    for spare in spares {
        let metadata = bench.secret(spare).await.metadata;
        assert!(
            metadata.values().any(|mark| mark.starts_with(&held)),
            "{metadata:?}"
        );
    }
    let metadata = bench.secret("agent").await.metadata;
    assert!(
        !metadata.contains_key(&format!("{FIELD}.next")),
        "{metadata:?}"
    );
    assert_eq!(
        metadata[&format!("{FIELD}.fingerprint")],
        short(&bench.token("X"))
    );
    assert_eq!(
        primary.instance.unwrap().text("fingerprint"),
        Some(&*fingerprint(&bench.token("X")))
    );
}

/// The secret keeps one version, or two, so that its history shows nothing.
#[tokio::test]
async fn a_primary_without_a_history_takes_no_token_again() {
    for max_versions in [1, 2] {
        let (_lab, bench, access) = bench().await;
        fill(&bench, "spare-1", "X", 5).await;
        fill(&bench, "spare-2", "Y", 10).await;
        let path = format!("secret/metadata/{}", bench.path("agent"));
        let body = json!({ "max_versions": max_versions });
        bench.bao.must("POST", &path, body).await;
        let spares = ["spare-1", "spare-2"];
        let mut primary = Primary::new(&bench, "agent", &spares)
            .adopt(&access, 100)
            .await;
        primary.rotates_to(&access, "X").await;
        primary.rotates_to(&access, "Y").await;
        primary.finds_no_spare(&access).await;
    }
}

/// A person brings the leaked token back, as a rollback or a restored backup does.
#[tokio::test]
async fn a_leaked_token_that_came_back_is_replaced_on_request() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare-1", "X", 5).await;
    fill(&bench, "spare-2", "Y", 10).await;
    let spares = ["spare-1", "spare-2"];
    let mut primary = Primary::new(&bench, "agent", &spares)
        .adopt(&access, 100)
        .await;
    primary.rotates_to(&access, "X").await;
    // Between the plan and the apply of the next request.
    primary.requests += 1;
    let config = primary.config();
    let prior = primary.instance.clone().unwrap();
    let mut host = Host::inside(&access).await;
    let (prior, _) = host.read(&prior).await;
    let plan = host.plan(Some(&prior), &config).await;
    bench.put("agent", &bench.token("agent"), "").await;
    let mut host = Host::inside(&access).await;
    let applied = host.apply(Some(&prior), &config, &plan).await.unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    assert_eq!(current(&bench, "agent").await, Some(bench.token("Y")));
}

/// A token that `token_wo` brings and a spare holds as well belongs to one primary only.
#[tokio::test]
async fn a_stored_token_is_claimed_wherever_a_spare_holds_it() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let stores = async |primary: &Primary| {
        let mut parts = primary.config();
        if let Value::Map(parts) = &mut parts {
            let token = Text::new(bench.token("X"));
            parts.insert("token_wo".to_owned(), token.into());
            parts.insert("token_wo_version".to_owned(), Value::from(1_i64));
        }
        let prior = primary.instance.clone().unwrap();
        let mut host = Host::inside(&access).await;
        let plan = host.plan(Some(&prior), &parts).await;
        host.apply(Some(&prior), &parts, &plan).await.unwrap()
    };
    let first = Primary::new(&bench, "agent-1", &["spare"])
        .adopt(&access, 100)
        .await;
    let mut second = Primary::new(&bench, "agent-2", &["spare"])
        .adopt(&access, 100)
        .await;
    let third = Primary::new(&bench, "agent-3", &["spare"])
        .adopt(&access, 100)
        .await;
    let applied = stores(&first).await;
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    assert_eq!(
        bench.secret("agent-1").await.current(),
        Some(bench.token("X"))
    );
    let metadata = bench.secret("agent-1").await.metadata;
    let retired = &metadata[&format!("{FIELD}.retired")];
    assert!(
        retired.contains(&short(&bench.token("agent-1"))),
        "{retired}"
    );
    second.finds_no_spare(&access).await;
    let applied = stores(&third).await;
    let [error] = errors(&applied.told)[..] else {
        panic!("{:?}", applied.told);
    };
    assert!(error.detail.contains("agent-1"), "{error:?}");
    assert_eq!(
        bench.secret("agent-3").await.current(),
        Some(bench.token("agent-3"))
    );
}

/// Eight fields of one secret are rotated by one process in one apply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_of_one_secret_wait_for_each_other() {
    const FIELDS: [&str; 8] = ["f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"];
    let (_lab, bench, access) = bench().await;
    let document = |kind: &str| {
        let fields = FIELDS.map(|field| (field, bench.token(&format!("{kind} {field}"))));
        json!({ "data": serde_json::Map::from_iter(
            fields.map(|(field, token)| (field.to_owned(), token.into())),
        ) })
    };
    for name in ["agent", "spare"] {
        let path = format!("secret/data/{}", bench.path(name));
        bench.bao.must("POST", &path, document(name)).await;
    }
    let mut primaries = Vec::new();
    for field in FIELDS {
        let mut primary = Primary::new(&bench, "agent", &["spare"]);
        primary.field = field;
        let instance = adopted(&access, &primary.config()).await;
        primary.requests = 1;
        let config = primary.config();
        let (prior, plan, _) = refreshed(&access, &instance, &config, &mut Vec::new()).await;
        primaries.push((config, prior, plan));
    }
    let host = Host::inside(&access).await;
    let applies = primaries.iter().map(|(config, prior, plan)| {
        let mut host = host.handle();
        async move { host.apply(Some(prior), config, plan).await.unwrap() }
    });
    for applied in join_all(applies).await {
        assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    }
    let path = format!("secret/data/{}", bench.path("agent"));
    let read = bench.bao.must("GET", &path, serde_json::Value::Null).await;
    assert_eq!(read["data"]["data"], document("spare")["data"]);
    assert_eq!(read["data"]["metadata"]["version"], 9);
}

//! A standby that lags, behind a proxy that does not pass on by which index to wait for it.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use terraform_provider_claude::protocol::Value;

use super::bench::{BEST, Bench, Deed, PRIMARY, SPARES};
use super::host::{Access, Host, config, errors};
use super::trial::{Lab, Rights, adopted, refreshed};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};

/// Another primary marks the best spare just before this one does. One read later shows both
/// marks, and the next one comes from a standby that has seen neither.
struct Lagging {
    bench: Arc<Bench>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the standby still shows.
    before: Option<String>,
    /// Reads of the spare since it was marked.
    reads: usize,
}

impl Judge for Lagging {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        async move {
            let path = format!("data/{}", self.bench.path(BEST));
            let metadata = format!("metadata/{}", self.bench.path(BEST));
            if seen.method == "PATCH" && seen.target.ends_with(&metadata) {
                let bao = &self.bench.bao;
                let (_, before) = bao.call_text("GET", &format!("secret/{path}"), "").await;
                let first = {
                    let mut state = self.state.lock().unwrap();
                    state.before.replace(before).is_none()
                };
                if first {
                    self.bench.act(Deed::Rival, 0).await;
                }
            }
            let mut step = Step::Pass;
            if seen.method == "GET" && seen.target.ends_with(&path) {
                let mut state = self.state.lock().unwrap();
                if let Some(before) = state.before.clone() {
                    state.reads += 1;
                    if state.reads == 2 {
                        step = Step::json(200, &before);
                    }
                }
            }
            step.into()
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_spare_that_another_primary_marked_is_left_to_it_when_a_standby_lags() {
    let lab = Lab::start().await;
    let bench = Bench::furnished(&lab.bao, lab.folder(), 100).await;
    let asked = |leak: Option<Value>| {
        let spares = SPARES.map(|spare| Value::from(bench.path(spare)));
        let mut parts = vec![
            ("path", Value::from(bench.path(PRIMARY))),
            ("spare_paths", Value::List(spares.into())),
        ];
        parts.extend(leak.map(|leak| ("rotate_when_changed", Value::object([("leak", leak)]))));
        config(&parts)
    };
    let direct = lab.access(Rights::All, 1);
    let prior = adopted(&direct, &asked(None)).await;
    let config = asked(Some(Value::from("1")));
    let (prior, plan, _) = refreshed(&direct, &prior, &config, &mut Vec::new()).await;

    let judge = Lagging {
        bench: Arc::clone(&bench),
        state: Mutex::default(),
    };
    let proxy = Proxy::judged(lab.bao.address(), Arc::new(judge)).await;
    let through = Access {
        address: proxy.address().to_owned(),
        ..direct
    };
    let mut host = Host::inside(&through).await;
    let applied = host.apply(Some(&prior), &config, &plan).await.unwrap();
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    let taken = bench.secret(PRIMARY).await.current();
    assert_eq!(taken, Some(bench.token("spare-1")), "{:?}", applied.told);
    // What is left on the best spare is the mark of the other primary alone.
    let marks = bench.secret(BEST).await.metadata.into_iter();
    let marks: Vec<_> = marks
        .filter(|(key, _)| key.contains(".promoted_to."))
        .collect();
    assert!(
        matches!(&marks[..], [(_, mark)] if mark.contains("a-rival")),
        "{marks:?}"
    );
}

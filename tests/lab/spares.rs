//! Each use of a spare, with the best spare denied, slow, malformed, deleted, or gone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::again::{Primary, bench, current, fill};
use super::bench::{Bench, FIELD};
use super::host::{Access, Host, errors};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};

/// What is the matter with the best spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Denied,
    Slow,
    Malformed,
    Empty,
    Deleted,
    Gone,
}

impl Trouble {
    const ALL: [Self; 6] = [
        Self::Denied,
        Self::Slow,
        Self::Malformed,
        Self::Empty,
        Self::Deleted,
        Self::Gone,
    ];

    /// Brings it about.
    async fn strike(self, bench: &Bench) {
        let data = format!("secret/data/{}", bench.path("best"));
        let put = async |value: String| {
            let body = json!({ "data": { FIELD: value } });
            bench.bao.must("POST", &data, body).await;
        };
        match self {
            Self::Denied | Self::Slow => {}
            Self::Malformed => put(bench.token("best")[..80].to_owned()).await,
            Self::Empty => put(String::new()).await,
            Self::Deleted => {
                bench.bao.must("DELETE", &data, Value::Null).await;
            }
            Self::Gone => {
                let metadata = format!("secret/metadata/{}", bench.path("best"));
                bench.bao.must("DELETE", &metadata, Value::Null).await;
            }
        }
    }
}

impl Judge for Trouble {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        let is_best = seen.target.split('?').next().unwrap().ends_with("/best");
        let step = match *self {
            Self::Denied if is_best => Step::json(403, r#"{"errors":["permission denied"]}"#),
            Self::Slow if is_best => Step::Delay(Duration::from_millis(300)),
            _ => Step::Pass,
        };
        step.judged()
    }
}

/// Lives through adoption, refresh, plan, and apply, each with that spare; the other one is good.
async fn lived_through(trouble: Trouble, age: i32) {
    let (_lab, bench, direct) = bench().await;
    let proxy = Proxy::judged(&direct.address, Arc::new(trouble)).await;
    let access = Access {
        address: proxy.address().to_owned(),
        ..direct.clone()
    };
    fill(&bench, "best", "best", 5).await;
    fill(&bench, "good", "good", 50).await;
    trouble.strike(&bench).await;
    let mut primary = Primary::new(&bench, "agent", &["best", "good"])
        .adopt(&access, age)
        .await;
    primary.refresh(&access).await;
    let config = primary.config();
    let mut host = Host::inside(&access).await;
    let plan = host.plan(primary.instance.as_ref(), &config).await;
    assert!(errors(&plan.told).is_empty(), "{trouble:?}: {plan:?}");
    let applied = if age > 335 {
        primary.apply_through(&access, &access).await
    } else {
        primary.rotate(&access).await
    };
    assert!(errors(&applied.told).is_empty(), "{trouble:?}: {applied:?}");
    let label = if trouble == Trouble::Slow {
        "best"
    } else {
        "good"
    };
    assert_eq!(
        current(&bench, "agent").await,
        Some(bench.token(label)),
        "{trouble:?}: {:?}",
        applied.told
    );
    let instance = applied.instance.unwrap();
    assert_eq!(
        instance.text("rotated_from"),
        Some(&*bench.path(label)),
        "{trouble:?}"
    );
    // Nothing of the trouble is left to report, and a rehearsal of the next plan is empty.
    let mut host = Host::inside(&access).await;
    let (read, told) = host.read(&instance).await;
    assert!(errors(&told).is_empty(), "{trouble:?}: {told:?}");
    assert_eq!(read.text("fingerprint"), instance.text("fingerprint"));
}

#[tokio::test]
async fn a_due_token_is_rotated_past_a_spare_in_trouble() {
    for trouble in Trouble::ALL {
        lived_through(trouble, 340).await;
    }
}

#[tokio::test]
async fn a_requested_rotation_passes_a_spare_in_trouble() {
    for trouble in Trouble::ALL {
        lived_through(trouble, 100).await;
    }
}

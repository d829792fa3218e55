//! Clocks that differ between a mark and the write: a machine that slept, and a node or proxy whose
//! `Date` is ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::BoxFuture;
use jiff::SignedDuration;
use terraform_provider_claude::clock;

use super::again::{Primary, bench, current, fill};
use super::bench::FIELD;
use super::host::{Access, errors};
use crate::support::proxy::{Judge, Judgement, Proxy, Seen, Step};

/// Moves the dates of the answers before a mark, from which the mark takes its time, and not of
/// those from the mark to the write.
struct Shifted {
    by: SignedDuration,
    /// How many marks are met.
    marks: usize,
    set: AtomicUsize,
    is_marked: AtomicBool,
    /// Whether answers after a mark are moved as well.
    always: bool,
}

impl Judge for Shifted {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        if seen.method == "PATCH" && seen.body.contains(".promoted_to.") {
            let is_withdrawn = seen.body.contains("null");
            self.is_marked.store(!is_withdrawn, Ordering::SeqCst);
            self.set
                .fetch_add(usize::from(!is_withdrawn), Ordering::SeqCst);
        }
        let is_met = self.set.load(Ordering::SeqCst) < self.marks;
        let step = if self.always || is_met && !self.is_marked.load(Ordering::SeqCst) {
            Step::PassAhead(self.by)
        } else {
            Step::Pass
        };
        step.judged()
    }
}

async fn through(
    access: &Access,
    marks: usize,
    by: SignedDuration,
    always: bool,
) -> (Proxy, Access) {
    let judge = Shifted {
        by,
        marks,
        set: AtomicUsize::new(0),
        is_marked: AtomicBool::new(false),
        always,
    };
    let proxy = Proxy::judged(&access.address, Arc::new(judge)).await;
    let through = Access {
        address: proxy.address().to_owned(),
        ..access.clone()
    };
    (proxy, through)
}

/// The marks are minutes old, or an hour ahead, when the write could leave: they are set again.
#[tokio::test]
async fn marks_whose_time_is_not_that_of_the_write_are_set_again() {
    for by in [
        SignedDuration::from_mins(-6),
        SignedDuration::from_mins(6),
        SignedDuration::from_mins(59),
    ] {
        let (_lab, bench, access) = bench().await;
        fill(&bench, "spare", "X", 5).await;
        let mut primary = Primary::new(&bench, "agent", &["spare"])
            .adopt(&access, 100)
            .await;
        let (_proxy, through) = through(&access, 1, by, false).await;
        let applied = primary.rotate_through(&access, &through).await;
        assert!(errors(&applied.told).is_empty(), "{by}: {:?}", applied.told);
        assert_eq!(current(&bench, "agent").await, Some(bench.token("X")));
        let now = clock::now().as_second();
        let metadata = bench.secret("spare").await.metadata;
        let mut marks = 0;
        for (key, value) in &metadata {
            if key.starts_with(&format!("{FIELD}.promoted_to.")) {
                let at: i64 = value.split(' ').nth(2).unwrap().parse().unwrap();
                assert!((now - at).abs() < 120, "{by}: {metadata:?}");
                marks += 1;
            }
        }
        // The one from before the write, and the one that says that the primary holds it.
        assert_eq!(marks, 2, "{by}: {metadata:?}");
    }
}

/// Each time, the time for the write is over: nothing is written, and no mark stays.
#[tokio::test]
async fn a_promotion_that_is_always_too_late_writes_nothing() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let mut primary = Primary::new(&bench, "agent", &["spare"])
        .adopt(&access, 100)
        .await;
    let (_proxy, through) =
        through(&access, usize::MAX, SignedDuration::from_mins(-6), false).await;
    let applied = primary.rotate_through(&access, &through).await;
    assert!(!errors(&applied.told).is_empty(), "{:?}", applied.told);
    assert_eq!(current(&bench, "agent").await, Some(bench.token("agent")));
    let metadata = bench.secret("spare").await.metadata;
    let is_mark = |key: &String| key.contains(".promoted_to.");
    assert!(!metadata.keys().any(is_mark), "{metadata:?}");
}

/// While the clocks differ, a date alone promotes nothing, and a request is still carried out.
#[tokio::test]
async fn a_date_that_is_an_hour_ahead_promotes_nothing_because_of_a_date() {
    let (_lab, bench, access) = bench().await;
    fill(&bench, "spare", "X", 5).await;
    let mut primary = Primary::new(&bench, "agent", &["spare"])
        .adopt(&access, 340)
        .await;
    let ahead = SignedDuration::from_mins(65);
    let (_proxy, through) = through(&access, 0, ahead, true).await;
    let due = primary.apply_through(&access, &through).await;
    assert!(errors(&due.told).is_empty(), "{:?}", due.told);
    assert_eq!(current(&bench, "agent").await, Some(bench.token("agent")));
    let applied = primary.rotate_through(&access, &through).await;
    assert!(errors(&applied.told).is_empty(), "{:?}", applied.told);
    assert_eq!(current(&bench, "agent").await, Some(bench.token("X")));
}

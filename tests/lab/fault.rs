//! What can happen to a request, and when.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use super::bench::{Bench, Deed};
use crate::support::openbao::OpenBao;
use crate::support::proxy::{Judge, Judgement, Seen, Step};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It, or its answer, takes a while.
    Delay,
    /// The connection is cut.
    Cut,
    /// The connection is cut and the request arrives when nobody waits for it any more: before
    /// the next refresh, or (`After`) between the next plan and its apply.
    Late,
    /// It is answered so.
    Status(u16),
    /// It is answered by a page, with status 200.
    Html,
    /// A second writer comes in.
    Deed(Deed),
    /// The provider is killed.
    Kill,
}

/// Where a fault comes: before the server sees the request, or after it has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Fault {
    /// Every fault but the kill, which needs a process.
    pub(super) fn all() -> Vec<Self> {
        let mut faults = vec![Self::Delay, Self::Cut, Self::Late];
        faults.extend([403, 412, 429, 500, 502, 503].map(Self::Status));
        faults.push(Self::Html);
        faults.extend(Deed::ALL.map(Self::Deed));
        faults
    }

    /// Tells whether a server can behave so. Vault refuses by 403 and 429 before it does
    /// anything, so that neither can follow upon work that was done.
    pub(super) fn is_possible(self, side: Side) -> bool {
        !(matches!(self, Self::Status(403 | 429)) && side == Side::After)
    }

    /// Tells whether a single one is gone at the second attempt and leaves nothing behind.
    pub(super) fn is_transient(self) -> bool {
        match self {
            Self::Delay | Self::Cut | Self::Late => true,
            Self::Status(status) => status != 403,
            Self::Html | Self::Deed(_) | Self::Kill => false,
        }
    }

    fn step(self, side: Side) -> Step {
        let json = |status, text: &str| Step::json(status, &format!("{{\"errors\":[\"{text}\"]}}"));
        let answer = match self {
            Self::Deed(_) => return Step::Pass,
            Self::Delay => {
                return Step::Delay(Duration::from_millis(30));
            }
            Self::Cut | Self::Late => {
                return match side {
                    Side::Before => Step::CutBefore,
                    Side::After => Step::CutAfter,
                };
            }
            Self::Kill => {
                return match side {
                    Side::Before => Step::Hang,
                    Side::After => Step::HangAfter,
                };
            }
            Self::Html => Step::html(200),
            Self::Status(403) => json(403, r"1 error occurred:\n\t* permission denied\n\n"),
            Self::Status(429) => json(429, "rate limit quota exceeded").with("retry-after", "0"),
            Self::Status(503) if side == Side::Before => json(503, "Vault is sealed"),
            Self::Status(502) => Step::html(502),
            Self::Status(status) => json(status, "something went wrong"),
        };
        match side {
            Side::Before => answer,
            Side::After => answer.after_the_fact(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay => formatter.pad("delay"),
            Self::Cut => formatter.pad("cut"),
            Self::Late => formatter.pad("late"),
            Self::Status(status) => formatter.pad(&status.to_string()),
            Self::Html => formatter.pad("html"),
            Self::Deed(deed) => formatter.pad(deed.name()),
            Self::Kill => formatter.pad("kill"),
        }
    }
}

/// A fault and the request that it meets.
#[derive(Clone, Debug)]
pub(super) struct Strike {
    /// Such as `GET data/m-agent`; the same request may come more than once.
    pub(super) request: String,
    /// Which of the requests of this name it is, from 0 on.
    pub(super) occurrence: usize,
    /// How many of them in a row it meets.
    pub(super) times: usize,
    pub(super) fault: Fault,
    pub(super) side: Side,
}

/// Carries a schedule out.
pub(super) struct Referee {
    bench: Arc<Bench>,
    strikes: Vec<Strike>,
    state: Mutex<State>,
    /// Told when the provider is to be killed.
    pub(super) fatal: Notify,
}

#[derive(Default)]
struct State {
    counts: HashMap<String, usize>,
    order: Vec<(String, usize)>,
    struck: Vec<usize>,
    late: Vec<(Side, Seen)>,
    deeds: usize,
}

impl Referee {
    pub(super) fn new(bench: &Arc<Bench>, strikes: &[Strike]) -> Arc<Self> {
        Arc::new(Self {
            bench: Arc::clone(bench),
            strikes: strikes.to_vec(),
            state: Mutex::default(),
            fatal: Notify::new(),
        })
    }

    /// Returns the requests so far, each with how many of its name came before.
    pub(super) fn requests(&self) -> Vec<(String, usize)> {
        self.state.lock().unwrap().order.clone()
    }

    /// Tells how many strikes met a request.
    pub(super) fn struck(&self) -> usize {
        let mut struck = self.state.lock().unwrap().struck.clone();
        struck.sort_unstable();
        struck.dedup();
        struck.len()
    }

    /// Delivers the requests that were held up.
    pub(super) async fn deliver(&self, side: Side) {
        let late: Vec<_> = {
            let mut state = self.state.lock().unwrap();
            let (now, later) = state.late.drain(..).partition(|(when, _)| *when == side);
            state.late = later;
            now
        };
        for (_, seen) in late {
            let path = seen.target.trim_start_matches("/v1/").to_owned();
            // A server that changed meanwhile may refuse it: that is the point.
            let _ = deliver(&self.bench.bao, &seen, &path).await;
        }
    }

    /// Returns how the lab calls a request.
    fn name(&self, seen: &Seen) -> String {
        let target = seen.target.trim_start_matches("/v1/secret/");
        let folder = self.bench.path("");
        format!("{} {}", seen.method, target.replace(&folder, ""))
    }
}

async fn deliver(bao: &OpenBao, seen: &Seen, path: &str) -> u16 {
    let body = if seen.body.is_empty() {
        serde_json::Value::Null
    } else {
        serde_json::from_str(&seen.body).unwrap()
    };
    bao.call(&seen.method, path, body).await.0
}

impl Judge for Referee {
    fn judge(self: Arc<Self>, seen: Seen) -> BoxFuture<'static, Judgement> {
        async move {
            let name = self.name(&seen);
            let (hit, number) = {
                let mut state = self.state.lock().unwrap();
                let count = state.counts.entry(name.clone()).or_default();
                let occurrence = *count;
                *count += 1;
                state.order.push((name.clone(), occurrence));
                let hit = self.strikes.iter().position(|strike| {
                    strike.request == name
                        && (strike.occurrence..strike.occurrence + strike.times)
                            .contains(&occurrence)
                });
                if let Some(index) = hit {
                    state.struck.push(index);
                    let Strike { fault, side, .. } = self.strikes[index];
                    if fault == Fault::Late {
                        state.late.push((side, seen));
                    }
                }
                state.deeds += 1;
                (hit, state.deeds)
            };
            let Some(index) = hit else {
                return Step::Pass.into();
            };
            let Strike { fault, side, .. } = self.strikes[index];
            let effect: Option<BoxFuture<'static, ()>> = match fault {
                Fault::Deed(deed) => {
                    let bench = Arc::clone(&self.bench);
                    Some(async move { bench.act(deed, number).await }.boxed())
                }
                Fault::Kill => {
                    let referee = Arc::clone(&self);
                    Some(async move { referee.fatal.notify_one() }.boxed())
                }
                Fault::Delay if side == Side::After => {
                    Some(tokio::time::sleep(Duration::from_millis(30)).boxed())
                }
                _ => None,
            };
            let step = match (fault, side) {
                (Fault::Delay, Side::After) => Step::Pass,
                // Held up on its way: the server sees nothing now, on either side.
                (Fault::Late, _) => Step::CutBefore,
                _ => fault.step(side),
            };
            match (effect, side) {
                (Some(effect), Side::Before) => {
                    effect.await;
                    step.into()
                }
                (afterwards, _) => Judgement { step, afterwards },
            }
        }
        .boxed()
    }
}

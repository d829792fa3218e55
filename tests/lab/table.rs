//! Every request of a promotion under every fault, before and after the server has seen it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::bench::Deed;
use super::fault::{Fault, Side, Strike};
use super::trial::{Case, Cause, Lab, Rights};

/// Runs at once.
pub(super) const AT_ONCE: usize = 16;

/// The requests of a promotion, each with the step of the promotion that makes it.
pub(super) const REQUESTS: [Row; 13] = [
    ("GET data/m-agent", 0, "read primary"),
    ("GET data/m-agent?version=1", 0, "read older version"),
    ("GET data/spare-1", 0, "read spare 1"),
    ("GET data/spare-2", 0, "read spare 2 (best)"),
    ("GET data/spare-3", 0, "read spare 3"),
    ("GET data/spare-4", 0, "read spare 4 (copy)"),
    ("PATCH metadata/spare-4", 0, "mark the copy"),
    ("PATCH metadata/spare-2", 0, "mark spare 2"),
    ("GET data/spare-2", 1, "re-read spare 2"),
    ("PATCH metadata/m-agent", 0, "announce the token"),
    ("POST data/m-agent", 0, "write primary"),
    ("PATCH metadata/m-agent", 1, "stamp primary"),
    ("PATCH metadata/spare-2", 1, "mark spare 2 as held"),
];

/// A request, which of its name it is, and what it is for.
pub(super) type Row = (&'static str, usize, &'static str);

/// A cell of a table: the row, the fault, the side.
type Cell = (usize, usize, Side);

/// How a run with one fault went.
pub(super) struct Outcome {
    /// What is shown in the cell.
    pub(super) letters: String,
    /// How many faults met a request.
    pub(super) struck: usize,
    /// What should not have been.
    pub(super) findings: Vec<String>,
}

/// Makes one run for each cell, prints the table, and fails where a cell is empty or a run went
/// wrong.
pub(super) async fn fill<R, F>(title: &str, rows: &[Row], faults: &[Fault], run: R)
where
    R: Fn(Strike) -> F,
    F: Future<Output = Outcome> + Send + 'static,
{
    let mut cells: Vec<(Cell, Strike)> = Vec::new();
    for (row, (request, occurrence, _)) in rows.iter().enumerate() {
        for (column, fault) in faults.iter().enumerate() {
            for side in [Side::Before, Side::After] {
                if fault.is_possible(side) {
                    let strike = Strike {
                        request: (*request).to_owned(),
                        occurrence: *occurrence,
                        times: 1,
                        fault: *fault,
                        side,
                    };
                    cells.push(((row, column, side), strike));
                }
            }
        }
    }
    let runs = cells.len();
    let outcomes: Vec<(Cell, Strike, Outcome)> = stream::iter(cells)
        .map(|(cell, strike)| {
            let task = tokio::spawn(run(strike.clone()));
            async move { (cell, strike, task.await.unwrap()) }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;

    let mut shown = BTreeMap::new();
    let mut wrong = String::new();
    for ((row, column, side), strike, mut outcome) in outcomes {
        if outcome.struck == 0 {
            outcome.findings.push("the fault met no request".to_owned());
        }
        let sound = outcome.findings.is_empty();
        let text = outcome.letters + if sound { "" } else { "!" };
        shown.insert((row, column, side == Side::After), text);
        if !sound {
            let _ = writeln!(wrong, "{strike:?}: {:#?}", outcome.findings);
        }
    }
    println!("{title}: {runs} runs");
    print!("{:28}", "request");
    for fault in faults {
        print!("|{fault:^7}");
    }
    println!();
    let mut empty = 0;
    for (row, (_, _, name)) in rows.iter().enumerate() {
        for after in [false, true] {
            print!("{name:21}{:7}", if after { "after" } else { "before" });
            for (column, fault) in faults.iter().enumerate() {
                let side = if after { Side::After } else { Side::Before };
                let cell = shown.get(&(row, column, after)).map(String::as_str);
                let cell = cell.unwrap_or_else(|| {
                    let possible = fault.is_possible(side);
                    empty += usize::from(possible);
                    if possible { "" } else { "-" }
                });
                print!("|{cell:^7}");
            }
            println!();
        }
    }
    assert_eq!(empty, 0, "empty cells");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Fails where a run without faults does not make just the requests of the rows.
pub(super) fn assert_complete(rows: &[Row], mut requests: Vec<(String, usize)>) {
    let mut expected: Vec<_> = rows
        .iter()
        .map(|(request, occurrence, _)| ((*request).to_owned(), *occurrence))
        .collect();
    expected.sort();
    requests.sort();
    assert_eq!(requests, expected);
}

async fn promotion(cause: Cause, max_retries: u32) {
    let case = move |strikes| Case {
        cause,
        rights: Rights::All,
        max_retries,
        strikes,
    };
    let lab = Lab::start().await;
    let undisturbed = case(Vec::new()).run(&lab).await;
    assert_eq!(undisturbed.findings, [""; 0]);
    assert_complete(&REQUESTS, undisturbed.requests);
    let mut faults = Fault::all();
    faults.push(Fault::Kill);
    let title = format!("promotion, {cause:?}, max_retries {max_retries}");
    fill(&title, &REQUESTS, &faults, |strike| {
        let lab = Arc::clone(&lab);
        async move {
            let heals = max_retries > 0 && strike.fault.is_transient();
            let breaks = matches!(strike.fault, Fault::Deed(Deed::Broken | Deed::Delete));
            // Whoever put a token there before the write did so on purpose.
            let is_after_write = match (strike.request.as_str(), strike.occurrence) {
                ("POST data/m-agent", _) => strike.side == Side::After,
                ("PATCH metadata/m-agent" | "PATCH metadata/spare-2", 1) => true,
                _ => false,
            };
            let hand = strike.fault == Fault::Deed(Deed::Working) && !is_after_write;
            let mut report = case(vec![strike]).run(&lab).await;
            let letters = format!("{}{}", report.answer, report.then);
            if breaks && report.answer == 'W' {
                report
                    .findings
                    .push("a warning although no token is left that works".to_owned());
            }
            if hand && letters != "A=" {
                report
                    .findings
                    .push("a token that somebody put there was not kept".to_owned());
            }
            if heals && letters != "P=" {
                report
                    .findings
                    .push("a fault that was over at the second attempt shows".to_owned());
            }
            Outcome {
                letters,
                struck: report.struck,
                findings: report.findings,
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_of_a_requested_rotation_under_each_fault() {
    promotion(Cause::Requested, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_of_a_rotation_that_is_due_under_each_fault() {
    promotion(Cause::Due, 1).await;
}

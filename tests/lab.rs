//! The fault laboratory: one change of one token at a time, against a real OpenBao and through a
//! proxy that fails as told, and after it the question whether anything was lost.
//!
//! | where | what |
//! |---|---|
//! | `host` | the provider, in this process or as the real binary, driven as Terraform drives it |
//! | `bench` | the secrets of one run, and the second writer |
//! | `fault` | what can happen to a request, and when |
//! | `trial` | one run: a change under faults, then one without |
//! | `verdict` | what must hold after each run |
//! | `table` | every request of a promotion under every fault, kills included |
//! | `random` | schedules of one to three faults by a seed |
//! | `stored` | `token_wo` under the same faults |
//! | `races` | many applies at once |
//! | `lagging` | a standby that lags, while another primary wants the same spare |
//! | `again` | tokens that must not come back, whatever happened to spares and metadata |
//! | `lives` | whole lives by a seed: copies, duplicates, rollbacks, and secrets that are created again |
//! | `spares` | each use of a spare that is denied, slow, malformed, or deleted |
//! | `clocks` | clocks that differ between a mark and the write |
//! | `leaked` | a copy of a leaked token among the spares |
//! | `cluster` | three servers, and the loss of one |
//!
//! The ordinary suite runs some hundred random schedules. `TF_ACC_LAB_RUNS=5000 cargo test --test
//! main lab` runs as many as it says, `TF_ACC_LAB_SEED=7` starts at that seed (with
//! `TF_ACC_LAB_RUNS=1` it is run alone, and a failure names the seed to set), and
//! `TF_ACC_RACE_RUNS=100` repeats each race. No schedule depends on the time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure here is a failed test, and the tables are what it prints"
)]

mod again;
mod bench;
mod clocks;
mod cluster;
mod fault;
mod host;
mod lagging;
mod leaked;
mod lives;
mod races;
mod random;
mod spares;
mod stored;
mod table;
mod trial;
mod verdict;

use terraform_provider_claude::env::{Environment, ProcessEnvironment};

/// Returns a number that the person who runs the tests may set.
fn number(variable: &str, otherwise: u64) -> u64 {
    ProcessEnvironment
        .get(variable)
        .map_or(otherwise, |text| text.parse().unwrap())
}

//! What the provider costs, beside what others cost in the same run: `cargo bench`.
//!
//! Prints a table and writes every single value to `target/bench/figures.json`. Flags, after `--`:
//! `--quick` repeats less and leaves the largest stacks out, `--write` puts the last figures into
//! `PERFORMANCE.md`, and words such as `start`, `size`, `rpc` or `plan` run those parts alone.
//! Numbers are the sizes of the stacks that are planned.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench that cannot measure ends, with the reason"
)]

mod codec;
mod instant;
mod observer;
mod plan;
mod programs;
mod report;
mod rpc;
mod size;
mod stack;
mod start;
mod statistics;
mod trace;

#[allow(
    dead_code,
    unused_imports,
    reason = "made for tests, which use all of it"
)]
#[path = "../tests/support"]
mod support {
    pub(crate) mod cargo;
    pub(crate) mod certificates;
    pub(crate) mod generated;
    pub(crate) mod host;
    pub(crate) mod openbao;
    pub(crate) mod process;
    pub(crate) mod provision;
    pub(crate) mod secrets;
    pub(crate) mod terraform;
}

use terraform_provider_claude::env::{Environment, ProcessEnvironment, TF_PLUGIN_MAGIC_COOKIE};

use programs::Programs;
use report::Report;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough to see that the harness works and where a figure is about.
    Quick,
    /// Enough to rely on.
    Full,
}

impl Effort {
    /// Picks a number for the effort.
    pub(crate) fn pick(self, quick: usize, full: usize) -> usize {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

fn main() {
    // Terraform starts this program as the provider without Vault.
    if ProcessEnvironment.get(TF_PLUGIN_MAGIC_COOKIE).is_some() {
        return instant::serve();
    }
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds this one.
    arguments.retain(|argument| argument != "--bench");
    let mut flag = |name: &str| {
        let before = arguments.len();
        arguments.retain(|argument| argument != name);
        arguments.len() < before
    };
    let effort = if flag("--quick") {
        Effort::Quick
    } else {
        Effort::Full
    };
    if flag("--write") {
        return report::write_page();
    }
    let counts: Vec<usize> = arguments
        .iter()
        .filter_map(|word| word.parse().ok())
        .collect();
    arguments.retain(|word| word.parse::<usize>().is_err());
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|word| word == part);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    let programs = Programs::get();
    let mut report = Report::new(effort, &programs);
    if wanted("size") {
        size::measure(&mut report, &programs);
    }
    if wanted("start") {
        start::measure(&mut report, &programs, effort);
    }
    if wanted("rpc") {
        codec::measure(&mut report, effort);
        runtime.block_on(rpc::measure(&mut report, &programs, effort));
    }
    if wanted("plan") {
        plan::measure(&mut report, &programs, &runtime, effort, &counts);
    }
    report.finish();
}

//! What several test modules share.

use std::io::Write as _;
use std::sync::OnceLock;

pub(crate) mod cargo;
pub(crate) mod certificates;
pub(crate) mod claude;
pub(crate) mod cluster;
pub(crate) mod generated;
pub(crate) mod hcl;
pub(crate) mod host;
pub(crate) mod markdown;
pub(crate) mod openbao;
pub(crate) mod picture;
pub(crate) mod process;
pub(crate) mod promtool;
pub(crate) mod provision;
pub(crate) mod proxy;
pub(crate) mod secrets;
pub(crate) mod terraform;
pub(crate) mod usage;

use terraform::{Capabilities, Workspace};

/// Reports what the tests leave out, and why.
///
/// It writes past the test runner, which would hide the output of a test that passes.
/// `.ci/slowest` lists these lines again at the end.
pub(crate) fn leave_out(what_and_why: &str) {
    let mut stderr = std::io::stderr().lock();
    // Without standard error, there is nobody to report to.
    drop(writeln!(stderr, "left out: {what_and_why}"));
}

/// Returns whether the command line that the tests use lacks something, and reports if it does.
pub(crate) fn lacks(what: &str, can: fn(&Capabilities) -> bool) -> bool {
    static ASKED: OnceLock<Capabilities> = OnceLock::new();
    let lacks = !can(ASKED.get_or_init(|| Workspace::new("probe").capabilities()));
    if lacks {
        leave_out(&format!("{what}, which this command line lacks"));
    }
    lacks
}
